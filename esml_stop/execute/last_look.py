"""A last look at the cluster: is everything gone that was stopped, and what was in the way of the rest."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from esml_stop.cluster.reader import Reader
from esml_stop.errors import EsmlError
from esml_stop.execute.afterwards import improved
from esml_stop.exit_status import ExitStatus
from esml_stop.models import LAST_LOOK, Deployment, Kind, NotChecked, Reference, Through
from esml_stop.outcomes import Failure, Outcome, Result
from esml_stop.plan.patterns import Wanted
from esml_stop.plan.references import names_one, uses
from esml_stop.report import with_outcome

# A node may be a moment behind the one that answered the stop.
LOOKS, PAUSE_SECONDS = 3, 0.5

# A cluster that falls silent after the stops must not hold up a report that is ready.
LONGEST_SECONDS = 30.0


def looked_at_again(results: Sequence[Result], reader: Reader, *, check: bool) -> tuple[Sequence[Result], int | None]:
    """Return the results after the last look, and the signal that came meanwhile, if one did."""
    return improved(
        results,
        lambda: explained(verified(results, reader) if check else results, reader),
        reader.deadline,
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
    look = 1
    # What was listed is not forgotten because the next look fails.
    with suppress(EsmlError):
        while (left and look < LOOKS) or going(left):
            reader.deadline.clock.sleep(min(PAUSE_SECONDS, reader.deadline.left))
            left = reader.running(names)
            look += 1
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
        error = Failure("It is still listed as stopping.", exit_status=ExitStatus.DEADLINE)
        return replace(result, outcome=Outcome.STOPPING, error=error)
    before = result.target.deployment
    again = before and before.start_time != found.start_time
    text = "It stopped, and was started again by someone else." if again else "It is still listed as running."
    return replace(result, outcome=Outcome.FAILED, error=Failure(text))


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


def by_conflict(references: tuple[Reference, ...], error: Failure | None) -> tuple[Reference, ...]:
    """Return the uses as the server's 409 settles them: it only looks at names of the deployment itself.

    Where `_stats` left open whether pipelines name the deployment or its model, at least one names the deployment.
    """
    by_name = any(one.kind is Kind.PIPELINE and one.through is Through.DEPLOYMENT for one in references)
    if by_name or not error or "ingest processors" not in (error.reason or ""):
        return references
    return tuple(replace(one, through=Through.DEPLOYMENT) if one.kind is Kind.PIPELINE else one for one in references)
