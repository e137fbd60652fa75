"""Restarts deployments: starts each as soon as it has stopped, then waits until all have started."""

from collections.abc import Sequence
from dataclasses import replace

from esml_stop.cluster.reader import Reader
from esml_stop.execute import start as starting
from esml_stop.execute import stop as stopping
from esml_stop.execute.batch import Batch, FinalResults, Listener, Say, settled_at_once
from esml_stop.execute.start import Start, not_attempted, wait_until_started
from esml_stop.execute.stop import Stop
from esml_stop.models import Deployment, Flags
from esml_stop.outcomes import Outcome, Result, Target


class Restarts:
    """The restarts of one run. `stopped` holds the IDs of the deployments that have stopped, even if started again."""

    def __init__(self, reader: Reader, flags: Flags, *, wait_for: str, again: str) -> None:
        self.reader = reader
        self.flags = flags
        self.wait_for = wait_for
        self.again = again
        self.stopped: set[str] = set()

    def carry_out(self, planned: Sequence[Result], listener: Listener, *, parallel: int) -> FinalResults:
        """Restart the planned deployments, at most `parallel` at a time; return one result per target, in order."""
        batch = Batch(self.restart, self.reader.deadline, listener, parallel=parallel)
        done, signal = batch.run([one.target for one in planned if one.outcome is Outcome.WOULD_RESTART])
        results = [done.get(one.deployment_id) or not_attempted(one) for one in planned]
        if signal:
            seen = settled_at_once(results, self.reader, self.settled)
            return FinalResults([self.as_restart(one, interrupted=True) for one in seen], signal)
        return wait_until_started([self.as_restart(one) for one in results], self.reader, self.wait_for)

    def restart(self, target: Target, say: Say) -> Result:
        """Stop one deployment and start it again; runs in a worker thread."""
        reader = self.reader
        stopped = Stop(reader.cluster, target, self.flags, reader.deadline, say).run()
        if stopped.outcome is not Outcome.STOPPED:
            return stopped
        self.stopped.add(target.deployment_id)
        started = Start(reader.cluster, as_stopped(target), self.wait_for, reader.deadline, say, again=self.again).run()
        return joined(stopped, started)

    def settled(self, result: Result, found: Deployment | None) -> Result:
        """Return the result of a request whose answer is missing, based on the deployment's current state."""
        if result.deployment_id in self.stopped:
            return starting.settled(result, found)
        return stopping.settled(result, found)

    def as_restart(self, result: Result, *, interrupted: bool = False) -> Result:
        """Return the result of a stop or start as the result of a restart."""
        if result.outcome is Outcome.STARTED:
            return replace(result, outcome=Outcome.RESTARTED)
        if not result.error:
            return result
        if result.outcome in {Outcome.STOPPING, Outcome.UNKNOWN}:
            hint = f"Check again with `esml list`. When it has stopped, start it with {self.again}."
            result = replace(result, error=result.error.replace(hint=hint))
        return self.after_stop(result, interrupted=interrupted) if result.deployment_id in self.stopped else result

    def after_stop(self, result: Result, *, interrupted: bool) -> Result:
        """Return the result of an unsuccessful start, with a message that says that the deployment has stopped."""
        assert result.error
        why = result.error.message
        if result.outcome in {Outcome.FAILED, Outcome.NOT_ATTEMPTED}:
            text = (
                "esml was interrupted before it was started again." if interrupted else f"was not started again. {why}"
            )
            return replace(
                result, outcome=Outcome.FAILED, error=result.error.replace(message=f"It stopped, but {text}")
            )
        if result.outcome is Outcome.UNKNOWN:
            text = f"It stopped, but it is not known whether it was started again. {why}"
            return replace(result, error=result.error.replace(message=text))
        return result


def as_stopped(target: Target) -> Target:
    """Return the target of the start that follows a stop."""
    assert target.deployment
    return replace(target, deployment=target.deployment._replace(state="stopped"))


def joined(stopped: Result, started: Result) -> Result:
    """Return one result for a stop and a start: the outcome of the start, the deployment as before the stop."""
    before, after = stopped.target.deployment, started.target.deployment
    assert before
    assert after
    target = replace(stopped.target, deployment=before._replace(through_alias=after.through_alias))
    attempts = stopped.attempts + started.attempts
    outcome = Outcome.RESTARTED if started.outcome is Outcome.STARTED else started.outcome
    joint = replace(started, target=target, outcome=outcome, attempts=attempts)
    return replace(joint, forced=stopped.forced, used_by=stopped.used_by)
