"""Plans a restore: compares a save file with the running deployments, before and after the starts. Pure."""

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import replace

from esml_stop.errors import EsmlError
from esml_stop.exit_status import ExitStatus
from esml_stop.models import UNKNOWN_STATE, Deployment
from esml_stop.outcomes import Outcome, Result, Target
from esml_stop.plan.patterns import Selection, is_pattern, matches
from esml_stop.plan.start_refusals import refusal
from esml_stop.plan.start_settings import differences

Running = Mapping[str, Deployment]

# The outcome of a deployment that has started, by its decision; STARTED for any other decision.
REACHED = {Outcome.ALREADY_RUNNING: Outcome.ALREADY_RUNNING, Outcome.WOULD_RESTART: Outcome.RESTARTED}

# How many IDs of a file to list in the hint for an ID that is not in it.
MOST_NAMES = 10


def plan(
    selection: Selection,
    saved: Iterable[Deployment],
    running: Running,
    *,
    models: Container[str] | None = None,
    strict: bool = False,
) -> tuple[Result, ...]:
    """Return the decision for each requested deployment of the file, in the order given.

    `models` are the models on the cluster; None skips the check for missing models.
    """
    results = tuple(find(selection, tuple(saved), running, models))
    if strict and any(one.outcome is Outcome.NOT_FOUND for one in results):
        return tuple(held_back(one) for one in results)
    return results


def find(
    selection: Selection, saved: tuple[Deployment, ...], running: Running, models: Container[str] | None
) -> Iterator[Result]:
    """Yield a result for each requested deployment and for each name that is not in the file."""
    seen: set[str] = set()
    for name in selection.names:
        found = [
            one
            for one in saved
            if (matches(name, one.deployment_id) if is_pattern(name) else one.deployment_id == name)
        ]
        if not found:
            yield Result.planned(Target(name, Outcome.NOT_FOUND, hint=contents(saved)))
        for one in found:
            if one.deployment_id not in seen:
                seen.add(one.deployment_id)
                yield decide(one, running.get(one.deployment_id), models)


def contents(saved: tuple[Deployment, ...]) -> str:
    """Return a sentence that lists the deployments in the file."""
    names = [one.deployment_id for one in saved[:MOST_NAMES]]
    more = len(saved) - len(names)
    return f"It contains {', '.join(names)}{f' and {more:,} more' if more else ''}." if names else "It is empty."


def decide(saved: Deployment, found: Deployment | None, models: Container[str] | None = None) -> Result:
    """Return the decision for one saved deployment."""
    if found is None and models is not None and saved.model_id not in models:
        return Result.planned(
            Target(saved.deployment_id, Outcome.FAILED, saved),
            model_missing(saved),
        )
    if found is None:
        return Result.planned(Target(saved.deployment_id, Outcome.WOULD_START, saved))
    return replace(decide_present(saved, found), seen=as_seen(found, saved))


def decide_present(saved: Deployment, found: Deployment) -> Result:
    """Return the decision for a saved deployment that is listed."""
    target = Target(saved.deployment_id, Outcome.ALREADY_RUNNING, saved._replace(state=found.state))
    if found.state == "stopping":
        return Result.planned(replace(target, decision=Outcome.WOULD_START))
    if found.state == "failed":
        hint = f"Stop it (esml stop {saved.deployment_id}), then restore again."
        return Result.planned(
            replace(target, decision=Outcome.FAILED), EsmlError("It exists, but it has failed.", hint=hint)
        )
    if difference := different_settings(saved, found):
        return Result.planned(replace(target, decision=Outcome.DIFFERS), difference)
    return Result.planned(target)


def model_missing(saved: Deployment) -> EsmlError:
    """Return the error for a saved deployment whose model is not on the cluster."""
    return refusal("model_missing", "the restore again", saved.model_id)


def held_back(result: Result) -> Result:
    """Return the result as not attempted, if the deployment was to be started."""
    target = result.target
    return (
        Result.planned(replace(target, decision=Outcome.NOT_ATTEMPTED)) if target.decision.is_planned_change else result
    )


def different_settings(saved: Deployment, found: Deployment) -> EsmlError | None:
    """Return the error for a deployment that runs with settings other than the saved ones, or None."""
    found_differences = "; ".join(differences(saved, found))
    hint = f"To run it with the saved settings, stop it (esml stop {saved.deployment_id}), then restore again."
    text = f"It is running with different settings: {found_differences}."
    return EsmlError(text, hint=hint) if found_differences else None


def updated(result: Result, running: Running, wait_for: str) -> Result:
    """Return the result of a start according to the listing: started, still starting, different, failed or gone."""
    saved, found = result.target.deployment, running.get(result.deployment_id)
    assert saved
    if found is None:
        error = EsmlError("It was started, but is no longer listed.")
        return replace(result, outcome=Outcome.FAILED, error=error, seen=None)
    result = replace(result, seen=as_seen(found, saved))
    if found.state == "failed":
        why = f": {found.reason.rstrip('.')}" if found.reason else ""
        return replace(result, outcome=Outcome.FAILED, error=EsmlError(f"It was started, but failed{why}."))
    if difference := different_settings(saved, found):
        return replace(result, outcome=Outcome.DIFFERS, error=difference)
    if reached(found, wait_for):
        return replace(result, outcome=REACHED.get(result.target.decision, Outcome.STARTED), error=None)
    counts = f"{found.allocations} of {found.target_allocations} allocations"
    how = f"still starting ({counts})" if found.state == "starting" else f"{found.state}, with {counts}"
    error = EsmlError(f"It is {how}.", exit_status=ExitStatus.DEADLINE)
    return replace(result, outcome=Outcome.STARTING, error=error)


def as_seen(found: Deployment, saved: Deployment) -> Deployment:
    """Return the listed deployment with `through_alias` of the saved one, which the cluster does not show."""
    return found._replace(through_alias=saved.through_alias and found.model_id == saved.model_id)


def reached(found: Deployment, wait_for: str) -> bool:
    """Return whether a deployment has reached the state to wait for.

    A deployment that is scaled to zero counts as fully allocated if the server reports it so. A server that shows no
    state (Elastic Cloud Serverless) has confirmed the state with its answer to the start.
    """
    if found.state == UNKNOWN_STATE:
        return True
    whole = found.allocations >= found.target_allocations > 0 or found.is_scaled_to_zero
    return found.state == "started" and (whole or wait_for != "fully_allocated")
