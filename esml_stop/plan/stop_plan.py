"""From the requested names and a snapshot of the cluster to a plan with reasons; pure."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from esml_stop.models import Deployment, NotChecked, Reference, Snapshot
from esml_stop.outcomes import Outcome, Target
from esml_stop.plan.patterns import Wanted
from esml_stop.plan.references import is_doubtful, names_one, uses
from esml_stop.plan.selection import select


def plan(wanted: Wanted, snapshot: Snapshot, *, force: bool = False, strict: bool = False) -> tuple[Target, ...]:
    """Decide about every requested deployment, once each and in the order given.

    `strict` is --no-allow-no-match: when a name or pattern finds nothing, nothing at all is stopped.
    """
    targets = tuple(find(wanted, snapshot, Outcome.WOULD_STOP))
    if strict and any(target.decision is Outcome.NOT_FOUND for target in targets):
        return tuple(hold_back(target) for target in targets)
    if force:
        return told(targets, snapshot)
    # What is refused by its own name stays, and may be what keeps a model's pipelines alive.
    return tuple(map(refused, told(map(refused, targets), snapshot)))


def listed(wanted: Wanted, snapshot: Snapshot) -> tuple[Target, ...]:
    """Return every requested deployment with what uses it, and every name that matches none."""
    return tuple(find(wanted, snapshot, Outcome.LISTED))


def find(wanted: Wanted, snapshot: Snapshot, decision: Outcome) -> Iterator[Target]:
    """Yield a target for every requested deployment, and one for every name that matches none."""
    seen: set[str] = set()
    for name, found in select(wanted, snapshot):
        idle = [one for one in found if one.is_idle(wanted.idle_before)]
        if not idle:
            yield nothing(name, found, snapshot)
        for deployment in idle:
            if deployment.deployment_id not in seen:
                seen.add(deployment.deployment_id)
                yield described(deployment, snapshot, decision)


def nothing(name: str, found: list[Deployment], snapshot: Snapshot) -> Target:
    """Return the target of a name that finds no deployment, or none that is idle for long enough."""
    if not found:
        return Target(name, Outcome.NOT_FOUND, hint=snapshot.hints.get(name))
    if [one.deployment_id for one in found] == [name]:
        return Target(name, Outcome.NOT_IDLE, found[0])
    return Target(name, Outcome.NOT_FOUND, hint="those that match were used since")


def described(deployment: Deployment, snapshot: Snapshot, decision: Outcome) -> Target:
    """Return the target with all that uses it and all that could not be checked."""
    unread = snapshot.not_checked
    if is_doubtful(deployment, snapshot) and not deployment.pipelines <= snapshot.named.keys():
        names = ", ".join(sorted(deployment.pipelines))
        unread = (*unread, NotChecked(f"whether a pipeline references the deployment ({names})", "needs read_pipeline"))
    return Target(deployment.deployment_id, decision, deployment, uses(deployment, snapshot), unread)


def hold_back(target: Target) -> Target:
    """Return the target as not started, if it was to be stopped."""
    return replace(target, decision=Outcome.NOT_ATTEMPTED) if target.decision.is_plan else target


def told(targets: Iterable[Target], snapshot: Snapshot) -> tuple[Target, ...]:
    """Return the targets, each with what breaks when all that is to be stopped is."""
    plan = tuple(targets)
    going = {target.deployment_id for target in plan if target.decision is Outcome.WOULD_STOP}
    return tuple(replace(target, breaks=breaking(target, going, snapshot)) for target in plan)


def breaking(target: Target, going: set[str], snapshot: Snapshot) -> tuple[Reference, ...]:
    """Return those of a target's uses that fail once the deployments of the plan have stopped.

    A pipeline that names the model, or an alias of it, is served by any deployment of it.
    """
    if needs_model(target) and not others_left(target, going, snapshot):
        return target.used_by
    return tuple(one for one in target.used_by if not one.needs_model)


def refused(target: Target) -> Target:
    """Return the target as in use, if it was to be stopped and something would break."""
    in_the_way = target.decision.is_plan and (target.breaks or names_one(target.used_by))
    return replace(target, decision=Outcome.IN_USE) if in_the_way else target


def needs_model(target: Target) -> bool:
    """Tell whether an ingest pipeline references the target's model or one of its aliases."""
    return any(one.needs_model for one in target.used_by)


def others_left(target: Target, going: set[str], snapshot: Snapshot) -> bool:
    """Tell whether the target's model, which was asked for if something names it, keeps a deployment that serves it.

    Those that are stopping or failed count as gone.
    """
    assert target.deployment
    siblings = snapshot.by_model[target.deployment.model_id]
    return any(one.alive and one.deployment_id not in going for one in siblings)
