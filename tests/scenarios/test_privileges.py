from collections.abc import Callable, Iterator

import pytest

from tests.support.command import Ended, esml
from tests.support.raw_cluster import RawCluster

pytestmark = pytest.mark.scenario


@pytest.fixture
def secured(cluster: RawCluster) -> RawCluster:
    """Return a cluster with security and one deployment that a pipeline and an endpoint use."""
    if not cluster.username:
        pytest.skip("the sandbox has no security")
    cluster.model("m")
    cluster.deployment("free", "m")
    cluster.deployment("named", "m")
    cluster.pipeline("esml-p", "named")
    cluster.endpoint("my-elser", model_id="elser")
    return cluster


@pytest.fixture
def as_user(secured: RawCluster) -> Iterator[Callable[..., Ended]]:
    """Yield what runs the command as a user with one role."""

    def run(role: str, *arguments: str, password: str = "user-password") -> Ended:
        user = {"password": "user-password", "roles": [role]}
        secured.do("PUT", "/_security/user/esml-test", user)
        login = {"ESML_USERNAME": "esml-test", "ESML_PASSWORD": password}
        return esml(*arguments, environment={**secured.environment(), **login})

    yield run
    secured.ask("DELETE", "/_security/user/esml-test")


def with_key(secured: RawCluster, privileges: list[str], *arguments: str) -> Ended:
    """Run the command with an API key that has only these cluster privileges."""
    body = {"name": "esml-test", "role_descriptors": {"esml": {"cluster": privileges}}}
    key = secured.do("POST", "/_security/api_key", body)["encoded"]
    kept = {name: value for name, value in secured.environment().items() if "USER" not in name and "PASS" not in name}
    return esml(*arguments, environment={**kept, "ESML_API_KEY": key})


def test_a_wrong_password_is_exit_4(secured: RawCluster, as_user: Callable[..., Ended]) -> None:
    """One line that says so and what to check; nothing is stopped."""
    ended = as_user("machine_learning_admin", "stop", "free", password="wrong")
    assert (ended.status, ended.out) == (4, "")
    assert "rejected the credentials (HTTP 401)" in ended.err
    assert secured.running() == ["free", "my-elser", "named"]


def test_who_may_read_but_not_stop_is_told_the_privilege(secured: RawCluster, as_user: Callable[..., Ended]) -> None:
    """A machine_learning_user gets exit 4, and the missing privilege by name."""
    ended = as_user("machine_learning_user", "stop", "free")
    assert (ended.status, ended.outcomes) == (4, {"free": "failed"})
    assert "may not stop deployments" in ended.err
    assert "manage_ml" in ended.err
    assert secured.running() == ["free", "my-elser", "named"]


def test_who_may_not_even_read_is_told_so(secured: RawCluster, as_user: Callable[..., Ended]) -> None:
    """A role without machine learning is exit 4 before any stop."""
    ended = as_user("viewer", "stop", "free")
    assert ended.status == 4
    assert "manage_ml" in ended.err


def test_manage_ml_alone_is_enough(secured: RawCluster) -> None:
    """It stops what is free and refuses what a pipeline names; what it may not read it does not call unused."""
    ended = with_key(secured, ["manage_ml"], "stop", "free", "named", "-o", "json")
    free, named = ended.json["deployments"]
    assert (ended.status, free["outcome"], named["outcome"]) == (5, "stopped", "in_use")
    unread = {one["reason"] for one in free["not_checked"]}
    assert unread == {"needs monitor_inference", "needs read_pipeline"}
    assert "not checked" not in ended.err


def test_what_was_not_checked_is_said_where_the_server_is_silent(secured: RawCluster) -> None:
    """With --force, in a dry run and in a list nothing else would say it."""
    line = "inference endpoints not checked (needs monitor_inference)."
    for arguments in (["stop", "my-elser", "--dry-run"], ["list"], ["stop", "my-elser", "--force"]):
        ended = with_key(secured, ["manage_ml"], *arguments)
        assert ended.status == 0
        assert line in ended.err
    assert secured.running() == ["free", "named"]


def test_without_monitor_inference_the_server_still_refuses(secured: RawCluster) -> None:
    """Its 409 is the last word: exit 5, with its reason."""
    ended = with_key(secured, ["manage_ml"], "stop", "my-elser")
    assert (ended.status, ended.outcomes) == (5, {"my-elser": "in_use"})
    assert "created by inference endpoint [my-elser]" in ended.err
    assert secured.running() == ["free", "my-elser", "named"]


def test_a_doubt_that_may_not_be_settled_is_said(secured: RawCluster) -> None:
    """Whether a pipeline names the deployment or its model needs read_pipeline where both answers are equal."""
    secured.pipeline("esml-q", "m")
    ended = with_key(secured, ["manage_ml", "monitor_inference"], "stop", "free", "--dry-run")
    assert "whether a pipeline references the deployment (esml-q) not checked (needs read_pipeline)" in ended.err
    settled = with_key(secured, ["manage_ml", "monitor_inference", "read_pipeline"], "stop", "free", "--dry-run")
    assert (settled.status, "warning" in settled.err) == (0, False)
