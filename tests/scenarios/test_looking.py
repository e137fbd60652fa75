"""Tests lists, dry runs and refusals: they change nothing and share one cluster, because each start takes seconds."""

import pytest

from tests.support.raw_cluster import RawCluster
from tests.support.runner import Run

pytestmark = pytest.mark.scenario

RUNNING = ["free", "mine", "used"]


@pytest.fixture(scope="module")
def scene(kept: RawCluster) -> RawCluster:
    """Return a cluster with a used and an unused deployment, and one that an endpoint created."""
    kept.model("m")
    for name in ("used", "free"):
        kept.deployment(name, "m")
    kept.alias("alias", "m")
    kept.pipeline("p", "used")
    kept.endpoint("mine", model_id="m")
    for _ in range(3):
        kept.infer("used")
    kept.until(lambda: kept.stats()["used"]["nodes"][0].get("inference_count") == 3, "a count of three inferences")
    return kept


def test_a_list_shows_inferences_and_uses(scene: RawCluster, run_read_only: Run) -> None:
    """`esml list` shows the number of inferences of a deployment, and the pipeline or endpoint that uses it."""
    listed = {one["deployment_id"]: one for one in run_read_only("list", "-o", "json").json["deployments"]}
    assert sorted(listed) == RUNNING
    assert [listed[name]["inference_count"] for name in ("used", "free")] == [3, 0]
    assert [one["id"] for one in listed["used"]["used_by"]] == ["p"]
    assert [one["id"] for one in listed["mine"]["used_by"]] == ["mine"]


def test_a_used_or_new_deployment_is_not_idle(scene: RawCluster, run_read_only: Run) -> None:
    """--idle 1h selects no deployment that was used or started within the last hour."""
    assert run_read_only("list", "*", "--idle", "1h", "-o", "ids").out == ""
    skipped = run_read_only("stop", *RUNNING, "--idle", "1h", "--dry-run")
    assert (skipped.status, set(skipped.outcomes.values())) == (0, {"not_idle"})


def test_a_list_is_filtered_by_id_pattern_and_model(scene: RawCluster, run_read_only: Run) -> None:
    """`esml list` selects deployments by ID, pattern, model and alias, and keeps the order of the patterns."""
    assert run_read_only("list", "free", "-o", "ids").out == "free\n"
    assert run_read_only("list", "us*", "fr*", "-o", "ids").out.split() == ["used", "free"]
    for name in ("m", "alias"):
        assert sorted(run_read_only("list", "--model", name, "-o", "ids").out.split()) == RUNNING


def test_a_dry_run_of_everything_stops_nothing(scene: RawCluster, run_read_only: Run) -> None:
    """A dry run of _all shows which deployments would be stopped or refused, and stops none of them."""
    plan = run_read_only("stop", "_all", "--dry-run", "-o", "json")
    outcomes = {one["deployment_id"]: one["outcome"] for one in plan.json["deployments"]}
    assert {name: outcomes[name] for name in RUNNING} == {"free": "would_stop", "mine": "in_use", "used": "in_use"}
    assert scene.running() == RUNNING


def test_deployments_in_use_are_refused(scene: RawCluster, run_read_only: Run) -> None:
    """Deployments that a pipeline or an endpoint uses are refused with exit code 5, with and without --no-check."""
    ended = run_read_only("stop", "used", "mine")
    assert (ended.status, ended.outcomes) == (5, {"used": "in_use", "mine": "in_use"})
    unchecked = run_read_only("stop", "used", "mine", "--no-check")
    assert (unchecked.status, unchecked.outcomes) == (5, {"used": "in_use", "mine": "in_use"})
    assert scene.running() == RUNNING


def test_an_unknown_id_or_a_model_id_stops_nothing(scene: RawCluster, run_read_only: Run) -> None:
    """An unknown ID exits with 0 and suggests a similar one, the ID of a model exits with 3, and nothing is stopped."""
    typo = run_read_only("stop", "frree")
    assert (typo.status, typo.outcomes) == (0, {"frree": "not_found"})
    assert "free" in typo.err.partition("frree")[2]
    assert run_read_only("stop", "m").status == 3
    assert scene.running() == RUNNING
