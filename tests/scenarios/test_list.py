import time

import pytest

from tests.support.raw_cluster import RawCluster
from tests.support.runner import Run

# Only a test node can set the time of a deployment's last use.
pytestmark = [pytest.mark.scenario, pytest.mark.faults]

DAY = 86_400_000


@pytest.fixture
def scene(cluster: RawCluster) -> RawCluster:
    """Return a cluster with a busy, an idle and an unused deployment, and one that an endpoint created."""
    cluster.model("m")
    cluster.deployment("busy", "m", number_of_allocations=2, priority="normal")
    cluster.deployment("idle", "m")
    cluster.deployment("new", "m", priority="low")
    cluster.model("elser")
    cluster.endpoint("my-elser", model_id="elser")
    cluster.pipeline("esml-p", "busy")
    cluster.pipeline("esml-q", "m")
    now = int(time.time() * 1000)
    cluster.fault("busy", inference_count=9, last_access=now - 3_600_000, pending_ms=700)
    cluster.fault("idle", inference_count=4, last_access=1_700_000_000_000)
    return cluster


def test_a_list_in_a_pipe_has_one_line_per_deployment(scene: RawCluster, run: Run) -> None:
    """In a pipe, `esml list` prints one tab-separated line with all values for each deployment."""
    ended = run("list")
    assert ended.status == 0
    rows = {line[0]: line for line in ended.lines}
    assert list(rows) == ["busy", "idle", "my-elser", "new"]
    assert rows["idle"][1:4] == ["m", "started", "1/1"]
    assert rows["idle"][7:9] == ["2023-11-14T22:13:20Z", "pipeline:esml-q"]
    assert rows["busy"][3:5] == ["2/2", "normal"]
    assert rows["busy"][6] == "7"
    assert rows["busy"][8] == "pipeline:esml-p,pipeline:esml-q"
    assert rows["new"][4] == "low"
    assert rows["new"][7].startswith("not since 20")
    assert rows["my-elser"][8] == "endpoint:my-elser"
    assert rows["new"][5], "the node has a name"
    assert ended.err == ""


def test_the_list_of_an_empty_cluster_is_empty(cluster: RawCluster, run: Run) -> None:
    """On an empty cluster, `esml list` exits with 0, and prints nothing in a pipe and an empty list in JSON."""
    if not cluster.alone:
        pytest.skip("others may use the cluster")
    assert (run("list").out, run("list").status) == ("", 0)
    assert run("list", "-o", "json").json["deployments"] == []


def test_a_list_can_be_filtered(scene: RawCluster, run: Run) -> None:
    """`esml list` selects deployments by ID, pattern, model and stdin, and reports a name that matches nothing."""
    assert [line[0] for line in run("list", "i*", "new").lines] == ["idle", "new"]
    assert [line[0] for line in run("list", "--model", "elser").lines] == ["my-elser"]
    assert run("list", "-", "-o", "ids", stdin="new\nbusy\n").out == "new\nbusy\n"
    missing = run("list", "nope", "idle")
    assert missing.status == 0
    assert "Deployment nope is not running" in missing.err
    assert run("list", "nope", "idle", "--no-allow-no-match").status == 3


def test_json_contains_the_values_of_a_deployment(scene: RawCluster, run: Run) -> None:
    """The JSON of `esml list` contains the allocations, the number of inferences and the uses of a deployment."""
    document = run("list", "busy", "-o", "json").json
    assert (document["command"], document["counts"]["listed"]) == ("list", 1)
    busy = document["deployments"][0]
    assert (busy["outcome"], busy["allocations"], busy["inference_count"]) == ("listed", {"reached": 2, "wanted": 2}, 9)
    assert [(one["id"], one["through"]) for one in busy["used_by"]] == [("esml-p", "deployment"), ("esml-q", "model")]


def test_idle_selects_unused_deployments(scene: RawCluster, run: Run) -> None:
    """--idle excludes deployments that were used within the given time or that have queued requests."""
    assert run("list", "--idle", "7d", "-o", "ids").out == "idle\n"
    assert run("list", "--idle", "30m", "-o", "ids").out == "idle\n"
    ended = run("stop", "busy", "i*", "b*", "--idle", "7d", "--yes")
    assert (ended.status, ended.outcomes) == (0, {"busy": "not_idle", "idle": "stopped", "b*": "not_found"})
    assert "busy was skipped: it has pending requests, or had some in the last minute." in ended.err
    assert "b* matches no deployment that is known to have been idle for that long." in ended.err
    assert scene.running() == ["busy", "my-elser", "new"]


def test_a_list_without_check_makes_one_request(scene: RawCluster, run: Run) -> None:
    """`esml list --no-check` sends one request and reports the uses as not checked."""
    ended = run("list", "--no-check", "-v")
    assert ended.err.count("GET") == 1
    assert "filter_path=... 200 " in ended.err
    assert {line[8] for line in ended.lines} == {""}
    assert "Not checked (--no-check): what uses the deployment." in ended.err


@pytest.mark.parametrize(
    ("fault", "last_use"),
    [
        ({"node_restarted": True}, "not since 20"),
        ({"scaled_to_zero": True}, "unknown"),
        ({"last_access": 1_700_000_000_000, "pending_ms": 500}, "2023-11-14T22:13:20Z"),
    ],
    ids=["restarted node", "scaled to zero", "requests in flight"],
)
def test_deployments_not_known_to_be_idle_are_skipped(
    cluster: RawCluster, run: Run, fault: dict[str, object], last_use: str
) -> None:
    """--idle skips a deployment after a restart of its node, without nodes, or with queued requests."""
    cluster.model("m")
    cluster.deployment("d", "m")
    cluster.fault("d", **fault)
    assert run("list", "d").lines[0][7].startswith(last_use)
    ended = run("stop", "d", "--idle", "7d")
    assert (ended.status, ended.outcomes) == (0, {"d": "not_idle"})
    assert cluster.running() == ["d"]


def test_a_failed_deployment_is_listed_with_its_reason(cluster: RawCluster, run: Run) -> None:
    """`esml list` shows the server's reason for a failed deployment, in a pipe and in JSON."""
    cluster.model("m")
    cluster.deployment("d", "m")
    cluster.fault("d", state="failed", reason="it crashed")
    (line,) = run("list").lines
    assert (line[2], "it crashed" in line[-1]) == ("failed", True)
    assert "it crashed" in run("list", "-o", "json").json["deployments"][0]["reason"]
