import json
import random
from pathlib import Path
from typing import Any

import pytest

from tests.support.raw_cluster import RawCluster
from tests.support.runner import Run
from tests.support.terminal import started

pytestmark = pytest.mark.scenario

# The fields of `deployment_stats` that a restore resets.
RESET_FIELDS = {"start_time", "nodes", "peak_throughput_per_minute"}


def settings(cluster: RawCluster) -> dict[str, dict[str, Any]]:
    """Return the `deployment_stats` of each deployment without RESET_FIELDS."""
    found = cluster.stats().items()
    return {name: {key: one[key] for key in one.keys() - RESET_FIELDS} for name, one in found}


def start_different_deployments(cluster: RawCluster, count: int) -> None:
    """Start deployments with different models, allocations, threads, queues, priorities and caches."""
    rng = random.Random(8)
    for number in range(min(count, 7)):
        cluster.model(f"model-{number}")
    for number in range(count):
        low = number % 5 == 0
        cluster.deployment(
            f"d-{number}",
            f"model-{number % 7}",
            number_of_allocations=1 if low else rng.randint(1, 9),
            threads_per_allocation=1 if low else rng.choice([1, 2, 4, 8]),
            queue_capacity=rng.randint(1, 99_999),
            priority="low" if low else "normal",
            **({"cache_size": f"{rng.randint(0, 10**9)}b"} if number % 3 else {}),
        )
        cluster.fault(f"d-{number}", stop_ms=5)


def start_deployments(cluster: RawCluster, count: int) -> None:
    """Start deployments of one model with different queue capacities."""
    cluster.model("m")
    for number in range(count):
        cluster.deployment(f"d-{number}", "m", queue_capacity=100 + number)


@pytest.mark.faults
def test_forty_different_deployments_are_restored_with_the_same_settings(
    cluster: RawCluster, run: Run, tmp_path: Path
) -> None:
    """A stop with --save and a restore keep the settings of 40 deployments, and a second restore changes nothing."""
    start_different_deployments(cluster, 38)
    adaptive = {"enabled": True, "min_number_of_allocations": 2, "max_number_of_allocations": 5}
    start = "/_ml/trained_models/~model-1/deployment/_start?deployment_id=~adaptive"
    cluster.do("POST", start, {"adaptive_allocations": adaptive})
    cluster.endpoint("my-elser", model_id="model-2")
    before, file = settings(cluster), str(tmp_path / "saved.json")
    assert len(before) == 40
    assert run("stop", "*", "--force", "--yes", "--save", file, "--parallel", "8").status == 0
    assert cluster.running() == []
    ended = run("restore", file)
    assert (ended.status, set(ended.outcomes.values())) == (0, {"started"}), ended.err
    assert settings(cluster) == before
    again = run("restore", file)
    assert (again.status, set(again.outcomes.values())) == (0, {"already_running"})
    assert settings(cluster) == before


@pytest.mark.faults
def test_the_file_is_private_and_contains_the_outcomes(cluster: RawCluster, run: Run, tmp_path: Path) -> None:
    """The save file has mode 0600 and contains the outcome and the start call of each attempted stop."""
    cluster.model("m")
    for name in ("a", "b", "c"):
        cluster.deployment(name, "m")
    cluster.pipeline("esml-p", "b")
    cluster.fault("c", times=9, status=500)
    file = tmp_path / "saved.json"
    assert run("stop", "a", "b", "c", "nope", "--save", str(file)).status == 1
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.glob(".*saved*")) == []
    saved = json.loads(cluster.short(file.read_text()))["deployments"]
    assert [(one["deployment_id"], one["outcome"]) for one in saved] == [("a", "stopped"), ("c", "failed")]
    assert saved[0]["start_call"].startswith("POST _ml/trained_models/m/deployment/_start?deployment_id=a&")


def test_a_save_file_is_written_only_if_something_is_stopped(cluster: RawCluster, run: Run, tmp_path: Path) -> None:
    """No save file is written in a dry run, or if every deployment is refused, not found or not attempted."""
    cluster.model("m")
    for name in ("a", "b"):
        cluster.deployment(name, "m")
    cluster.pipeline("esml-p", "b")
    file = tmp_path / "saved.json"
    for words in (["a", "--dry-run"], ["b"], ["nope"], ["nope", "a", "--no-allow-no-match"]):
        ended = run("stop", *words, "--save", str(file))
        assert (file.exists(), "Saved" in ended.err) == (False, False), words
    assert "Saved to" in run("stop", "a", "--save", str(file)).err
    assert run("restore", str(file), "--dry-run").outcomes == {"a": "would_start"}
    assert cluster.running() == ["b"]
    assert run("restore", str(file), "--wait-for", "fully_allocated").outcomes == {"a": "started"}
    assert cluster.running() == ["a", "b"]


