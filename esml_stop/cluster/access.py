"""Asks a cluster what it is, who asks, and what that one may do; changes nothing."""

import re
from collections.abc import Callable
from typing import Any

from esml_stop.cluster import responses
from esml_stop.cluster.http.client import Transport
from esml_stop.cluster.reader import Reader
from esml_stop.cluster.responses import checked
from esml_stop.errors import NotAllowed, NotAuthenticated, Refused
from esml_stop.json_values import optional, required
from esml_stop.settings_report import Inspection

PRIVILEGES = ("manage_ml", "monitor_inference", "read_pipeline")

# Without manage_ml these do together: one to look, and one of two to stop. Asked for by name, an action stands for all
# that begin like it; manage_inference holds just the one, and so has to be asked for itself.
LOOK = "cluster:monitor/xpack/ml/inference/stats/get"
STOP = ("cluster:admin/xpack/ml/trained_models/deployment/stop", "manage_inference")
UNKNOWN = re.compile(r"unknown cluster privilege \[([^\]]+)\]")

# What a node answers that has no such call, because its security is switched off.
NO_SUCH_CALL = {400, 405}

Ask = Callable[..., Any]


def inspect(transport: Transport, reader: Reader) -> Inspection:
    """Return what the cluster says; raises EsmlError when it cannot be reached or does not know who asks."""

    def ask(method: str, path: str, body: dict[str, object] | None = None) -> Any:
        return reader.ask(lambda: transport.ask(method, path, reader.deadline.left, body=body))

    try:
        who = ask("GET", "/_security/_authenticate")
    except (NotAuthenticated, NotAllowed):
        raise
    except Refused as refused:
        if refused.http_status not in NO_SUCH_CALL:
            raise
        return Inspection(None, security=False, may=dict.fromkeys(PRIVILEGES, True), **about(ask))
    return Inspection(**identity(who), may=privileges(ask), **about(ask))


@checked
def identity(who: Any) -> dict[str, Any]:
    """Return who asks, from `GET _security/_authenticate`."""
    key = optional(who, "api_key", dict, {})
    return {
        "user": required(who, "username", str),
        "roles": tuple(map(str, optional(who, "roles", list, []))),
        "api_key": optional(key, "name", str, None) or optional(key, "id", str, None),
    }


def about(ask: Ask) -> dict[str, Any]:
    """Return name and version of the cluster; nothing when they may not be read, which requires `monitor`."""
    try:
        found = responses.identity(ask("GET", "/"), "")
    except NotAllowed:
        return {}
    # A serverless project always says 8.11.0, so the number alone would mislead.
    version = f"{found.version} (serverless)" if found.flavor == "serverless" else found.version
    return {"cluster_name": found.name, "version": version}


def privileges(ask: Ask) -> dict[str, bool | None]:
    """Return which of the privileges are there; None for one that this server is too old to know."""
    asked = [*PRIVILEGES, LOOK, *STOP]
    while True:
        try:
            has = granted(ask("POST", "/_security/user/_has_privileges", {"cluster": asked}))
        except Refused as refused:
            unknown = UNKNOWN.search(refused.reason or "")
            if not unknown or unknown[1] not in asked:
                raise
            asked.remove(unknown[1])
        else:
            found: dict[str, bool | None] = {name: has.get(name) if name in asked else None for name in PRIVILEGES}
            enough = has.get(LOOK, False) and any(has.get(name) for name in STOP)
            return found | {"manage_ml": bool(found["manage_ml"] or enough)}


@checked
def granted(body: Any) -> dict[str, bool]:
    """Return whether each privilege is there, from `POST _security/user/_has_privileges`."""
    has = required(body, "cluster", dict)
    return {name: required(has, name, bool) for name in has}
