import json
from pathlib import Path

import pytest

from tests.support.raw_cluster import RawCluster
from tests.support.runner import Run

pytestmark = pytest.mark.scenario


def test_an_unused_deployment_is_stopped(cluster: RawCluster, run: Run) -> None:
    """When `esml stop` ends, the named deployment no longer exists and another one of its model is still running."""
    cluster.model("my_model")
    cluster.deployment("my_model_for_search", "my_model")
    cluster.deployment("my_model_for_ingest", "my_model")
    ended = run("stop", "my_model_for_search")
    assert (ended.status, ended.outcomes) == (0, {"my_model_for_search": "stopped"})
    assert cluster.running() == ["my_model_for_ingest"]


def test_several_deployments_are_reported_in_the_order_given(cluster: RawCluster, run: Run) -> None:
    """Each ID has one result, in the order given; comma-separated lists are split and duplicates removed."""
    cluster.model("m")
    for name in ("c", "a", "b"):
        cluster.deployment(name, "m")
    ended = run("stop", "c,a", "b", "a")
    assert ended.status == 0
    assert list(ended.outcomes) == ["c", "a", "b"]
    assert cluster.running() == []


def test_an_unknown_id_is_not_found_and_a_similar_id_is_suggested(cluster: RawCluster, run: Run) -> None:
    """An unknown ID is reported as not found with exit code 0; the similar deployment is suggested, but not stopped."""
    cluster.model("my_model")
    cluster.deployment("my_model_for_search", "my_model")
    ended = run("stop", "my_model_for_serch")
    assert (ended.status, ended.outcomes) == (0, {"my_model_for_serch": "not_found"})
    assert "Did you mean my_model_for_search?" in ended.err
    assert cluster.running() == ["my_model_for_search"]


def test_no_allow_no_match_stops_nothing_if_an_id_is_unknown(cluster: RawCluster, run: Run) -> None:
    """With --no-allow-no-match, an unknown ID exits with 3 and no deployment is stopped."""
    cluster.model("m")
    cluster.deployment("here", "m")
    ended = run("stop", "here", "gone", "--no-allow-no-match")
    assert ended.status == 3
    assert ended.outcomes == {"here": "not_attempted", "gone": "not_found"}
    assert cluster.running() == ["here"]


def test_a_model_or_an_alias_is_not_reported_as_a_deployment(cluster: RawCluster, run: Run) -> None:
    """A model or an alias is reported as such, with exit code 3 only if a deployment of it is running."""
    cluster.model("my_model")
    cluster.deployment("my_search", "my_model")
    cluster.alias("my_alias", "my_model")
    cluster.model("lonely")
    cluster.model("tree", "tree_ensemble")
    ended = run("stop", "my_model", "my_alias", "lonely", "tree", "-q")
    assert ended.status == 3
    assert set(ended.outcomes.values()) == {"not_found"}
    assert "my_model is a model, not a deployment. Its deployments: my_search." in ended.err
    assert "To stop them: esml stop --model my_model --quiet" in ended.err
    assert "my_alias is a model alias of my_model, not a deployment. Its deployments: my_search." in ended.err
    ended = run("stop", "lonely", "tree")
    assert ended.status == 0
    assert "lonely is a model, which has no deployments" in ended.err
    assert "tree is a model of type tree_ensemble, which has no deployments" in ended.err
    assert cluster.running() == ["my_search"]


def test_a_second_stop_succeeds(cluster: RawCluster, run: Run) -> None:
    """A second stop of a deployment exits with 0 and reports the deployment as not found."""
    cluster.model("m")
    cluster.deployment("d", "m")
    assert run("stop", "d").outcomes == {"d": "stopped"}
    second = run("stop", "d")
    assert (second.status, second.outcomes) == (0, {"d": "not_found"})


def test_a_deployment_that_a_pipeline_references_is_refused(cluster: RawCluster, run: Run) -> None:
    """A referenced deployment is refused with exit code 5, the pipeline's ID and a command; --force stops it."""
    cluster.model("m")
    cluster.deployment("d", "m")
    cluster.pipeline("esml-p1", "d")
    ended = run("stop", "d")
    assert (ended.status, ended.outcomes) == (5, {"d": "in_use"})
    assert "ingest pipeline esml-p1 references this deployment" in ended.err
    assert ended.err.rstrip().endswith("esml stop d --force")
    assert cluster.running() == ["d"]
    forced = run("stop", "d", "--force")
    assert (forced.status, forced.outcomes) == (0, {"d": "stopped"})
    assert "ingest pipeline esml-p1" in forced.err
    assert cluster.running() == []


def test_no_check_reports_the_servers_refusal_with_its_cause(cluster: RawCluster, run: Run) -> None:
    """With --no-check, a 409 response is reported with Elasticsearch's message and the pipeline that caused it."""
    cluster.model("m")
    cluster.deployment("d", "m")
    cluster.deployment("other", "m")
    cluster.pipeline("esml-p1", "d")
    ended = run("stop", "d", "other", "--no-check")
    assert (ended.status, ended.outcomes) == (5, {"d": "in_use", "other": "stopped"})
    assert "ingest pipeline esml-p1 references this deployment" in ended.err
    assert "Elasticsearch says: Cannot stop deployment [d]" in ended.err


