"""Tests lists, dry runs and refusals, which change nothing and share one scene, because a start takes seconds."""

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
    kept.until(lambda: kept.stats()["used"]["nodes"][0].get("inference_count") == 3, "the count of what was asked")
    return kept


def test_uses_are_shown(scene: RawCluster, look: Run) -> None:
    """The number of inferences, and the pipeline or endpoint that uses a deployment, are shown."""
    listed = {one["deployment_id"]: one for one in look("list", "-o", "json").json["deployments"]}
    assert sorted(listed) == RUNNING
    assert [listed[name]["inference_count"] for name in ("used", "free")] == [3, 0]
    assert [one["id"] for one in listed["used"]["used_by"]] == ["p"]
    assert [one["id"] for one in listed["mine"]["used_by"]] == ["mine"]


def test_a_used_or_new_deployment_is_not_idle(scene: RawCluster, look: Run) -> None:
    """No deployment of the scene is known to be idle for an hour."""
    assert look("list", "*", "--idle", "1h", "-o", "ids").out == ""
    skipped = look("stop", *RUNNING, "--idle", "1h", "--dry-run")
    assert (skipped.status, set(skipped.outcomes.values())) == (0, {"not_idle"})


def test_a_list_is_filtered_by_id_pattern_and_model(scene: RawCluster, look: Run) -> None:
    """An ID, patterns, a model and an alias select deployments; patterns keep their order."""
    assert look("list", "free", "-o", "ids").out == "free\n"
    assert look("list", "us*", "fr*", "-o", "ids").out.split() == ["used", "free"]
    for name in ("m", "alias"):
        assert sorted(look("list", "--model", name, "-o", "ids").out.split()) == RUNNING


def test_a_dry_run_of_everything_stops_nothing(scene: RawCluster, look: Run) -> None:
    """A dry run of _all contains the deployments of the scene and stops nothing."""
    plan = look("stop", "_all", "--dry-run", "-o", "json")
    outcomes = {one["deployment_id"]: one["outcome"] for one in plan.json["deployments"]}
    assert {name: outcomes[name] for name in RUNNING} == {"free": "would_stop", "mine": "in_use", "used": "in_use"}
    assert scene.running() == RUNNING


def test_deployments_in_use_are_refused(scene: RawCluster, look: Run) -> None:
    """Deployments that a pipeline or an endpoint uses are refused with exit code 5, also with --no-check."""
    ended = look("stop", "used", "mine")
    assert (ended.status, ended.outcomes) == (5, {"used": "in_use", "mine": "in_use"})
    unchecked = look("stop", "used", "mine", "--no-check")
    assert (unchecked.status, unchecked.outcomes) == (5, {"used": "in_use", "mine": "in_use"})
    assert scene.running() == RUNNING


def test_a_typo_stops_nothing(scene: RawCluster, look: Run) -> None:
    """A typo is reported with a similar ID, and the ID of a model exits with 3."""
    typo = look("stop", "frree")
    assert (typo.status, typo.outcomes) == (0, {"frree": "not_found"})
    assert "free" in typo.err.partition("frree")[2]
    assert look("stop", "m").status == 3
    assert scene.running() == RUNNING
