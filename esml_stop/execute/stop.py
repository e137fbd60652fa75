"""Stops deployments, several at a time, and determines the outcome of each."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace

from esml_stop.cluster.api import Cluster
from esml_stop.cluster.reader import Reader
from esml_stop.errors import EsmlError, Refused, Unreachable
from esml_stop.execute.batch import Batch, FinalResults, Listener, Results, Say, keep_results_on_error, settled_at_once
from esml_stop.execute.change import Change
from esml_stop.execute.conflicts import with_conflicting_uses
from esml_stop.exit_status import ExitStatus
from esml_stop.models import FINAL_CHECK, Deployment, Flags, NotChecked
from esml_stop.outcomes import Outcome, Result, Target, having_outcome
from esml_stop.runtime.deadline import Deadline

# A node's cluster state may lag behind that of the node that answered the stop.
CHECKS, FIRST_PAUSE, LONGEST_PAUSE = 3, 0.5, 5.0

# Limit for the first request of the final check: if the cluster stops responding, the report is not delayed further.
LONGEST_SECONDS = 30.0


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
    results = [done.get(one.deployment_id) or Result.not_attempted(one) for one in targets]
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
    hint="Servers before 8.8 return this for any model. To see what is running: esml list",
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
    unknown_hint = "Check again later with `esml list`. It is safe to stop it again."
    failed_hint = "It is still running. Stop it again when the cluster is healthy."

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
        found = self.wait_while_stopping(deadline, patience)
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
        text = "It is not running, but the response to a stop was lost, so it is unknown whether it was running before."
        return self.result(Outcome.UNKNOWN, Unreachable(text))

    def result(self, outcome: Outcome, error: EsmlError | None = None) -> Result:
        """Return the result; `forced` is set only for a deployment that stopped."""
        ended = super().result(outcome, error)
        return replace(ended, forced=self.flags.force and outcome is Outcome.STOPPED)


def is_missing(refused: Refused) -> bool:
    """Return whether this is Elasticsearch's 404 for an unknown deployment; other 404s have other causes."""
    return refused.http_status == 404 and refused.type == "resource_not_found_exception"


def with_final_check(results: Results, reader: Reader, *, check: bool) -> FinalResults:
    """Return the results after the final check: stopped deployments are gone, and refusals name what is in use."""

    def final() -> Results:
        checked = verified(results, reader) if check else results
        return with_conflicting_uses(checked, reader) if having_outcome(checked, Outcome.IN_USE) else checked

    return keep_results_on_error(results, final, unconfirmed)


def verified(results: Sequence[Result], reader: Reader) -> list[Result]:
    """Return the results, corrected where a stopped deployment is still or again listed; one request for all.

    If the check fails, the server's answer counts: it reports "stopped" only when a deployment is gone from every node
    (docs/elasticsearch.md). The results then state that this was not checked.
    """
    stopped = {result.deployment_id for result in having_outcome(results, Outcome.STOPPED)}
    if not stopped:
        return list(results)
    try:
        left = still_listed(stopped, reader)
    except EsmlError as error:
        return unconfirmed(results, error)
    return [still_listed_result(one, left[one.deployment_id]) if one.deployment_id in left else one for one in results]


def still_listed(names: set[str], reader: Reader) -> dict[str, Deployment]:
    """Return the deployments that remain listed after a few checks; those that are stopping get until the deadline."""
    left = reader.running(names, reader.deadline.at_most(LONGEST_SECONDS))
    checks, pause = 1, FIRST_PAUSE
    # If a later request fails, the previous listing counts.
    with suppress(EsmlError):
        while (left and checks < CHECKS) or any_stopping(left):
            reader.deadline.clock.sleep(min(pause, reader.deadline.left))
            left = reader.running(names)
            checks, pause = checks + 1, min(pause * 2, LONGEST_PAUSE)
    return left


def any_stopping(left: dict[str, Deployment]) -> bool:
    """Return whether one of the deployments is still stopping."""
    return any(one.state == "stopping" for one in left.values())


def unconfirmed(results: Sequence[Result], error: EsmlError) -> list[Result]:
    """Return the results, with the final check marked as not done for those that stopped."""
    missing = NotChecked(FINAL_CHECK, error.message)
    return [with_not_checked(one, missing) if one.outcome is Outcome.STOPPED else one for one in results]


def with_not_checked(result: Result, missing: NotChecked) -> Result:
    """Return the result with one more entry in `not_checked`."""
    return replace(result, target=replace(result.target, not_checked=(*result.target.not_checked, missing)))


def still_listed_result(result: Result, found: Deployment) -> Result:
    """Return the result of a stop whose deployment is still listed."""
    if found.state == "stopping":
        error = EsmlError("It is still listed as stopping.", code="still_stopping", exit_status=ExitStatus.DEADLINE)
        return replace(result, outcome=Outcome.STOPPING, error=error)
    before = result.target.deployment
    again = before and before.start_time != found.start_time
    text = "It stopped, but was started again, not by this command." if again else "It is still listed as running."
    return replace(result, outcome=Outcome.FAILED, error=EsmlError(text, code="still_running"))
