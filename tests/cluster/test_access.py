from typing import Any, cast

import pytest

from esml_stop.cluster.access import LOOK, STOP, inspect
from esml_stop.cluster.api import Cluster
from esml_stop.cluster.http.client import Transport
from esml_stop.cluster.reader import Reader
from esml_stop.errors import BadAnswer, EsmlError, NotAllowed, NotAuthenticated, Refused
from esml_stop.runtime.deadline import Deadline
from esml_stop.settings_report import Inspection

USER = {"username": "u", "roles": ["r"], "authentication_type": "realm"}
INFO = {"cluster_name": "c", "version": {"number": "9.1.0"}}
PRIVILEGES = {"manage_ml": True, "monitor_inference": True, "read_pipeline": True}


class FakeServer:
    """A server that responds to each path with a body or raises an error; it records the requested privileges."""

    def __init__(self, **bodies: Any) -> None:
        self.bodies = {"user": USER, "privileges": {"cluster": PRIVILEGES}, "info": INFO} | bodies
        self.requested_privileges: list[Any] = []

    def ask(self, method: str, path: str, timeout: float, query: None = None, body: Any = None) -> Any:
        """Return the body for a path, or raise its error."""
        name = {"/": "info", "/_security/_authenticate": "user", "/_security/user/_has_privileges": "privileges"}[path]
        self.requested_privileges.append(body and body["cluster"])
        response = self.bodies[name]
        response = response.pop(0) if isinstance(response, list) else response
        if isinstance(response, EsmlError):
            raise response
        return response


def inspect_server(server: FakeServer) -> Inspection:
    """Return the result of `inspect` on a server."""
    reader = Reader(cast("Cluster", server), Deadline(10), lambda _: None)
    return inspect(cast("Transport", server), reader)


def server_error(status: int, reason: str) -> Refused:
    """Return the error for a response in Elasticsearch's form."""
    return Refused(reason, http_status=status, reason=reason)


def test_an_inspection_makes_three_requests() -> None:
    """An inspection reads the cluster, the user and the privileges with three requests."""
    server = FakeServer()
    found = inspect_server(server)
    assert (found.user, found.roles, found.api_key, found.cluster_name, found.version) == (
        "u",
        ("r",),
        None,
        "c",
        "9.1.0",
    )
    assert (found.privileges, found.may_stop, len(server.requested_privileges)) == (PRIVILEGES, True, 3)


def test_an_api_key_is_shown_by_its_name_or_id() -> None:
    """An API key is shown by its name, or by its ID if it has none."""
    assert inspect_server(FakeServer(user=USER | {"api_key": {"id": "i", "name": "n"}})).api_key == "n"
    assert inspect_server(FakeServer(user=USER | {"api_key": {"id": "i", "name": None}})).api_key == "i"


def test_a_serverless_project_is_recognized_by_its_flavor() -> None:
    """A serverless project is recognized by its flavor, because its version is always 8.11.0."""
    info = {"cluster_name": "c", "version": {"number": "8.11.0", "build_flavor": "serverless"}}
    assert inspect_server(FakeServer(info=info)).version == "8.11.0 (serverless)"


def test_without_monitor_the_version_is_missing() -> None:
    """Without the privilege `monitor`, the version is missing and there is no error."""
    found = inspect_server(FakeServer(info=NotAllowed("no", http_status=403)))
    assert (found.version, found.cluster_name, found.may_stop) == (None, None, True)


@pytest.mark.parametrize("status", [400, 405])
def test_without_security_stopping_is_allowed(status: int) -> None:
    """A node without security rejects the request for the user; no user is shown, and stopping is allowed."""
    found = inspect_server(FakeServer(user=server_error(status, "no handler found")))
    assert (found.security, found.user, found.may_stop) == (False, None, True)


@pytest.mark.parametrize(
    "error", [NotAuthenticated("no", http_status=401), NotAllowed("no", http_status=403), server_error(500, "x")]
)
def test_rejected_credentials_and_server_errors_are_raised(error: EsmlError) -> None:
    """Rejected credentials, a missing privilege and a server error are raised."""
    with pytest.raises(type(error)):
        inspect_server(FakeServer(user=error))


def test_unknown_privileges_are_left_out_for_old_servers() -> None:
    """If an old server rejects the request because of an unknown privilege, the others are requested without it."""
    unknown = [
        server_error(400, f"unknown cluster privilege [{name}]. a privilege must be")
        for name in ("monitor_inference", STOP[1])
    ]
    server = FakeServer(privileges=[*unknown, {"cluster": {"manage_ml": True, "read_pipeline": False}}])
    assert inspect_server(server).privileges == {"manage_ml": True, "monitor_inference": None, "read_pipeline": False}
    assert server.requested_privileges[-2] == ["manage_ml", "read_pipeline", LOOK, STOP[0]]
    with pytest.raises(Refused):
        inspect_server(FakeServer(privileges=[server_error(400, "unknown cluster privilege [other]")]))


@pytest.mark.parametrize(
    ("granted", "may_stop"),
    [((LOOK,), False), (STOP, False), ((LOOK, STOP[0]), True), ((LOOK, STOP[1]), True), ((), False)],
)
def test_other_privileges_can_be_sufficient(granted: tuple[str, ...], may_stop: bool) -> None:
    """Any privileges that allow both reading and stopping are sufficient."""
    privileges = dict.fromkeys((*PRIVILEGES, LOOK, *STOP), False) | dict.fromkeys(granted, True)
    assert inspect_server(FakeServer(privileges={"cluster": privileges})).may_stop is may_stop


@pytest.mark.parametrize(
    "bodies",
    [{"user": {}}, {"user": "text"}, {"info": {"version": 9}}, {"privileges": {"cluster": {"manage_ml": "yes"}}}],
)
def test_a_response_of_an_unexpected_form_is_rejected(bodies: dict[str, Any]) -> None:
    """A response of an unexpected form raises BadAnswer."""
    with pytest.raises(BadAnswer):
        inspect_server(FakeServer(**bodies))
