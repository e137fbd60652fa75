"""Which deployments the requested names mean; pure."""

from collections.abc import Iterator

from esml_stop.models import Deployment, Snapshot
from esml_stop.plan.patterns import Wanted, is_pattern, matches


def select(wanted: Wanted, snapshot: Snapshot) -> Iterator[tuple[str, list[Deployment]]]:
    """Yield each requested name or model with its deployments; several of one name in the order of their IDs.

    Only deployment IDs count for a name: a deployment is not chosen because its model is called so.
    """
    known = {one.deployment_id: one for one in sorted(snapshot.deployments, key=lambda one: one.deployment_id)}
    for name in wanted.names:
        if is_pattern(name):
            yield name, [one for key, one in known.items() if matches(name, key)]
        else:
            yield name, [known[name]] if name in known else []
    for name in wanted.models:
        model = snapshot.aliased.get(name, name)
        yield name, [one for one in known.values() if one.model_id == model]


def idle_before(wanted: Wanted, snapshot: Snapshot) -> int | None:
    """Return the time, by the server's clock, before which the last use has to be; None when that does not matter."""
    return None if wanted.idle_before is None else wanted.idle_before + snapshot.clock_ahead


def chosen(wanted: Wanted, snapshot: Snapshot) -> list[Deployment]:
    """Return all deployments that are meant and idle enough, each once."""
    before = idle_before(wanted, snapshot)
    groups = (group for _, group in select(wanted, snapshot))
    found = {one.deployment_id: one for group in groups for one in group if one.is_idle(before)}
    return list(found.values())
