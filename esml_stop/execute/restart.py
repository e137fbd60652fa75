"""Restarts deployments: each is started as soon as it has stopped, then all of them are watched until they run."""

from collections.abc import Sequence
from dataclasses import replace

from esml_stop.cluster.reader import Reader
from esml_stop.errors import EsmlError
from esml_stop.execute import start as starting
from esml_stop.execute import stop as stopping
from esml_stop.execute.batch import Batch, Listener, Say
from esml_stop.execute.last_look import Looked, improved, settled_at_once
from esml_stop.execute.start import Start, untouched, watched_arriving
from esml_stop.execute.stop import Stop
from esml_stop.models import Deployment, Flags
from esml_stop.outcomes import Outcome, Result, Target


class Restarts:
    """The restarts of one run. `stopped` has the IDs of those that have stopped, whatever came after."""

    def __init__(self, reader: Reader, flags: Flags, *, wait_for: str, again: str) -> None:
        self.reader = reader
        self.flags = flags
        self.wait_for = wait_for
        self.again = again
        self.stopped: set[str] = set()

    def carry_out(self, planned: Sequence[Result], listener: Listener, *, parallel: int) -> Looked:
        """Restart what the plan says, at most `parallel` at a time, and return one result per target, in order."""
        batch = Batch(self.restart, self.reader.deadline, listener, parallel=parallel)
        done, signal = batch.run([one.target for one in planned if one.outcome is Outcome.WOULD_RESTART])
        results = [done.get(one.deployment_id) or untouched(one) for one in planned]
        seen = self.interrupted(results, signal) if signal else self.arrived(results)
        return replace(seen, results=[self.told(one, interrupted=signal is not None) for one in seen.results])

    def restart(self, target: Target, say: Say) -> Result:
        """Stop one deployment and start it again; runs in a worker thread."""
        reader = self.reader
        stopped = Stop(reader.cluster, target, self.flags, reader.deadline, say).run()
        if stopped.outcome is not Outcome.STOPPED:
            return stopped
        self.stopped.add(target.deployment_id)
        started = Start(reader.cluster, as_stopped(target), self.wait_for, reader.deadline, say, again=self.again).run()
        return joined(stopped, started)

    def arrived(self, results: Sequence[Result]) -> Looked:
        """Return the results once everything runs, or the time is over."""
        return improved(
            results,
            lambda: watched_arriving(results, self.reader, self.wait_for),
            lambda unseen, _: unseen,  # the server's own word stands
        )

    def interrupted(self, results: Sequence[Result], signal: int) -> Looked:
        """Return the results after a signal."""
        return Looked(settled_at_once(results, self.reader, self.settled), signal)

    def settled(self, result: Result, found: Deployment | None) -> Result:
        """Return the result of a request without an answer, as one look at the deployment settles it."""
        if result.deployment_id in self.stopped:
            return starting.settled(result, found)
        return stopping.settled(result, found)

    def told(self, result: Result, *, interrupted: bool) -> Result:
        """Return the result in terms of a restart: restarted, or how far it got."""
        if result.outcome is Outcome.STARTED:
            return replace(result, outcome=Outcome.RESTARTED)
        if result.deployment_id not in self.stopped or not result.error:
            return result
        if result.outcome in {Outcome.FAILED, Outcome.NOT_ATTEMPTED}:
            what = "esml was interrupted before it was started again" if interrupted else "was not started again"
            return replace(result, outcome=Outcome.FAILED, error=after_stop(result.error, what))
        if result.outcome is Outcome.UNKNOWN:
            return replace(result, error=after_stop(result.error, "whether it was started again is not known"))
        return result


def as_stopped(target: Target) -> Target:
    """Return the target of the start that follows a stop."""
    assert target.deployment
    return replace(target, deployment=target.deployment._replace(state="stopped"))


def joined(stopped: Result, started: Result) -> Result:
    """Return one result for both: the end of the start, with the deployment as it was before the stop."""
    before, after = stopped.target.deployment, started.target.deployment
    assert before
    assert after
    target = replace(stopped.target, deployment=before._replace(through_alias=after.through_alias))
    attempts = stopped.attempts + started.attempts
    return replace(started, target=target, forced=stopped.forced, used_by=stopped.used_by, attempts=attempts)


def after_stop(error: EsmlError, what: str) -> EsmlError:
    """Return an error of the start that tells that the deployment had been stopped before."""
    return error.but(message=f"It stopped, but {what}. {error.message}")
