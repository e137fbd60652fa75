"""A last look at the cluster: is everything gone that was stopped, and what was in the way of the rest."""

from collections.abc import Callable, Sequence
from concurrent.futures import wait
from contextlib import suppress
from dataclasses import dataclass, replace

from esml_stop.cluster.reader import Reader
from esml_stop.errors import EsmlError
from esml_stop.exit_status import ExitStatus
from esml_stop.models import LAST_LOOK, Deployment, Kind, NotChecked, Reference, Through
from esml_stop.outcomes import Outcome, Result, with_outcome
from esml_stop.plan.patterns import Wanted
from esml_stop.plan.references import names_one, uses
from esml_stop.runtime.background import begin_limited
from esml_stop.runtime.deadline import Deadline
from esml_stop.runtime.signals import Interrupted
from esml_stop.text import clean

# A node may be a moment behind the one that answered the stop.
LOOKS, FIRST_PAUSE, LONGEST_PAUSE = 3, 0.5, 5.0

# A cluster that falls silent after the stops must not hold up a report that is ready.
LONGEST_SECONDS = 30.0

# After a signal the report is due within a second.
QUICK_SECONDS = 0.35


Results = Sequence[Result]


@dataclass(frozen=True, slots=True)
class FinalResults:
    """The results after the last look at the cluster, the signal that ended it, and warnings about it."""

    results: Results
    signal: int | None = None
    warnings: tuple[str, ...] = ()


def guarded(
    results: Results, work: Callable[[], Results], without: Callable[[Results, EsmlError], Results]
) -> FinalResults:
    """Return the results that `work` makes of some; no result is lost when it fails.

    `without` returns the results when the cluster could not be read. After a signal, or a bug, they stay as they were.
    """
    try:
        return FinalResults(work())
    except Interrupted as interrupted:
        return FinalResults(results, interrupted.signal)
    except EsmlError as error:
        return FinalResults(without(results, error))
    except Exception as error:  # noqa: BLE001 - a bug must not take the report along
        bug = f"the last look failed unexpectedly ({clean(repr(error))}); this is a bug in esml."
        return FinalResults(results, warnings=(bug,))


def settled_at_once(
    results: Results, reader: Reader, settled: Callable[[Result, Deployment | None], Result]
) -> list[Result]:
    """Return the results after a signal: one quick look settles those of requests whose answer was not waited for."""
    names = {one.deployment_id for one in with_outcome(results, Outcome.UNKNOWN)}
    if not names:
        return list(results)
    moment = Deadline(QUICK_SECONDS, reader.deadline.clock)
    look = begin_limited(lambda: reader.running(names, moment))  # the main thread waits for nothing any more
    if not wait([look], timeout=QUICK_SECONDS).done or look.exception():
        return list(results)
    found = look.result()
    return [settled(one, found.get(one.deployment_id)) if one.deployment_id in names else one for one in results]


def with_last_look(results: Results, reader: Reader, *, check: bool) -> FinalResults:
    """Return the results after the last look."""
    return guarded(
        results,
        lambda: explained(verified(results, reader) if check else results, reader),
        unconfirmed,
    )


def verified(results: Sequence[Result], reader: Reader) -> list[Result]:
    """Return the results, put right where a deployment that was stopped is listed again.

    One request for all of them. Without an answer the server's word stands: it says "stopped" only when a deployment
    is gone from every node (docs/elasticsearch.md); the result says that it was not checked.
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
    """Return those of the deployments that stay listed for a moment, or until the deadline if they are stopping."""
    left = reader.running(names, reader.deadline.at_most(LONGEST_SECONDS))
    look, pause = 1, FIRST_PAUSE
    # What was listed is not forgotten because the next look fails.
    with suppress(EsmlError):
        while (left and look < LOOKS) or going(left):
            reader.deadline.clock.sleep(min(pause, reader.deadline.left))
            left = reader.running(names)
            look, pause = look + 1, min(pause * 2, LONGEST_PAUSE)
    return left


def going(left: dict[str, Deployment]) -> bool:
    """Tell whether waiting is worth while."""
    return any(one.state == "stopping" for one in left.values())


def unconfirmed(results: Sequence[Result], error: EsmlError) -> list[Result]:
    """Return the results, those of the stops as resting on the server's word alone."""
    unread = NotChecked(LAST_LOOK, error.message)
    return [with_unread(one, unread) if one.outcome is Outcome.STOPPED else one for one in results]


def with_unread(result: Result, unread: NotChecked) -> Result:
    """Return the result with one more thing that was not checked."""
    return replace(result, target=replace(result.target, not_checked=(*result.target.not_checked, unread)))


def contradicted(result: Result, found: Deployment) -> Result:
    """Return the result of a stop that the cluster's own listing contradicts."""
    if found.state == "stopping":
        error = EsmlError("It is still listed as stopping.", code="still_stopping", exit_status=ExitStatus.DEADLINE)
        return replace(result, outcome=Outcome.STOPPING, error=error)
    before = result.target.deployment
    again = before and before.start_time != found.start_time
    text = "It stopped, and was started again by someone else." if again else "It is still listed as running."
    return replace(result, outcome=Outcome.FAILED, error=EsmlError(text, code="still_running"))


def explained(results: Sequence[Result], reader: Reader) -> list[Result]:
    """Return the results, those that the server refused with everything that may be in the way.

    The server's 409 names no pipeline; where esml had not found it, because it was told not to look or something
    changed since, it looks now.
    """
    refused = [one for one in with_outcome(results, Outcome.IN_USE) if one.error and not names_one(one.used_by)]
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
    """Return the uses as the server's 409 settles them: it only looks at names of the deployment itself.

    Where `_stats` left open whether pipelines name the deployment or its model, at least one names the deployment.
    """
    by_name = any(one.kind is Kind.PIPELINE and one.through is Through.DEPLOYMENT for one in references)
    if by_name or not error or "ingest processors" not in (error.reason or ""):
        return references
    return tuple(
        Reference(one.kind, one.id, Through.DEPLOYMENT) if one.kind is Kind.PIPELINE else one for one in references
    )
