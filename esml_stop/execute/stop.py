"""Stops deployments, several at a time, and determines the outcome of each."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace

from esml_stop.cluster.api import Cluster
from esml_stop.cluster.reader import Reader
from esml_stop.errors import EsmlError, Refused, Unreachable
from esml_stop.execute.batch import Batch, Listener, Say
from esml_stop.execute.change import Change
from esml_stop.execute.final_check import settled_at_once
from esml_stop.models import Deployment, Flags
from esml_stop.outcomes import Outcome, Result, Target
from esml_stop.runtime.deadline import Deadline


def stop_all(
    reader: Reader, targets: Sequence[Target], flags: Flags, listener: Listener, *, parallel: int
) -> tuple[list[Result], int | None]:
    """Stop the planned deployments, at most `parallel` at a time.

    Returns one result per target, in order, and the number of the signal that interrupted it, or None. Nothing is sent
    for targets with another decision.
    """

    def stop(target: Target, say: Say) -> Result:
        return Stop(reader.cluster, target, flags, reader.deadline, say).run()

    batch = Batch(stop, reader.deadline, listener, parallel=parallel)
    done, signal = batch.run([one for one in targets if one.decision is Outcome.WOULD_STOP])
    results = [done.get(one.deployment_id) or Result.untouched(one) for one in targets]
    if signal:
        return settled_at_once(results, reader, settled), signal
    return without_unproven(results, reader), None


def without_unproven(results: list[Result], reader: Reader) -> list[Result]:
    """Return the results, without believing a server before 8.8, or one of unknown version, about what was not seen."""
    unseen = [one for one in results if one.outcome is Outcome.STOPPED and not one.target.deployment]
    with suppress(EsmlError):
        if not unseen or reader.stops_deployments:
            return results
    return [replace(one, outcome=Outcome.UNKNOWN, error=UNPROVEN) if one in unseen else one for one in results]


UNPROVEN = EsmlError(
    "The cluster answered that it has stopped, but it was not listed before, so it may not have been running.",
    code="unproven",
    hint="Servers before 8.8 answer this for any model. To see what is running: esml list",
)


def settled(result: Result, found: Deployment | None) -> Result:
    """Return the result of a stop whose answer is missing, based on the deployment's current state."""
    if found and found.state == "stopping":
        return replace(result, outcome=Outcome.STOPPING)
    # A running deployment may still stop, so it stays unknown, and so does one that was never listed (maybe a typo).
    return replace(result, outcome=Outcome.STOPPED, error=None) if not found and result.target.deployment else result


class Stop(Change):
    """Stops one deployment; complete when it is gone."""

    done = Outcome.STOPPED
    look_later = "Check again later with `esml list`. It is safe to stop it again."
    not_done = "It is still running. Stop it again when the cluster is healthy."

    def __init__(
        self, cluster: Cluster, target: Target, flags: Flags, deadline: Deadline, on_retry: Callable[[str], None]
    ) -> None:
        super().__init__(cluster, target, deadline, on_retry)
        self.flags = flags
        self.was_seen = target.deployment is not None

    def send(self, timeout: float) -> None:
        """Send the stop request."""
        self.cluster.stop(self.target.deployment_id, flags=self.flags, timeout=timeout)

    def reached(self, deadline: Deadline, patience: float) -> Result | None:
        """Return a result if the deployment is gone, else None."""
        found = self.present(deadline, patience)
        self.was_seen |= self.state is not None
        return None if found else self.not_running()

    def refused(self, refused: Refused) -> Result:
        """Return the result for an error that Elasticsearch returned."""
        if is_missing(refused):
            return self.not_running(refused)
        return self.result(Outcome.IN_USE if refused.http_status == 409 else Outcome.FAILED, refused)

    def not_running(self, refused: Refused | None = None) -> Result:
        """Return the result for a deployment that is not listed.

        If it was listed before, it has stopped, no matter who stopped it. If it never was, the ID may be a typo.
        """
        if self.was_seen:
            return self.result(Outcome.STOPPED)
        # Nothing was changed if no request was sent, or if no answer was lost before this 404.
        if not (self.lost if refused else self.sent):
            return self.result(Outcome.NOT_FOUND)
        text = "It is not running, but an answer to the stop was lost, so whether it ran before is unknown."
        return self.result(Outcome.UNKNOWN, Unreachable(text))

    def result(self, outcome: Outcome, error: EsmlError | None = None) -> Result:
        """Return the result; `forced` is set only for a deployment that stopped."""
        ended = super().result(outcome, error)
        return replace(ended, forced=self.flags.force and outcome is Outcome.STOPPED)


def is_missing(refused: Refused) -> bool:
    """Return whether this is Elasticsearch's 404 for an unknown deployment; other 404s have other causes."""
    return refused.http_status == 404 and refused.type == "resource_not_found_exception"
