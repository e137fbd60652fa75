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

# The times and counts of a deployment, which a restart resets.
OF_ITS_OWN = {"start_time", "nodes", "peak_throughput_per_minute"}
SAVED = re.compile(r"Settings saved to (\S+\.json)")


def settings(cluster: RawCluster) -> dict[str, dict[str, Any]]:
    """Return the `_stats` of each deployment, without times and counts."""
    found = cluster.stats().items()
    return {name: {key: one[key] for key in one.keys() - OF_ITS_OWN} for name, one in found}


def started(cluster: RawCluster) -> dict[str, int]:
    """Return the start time of each deployment, in epoch milliseconds."""
    return {name: one["start_time"] for name, one in cluster.stats().items()}


def left(folder: Path) -> list[Path]:
    """Return the save files that restarts left in the home directory."""
    return list((folder / ".local/state/esml").glob("*"))


def some(cluster: RawCluster, count: int = 6) -> None:
    """Start different deployments of several kinds."""
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
    """All kinds of deployments are restarted with the same settings, and no file is left."""
    some(cluster)
    before, times = settings(cluster), started(cluster)
    ended = run("restart", "*", "--force", "--yes")
    assert (ended.status, set(ended.outcomes.values())) == (0, {"restarted"}), ended.err
    assert settings(cluster) == before
    assert all(time > times[name] for name, time in started(cluster).items())
    assert SAVED.search(ended.err)
    assert left(tmp_path) == []


def test_a_used_deployment_requires_force(cluster: RawCluster, run: Run, tmp_path: Path) -> None:
    """A used deployment is refused with exit code 5 and not saved; with --force its failed uses are reported."""
    cluster.model("m")
    cluster.deployment("only", "m")
    cluster.pipeline("esml-p", "m")
    times = started(cluster)
    refused = run("restart", "only", "--timeout", "2m")
    assert (refused.status, started(cluster), "Settings saved" in refused.err) == (5, times, False)
    assert "esml restart only --force --timeout 2m" in refused.err
    forced = run("restart", "only", "--force")
    assert forced.outcomes == {"only": "restarted"}
    assert "failed while it was restarted" in forced.err


def test_a_dry_run_changes_nothing(cluster: RawCluster, run: Run, tmp_path: Path) -> None:
    """A dry run changes and saves nothing, and a pattern without --yes exits with 2."""
    cluster.model("m")
    cluster.deployment("d", "m")
    times = started(cluster)
    ended = run("restart", "d", "nope", "--dry-run")
    assert ended.outcomes == {"d": "would_restart", "nope": "not_found"}
    assert (started(cluster), left(tmp_path)) == (times, [])
    assert run("restart", "*").status == 2


@pytest.mark.faults
def test_a_failed_deployment_restarts(cluster: RawCluster, run: Run) -> None:
    """A failed deployment is restarted."""
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
def test_a_refused_start_leaves_the_save_file_and_the_command(cluster: RawCluster, run: Run, tmp_path: Path) -> None:
    """After a refused start the report names the file, and one restore starts the deployment."""
    some(cluster, 2)
    before = settings(cluster)
    status, _ = cluster.ask("POST", "/_testnode/models/~m", {"refuse_start": "no_room"})
    if status != 200:
        pytest.skip("this cluster cannot be told to refuse a start")
    ended = run("restart", "d-0", "my-elser", "--force")
    assert (ended.status, ended.outcomes) == (1, {"d-0": "failed", "my-elser": "restarted"})
    assert "d-0 stopped, but was not started again." in ended.err
    (file,) = left(tmp_path)
    assert f"esml restore {file}" in ended.err
    cluster.do("POST", "/_testnode/models/~m", {})
    assert run("restore", str(file)).outcomes == {"d-0": "started", "my-elser": "already_running"}
    assert settings(cluster) == before


def test_a_named_save_file_is_kept(cluster: RawCluster, run: Run, tmp_path: Path) -> None:
    """With --save the file is kept, with the outcome of each deployment."""
    cluster.model("m")
    cluster.deployment("d", "m")
    file = tmp_path / "saved.json"
    assert run("restart", "d", "--save", str(file)).status == 0
    assert [one["outcome"] for one in json.loads(file.read_text())["deployments"]] == ["restarted"]
    assert left(tmp_path) == []


@pytest.fixture
def process(cluster: RawCluster, run: Run) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Yield a function that begins a restart of all deployments and returns its process."""
    begun: list[subprocess.Popen[str]] = []

    def begin(*words: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "esml_stop", *run.words("restart", "*", "--force", "--yes", *words)]
        environment = {**os.environ, **cluster.environment()}
        begun.append(subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True))
        return begun[-1]

    yield begin
    for one in begun:
        one.kill()
        one.wait()
        assert one.stderr
        one.stderr.close()


@pytest.mark.faults
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_the_save_file_and_the_command(
    cluster: RawCluster, run: Run, process: Callable[..., "subprocess.Popen[str]"], tmp_path: Path, number: int
) -> None:
    """After a signal during a stop, the report names the restore that starts everything again."""
    some(cluster)
    before = settings(cluster)
    cluster.fault("adaptive", stop_ms=1500)
    begun = process("--parallel", "1")
    assert begun.stderr
    said = next(line for line in begun.stderr if SAVED.search(line))
    while settings(cluster)["adaptive"]["state"] != "stopping":
        assert begun.poll() is None
    begun.send_signal(number)
    rest = begun.stderr.read()
    assert begun.wait(timeout=20) == 128 + number
    (file,) = left(tmp_path)
    assert str(file) in said
    assert f"esml restore {file}" in rest
    assert run("restore", str(file)).status == 0
    assert settings(cluster) == before


@pytest.mark.faults
def test_after_sigkill_one_restore_starts_everything(
    cluster: RawCluster, run: Run, process: Callable[..., "subprocess.Popen[str]"], tmp_path: Path
) -> None:
    """After SIGKILL at a random moment, the named file restores everything."""
    some(cluster)
    before = settings(cluster)
    chance = random.Random(19)
    for _ in range(int(os.environ.get("ESML_TEST_KILLS", "4"))):
        begun = process("--parallel", "2")
        assert begun.stderr
        named = next(filter(None, map(SAVED.search, begun.stderr)))
        try:
            begun.wait(timeout=chance.uniform(0.0, 0.35))
        except subprocess.TimeoutExpired:
            begun.kill()
        begun.wait()
        if Path(named[1]).exists():
            assert run("restore", named[1]).status == 0
            Path(named[1]).unlink()
        assert settings(cluster) == before
