"""What changes nothing: lists, dry runs and refusals, all on one scene, since a genuine start takes seconds."""

import pytest

from tests.support.raw_cluster import RawCluster
from tests.support.runner import Run

pytestmark = pytest.mark.scenario

RUNNING = ["free", "mine", "used"]


@pytest.fixture(scope="module")
def scene(kept: RawCluster) -> RawCluster:
    """Return a cluster with a deployment that was used and one that was not, and one that an endpoint has created."""
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


def test_use_is_seen(scene: RawCluster, look: Run) -> None:
    """How often and when: just now."""
    listed = {one["deployment_id"]: one for one in look("list", "-o", "json").json["deployments"]}
    assert sorted(listed) == RUNNING
    assert [listed[name]["inference_count"] for name in ("used", "free")] == [3, 0]
    assert [one["id"] for one in listed["used"]["used_by"]] == ["p"]
    assert [one["id"] for one in listed["mine"]["used_by"]] == ["mine"]


def test_what_was_used_or_has_just_started_is_not_idle(scene: RawCluster, look: Run) -> None:
    """Nothing here is known to be idle for an hour."""
    assert look("list", "*", "--idle", "1h", "-o", "ids").out == ""
    skipped = look("stop", *RUNNING, "--idle", "1h", "--dry-run")
    assert (skipped.status, set(skipped.outcomes.values())) == (0, {"not_idle"})


def test_a_list_is_narrowed_by_id_pattern_and_model(scene: RawCluster, look: Run) -> None:
    """In the order of their IDs for a pattern or a model, an alias too."""
    assert look("list", "free", "-o", "ids").out == "free\n"
    assert look("list", "us*", "fr*", "-o", "ids").out.split() == ["used", "free"]
    for name in ("m", "alias"):
        assert sorted(look("list", "--model", name, "-o", "ids").out.split()) == RUNNING


def test_a_dry_run_of_everything_stops_nothing(scene: RawCluster, look: Run) -> None:
    """Whatever else runs on the cluster: ours are in the plan, each with what would become of it."""
    plan = look("stop", "_all", "--dry-run", "-o", "json")
    outcomes = {one["deployment_id"]: one["outcome"] for one in plan.json["deployments"]}
    assert {name: outcomes[name] for name in RUNNING} == {"free": "would_stop", "mine": "in_use", "used": "in_use"}
    assert scene.running() == RUNNING


def test_what_is_in_use_is_refused(scene: RawCluster, look: Run) -> None:
    """By a pipeline and by an endpoint: exit 5, nothing stops, and the server refuses it, too."""
    ended = look("stop", "used", "mine")
    assert (ended.status, ended.outcomes) == (5, {"used": "in_use", "mine": "in_use"})
    unchecked = look("stop", "used", "mine", "--no-check")
    assert (unchecked.status, unchecked.outcomes) == (5, {"used": "in_use", "mine": "in_use"})
    assert scene.running() == RUNNING


def test_a_typo_stops_nothing(scene: RawCluster, look: Run) -> None:
    """It is not running, and the name that was probably meant is said; a model's name is exit 3."""
    typo = look("stop", "frree")
    assert (typo.status, typo.outcomes) == (0, {"frree": "not_found"})
    assert "free" in typo.err.partition("frree")[2]
    assert look("stop", "m").status == 3
    assert scene.running() == RUNNING
