"""Checks whether the cluster can start deployments again, before a restart stops any."""

from collections.abc import Iterable
from functools import partial

from esml_stop.cluster.reader import Reader
from esml_stop.errors import EsmlError
from esml_stop.models import Deployment
from esml_stop.plan.restart_plan import in_upgrade_mode, upgrading

# The maximum number of deployment IDs that are looked up one by one. For the others, execute/start.py looks up the
# alias if the server rejects the start.
MOST_LOOKED_UP = 20


def start_blocker(reader: Reader) -> EsmlError | None:
    """Return why the cluster currently rejects all starts; None if it accepts them or this cannot be read."""
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


def models_of_aliases(reader: Reader, deployments: Iterable[Deployment]) -> dict[str, str]:
    """Return the current model ID for each deployment ID that is a model alias, as far as they can be read."""
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
