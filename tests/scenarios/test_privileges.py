import pytest

from tests.support.logins import as_key, as_user, require_login
from tests.support.raw_cluster import RawCluster
from tests.support.runner import Run

pytestmark = pytest.mark.scenario


@pytest.fixture
def secured(cluster: RawCluster) -> RawCluster:
    """Return a cluster with security and deployments that a pipeline and an endpoint use."""
    require_login(cluster)
    cluster.model("m")
    cluster.deployment("free", "m")
    cluster.deployment("named", "m")
    cluster.pipeline("esml-p", "named")
    cluster.model("elser")
    cluster.endpoint("my-elser", model_id="elser")
    return cluster


def test_a_wrong_password_exits_with_4(secured: RawCluster, run: Run) -> None:
    """A wrong password exits with 4 and one message, and nothing is stopped."""
    ended = run("stop", "free", environment={**as_user(secured, ["machine_learning_admin"]), "ESML_PASSWORD": "wrong"})
    assert (ended.status, ended.out) == (4, "")
    assert "rejected the credentials (HTTP 401)" in ended.err
    assert secured.running() == ["free", "my-elser", "named"]


def test_a_user_who_cannot_stop_gets_the_missing_privilege(secured: RawCluster, run: Run) -> None:
    """A stop as machine_learning_user exits with 4, and the message names the missing privilege."""
    ended = run("stop", "free", environment=as_user(secured, ["machine_learning_user"]))
    assert (ended.status, ended.outcomes) == (4, {"free": "failed"})
    assert "may not stop deployments" in ended.err
    assert "manage_ml" in ended.err
    assert secured.running() == ["free", "my-elser", "named"]


def test_a_user_without_read_privileges_gets_exit_4(secured: RawCluster, run: Run) -> None:
    """A stop by a user without machine learning privileges exits with 4, and the message names the missing one."""
    ended = run("stop", "free", environment=as_user(secured, ["viewer"]))
    assert ended.status == 4
    assert "manage_ml" in ended.err


def test_manage_ml_is_sufficient(secured: RawCluster, run: Run) -> None:
    """With manage_ml alone, unused deployments are stopped and used ones refused; unreadable uses are not checked."""
    ended = run("stop", "free", "named", "-o", "json", environment=as_key(secured, ["manage_ml"]))
    free, named = ended.json["deployments"]
    assert (ended.status, free["outcome"], named["outcome"]) == (5, "stopped", "in_use")
    unread = {one["reason"] for one in free["not_checked"]}
    assert unread == {"needs monitor_inference", "needs read_pipeline"}
    assert "not checked" not in ended.err


def test_a_missing_check_is_reported_with_force_and_in_dry_runs(secured: RawCluster, run: Run) -> None:
    """With --force, in a dry run and in a list the missing check is reported."""
    line = "Not checked (needs monitor_inference): inference endpoints."
    for arguments in (["stop", "my-elser", "--dry-run"], ["list"], ["stop", "my-elser", "--force"]):
        ended = run(*arguments, environment=as_key(secured, ["manage_ml"]))
        assert ended.status == 0
        assert line in ended.err
    assert secured.running() == ["free", "named"]


def test_without_monitor_inference_the_server_still_refuses(secured: RawCluster, run: Run) -> None:
    """Without monitor_inference, the server's refusal exits with 5 and is reported with its reason."""
    ended = run("stop", "my-elser", environment=as_key(secured, ["manage_ml"]))
    assert (ended.status, ended.outcomes) == (5, {"my-elser": "in_use"})
    assert "created by inference endpoint [my-elser]" in ended.err
    assert secured.running() == ["free", "my-elser", "named"]


def test_an_unclear_reference_is_reported_without_read_pipeline(secured: RawCluster, run: Run) -> None:
    """Without read_pipeline, a dry run reports that it is unknown whether a pipeline references the deployment."""
    secured.pipeline("esml-q", "m")
    ended = run("stop", "free", "--dry-run", environment=as_key(secured, ["manage_ml", "monitor_inference"]))
    assert "Not checked (needs read_pipeline): whether a pipeline references the deployment (esml-q)." in ended.err
    settled = run(
        "stop", "free", "--dry-run", environment=as_key(secured, ["manage_ml", "monitor_inference", "read_pipeline"])
    )
    assert (settled.status, "warning" in settled.err) == (0, False)