def test_no_check_reports_an_unknown_id_as_not_found(cluster: RawCluster, run: Run) -> None:
    """With --no-check, an unknown ID is reported as not found and exits with 3 if --no-allow-no-match is given."""
    assert run("stop", "nope", "--no-check").outcomes == {"nope": "not_found"}
    assert run("stop", "nope", "--no-check", "--no-allow-no-match").status == 3


@pytest.mark.faults
def test_the_command_waits_for_a_slow_stop(cluster: RawCluster, run: Run) -> None:
    """If a stop lasts 2.5 seconds, the command ends only after the deployment no longer exists."""
    cluster.model("m")
    cluster.deployment("slow", "m")
    cluster.fault("slow", stop_ms=2500)
    ended = run("stop", "slow", "-o", "json")
    assert ended.json["deployments"][0]["outcome"] == "stopped"
    assert ended.json["deployments"][0]["seconds"] >= 2.4
    assert cluster.running() == []


@pytest.mark.faults
def test_finish_pending_work_waits_for_queued_work(cluster: RawCluster, run: Run) -> None:
    """With --finish-pending-work, a stop lasts at least as long as the queued work."""
    cluster.model("m")
    cluster.deployment("busy", "m")
    cluster.fault("busy", stop_ms=10, pending_ms=1500)
    ended = run("stop", "busy", "--finish-pending-work", "-o", "json")
    assert ended.json["deployments"][0]["seconds"] >= 1.4


@pytest.mark.faults
def test_a_deadline_that_passes_during_a_stop_exits_with_7(cluster: RawCluster, run: Run) -> None:
    """A stop that is still in progress when --timeout expires is reported as stopping, with exit code 7."""
    cluster.model("m")
    cluster.deployment("slow", "m")
    cluster.fault("slow", stop_ms=9000)
    ended = run("stop", "slow", "--timeout", "2500ms")
    assert (ended.status, ended.outcomes) == (7, {"slow": "stopping"})
    assert cluster.running() == ["slow"]


@pytest.mark.parametrize(("times", "status", "outcome"), [(2, 0, "stopped"), (99, 1, "failed")])
@pytest.mark.faults
def test_a_stop_is_retried_after_503_responses(
    cluster: RawCluster, run: Run, times: int, status: int, outcome: str
) -> None:
    """A stop succeeds after two 503 responses; if they continue, it fails and the deployment keeps running."""
    cluster.model("m")
    cluster.deployment("d", "m")
    cluster.fault("d", times=times, status=503)
    ended = run("stop", "d")
    assert (ended.status, ended.outcomes) == (status, {"d": outcome})
    assert cluster.running() == ([] if outcome == "stopped" else ["d"])


@pytest.mark.faults
def test_a_stop_is_not_retried_after_a_500_response(cluster: RawCluster, run: Run) -> None:
    """A 500 response fails one stop after one attempt, with the server's message; other deployments are stopped."""
    cluster.model("m")
    cluster.deployment("bad", "m")
    cluster.deployment("good", "m")
    cluster.fault("bad", times=99, status=500)
    ended = run("stop", "bad", "good", "-o", "json")
    bad, good = ended.json["deployments"]
    assert (ended.status, bad["outcome"], good["outcome"]) == (1, "failed", "stopped")
    assert (bad["attempts"], bad["error"]["http_status"]) == (1, 500)
    assert "injected failure for [bad]" in bad["error"]["reason"]


def test_a_deployment_whose_model_was_deleted_is_stopped_by_its_id(
    cluster: RawCluster, run: Run, tmp_path: Path
) -> None:
    """A deployment of a deleted model is stopped by its ID, and one warning says that it is not saved."""
    cluster.model("m")
    cluster.model("gone")
    cluster.deployment("or-d", "m")
    cluster.deployment("or-orphan", "gone")
    cluster.do("DELETE", "/_ml/trained_models/~gone?force=true")
    assert [line[0] for line in run("list", "or-*").lines] == ["or-d"]
    dry_run = run("stop", "or-orphan", "--dry-run")
    assert (dry_run.outcomes, "or-orphan cannot be started again: its model gone was deleted." in dry_run.err) == (
        {"or-orphan": "would_stop"},
        True,
    )
    file = tmp_path / "saved.json"
    ended = run("stop", "or-orphan", "nope", "or-d", "-o", "json", "--save", str(file))
    assert ended.status == 0
    warning = "or-orphan cannot be started again and is not saved: its model gone was deleted."
    assert ended.json["warnings"].count(warning) == 1
    assert ended.err.index(warning) < ended.err.index("or-orphan: stopped"), "the warning precedes the stop"
    (saved,) = json.loads(file.read_text())["deployments"]
    assert saved["deployment_id"].endswith("or-d")
    results = {one["deployment_id"]: one for one in ended.json["deployments"]}
    outcomes = {name: one["outcome"] for name, one in results.items()}
    assert outcomes == {"or-orphan": "stopped", "nope": "not_found", "or-d": "stopped"}
    assert (results["or-orphan"]["model_id"], results["or-orphan"]["reason"]) == ("gone", "Its model gone was deleted.")
    assert (results["or-orphan"]["start_call"], "_start" in results["or-d"]["start_call"]) == (None, True)
    assert ended.err.count("odel gone was deleted") == 1
    response = cluster.ask("POST", "/_ml/trained_models/~or-orphan/deployment/_stop", {"allow_no_match": False})
    assert response[0] == 404, "the deployment is no longer running"