@pytest.mark.faults
def test_a_second_save_keeps_the_deployments_of_the_first(cluster: RawCluster, run: Run, tmp_path: Path) -> None:
    """A second run of the same stop adds its deployments to the save file and keeps those of the first run."""
    start_different_deployments(cluster, 4)
    before, file = settings(cluster), str(tmp_path / "saved.json")
    cluster.fault("d-1", times=9, status=500)
    command = ("stop", "d-*", "--yes", "--save", file)
    assert run(*command).outcomes["d-1"] == "failed"
    cluster.fault("d-1")
    assert run(*command).outcomes == {"d-1": "stopped"}
    assert run(*command).status == 0
    assert run("restore", file).status == 0
    assert settings(cluster) == before


def test_a_file_that_is_not_a_save_file_is_rejected_and_kept(cluster: RawCluster, run: Run, tmp_path: Path) -> None:
    """--save with another kind of file or an unusable path exits with 2 and stops nothing, and the file is kept."""
    cluster.model("m")
    cluster.deployment("a", "m")
    file = tmp_path / "saved.json"
    file.write_text("precious")
    ended = run("stop", "a", "--save", str(file), "-v")
    assert (ended.status, file.read_text(), cluster.running()) == (2, "precious", ["a"])
    assert "GET" not in ended.err
    for name in (tmp_path / "no" / "folder", tmp_path, Path("/dev/null")):
        assert run("stop", "a", "--save", str(name)).status == 2
    assert cluster.running() == ["a"]


def test_a_file_of_another_cluster_requires_confirmation(cluster: RawCluster, run: Run, tmp_path: Path) -> None:
    """A restore from another cluster's save file requires --yes, and a stop does not overwrite this file."""
    cluster.model("m")
    cluster.deployment("a", "m")
    file = tmp_path / "saved.json"
    run("stop", "a", "--save", str(file))
    saved = json.loads(file.read_text())
    assert saved["cluster"]["uuid"] == cluster.do("GET", "/")["cluster_uuid"]
    saved["cluster"] = {"url": "https://prod:9200", "name": "prod", "uuid": "other"}
    file.write_text(json.dumps(saved))
    unconfirmed = run("restore", str(file))
    assert (unconfirmed.status, cluster.running()) == (2, [])
    assert 'saved from another cluster: "prod" (https://prod:9200), at ' in unconfirmed.err
    assert run("restore", str(file), "--dry-run").outcomes == {"a": "would_start"}
    forced = run("restore", str(file), "--yes")
    assert (forced.outcomes, forced.err.count("saved from another cluster")) == ({"a": "started"}, 1)
    text = file.read_text()
    refused = run("stop", "a", "--save", str(file))
    assert (refused.status, file.read_text(), cluster.running()) == (2, text, ["a"])
    assert 'This is "' in refused.err


def test_a_save_file_can_be_read_from_stdin(cluster: RawCluster, run: Run, tmp_path: Path) -> None:
    """`esml restore -` reads the save file from stdin; reading a secret from stdin as well exits with 2."""
    cluster.model("m")
    cluster.deployment("a", "m")
    file = tmp_path / "saved.json"
    run("stop", "a", "--save", str(file))
    for words in (["--api-key-file", "-"], ["--username", "u", "--password-file", "-"]):
        ended = run("restore", "-", *words, stdin=file.read_text())
        assert (ended.status, "both the save file and a secret" in ended.err) == (2, True)
    assert run("restore", "-", stdin="").status == 2
    assert run("restore", "-", stdin=file.read_text()).outcomes == {"a": "started"}


def test_a_dry_run_reports_a_missing_model(cluster: RawCluster, run: Run, tmp_path: Path) -> None:
    """A dry run of a restore reports a deployment of a missing model as failed and exits with 1."""
    for model in ("m", "gone"):
        cluster.model(model)
        cluster.deployment(f"{model}-1", model)
    file = str(tmp_path / "saved.json")
    run("stop", "*", "--yes", "--save", file)
    cluster.do("DELETE", "/_ml/trained_models/~gone")
    dry_run = run("restore", file, "--dry-run")
    assert (dry_run.status, dry_run.outcomes) == (1, {"m-1": "would_start", "gone-1": "failed"})
    assert "Model gone is not on this cluster." in dry_run.err
    assert cluster.running() == []


def test_a_name_that_is_not_in_the_file_lists_the_saved_ids(cluster: RawCluster, run: Run, tmp_path: Path) -> None:
    """A restore of a name that is not in the file exits with 0 and lists the IDs in the file."""
    start_deployments(cluster, 2)
    file = str(tmp_path / "saved.json")
    run("stop", "*", "--yes", "--save", file)
    ended = run("restore", file, "nope")
    assert (ended.status, "nope is not in the file. It contains d-0, d-1." in ended.err) == (0, True)
    assert "esml list" not in ended.err


