import json
import os
import random
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.raw_cluster import RawCluster
from tests.support.runner import Run

pytestmark = pytest.mark.scenario

# The fields of `deployment_stats` that a restart resets.
RESET_FIELDS = {"start_time", "nodes", "peak_throughput_per_minute"}
SAVED = re.compile(r"Settings saved to (\S+\.json)")


def settings(cluster: RawCluster) -> dict[str, dict[str, Any]]:
    """Return the `deployment_stats` of each deployment without RESET_FIELDS."""
    found = cluster.stats().items()
    return {name: {key: one[key] for key in one.keys() - RESET_FIELDS} for name, one in found}


def start_times(cluster: RawCluster) -> dict[str, int]:
    """Return the start time of each deployment in epoch milliseconds."""
    return {name: one["start_time"] for name, one in cluster.stats().items()}


def remaining_files(folder: Path) -> list[Path]:
    """Return the save files that restarts left in the home directory."""
    return list((folder / ".local/state/esml").glob("*"))


def start_all_kinds(cluster: RawCluster, count: int = 6) -> None:
    """Start deployments with different settings, with adaptive allocations, through an alias, and of an endpoint."""
    cluster.model("m")
    cluster.alias("alias", "m")
    for number in range(count):
        cluster.deployment(f"d-{number}", "m", number_of_allocations=number + 1, queue_capacity=100 + number)
        cluster.fault(f"d-{number}", stop_ms=20)
    adaptive = {"enabled": True, "min_number_of_allocations": 1, "max_number_of_allocations": 4}
    cluster.do(
        "POST", "/_ml/trained_models/~m/deployment/_start?deployment_id=~adaptive", {"adaptive_allocations": adaptive}
    )
    cluster.do("POST", "/_ml/trained_models/~alias/deployment/_start")
    cluster.model("elser")
    cluster.endpoint("my-elser", model_id="elser")


@pytest.mark.faults
def test_all_kinds_of_deployments_are_restarted_with_the_same_settings(
    cluster: RawCluster, run: Run, tmp_path: Path
) -> None:
    """A restart starts all kinds of deployments with the same settings and removes its save file."""
    start_all_kinds(cluster)
    before, times_before = settings(cluster), start_times(cluster)
    ended = run("restart", "*", "--force", "--yes")
    assert (ended.status, set(ended.outcomes.values())) == (0, {"restarted"}), ended.err
    assert settings(cluster) == before
    assert all(time > times_before[name] for name, time in start_times(cluster).items())
    assert SAVED.search(ended.err)
    assert remaining_files(tmp_path) == []


def test_a_used_deployment_requires_force(cluster: RawCluster, run: Run, tmp_path: Path) -> None:
    """A used deployment is refused with exit code 5; with --force, the uses that failed are reported."""
    cluster.model("m")
    cluster.deployment("only", "m")
    cluster.pipeline("esml-p", "m")
    times_before = start_times(cluster)
    refused = run("restart", "only", "--timeout", "2m")
    assert (refused.status, start_times(cluster), "Settings saved" in refused.err) == (5, times_before, False)
    assert "esml restart only --force --timeout 2m" in refused.err
    forced = run("restart", "only", "--force")
    assert forced.outcomes == {"only": "restarted"}
    assert "failed while it was restarted" in forced.err


def test_a_dry_run_changes_nothing(cluster: RawCluster, run: Run, tmp_path: Path) -> None:
    """A dry run restarts and saves nothing, and a pattern without --yes exits with 2."""
    cluster.model("m")
    cluster.deployment("d", "m")
    times_before = start_times(cluster)
    ended = run("restart", "d", "nope", "--dry-run")
    assert ended.outcomes == {"d": "would_restart", "nope": "not_found"}
    assert (start_times(cluster), remaining_files(tmp_path)) == (times_before, [])
    assert run("restart", "*").status == 2


@pytest.mark.faults
def test_a_failed_deployment_is_restarted(cluster: RawCluster, run: Run) -> None:
    """`esml restart --force` starts a failed deployment with the same queue capacity."""
    cluster.model("m")
    cluster.deployment("d", "m", queue_capacity=77)
    cluster.fault("d", state="failed", reason="crashed")
    if settings(cluster)["d"]["state"] != "failed":
        pytest.skip("this cluster cannot be told to let a deployment fail")
    ended = run("restart", "d", "--force")
    assert ended.outcomes == {"d": "restarted"}
    assert settings(cluster)["d"]["state"] == "started"
    assert settings(cluster)["d"]["queue_capacity"] == 77


