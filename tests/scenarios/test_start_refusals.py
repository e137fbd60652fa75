"""Tests restores whose starts the cluster refuses; only a test node can be told to refuse a start."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.raw_cluster import RawCluster
from tests.support.runner import Run

pytestmark = [pytest.mark.scenario, pytest.mark.faults]


def save_file(cluster: RawCluster, run: Run, folder: Path, path: str = "~m/deployment/_start?deployment_id=~d") -> str:
    """Start a deployment of model m, stop it with --save, and return the path of the save file."""
    cluster.model("m")
    cluster.alias("alias", "m")
    cluster.do("POST", f"/_ml/trained_models/{path}")
    file = str(folder / "saved.json")
    assert run("stop", *cluster.running(), "--save", file).status == 0
    return file


@contextmanager
def upgrade_mode(cluster: RawCluster) -> Iterator[None]:
    """Enable machine learning upgrade mode for the duration of a `with` block."""
    try:
        status, _ = cluster.ask("POST", "/_ml/set_upgrade_mode?enabled=true")
        if status != 200:
            pytest.skip("this cluster has no upgrade mode")
        yield
    finally:
        cluster.ask("POST", "/_ml/set_upgrade_mode?enabled=false")


@pytest.mark.parametrize(
    ("cause", "reason", "remedy"),
    [
        ("upgrading", "The cluster is being upgraded", "when every node is upgraded"),
        ("licence", "The cluster's license does not include machine learning", "GET _license"),
        ("no_definition", "The definition of model m is missing", "Upload the model again"),
        ("feature_reset", "The cluster's features are being reset", "when the reset has finished"),
        ("no_room", "No machine learning node has enough memory or processors", "Add capacity"),
        ("little_room", "do not have enough memory or processors for all", "Add capacity"),
        ("downloading", "Model m is still being downloaded", "when the download has finished"),
    ],
)
def test_a_refused_start_is_reported_with_a_reason_and_a_remedy(
    cluster: RawCluster, run: Run, tmp_path: Path, cause: str, reason: str, remedy: str
) -> None:
    """A refused start exits with 1 and is reported with its reason and a remedy; later the same restore succeeds."""
    file = save_file(cluster, run, tmp_path)
    status, _ = cluster.ask("POST", "/_testnode/models/~m", {"refuse_start": cause})
    if status != 200:
        pytest.skip("this cluster cannot be told to refuse a start")
    ended = run("restore", file, "--timeout", "4s")
    assert (ended.status, ended.outcomes) == (1, {"d": "failed"})
    assert reason in ended.err
    assert remedy in ended.err
    cluster.do("POST", "/_testnode/models/~m", {})
    assert run("restore", file).outcomes == {"d": "started"}


def test_upgrade_mode_is_named_and_not_retried(cluster: RawCluster, run: Run, tmp_path: Path) -> None:
    """A restore in upgrade mode exits with 1 and names this mode; the start that gets a 429 is not retried."""
    file = save_file(cluster, run, tmp_path)
    with upgrade_mode(cluster):
        ended = run("restore", file, "-v")
    assert (ended.status, "Machine learning upgrade mode is enabled" in ended.err) == (1, True)
    assert len(re.findall(r"/deployment/_start\S* 429 ", ended.err)) == 1


def test_the_maximum_number_of_deployments_is_named(cluster: RawCluster, run: Run, tmp_path: Path) -> None:
    """A restore beyond the maximum number of deployments exits with 1 and names this limit."""
    file = save_file(cluster, run, tmp_path)
    cluster.reset(max_deployments=1)
    cluster.model("m")
    cluster.deployment("other", "m")
    if cluster.ask("POST", "/_ml/trained_models/~m/deployment/_start?deployment_id=~more")[0] != 429:
        pytest.skip("this cluster has no limit that a test could reach")
    ended = run("restore", file)
    assert (ended.status, "reached its maximum number of deployments" in ended.err) == (1, True)


def test_a_deployment_is_restored_through_its_alias(cluster: RawCluster, run: Run, tmp_path: Path) -> None:
    """A deployment started through an alias is restored through it, unless the alias was reassigned."""
    file = save_file(cluster, run, tmp_path, "~alias/deployment/_start")
    assert run("restore", file).outcomes == {"alias": "started"}
    assert run("stop", "alias").status == 0
    cluster.model("n")
    cluster.do("PUT", "/_ml/trained_models/~n/model_aliases/~alias?reassign=true")
    ended = run("restore", file)
    assert (ended.status, "alias is now a model alias of n" in ended.err) == (1, True)
    assert cluster.running() == []
