import pytest

from tests.support.logins import as_key, as_user, require_login
from tests.support.raw_cluster import RawCluster
from tests.support.runner import Run

pytestmark = pytest.mark.scenario


@pytest.fixture
def secured(cluster: RawCluster) -> RawCluster:
    """Return a cluster with security and one deployment that a pipeline and an endpoint use."""
    require_login(cluster)
    cluster.model("m")
    cluster.deployment("free", "m")
    cluster.deployment("named", "m")
    cluster.pipeline("esml-p", "named")
    cluster.model("elser")
    cluster.endpoint("my-elser", model_id="elser")
    return cluster


def test_a_wrong_password_is_exit_4(secured: RawCluster, run: Run) -> None:
    """One line that says so and what to check; nothing is stopped."""
    ended = run("stop", "free", environment={**as_user(secured, ["machine_learning_admin"]), "ESML_PASSWORD": "wrong"})
    assert (ended.status, ended.out) == (4, "")
    assert "rejected the credentials (HTTP 401)" in ended.err
    assert secured.running() == ["free", "my-elser", "named"]


def test_who_may_read_but_not_stop_is_told_the_privilege(secured: RawCluster, run: Run) -> None:
    """A machine_learning_user gets exit 4, and the missing privilege by name."""
    ended = run("stop", "free", environment=as_user(secured, ["machine_learning_user"]))
    assert (ended.status, ended.outcomes) == (4, {"free": "failed"})
    assert "may not stop deployments" in ended.err
    assert "manage_ml" in ended.err
    assert secured.running() == ["free", "my-elser", "named"]


def test_who_may_not_even_read_is_told_so(secured: RawCluster, run: Run) -> None:
    """A role without machine learning is exit 4 before any stop."""
    ended = run("stop", "free", environment=as_user(secured, ["viewer"]))
    assert ended.status == 4
    assert "manage_ml" in ended.err


def test_manage_ml_alone_is_enough(secured: RawCluster, run: Run) -> None:
    """It stops what is free and refuses what a pipeline names; what it may not read it does not call unused."""
    ended = run("stop", "free", "named", "-o", "json", environment=as_key(secured, ["manage_ml"]))
    free, named = ended.json["deployments"]
    assert (ended.status, free["outcome"], named["outcome"]) == (5, "stopped", "in_use")
    unread = {one["reason"] for one in free["not_checked"]}
    assert unread == {"needs monitor_inference", "needs read_pipeline"}
    assert "not checked" not in ended.err


def test_what_was_not_checked_is_said_where_the_server_is_silent(secured: RawCluster, run: Run) -> None:
    """With --force, in a dry run and in a list nothing else would say it."""
    line = "Not checked (needs monitor_inference): inference endpoints."
    for arguments in (["stop", "my-elser", "--dry-run"], ["list"], ["stop", "my-elser", "--force"]):
        ended = run(*arguments, environment=as_key(secured, ["manage_ml"]))
        assert ended.status == 0
        assert line in ended.err
    assert secured.running() == ["free", "named"]


def test_without_monitor_inference_the_server_still_refuses(secured: RawCluster, run: Run) -> None:
    """Its 409 is the last word: exit 5, with its reason."""
    ended = run("stop", "my-elser", environment=as_key(secured, ["manage_ml"]))
    assert (ended.status, ended.outcomes) == (5, {"my-elser": "in_use"})
    assert "created by inference endpoint [my-elser]" in ended.err
    assert secured.running() == ["free", "my-elser", "named"]


def test_a_doubt_that_may_not_be_settled_is_said(secured: RawCluster, run: Run) -> None:
    """Whether a pipeline names the deployment or its model needs read_pipeline where both answers are equal."""
    secured.pipeline("esml-q", "m")
    ended = run("stop", "free", "--dry-run", environment=as_key(secured, ["manage_ml", "monitor_inference"]))
    assert "Not checked (needs read_pipeline): whether a pipeline references the deployment (esml-q)." in ended.err
    settled = run(
        "stop", "free", "--dry-run", environment=as_key(secured, ["manage_ml", "monitor_inference", "read_pipeline"])
    )
    assert (settled.status, "warning" in settled.err) == (0, False)
