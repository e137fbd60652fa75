"""Reads the name and version of a cluster, the authenticated user and their privileges."""

import re
from collections.abc import Callable
from typing import Any

from esml_stop.cluster import responses
from esml_stop.cluster.http.client import Transport
from esml_stop.cluster.reader import Reader
from esml_stop.cluster.responses import raising_bad_answer
from esml_stop.errors import NotAllowed, NotAuthenticated, Refused
from esml_stop.json_values import optional, required
from esml_stop.settings_report import Inspection

PRIVILEGES = ("manage_ml", "monitor_inference", "read_pipeline")

# Without manage_ml, a user needs LOOK to read deployments, and one of STOP to stop them. A check for an action also
# requires all other actions with that prefix. manage_inference includes only the exact action, so it does not pass that
# check and is checked by its name.
LOOK = "cluster:monitor/xpack/ml/inference/stats/get"
STOP = ("cluster:admin/xpack/ml/trained_models/deployment/stop", "manage_inference")
UNKNOWN = re.compile(r"unknown cluster privilege \[([^\]]+)\]")

# The statuses with which a node responds to `_security/_authenticate` if security is disabled.
NO_SUCH_CALL = {400, 405}

Ask = Callable[..., Any]


def inspect(transport: Transport, reader: Reader) -> Inspection:
    """Return the cluster's name and version, the user and their privileges.

    Raises EsmlError if the credentials are rejected or a request fails. The name and version are optional: they are
    None without the privilege `monitor`.
    """

    def ask(method: str, path: str, body: dict[str, object] | None = None) -> Any:
        return reader.ask(lambda: transport.ask(method, path, reader.deadline.left, body=body))

    try:
        who = ask("GET", "/_security/_authenticate")
    except (NotAuthenticated, NotAllowed):
        raise
    except Refused as refused:
        if refused.http_status not in NO_SUCH_CALL:
            raise
        return Inspection(None, security=False, privileges=dict.fromkeys(PRIVILEGES, True), **name_and_version(ask))
    return Inspection(**identity(who), privileges=privileges(ask), **name_and_version(ask))


@raising_bad_answer
def identity(who: Any) -> dict[str, Any]:
    """Return the user, their roles and the name or ID of their API key, from `GET _security/_authenticate`."""
    key = optional(who, "api_key", dict, {})
    return {
        "user": required(who, "username", str),
        "roles": tuple(map(str, optional(who, "roles", list, []))),
        "api_key": optional(key, "name", str, None) or optional(key, "id", str, None),
    }


def name_and_version(ask: Ask) -> dict[str, Any]:
    """Return the name and version of the cluster; empty if the user does not have the privilege `monitor`."""
    try:
        found = responses.identity(ask("GET", "/"), "")
    except NotAllowed:
        return {}
    # A serverless project always reports 8.11.0, so the number alone would be misleading.
    version = f"{found.version} (serverless)" if found.flavor == "serverless" else found.version
    return {"cluster_name": found.name, "version": version}


def privileges(ask: Ask) -> dict[str, bool | None]:
    """Return whether the user has each privilege; None if the server is too old to know the privilege.

    `manage_ml` is also True if other privileges allow the user to read and stop deployments.
    """
    asked = [*PRIVILEGES, LOOK, *STOP]
    while True:
        try:
            has = privileges_in(ask("POST", "/_security/user/_has_privileges", {"cluster": asked}))
        except Refused as refused:
            unknown = UNKNOWN.search(refused.reason or "")
            if not unknown or unknown[1] not in asked:
                raise
            asked.remove(unknown[1])
        else:
            found: dict[str, bool | None] = {name: has.get(name) if name in asked else None for name in PRIVILEGES}
            enough = has.get(LOOK, False) and any(has.get(name) for name in STOP)
            return found | {"manage_ml": bool(found["manage_ml"] or enough)}


@raising_bad_answer
def privileges_in(body: Any) -> dict[str, bool]:
    """Return whether the user has each privilege, from `POST _security/user/_has_privileges`."""
    has = required(body, "cluster", dict)
    return {name: required(has, name, bool) for name in has}
