"""The privileges of the user `viewer`; all other users, and requests without credentials, have all privileges.

`viewer` has the privileges of the role machine_learning_user. It may have any password; its API keys begin with
`viewer:`.
"""

import base64
import binascii
import re
from typing import Any

from esml_stop.sandbox.problems import Problem

VIEWER = "viewer"

STATS = "cluster:monitor/xpack/ml/inference/stats/get"
DEPLOYMENT = "cluster:admin/xpack/ml/trained_models/deployment"
# Requests that are refused, each with its action and the privileges that grant it. The first match counts.
REFUSED = (
    (r"POST /_ml/trained_models/[^/]+/deployment/_stop", f"{DEPLOYMENT}/stop", "manage_inference,manage_ml,manage,all"),
    (
        r"POST /_ml/trained_models/[^/]+/deployment/_start",
        f"{DEPLOYMENT}/start",
        "manage_inference,manage_ml,manage,all",
    ),
    (r"(PUT|DELETE) /_ml/.*", "cluster:admin/xpack/ml/inference/put", "manage_ml,manage,all"),
    (
        r"GET /_inference.*",
        "cluster:monitor/xpack/inference/get",
        "monitor_inference,manage_inference,monitor,manage,all",
    ),
    (
        r"GET /_ingest/pipeline.*",
        "cluster:admin/ingest/pipeline/get",
        "read_pipeline,manage_ingest_pipelines,manage_pipeline,manage,all",
    ),
    (r"GET /_cat/health", "cluster:monitor/health", "monitor,manage,all"),
)


def check(method: str, path: str, authorization: str | None) -> None:
    """Raise Elasticsearch's 403 if the request comes from `viewer` and requires a privilege that this user lacks."""
    who = viewer(authorization)
    for request, action, privileges in REFUSED if who else ():
        if re.fullmatch(request, f"{method} {path.rstrip('/')}"):
            text = f"action [{action}] is unauthorized for {who}, this action is granted by the cluster privileges"
            raise Problem(403, "security_exception", f"{text} [{privileges}]")


def invocation(method: str, path: str, authorization: str | None, body: Any) -> dict[str, Any] | None:
    """Return the response of a `_security` call for `viewer`; None for other calls, and for other users."""
    if not viewer(authorization):
        return None
    if (method, path) == ("GET", "/_security/_authenticate"):
        return {"username": VIEWER, "roles": ["machine_learning_user"]}
    if (method, path) == ("POST", "/_security/user/_has_privileges"):
        return {"username": VIEWER, "cluster": {name: name == STATS for name in body["cluster"]}}
    return None


def viewer(authorization: str | None) -> str | None:
    """Return Elasticsearch's description of the user in an error if the user is `viewer`, else None."""
    scheme, _, encoded = (authorization or "").partition(" ")
    try:
        login = base64.b64decode(encoded).decode().partition(":")[0]
    except (binascii.Error, UnicodeDecodeError):
        return None
    if login != VIEWER:
        return None
    if scheme == "ApiKey":
        return f"API key id [{VIEWER}] of user [elastic]"
    return f"user [{VIEWER}] with effective roles [machine_learning_user]"
