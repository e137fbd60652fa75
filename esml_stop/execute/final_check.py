"""The final check of the cluster: verifies that deployments are gone and finds what uses the refused ones."""

from collections.abc import Callable, Sequence
from concurrent.futures import wait
from contextlib import suppress
from dataclasses import dataclass, replace

from esml_stop.cluster.reader import Reader
from esml_stop.errors import EsmlError
from esml_stop.exit_status import ExitStatus
from esml_stop.models import FINAL_CHECK, Deployment, Kind, NotChecked, Reference, Through
from esml_stop.outcomes import Outcome, Result, with_outcome
from esml_stop.plan.patterns import Wanted
from esml_stop.plan.references import references_deployment, uses
from esml_stop.runtime.background import begin_limited
from esml_stop.runtime.deadline import Deadline
from esml_stop.runtime.signals import Interrupted
from esml_stop.text import clean

# A node's cluster state may lag behind that of the node that answered the stop.
LOOKS, FIRST_PAUSE, LONGEST_PAUSE = 3, 0.5, 5.0

# Limit for the first request of the final check: if the cluster stops responding, the report is not delayed further.
LONGEST_SECONDS = 30.0

# Limit for the check after a signal, when the report is due within a second.
QUICK_SECONDS = 0.35


Results = Sequence[Result]


@dataclass(frozen=True, slots=True)
class FinalResults:
    """The results after the final check, the signal that interrupted it, and warnings about it."""

    results: Results
    signal: int | None = None
    warnings: tuple[str, ...] = ()


def guarded(
    results: Results, work: Callable[[], Results], without: Callable[[Results, EsmlError], Results]
) -> FinalResults:
    """Return the results of `work`; if it fails, return the given results, so that none is lost.

    If the cluster cannot be read, `without` returns the results. After a signal or a bug they are unchanged.
    """
    try:
        return FinalResults(work())
    except Interrupted as interrupted:
        return FinalResults(results, interrupted.signal)
    except EsmlError as error:
        return FinalResults(without(results, error))
    except Exception as error:  # noqa: BLE001 - a bug must not lose the report
        bug = f"The final check failed unexpectedly ({clean(repr(error))}); this is a bug in esml."
        return FinalResults(results, warnings=(bug,))


def settled_at_once(
    results: Results, reader: Reader, settled: Callable[[Result, Deployment | None], Result]
) -> list[Result]:
    """Return the results after a signal; one quick request settles the unknown ones."""
    names = {one.deployment_id for one in with_outcome(results, Outcome.UNKNOWN)}
    if not names:
        return list(results)
    moment = Deadline(QUICK_SECONDS, reader.deadline.clock)
    # In a thread: the main thread may not block after a signal.
    look = begin_limited(lambda: reader.running(names, moment))
    if not wait([look], timeout=QUICK_SECONDS).done or look.exception():
        return list(results)
    found = look.result()
    return [settled(one, found.get(one.deployment_id)) if one.deployment_id in names else one for one in results]


def with_final_check(results: Results, reader: Reader, *, check: bool) -> FinalResults:
    """Return the results after the final check."""
    return guarded(
        results,
        lambda: explained(verified(results, reader) if check else results, reader),
        unconfirmed,
    )


def verified(results: Sequence[Result], reader: Reader) -> list[Result]:
    """Return the results, corrected where a stopped deployment is still or again listed; one request for all.

    If the check fails, the server's answer counts: it reports "stopped" only when a deployment is gone from every node
    (docs/elasticsearch.md). The results then state that this was not checked.
    """
    stopped = {result.deployment_id for result in with_outcome(results, Outcome.STOPPED)}
    if not stopped:
        return list(results)
    try:
        left = listed_again(stopped, reader)
    except EsmlError as error:
        return unconfirmed(results, error)
    return [contradicted(one, left[one.deployment_id]) if one.deployment_id in left else one for one in results]


def listed_again(names: set[str], reader: Reader) -> dict[str, Deployment]:
    """Return the deployments that remain listed after a few checks; those that are stopping get until the deadline."""
    left = reader.running(names, reader.deadline.at_most(LONGEST_SECONDS))
    look, pause = 1, FIRST_PAUSE
    # If a later request fails, the previous listing counts.
    with suppress(EsmlError):
        while (left and look < LOOKS) or any_stopping(left):
            reader.deadline.clock.sleep(min(pause, reader.deadline.left))
            left = reader.running(names)
            look, pause = look + 1, min(pause * 2, LONGEST_PAUSE)
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


def contradicted(result: Result, found: Deployment) -> Result:
    """Return the result of a stop whose deployment is still listed."""
    if found.state == "stopping":
        error = EsmlError("It is still listed as stopping.", code="still_stopping", exit_status=ExitStatus.DEADLINE)
        return replace(result, outcome=Outcome.STOPPING, error=error)
    before = result.target.deployment
    again = before and before.start_time != found.start_time
    text = "It stopped, and was started again by someone else." if again else "It is still listed as running."
    return replace(result, outcome=Outcome.FAILED, error=EsmlError(text, code="still_running"))


def explained(results: Sequence[Result], reader: Reader) -> list[Result]:
    """Return the results, with what uses the deployments that the server refused to stop.

    The server's 409 names no pipeline. If the usage check was skipped, or did not find the use, it is read now.
    """
    refused = [
        one for one in with_outcome(results, Outcome.IN_USE) if one.error and not references_deployment(one.used_by)
    ]
    if not refused:
        return list(results)
    try:
        snapshot = reader.read(Wanted(tuple(one.deployment_id for one in refused)))
    except EsmlError:
        return list(results)
    found = {one.deployment_id: uses(one, snapshot) for one in snapshot.deployments}
    return [
        replace(one, used_by=by_conflict(found[one.deployment_id], one.error))
        if one in refused and one.deployment_id in found
        else one
        for one in results
    ]


def by_conflict(references: tuple[Reference, ...], error: EsmlError | None) -> tuple[Reference, ...]:
    """Return the uses, corrected by the server's 409, which it returns only for references to the deployment itself.

    If `_stats` did not show whether pipelines reference the deployment or its model, at least one references the
    deployment.
    """
    by_name = any(one.kind is Kind.PIPELINE and one.through is Through.DEPLOYMENT for one in references)
    if by_name or not error or "ingest processors" not in (error.reason or ""):
        return references
    return tuple(
        Reference(one.kind, one.id, Through.DEPLOYMENT) if one.kind is Kind.PIPELINE else one for one in references
    )
