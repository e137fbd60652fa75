from typing import Any, cast

import pytest

from esml_stop.cluster.access import LOOK, STOP, inspect
from esml_stop.cluster.api import Cluster
from esml_stop.cluster.http.client import Transport
from esml_stop.cluster.reader import Reader
from esml_stop.errors import BadAnswer, EsmlError, NotAllowed, NotAuthenticated, Refused
from esml_stop.runtime.deadline import Deadline
from esml_stop.settings_report import Inspection

WHO = {"username": "u", "roles": ["r"], "authentication_type": "realm"}
INFO = {"cluster_name": "c", "version": {"number": "9.1.0"}}
ALL = {"manage_ml": True, "monitor_inference": True, "read_pipeline": True}


class Answers:
    """A cluster that responds to each path with a body, or raises an error."""

    def __init__(self, **bodies: Any) -> None:
        self.bodies = {"who": WHO, "has": {"cluster": ALL}, "info": INFO} | bodies
        self.asked: list[Any] = []

    def ask(self, method: str, path: str, timeout: float, query: None = None, body: Any = None) -> Any:
        """Respond to one request."""
        name = {"/": "info", "/_security/_authenticate": "who", "/_security/user/_has_privileges": "has"}[path]
        self.asked.append(body and body["cluster"])
        answer = self.bodies[name]
        answer = answer.pop(0) if isinstance(answer, list) else answer
        if isinstance(answer, EsmlError):
            raise answer
        return answer


def inspected(answers: Answers) -> Inspection:
    """Return the result of the inspection."""
    reader = Reader(cast("Cluster", answers), Deadline(10), lambda _: None)
    return inspect(cast("Transport", answers), reader)


def refused(status: int, reason: str) -> Refused:
    """Return an error in Elasticsearch's form."""
    return Refused(reason, http_status=status, reason=reason)


def test_an_inspection_makes_three_requests() -> None:
    """Cluster, user and privileges are read with three requests."""
    answers = Answers()
    found = inspected(answers)
    assert (found.user, found.roles, found.api_key, found.cluster_name, found.version) == (
        "u",
        ("r",),
        None,
        "c",
        "9.1.0",
    )
    assert (found.privileges, found.may_stop, len(answers.asked)) == (ALL, True, 3)


def test_an_api_key_is_named() -> None:
    """An API key is shown by its name, or by its ID if it has none."""
    assert inspected(Answers(who=WHO | {"api_key": {"id": "i", "name": "n"}})).api_key == "n"
    assert inspected(Answers(who=WHO | {"api_key": {"id": "i", "name": None}})).api_key == "i"


def test_a_serverless_project_is_recognized_by_its_flavor() -> None:
    """A serverless project is recognized by its flavor, because its version is always 8.11.0."""
    info = {"cluster_name": "c", "version": {"number": "8.11.0", "build_flavor": "serverless"}}
    assert inspected(Answers(info=info)).version == "8.11.0 (serverless)"


def test_without_monitor_the_version_is_missing() -> None:
    """Without the privilege `monitor`, the version is missing and there is no error."""
    found = inspected(Answers(info=NotAllowed("no", http_status=403)))
    assert (found.version, found.cluster_name, found.may_stop) == (None, None, True)


@pytest.mark.parametrize("status", [400, 405])
def test_without_security_every_privilege_is_granted(status: int) -> None:
    """A node without security, which has no such API, grants every privilege."""
    found = inspected(Answers(who=refused(status, "no handler found")))
    assert (found.security, found.user, found.may_stop) == (False, None, True)


@pytest.mark.parametrize(
    "error", [NotAuthenticated("no", http_status=401), NotAllowed("no", http_status=403), refused(500, "x")]
)
def test_rejected_credentials_are_an_error(error: EsmlError) -> None:
    """Rejected credentials and other errors are raised."""
    with pytest.raises(type(error)):
        inspected(Answers(who=error))


def test_unknown_privileges_are_left_out_for_old_servers() -> None:
    """If an old server rejects the request because of an unknown privilege, the others are requested without it."""
    unknown = [
        refused(400, f"unknown cluster privilege [{name}]. a privilege must be")
        for name in ("monitor_inference", STOP[1])
    ]
    answers = Answers(has=[*unknown, {"cluster": {"manage_ml": True, "read_pipeline": False}}])
    assert inspected(answers).privileges == {"manage_ml": True, "monitor_inference": None, "read_pipeline": False}
    assert answers.asked[-2] == ["manage_ml", "read_pipeline", LOOK, STOP[0]]
    with pytest.raises(Refused):
        inspected(Answers(has=[refused(400, "unknown cluster privilege [other]")]))


@pytest.mark.parametrize(
    ("granted", "may"), [((LOOK,), False), (STOP, False), ((LOOK, STOP[0]), True), ((LOOK, STOP[1]), True), ((), False)]
)
def test_other_privileges_can_be_sufficient(granted: tuple[str, ...], may: bool) -> None:
    """Any privileges that allow both reading and stopping are sufficient."""
    has = dict.fromkeys((*ALL, LOOK, *STOP), False) | dict.fromkeys(granted, True)
    assert inspected(Answers(has={"cluster": has})).may_stop is may


@pytest.mark.parametrize(
    "bodies", [{"who": {}}, {"who": "text"}, {"info": {"version": 9}}, {"has": {"cluster": {"manage_ml": "yes"}}}]
)
def test_an_answer_of_another_shape_is_not_guessed_at(bodies: dict[str, Any]) -> None:
    """A response of an unexpected form raises BadAnswer."""
    with pytest.raises(BadAnswer):
        inspected(Answers(**bodies))
