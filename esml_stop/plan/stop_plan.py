"""Plans a stop: decides about each requested deployment from a snapshot of the cluster. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from esml_stop.models import PIPELINES, Deployment, Kind, NotChecked, Reference, Snapshot
from esml_stop.outcomes import Outcome, Target
from esml_stop.plan.patterns import Selection, idle_before, select
from esml_stop.plan.references import is_ambiguous, server_refuses, uses


def plan(
    selection: Selection, snapshot: Snapshot, *, force: bool = False, strict: bool = False, dry_run: bool = False
) -> tuple[Target, ...]:
    """Return one target per requested deployment, in the order given.

    `strict` is --no-allow-no-match: if a name or pattern matches nothing, nothing is stopped. In a dry run the server
    cannot decide doubtful cases: an uncertain use counts as in use, and an unlisted deployment as not found.
    """
    targets = tuple(find(selection, snapshot, Outcome.WOULD_STOP))
    if strict and any(target.decision is Outcome.NOT_FOUND for target in targets):
        return tuple(hold_back(target) for target in targets)
    if not (strict or dry_run):
        targets = tuple(unlisted(target, selection, snapshot) for target in targets)
    if force:
        return with_failing_uses(targets, snapshot)
    if dry_run:
        targets = tuple(undecided(target, snapshot) for target in targets)
    # Twice: a deployment refused in the first pass keeps running and may serve pipelines that reference its model.
    return tuple(map(refused, with_failing_uses(map(refused, targets), snapshot)))


def unlisted(target: Target, selection: Selection, snapshot: Snapshot) -> Target:
    """Return the target of an unlisted exact ID as to be stopped, because _stats omits deployments without a model.

    A name that is known to be a model or an alias is skipped: servers before 8.8 would stop its deployment.
    """
    name = target.deployment_id
    sent = (
        target.decision is Outcome.NOT_FOUND
        and name in selection.exact
        and not snapshot.hints.get(name, "").startswith("is ")
    )
    return replace(target, decision=Outcome.WOULD_STOP) if sent else target


def undecided(target: Target, snapshot: Snapshot) -> Target:
    """Return the target as in use if it is unclear whether pipelines reference it or only its model."""
    doubt = target.decision.is_planned_change and target.deployment and is_ambiguous(target.deployment, snapshot)
    return replace(target, decision=Outcome.IN_USE) if doubt else target


def listed(selection: Selection, snapshot: Snapshot) -> tuple[Target, ...]:
    """Return a target for each requested deployment, with its uses, and for each name that matches none."""
    return tuple(find(selection, snapshot, Outcome.LISTED))


def find(selection: Selection, snapshot: Snapshot, decision: Outcome) -> Iterator[Target]:
    """Yield a target for each requested deployment and for each name that matches none."""
    seen: set[str] = set()
    for name, found in select(selection, snapshot):
        idle = [one for one in found if one.is_idle(idle_before(selection, snapshot))]
        if not idle:
            yield unmatched_target(name, found, snapshot)
        for deployment in idle:
            if deployment.deployment_id not in seen:
                seen.add(deployment.deployment_id)
                yield described(deployment, snapshot, decision)


def unmatched_target(name: str, found: list[Deployment], snapshot: Snapshot) -> Target:
    """Return the target of a name that matches no deployment, or none that is idle for long enough."""
    if not found:
        return Target(
            name,
            Outcome.NOT_FOUND,
            hint=snapshot.hints.get(name),
            model_deployments=snapshot.model_deployments.get(name, ()),
        )
    if [one.deployment_id for one in found] == [name]:
        return Target(name, Outcome.NOT_IDLE, found[0])
    return Target(name, Outcome.NOT_FOUND, hint="matches no deployment that is known to have been idle for that long")


def described(deployment: Deployment, snapshot: Snapshot, decision: Outcome) -> Target:
    """Return the target of a deployment, with its uses and the checks that were not possible."""
    not_checked = snapshot.not_checked
    if is_ambiguous(deployment, snapshot):
        names = ", ".join(sorted(deployment.pipelines))
        reason = next((one.reason for one in not_checked if one.what == PIPELINES), "requires read_pipeline")
        not_checked = (*not_checked, NotChecked(f"whether a pipeline references the deployment ({names})", reason))
    return Target(deployment.deployment_id, decision, deployment, uses(deployment, snapshot), not_checked)


def hold_back(target: Target) -> Target:
    """Return the target as not attempted, if it was to be stopped."""
    return replace(target, decision=Outcome.NOT_ATTEMPTED) if target.decision.is_planned_change else target


def with_failing_uses(targets: Iterable[Target], snapshot: Snapshot) -> tuple[Target, ...]:
    """Return the targets, each with the uses that fail once all planned stops are done."""
    plan = tuple(targets)
    to_stop = {target.deployment_id for target in plan if target.decision is Outcome.WOULD_STOP}
    return tuple(replace(target, failing_uses=failing_uses_of(target, to_stop, snapshot)) for target in plan)


def failing_uses_of(target: Target, to_stop: set[str], snapshot: Snapshot) -> tuple[Reference, ...]:
    """Return the uses of a target that fail once it and the other planned deployments have stopped.

    A pipeline that references a model or a model alias works as long as any deployment of the model is running.
    """
    deployment = target.deployment
    if deployment is None or not any(replaceable(one, deployment) for one in target.used_by):
        return target.used_by
    if not others_left(deployment, to_stop, snapshot):
        return target.used_by
    return tuple(one for one in target.used_by if not replaceable(one, deployment))


def replaceable(reference: Reference, deployment: Deployment) -> bool:
    """Return whether a use also works with another deployment of the model."""
    return reference.needs_model or (
        reference.kind is Kind.PIPELINE and deployment.deployment_id == deployment.model_id
    )


def refused(target: Target) -> Target:
    """Return the target as in use, if it is to be stopped and a use would fail or the server would refuse the stop."""
    found = target.deployment
    refuses = found is not None and any(server_refuses(one, found) for one in target.used_by)
    return (
        replace(target, decision=Outcome.IN_USE)
        if target.decision.is_planned_change and (target.failing_uses or refuses)
        else target
    )


def others_left(deployment: Deployment, to_stop: set[str], snapshot: Snapshot) -> bool:
    """Return whether another deployment of the model keeps running; stopping and failed ones do not count.

    The snapshot contains the other deployments of every model that is referenced.
    """
    siblings = snapshot.by_model.get(deployment.model_id, ())
    gone = to_stop | {deployment.deployment_id}
    return any(one.is_running and one.deployment_id not in gone for one in siblings)
