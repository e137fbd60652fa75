"""Tests esml with servers before 8.8 and before 8.3, which a test node imitates."""

from pathlib import Path

import pytest

from tests.support.raw_cluster import MODELS, RawCluster
from tests.support.runner import Run

pytestmark = [pytest.mark.scenario, pytest.mark.faults]


def start_on_old_server(cluster: RawCluster, version: str, settings: str) -> None:
    """Make the cluster imitate a server older than `version`, and start a deployment of model m."""
    cluster.reset(before=version)
    if cluster.do("GET", "/")["version"]["number"].startswith(("8.1", "9.")):
        pytest.skip("this cluster cannot be an old server")
    cluster.model("m")
    cluster.do("POST", f"{MODELS}/~m/deployment/_start?{settings}")


def test_an_8_7_server_stops_the_deployment_of_a_model(cluster: RawCluster, run: Run) -> None:
    """On an 8.7 server, a deployment with the ID of its model is listed and stopped; a second stop does not find it."""
    start_on_old_server(cluster, "8.8", "number_of_allocations=2")
    assert [line[:2] for line in run("list").lines] == [["m", "m"]]
    assert run("stop", "m").outcomes == {"m": "stopped"}
    assert run("stop", "m").outcomes == {"m": "not_found"}


def test_a_model_without_a_deployment_is_not_found_on_an_8_7_server(cluster: RawCluster, run: Run) -> None:
    """With --no-check, a model without a deployment is not found, although an 8.7 server responds with "stopped"."""
    start_on_old_server(cluster, "8.8", "number_of_allocations=1")
    cluster.model("idle")
    assert run("stop", "idle", "--no-check").outcomes == {"idle": "not_found"}
    assert run("stop", "m", "--no-check").outcomes == {"m": "stopped"}


def test_a_restore_on_an_8_2_server_keeps_the_settings(cluster: RawCluster, run: Run, tmp_path: Path) -> None:
    """On an 8.2 server, a stop with --save and a restore keep model_threads and inference_threads."""
    start_on_old_server(cluster, "8.3", "model_threads=2&inference_threads=1")
    file = str(tmp_path / "saved.json")
    assert run("stop", "m", "--save", file).outcomes == {"m": "stopped"}
    assert run("restore", file).outcomes == {"m": "started"}
    (entry,) = cluster.do("GET", f"{MODELS}/~m/_stats")["trained_model_stats"]
    assert [entry["deployment_stats"][name] for name in ("model_threads", "inference_threads")] == [2, 1]
