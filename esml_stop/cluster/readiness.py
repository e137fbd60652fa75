"""Whether the cluster would start deployments again, checked before anything is stopped."""

from collections.abc import Iterable
from functools import partial

from esml_stop.cluster.reader import Reader
from esml_stop.errors import EsmlError
from esml_stop.models import Deployment
from esml_stop.plan.restart_plan import in_upgrade_mode, upgrading

# The limit of deployment IDs that are looked up one by one; for more, the start request itself finds the aliases.
MOST_LOOKED_UP = 20


def obstacle(reader: Reader) -> EsmlError | None:
    """Return why the cluster starts no deployments at the moment, or None, also if that cannot be read."""
    deadline = reader.optional_deadline()
    versions, _ = reader.read_or_not_checked(
        "node versions", "monitor", lambda: reader.cluster.node_versions(deadline.left)
    )
    if found := upgrading(versions or ()):
        return found
    mode, _ = reader.read_or_not_checked(
        "upgrade mode", "monitor_ml", lambda: reader.cluster.upgrade_mode(deadline.left)
    )
    return in_upgrade_mode() if mode else None


def aliased(reader: Reader, deployments: Iterable[Deployment]) -> dict[str, str]:
    """Return the deployment IDs that are model aliases, with the model to which each alias points now."""
    deadline = reader.optional_deadline()
    names = [one.deployment_id for one in deployments if one.deployment_id != one.model_id]
    found: dict[str, str] = {}
    for name in names[:MOST_LOOKED_UP]:
        look = partial(reader.cluster.model, name, deadline.left)
        model, unread = reader.read_or_not_checked("model aliases", "monitor_ml", look)
        if unread:
            break
        if model and model.model_id != name:
            found[name] = model.model_id
    return found
