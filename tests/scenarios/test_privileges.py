import pytest

from tests.support.logins import as_key, as_user, require_login
from tests.support.raw_cluster import RawCluster
from tests.support.runner import Run

pytestmark = pytest.mark.scenario


@pytest.fixture
def secured(cluster: RawCluster) -> RawCluster:
    """Return a cluster with security, an unused deployment, and two that a pipeline and an endpoint use."""
    require_login(cluster)
    cluster.model("m")
    cluster.deployment("free", "m")
    cluster.deployment("named", "m")
    cluster.pipeline("esml-p", "named")
    cluster.model("elser")
    cluster.endpoint("my-elser", model_id="elser")
    return cluster


def test_a_wrong_password_exits_with_4(secured: RawCluster, run: Run) -> None:
    """A wrong password exits with 4, prints nothing to stdout and stops nothing."""
    ended = run("stop", "free", environment={**as_user(secured, ["machine_learning_admin"]), "ESML_PASSWORD": "wrong"})
    assert (ended.status, ended.out) == (4, "")
    assert "rejected the credentials (HTTP 401)" in ended.err
    assert secured.running() == ["free", "my-elser", "named"]


def test_a_forbidden_stop_names_the_missing_privilege(secured: RawCluster, run: Run) -> None:
    """A stop as machine_learning_user exits with 4, names the missing privilege and stops nothing."""
    ended = run("stop", "free", environment=as_user(secured, ["machine_learning_user"]))
    assert (ended.status, ended.outcomes) == (4, {"free": "failed"})
    assert "may not stop deployments" in ended.err
    assert "manage_ml" in ended.err
    assert secured.running() == ["free", "my-elser", "named"]


def test_a_user_without_read_privileges_exits_with_4(secured: RawCluster, run: Run) -> None:
    """A stop by a user without machine learning privileges exits with 4 and names the missing privilege."""
    ended = run("stop", "free", environment=as_user(secured, ["viewer"]))
    assert ended.status == 4
    assert "manage_ml" in ended.err


def test_manage_ml_is_sufficient(secured: RawCluster, run: Run) -> None:
    """With manage_ml alone, an unused deployment is stopped and a used one refused; only JSON lists unchecked uses."""
    ended = run("stop", "free", "named", "-o", "json", environment=as_key(secured, ["manage_ml"]))
    free, named = ended.json["deployments"]
    assert (ended.status, free["outcome"], named["outcome"]) == (5, "stopped", "in_use")
    reasons = {one["reason"] for one in free["not_checked"]}
    assert reasons == {"requires monitor_inference", "requires read_pipeline"}
    assert "not checked" not in ended.err


def test_force_dry_runs_and_lists_report_unchecked_endpoints(secured: RawCluster, run: Run) -> None:
    """--force, a dry run and a list report that inference endpoints were not checked without monitor_inference."""
    line = "Not checked (requires monitor_inference): inference endpoints."
    for arguments in (["stop", "my-elser", "--dry-run"], ["list"], ["stop", "my-elser", "--force"]):
        ended = run(*arguments, environment=as_key(secured, ["manage_ml"]))
        assert ended.status == 0
        assert line in ended.err
    assert secured.running() == ["free", "named"]


def test_without_monitor_inference_the_server_still_refuses(secured: RawCluster, run: Run) -> None:
    """Without monitor_inference, the server refuses to stop an endpoint's deployment, and esml exits with 5."""
    ended = run("stop", "my-elser", environment=as_key(secured, ["manage_ml"]))
    assert (ended.status, ended.outcomes) == (5, {"my-elser": "in_use"})
    assert "created by inference endpoint [my-elser]" in ended.err
    assert secured.running() == ["free", "my-elser", "named"]


def test_an_unclear_reference_is_reported_without_read_pipeline(secured: RawCluster, run: Run) -> None:
    """Only without read_pipeline, a dry run warns that a pipeline's reference to the deployment was not checked."""
    secured.pipeline("esml-q", "m")
    ended = run("stop", "free", "--dry-run", environment=as_key(secured, ["manage_ml", "monitor_inference"]))
    assert "Not checked (requires read_pipeline): whether a pipeline references the deployment (esml-q)." in ended.err
    with_privilege = run(
        "stop", "free", "--dry-run", environment=as_key(secured, ["manage_ml", "monitor_inference", "read_pipeline"])
    )
    assert (with_privilege.status, "warning" in with_privilege.err) == (0, False)
