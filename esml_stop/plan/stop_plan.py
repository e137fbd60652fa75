"""From the requested names and a snapshot of the cluster to a plan with reasons; pure."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from esml_stop.models import PIPELINES, Deployment, Kind, NotChecked, Reference, Snapshot
from esml_stop.outcomes import Outcome, Target
from esml_stop.plan.patterns import Wanted, idle_before, select
from esml_stop.plan.references import is_doubtful, server_sees, uses


def plan(
    wanted: Wanted, snapshot: Snapshot, *, force: bool = False, strict: bool = False, dry_run: bool = False
) -> tuple[Target, ...]:
    """Decide about every requested deployment, once each and in the order given.

    `strict` is --no-allow-no-match: when a name or pattern finds nothing, nothing at all is stopped. In a dry run the
    server does not have the last word: what cannot be decided counts as in use, and what is not listed as not found.
    """
    targets = tuple(find(wanted, snapshot, Outcome.WOULD_STOP))
    if strict and any(target.decision is Outcome.NOT_FOUND for target in targets):
        return tuple(hold_back(target) for target in targets)
    if not (strict or dry_run):
        targets = tuple(unlisted(target, wanted, snapshot) for target in targets)
    if force:
        return with_breaks(targets, snapshot)
    if dry_run:
        targets = tuple(undecided(target, snapshot) for target in targets)
    # What is refused by its own name stays, and may be what keeps a model's pipelines alive.
    return tuple(map(refused, with_breaks(map(refused, targets), snapshot)))


def unlisted(target: Target, wanted: Wanted, snapshot: Snapshot) -> Target:
    """Return the target to be stopped although it is not listed: what runs without a model is only known to the stop.

    A name that is known to be a model or an alias is left alone: servers before 8.8 stop by these names.
    """
    name = target.deployment_id
    sent = (
        target.decision is Outcome.NOT_FOUND
        and name in wanted.exact
        and not snapshot.hints.get(name, "").startswith("is ")
    )
    return replace(target, decision=Outcome.WOULD_STOP) if sent else target


def undecided(target: Target, snapshot: Snapshot) -> Target:
    """Return the target as in use when it is open whether pipelines reference it or only its model."""
    doubt = target.decision.is_plan and target.deployment and is_doubtful(target.deployment, snapshot)
    return replace(target, decision=Outcome.IN_USE) if doubt else target


def listed(wanted: Wanted, snapshot: Snapshot) -> tuple[Target, ...]:
    """Return every requested deployment with what uses it, and every name that matches none."""
    return tuple(find(wanted, snapshot, Outcome.LISTED))


def find(wanted: Wanted, snapshot: Snapshot, decision: Outcome) -> Iterator[Target]:
    """Yield a target for every requested deployment, and one for every name that matches none."""
    seen: set[str] = set()
    for name, found in select(wanted, snapshot):
        idle = [one for one in found if one.is_idle(idle_before(wanted, snapshot))]
        if not idle:
            yield nothing(name, found, snapshot)
        for deployment in idle:
            if deployment.deployment_id not in seen:
                seen.add(deployment.deployment_id)
                yield described(deployment, snapshot, decision)


def nothing(name: str, found: list[Deployment], snapshot: Snapshot) -> Target:
    """Return the target of a name that finds no deployment, or none that is idle for long enough."""
    if not found:
        return Target(name, Outcome.NOT_FOUND, hint=snapshot.hints.get(name), meant=snapshot.meant.get(name, ()))
    if [one.deployment_id for one in found] == [name]:
        return Target(name, Outcome.NOT_IDLE, found[0])
    return Target(name, Outcome.NOT_FOUND, hint="none of those that match is known to be idle for that long")


def described(deployment: Deployment, snapshot: Snapshot, decision: Outcome) -> Target:
    """Return the target with all that uses it and all that could not be checked."""
    unread = snapshot.not_checked
    if is_doubtful(deployment, snapshot):
        names = ", ".join(sorted(deployment.pipelines))
        reason = next((one.reason for one in unread if one.what == PIPELINES), "needs read_pipeline")
        unread = (*unread, NotChecked(f"whether a pipeline references the deployment ({names})", reason))
    return Target(deployment.deployment_id, decision, deployment, uses(deployment, snapshot), unread)


def hold_back(target: Target) -> Target:
    """Return the target as not started, if it was to be stopped."""
    return replace(target, decision=Outcome.NOT_ATTEMPTED) if target.decision.is_plan else target


def with_breaks(targets: Iterable[Target], snapshot: Snapshot) -> tuple[Target, ...]:
    """Return the targets, each with what breaks when all that is to be stopped is."""
    plan = tuple(targets)
    going = {target.deployment_id for target in plan if target.decision is Outcome.WOULD_STOP}
    return tuple(replace(target, breaks=breaking(target, going, snapshot)) for target in plan)


def breaking(target: Target, going: set[str], snapshot: Snapshot) -> tuple[Reference, ...]:
    """Return those of a target's uses that fail once it and the deployments of the plan have stopped.

    A pipeline that references the model, or an alias of it, is served by any deployment of it.
    """
    deployment = target.deployment
    if deployment is None or not any(replaceable(one, deployment) for one in target.used_by):
        return target.used_by
    if not others_left(deployment, going, snapshot):
        return target.used_by
    return tuple(one for one in target.used_by if not replaceable(one, deployment))


def replaceable(reference: Reference, deployment: Deployment) -> bool:
    """Tell whether another deployment of the model serves a use as well."""
    return reference.needs_model or (
        reference.kind is Kind.PIPELINE and deployment.deployment_id == deployment.model_id
    )


def refused(target: Target) -> Target:
    """Return the target as in use, if it was to be stopped and something would break or the server would refuse it."""
    found = target.deployment
    refuses = found is not None and any(server_sees(one, found) for one in target.used_by)
    return (
        replace(target, decision=Outcome.IN_USE) if target.decision.is_plan and (target.breaks or refuses) else target
    )


def others_left(deployment: Deployment, going: set[str], snapshot: Snapshot) -> bool:
    """Tell whether another deployment of the model, which was asked for if something references it, serves it.

    Those that are stopping or failed count as gone.
    """
    siblings = snapshot.by_model.get(deployment.model_id, ())
    gone = going | {deployment.deployment_id}
    return any(one.alive and one.deployment_id not in gone for one in siblings)