@pytest.mark.faults
def test_a_refused_start_keeps_the_save_file_and_shows_the_restore(
    cluster: RawCluster, run: Run, tmp_path: Path
) -> None:
    """After a refused start, the report shows the restore command, which later starts the deployment."""
    start_all_kinds(cluster, 2)
    before = settings(cluster)
    status, _ = cluster.ask("POST", "/_testnode/models/~m", {"refuse_start": "no_room"})
    if status != 200:
        pytest.skip("this cluster cannot be told to refuse a start")
    ended = run("restart", "d-0", "my-elser", "--force")
    assert (ended.status, ended.outcomes) == (1, {"d-0": "failed", "my-elser": "restarted"})
    assert "d-0 stopped, but was not started again." in ended.err
    (file,) = remaining_files(tmp_path)
    assert f"esml restore {file}" in ended.err
    cluster.do("POST", "/_testnode/models/~m", {})
    assert run("restore", str(file)).outcomes == {"d-0": "started", "my-elser": "already_running"}
    assert settings(cluster) == before


def test_a_named_save_file_is_kept(cluster: RawCluster, run: Run, tmp_path: Path) -> None:
    """`esml restart --save FILE` keeps the file, with the outcome of each deployment."""
    cluster.model("m")
    cluster.deployment("d", "m")
    file = tmp_path / "saved.json"
    assert run("restart", "d", "--save", str(file)).status == 0
    assert [one["outcome"] for one in json.loads(file.read_text())["deployments"]] == ["restarted"]
    assert remaining_files(tmp_path) == []


@pytest.fixture
def begin_restart(cluster: RawCluster, run: Run) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Yield a function that begins a restart of all deployments and returns its process."""
    processes: list[subprocess.Popen[str]] = []

    def begin(*words: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "esml_stop", *run.words("restart", "*", "--force", "--yes", *words)]
        environment = {**os.environ, **cluster.environment()}
        processes.append(subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True))
        return processes[-1]

    yield begin
    for process in processes:
        process.kill()
        process.wait()
        assert process.stderr
        process.stderr.close()


@pytest.mark.faults
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_keeps_the_save_file_and_shows_the_restore(
    cluster: RawCluster, run: Run, begin_restart: Callable[..., "subprocess.Popen[str]"], tmp_path: Path, number: int
) -> None:
    """After a signal during a stop, the report shows the restore command, which starts all deployments again."""
    start_all_kinds(cluster)
    before = settings(cluster)
    cluster.fault("adaptive", stop_ms=1500)
    process = begin_restart("--parallel", "1")
    assert process.stderr
    saved_line = next(line for line in process.stderr if SAVED.search(line))
    while settings(cluster)["adaptive"]["state"] != "stopping":
        assert process.poll() is None
    process.send_signal(number)
    remaining_output = process.stderr.read()
    assert process.wait(timeout=20) == 128 + number
    (file,) = remaining_files(tmp_path)
    assert str(file) in saved_line
    assert f"esml restore {file}" in remaining_output
    assert run("restore", str(file)).status == 0
    assert settings(cluster) == before


@pytest.mark.faults
def test_after_sigkill_a_restore_starts_all_deployments(
    cluster: RawCluster, run: Run, begin_restart: Callable[..., "subprocess.Popen[str]"], tmp_path: Path
) -> None:
    """After SIGKILL at a random moment, a restore from the file named on stderr starts all deployments."""
    start_all_kinds(cluster)
    before = settings(cluster)
    rng = random.Random(19)
    for _ in range(int(os.environ.get("ESML_TEST_KILLS", "4"))):
        process = begin_restart("--parallel", "2")
        assert process.stderr
        match = next(filter(None, map(SAVED.search, process.stderr)))
        try:
            process.wait(timeout=rng.uniform(0.0, 0.35))
        except subprocess.TimeoutExpired:
            process.kill()
        process.wait()
        if Path(match[1]).exists():
            assert run("restore", match[1]).status == 0
            Path(match[1]).unlink()
        assert settings(cluster) == before