def test_only_the_requested_deployments_are_restored(cluster: RawCluster, run: Run, tmp_path: Path) -> None:
    """IDs select deployments from the file, and with --no-allow-no-match an unmatched name exits with 3."""
    start_deployments(cluster, 3)
    file = str(tmp_path / "saved.json")
    run("stop", "*", "--yes", "--save", file)
    assert run("restore", file, "nope", "d-0", "--no-allow-no-match").status == 3
    assert cluster.running() == []
    ended = run("restore", file, "d-2", "x*", "d-0")
    assert (ended.status, ended.outcomes) == (0, {"d-2": "started", "x*": "not_found", "d-0": "started"})
    assert cluster.running() == ["d-0", "d-2"]


def test_failed_restores_do_not_prevent_the_others(cluster: RawCluster, run: Run, tmp_path: Path) -> None:
    """A restore reports different settings and missing models, and starts the other deployments."""
    for model in ("m", "gone", "other"):
        cluster.model(model)
    cluster.deployment("a", "m", queue_capacity=20)
    cluster.deployment("b", "m")
    cluster.deployment("c", "gone")
    cluster.deployment("d", "m")
    file = str(tmp_path / "saved.json")
    run("stop", "*", "--yes", "--save", file)
    cluster.deployment("a", "m", queue_capacity=30)
    cluster.deployment("b", "other")
    cluster.do("DELETE", "/_ml/trained_models/~gone")
    ended = run("restore", file)
    assert ended.status == 1
    assert ended.outcomes == {"a": "differs", "b": "differs", "c": "failed", "d": "started"}
    assert "a is running with different settings: queue_capacity is 30, not 20." in ended.err
    assert "its model is other, not m" in ended.err
    assert "c failed: Model gone is not on this cluster." in ended.err
    assert cluster.running() == ["a", "b", "d"]


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"save_version": 2, "deployments": []}', None])
def test_an_invalid_save_file_is_rejected_before_any_request(
    cluster: RawCluster, run: Run, tmp_path: Path, content: str | None
) -> None:
    """A missing, empty, truncated or otherwise invalid save file exits with 2 and one line, before any request."""
    file = tmp_path / "saved.json"
    if content is not None:
        file.write_text(content)
    ended = run("restore", str(file), "-v")
    assert (ended.status, ended.out, ended.err.count("\n")) == (2, "", 1)


@pytest.mark.parametrize("lines", [1, 3, 4, 6])
def test_after_sigkill_the_save_file_restores_everything(
    cluster: RawCluster, run: Run, tmp_path: Path, lines: int
) -> None:
    """After SIGKILL during a stop, either nothing was stopped, or a restore starts every stopped deployment."""
    start_deployments(cluster, 3)
    before, file = settings(cluster), tmp_path / "saved.json"
    words = run.words("stop", "*", "--yes", "--save", str(file), "-v")
    with started(*words, environment=cluster.environment()) as process:
        assert process.stderr
        for _ in range(lines):
            process.stderr.readline()
    cluster.until(lambda: "stopping" not in cluster.states().values(), "the end of the requested stops")
    if file.exists():
        # The last request of the killed process may arrive after the first restore.
        cluster.until(lambda: run("restore", str(file)).status == 0 and settings(cluster) == before, "the restore")
    assert settings(cluster) == before


def test_the_report_shows_the_state_after_the_start(cluster: RawCluster, run: Run, tmp_path: Path) -> None:
    """The reports of a restore and a restart show nodes, allocations, start time and settings after the start."""
    cluster.model("m")
    for name in ("a", "b"):
        cluster.deployment(name, "m", queue_capacity=20)
    file = str(tmp_path / "saved.json")
    assert run("stop", "a", "b", "--save", file).status == 0
    cluster.deployment("b", "m", queue_capacity=30)
    listed = {one["deployment_id"]: one for one in run("list", "-o", "json").json["deployments"]}
    ended = run("restore", file, "-o", "json").json["deployments"]
    a, b = ended
    assert f"esml: Dry run: start the deployments in {file} on " in run("restore", file, "--dry-run").err
    assert (a["outcome"], a["previous_state"], a["state"]) == ("started", "stopped", "started")
    assert a["nodes"] == listed["b"]["nodes"] != []
    assert (a["allocations"], a["start_time"] is not None) == ({"reached": 1, "wanted": 1}, True)
    assert (b["outcome"], b["state"], b["start_time"]) == ("differs", "started", listed["b"]["start_time"])
    assert b["start_call"] == listed["b"]["start_call"]
    assert "queue_capacity=30" in b["start_call"]
    again = run("restart", "a", "-o", "json").json["deployments"][0]
    assert (again["previous_state"], again["state"], again["nodes"]) == ("started", "started", a["nodes"])
    assert again["start_time"] is not None
