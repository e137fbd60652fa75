"""Turns the plan of a stop into the plan of a restart; rejects deployments that could not be started again. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from esml_stop.errors import EsmlError
from esml_stop.models import Deployment
from esml_stop.outcomes import Outcome, Result, Target
from esml_stop.plan.start_refusals import other_model, refusal
from esml_stop.plan.start_settings import not_shown

# The part of a hint that says which command to run again.
AGAIN = "the restart again"


def plan(
    targets: Iterable[Target], aliases: Mapping[str, str] | None = None, *, obstacle: EsmlError | None, force: bool
) -> tuple[Result, ...]:
    """Return the decision for each target of a stop.

    `aliases` maps model aliases to their models, as far as they could be read. `obstacle` is the reason why the cluster
    currently starts no deployments.
    """
    return tuple(decide(one, aliases or {}, obstacle=obstacle, force=force) for one in targets)


def decide(target: Target, aliases: Mapping[str, str], *, obstacle: EsmlError | None, force: bool) -> Result:
    """Return the decision for one target."""
    if target.decision is not Outcome.WOULD_STOP:
        return Result.planned(target)
    found = target.deployment
    if found is None:
        return Result.planned(replace(target, decision=Outcome.NOT_FOUND, hint=NOT_LISTED))
    model = aliases.get(found.deployment_id)
    if model == found.model_id:
        found = found._replace(through_alias=True)
    chosen = replace(target, deployment=found, decision=Outcome.WOULD_RESTART)
    if problem := obstacle or cannot_restart(found, model, force=force):
        return Result.planned(replace(chosen, decision=Outcome.FAILED), problem)
    return Result.planned(chosen)


NOT_LISTED = "is not listed: it is not running, or its model was deleted and it can only be stopped"


def cannot_restart(found: Deployment, model: str | None, *, force: bool) -> EsmlError | None:
    """Return why a deployment could not be started again with the same settings, or None."""
    if found.is_orphan:
        return EsmlError(
            f"It cannot be started again: its model {found.model_id} was deleted.",
            hint=f"To stop it: esml stop {found.deployment_id}",
            code="model_deleted",
        )
    if model not in {None, found.model_id}:
        return other_model(found, str(model), AGAIN)
    names = not_shown(found)
    if names and not force:
        unseen = " and ".join(names)
        return EsmlError(
            f"It cannot be restarted with the same settings: its state is {found.state}, "
            f"and the cluster does not show its {unseen}.",
            hint="Use --force to restart it with the server's defaults for these settings.",
            code="settings_not_shown",
        )
    return None


def upgrading(versions: Iterable[str]) -> EsmlError | None:
    """Return the error for a cluster whose nodes have different versions, None if they have the same."""
    found = sorted(set(versions))
    if len(found) < 2:
        return None
    error = refusal("upgrading", AGAIN)
    return error.replace(message=f"{error} Its nodes run {', '.join(found)}.")


def in_upgrade_mode() -> EsmlError:
    """Return the error for a cluster in upgrade mode."""
    return refusal("upgrade_mode", AGAIN)
