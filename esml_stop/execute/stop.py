"""Stops deployments: each until it is known what became of it, a few at a time."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace

from esml_stop.cluster.api import Cluster
from esml_stop.cluster.reader import Reader
from esml_stop.errors import EsmlError, Refused, Unreachable
from esml_stop.execute.batch import Batch, Listener, Say
from esml_stop.execute.change import Change
from esml_stop.execute.last_look import settled_at_once
from esml_stop.models import Deployment, Flags
from esml_stop.outcomes import Outcome, Result, Target
from esml_stop.runtime.deadline import Deadline


def stop_all(
    reader: Reader, targets: Sequence[Target], flags: Flags, listener: Listener, *, parallel: int
) -> tuple[list[Result], int | None]:
    """Stop what the plan says, at most `parallel` at a time.

    Returns one result per target, in order, and the signal that ended it early, if one did. Nothing is sent for targets
    that were decided against.
    """

    def stop(target: Target, say: Say) -> Result:
        return Stop(reader.cluster, target, flags, reader.deadline, say).run()

    batch = Batch(stop, reader.deadline, listener, parallel=parallel)
    done, signal = batch.run([one for one in targets if one.decision is Outcome.WOULD_STOP])
    results = [done.get(one.deployment_id) or Result.untouched(one) for one in targets]
    if signal:
        return settled_at_once(results, reader, settled), signal
    return believed(results, reader), None


def believed(results: list[Result], reader: Reader) -> list[Result]:
    """Return the results, without believing a server before 8.8, or one of unknown version, about what was not seen."""
    unseen = [one for one in results if one.outcome is Outcome.STOPPED and not one.target.deployment]
    with suppress(EsmlError):
        if not unseen or reader.stops_deployments:
            return results
    return [replace(one, outcome=Outcome.UNKNOWN, error=UNPROVEN) if one in unseen else one for one in results]


UNPROVEN = EsmlError(
    "The cluster answered that it is stopped, but it was not listed before, so whether it ran is not known.",
    code="unproven",
    hint="A server before 8.8 gives this answer for any model. `esml list` shows what runs.",
)


def settled(result: Result, found: Deployment | None) -> Result:
    """Return the result of a stop without an answer, as one look at the deployment settles it."""
    if found and found.state == "stopping":
        return replace(result, outcome=Outcome.STOPPING)
    # What still runs may be stopped a moment later; what was never seen may have been a typing error.
    return replace(result, outcome=Outcome.STOPPED, error=None) if not found and result.target.deployment else result


class Stop(Change):
    """One stop; reached when the deployment is gone."""

    done = Outcome.STOPPED
    look_later = "Look again later: `esml list` shows what runs; stopping it again is harmless."
    not_done = "It still runs. Stop it again when the cluster is healthy."

    def __init__(
        self, cluster: Cluster, target: Target, flags: Flags, deadline: Deadline, on_retry: Callable[[str], None]
    ) -> None:
        super().__init__(cluster, target, deadline, on_retry)
        self.flags = flags
        self.was_seen = target.deployment is not None

    def send(self, timeout: float) -> None:
        """Send the stop."""
        self.cluster.stop(self.target.deployment_id, flags=self.flags, timeout=timeout)

    def reached(self, deadline: Deadline, patience: float) -> Result | None:
        """Return the result when the deployment is gone."""
        found = self.present(deadline, patience)
        self.was_seen |= self.state is not None
        return None if found else self.not_running()

    def refused(self, refused: Refused) -> Result:
        """Return what an error in Elasticsearch's own words means."""
        if is_missing(refused):
            return self.not_running(refused)
        return self.result(Outcome.IN_USE if refused.http_status == 409 else Outcome.FAILED, refused)

    def not_running(self, refused: Refused | None = None) -> Result:
        """Return the result of a deployment that is not there.

        What was seen running and is not there any more has stopped, whoever did it. What was never seen may have been
        a typing error, so it is not said to have stopped.
        """
        if self.was_seen:
            return self.result(Outcome.STOPPED)
        # A stop that the server was the first to answer so, or that never left, changed nothing.
        if not (self.lost if refused else self.sent):
            return self.result(Outcome.NOT_FOUND)
        text = "It is not running, but an answer to the stop was lost, so whether it ran before is unknown."
        return self.result(Outcome.UNKNOWN, Unreachable(text))

    def result(self, outcome: Outcome, error: EsmlError | None = None) -> Result:
        """Return the result; only what stopped was forced."""
        ended = super().result(outcome, error)
        return replace(ended, forced=self.flags.force and outcome is Outcome.STOPPED)


def is_missing(refused: Refused) -> bool:
    """Tell whether Elasticsearch says that it knows no such deployment; other 404s say nothing about it."""
    return refused.http_status == 404 and refused.type == "resource_not_found_exception"
