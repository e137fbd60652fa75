import pytest

from tests.support.raw_cluster import RawCluster
from tests.support.runner import Run

pytestmark = pytest.mark.scenario


def test_a_pattern_stops_only_matching_deployments(cluster: RawCluster, run: Run) -> None:
    """A pattern matches deployment IDs, not model IDs, and the results are sorted by ID."""
    for model in ("ci-model", "m"):
        cluster.model(model)
    cluster.deployment("prod", "ci-model")
    for name in ("ci-2", "ci-1", "xci-3"):
        cluster.deployment(name, "m")
    ended = run("stop", "ci-*", "--yes")
    assert (ended.status, list(ended.outcomes)) == (0, ["ci-1", "ci-2"])
    assert cluster.running() == ["prod", "xci-3"]


def test_a_pattern_without_a_match_is_not_an_error_by_default(cluster: RawCluster, run: Run) -> None:
    """A pattern that matches nothing exits with 0 and a message, or with 3 if --no-allow-no-match is given."""
    ended = run("stop", "nothing-*", "--yes")
    assert ended.status == 0
    assert "No deployment matches nothing-*" in ended.err
    assert run("stop", "nothing-*", "--yes", "--no-allow-no-match").status == 3


def test_a_pattern_requires_yes_without_a_terminal(cluster: RawCluster, run: Run) -> None:
    """Without a terminal and without --yes, a pattern, _all and --model exit with 2 and stop nothing."""
    cluster.model("m")
    cluster.deployment("d", "m")
    for arguments in (["*"], ["_all"], ["--model", "m"]):
        ended = run("stop", *arguments)
        assert ended.status == 2
        assert "--yes" in ended.err
    assert cluster.running() == ["d"]


@pytest.mark.parametrize("arguments", [["_all"], ["*"], ["--model", "m"], ["--model", "an_alias"], ["d*,e"]])
def test_all_ways_to_select_several_deployments(cluster: RawCluster, run: Run, arguments: list[str]) -> None:
    """_all, *, --model with a model or an alias, and a list with a pattern select the same deployments."""
    cluster.model("m")
    cluster.alias("an_alias", "m")
    for name in ("d1", "d2", "e"):
        cluster.deployment(name, "m")
    ended = run("stop", *arguments, "--yes")
    assert (ended.status, sorted(ended.outcomes)) == (0, ["d1", "d2", "e"])
    assert cluster.running() == []


def test_model_selects_only_the_deployments_of_the_model(cluster: RawCluster, run: Run) -> None:
    """--model selects only the deployments of that model, and an unknown model is reported as not found."""
    cluster.model("m")
    cluster.model("other")
    cluster.deployment("d", "m")
    cluster.deployment("x", "other")
    ended = run("stop", "--model", "m", "--model", "nope", "--yes")
    assert (ended.status, ended.outcomes) == (0, {"d": "stopped", "nope": "not_found"})
    assert cluster.running() == ["x"]


def test_ids_are_read_from_standard_input(cluster: RawCluster, run: Run) -> None:
    """`esml stop -` reads the output of `-o ids`; empty input exits with 0, or with 3 and --no-allow-no-match."""
    cluster.model("m")
    for name in ("a", "b", "c"):
        cluster.deployment(name, "m")
    listed = run("stop", "a,b", "--dry-run", "-o", "ids")
    assert listed.out == "a\nb\n"
    assert run("stop", "-", stdin=listed.out).status == 0
    assert cluster.running() == ["c"]
    assert run("stop", "-", stdin="").status == 0
    assert run("stop", "-", "--no-allow-no-match", stdin="").status == 3


def test_a_dry_run_sends_no_stop(cluster: RawCluster, run: Run) -> None:
    """A dry run shows the plan, exits with 5 if a deployment is in use, and sends no stop."""
    cluster.model("m")
    cluster.deployment("a", "m")
    cluster.deployment("b", "m")
    cluster.pipeline("esml-p", "b")
    ended = run("stop", "*", "--dry-run", "-v")
    assert (ended.status, ended.outcomes) == (5, {"a": "would_stop", "b": "in_use"})
    assert "POST" not in ended.err
    assert cluster.running() == ["a", "b"]


@pytest.mark.faults
def test_three_hundred_long_ids_are_stopped(cluster: RawCluster, run: Run) -> None:
    """300 IDs that do not fit into one request line are found with four GET requests, and all are stopped."""
    names = [f"deployment-with-a-rather-long-name-{number:03d}" for number in range(300)]
    for number, name in enumerate(names):
        cluster.model(f"model-{number}")
        cluster.deployment(name, f"model-{number}")
        cluster.fault(name, stop_ms=1)
    cluster.deployment("stays", "model-0")
    ended = run("stop", *names, "--parallel", "8", "-v")
    assert ended.status == 0
    assert set(ended.outcomes.values()) == {"stopped"}
    assert ended.err.count("GET") == 4, ended.err[:2000]
    assert cluster.running() == ["stays"]
