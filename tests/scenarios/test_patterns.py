import pytest

from tests.support.raw_cluster import RawCluster
from tests.support.runner import Run

pytestmark = pytest.mark.scenario


def test_a_pattern_stops_only_matching_deployments(cluster: RawCluster, run: Run) -> None:
    """A pattern matches deployment IDs, not model IDs, and the results are sorted."""
    for model in ("ci-model", "m"):
        cluster.model(model)
    cluster.deployment("prod", "ci-model")
    for name in ("ci-2", "ci-1", "xci-3"):
        cluster.deployment(name, "m")
    ended = run("stop", "ci-*", "--yes")
    assert (ended.status, list(ended.outcomes)) == (0, ["ci-1", "ci-2"])
    assert cluster.running() == ["prod", "xci-3"]


def test_a_pattern_without_a_match_is_not_an_error_by_default(cluster: RawCluster, run: Run) -> None:
    """A pattern without a match exits with 0 and a message, or with 3 with --no-allow-no-match."""
    ended = run("stop", "nothing-*", "--yes")
    assert ended.status == 0
    assert "No deployment matches nothing-*" in ended.err
    assert run("stop", "nothing-*", "--yes", "--no-allow-no-match").status == 3


def test_a_pattern_requires_yes_without_a_terminal(cluster: RawCluster, run: Run) -> None:
    """Without a terminal a pattern, _all and --model exit with 2 and stop nothing, unless --yes is given."""
    cluster.model("m")
    cluster.deployment("d", "m")
    for arguments in (["*"], ["_all"], ["--model", "m"]):
        ended = run("stop", *arguments)
        assert ended.status == 2
        assert "--yes" in ended.err
    assert cluster.running() == ["d"]


@pytest.mark.parametrize("arguments", [["_all"], ["*"], ["--model", "m"], ["--model", "an_alias"], ["d*,e"]])
def test_all_ways_to_select_several_deployments(cluster: RawCluster, run: Run, arguments: list[str]) -> None:
    """_all, *, a model, its alias and a list with a pattern select the same deployments."""
    cluster.model("m")
    cluster.alias("an_alias", "m")
    for name in ("d1", "d2", "e"):
        cluster.deployment(name, "m")
    ended = run("stop", *arguments, "--yes")
    assert (ended.status, sorted(ended.outcomes)) == (0, ["d1", "d2", "e"])
    assert cluster.running() == []


def test_a_model_option_does_not_match_deployment_ids(cluster: RawCluster, run: Run) -> None:
    """--model selects by model ID only, and an unknown model is not found."""
    cluster.model("m")
    cluster.model("other")
    cluster.deployment("d", "m")
    cluster.deployment("x", "other")
    ended = run("stop", "--model", "m", "--model", "nope", "--yes")
    assert (ended.status, ended.outcomes) == (0, {"d": "stopped", "nope": "not_found"})
    assert cluster.running() == ["x"]


def test_ids_are_read_from_standard_input(cluster: RawCluster, run: Run) -> None:
    """`-` reads the output of `-o ids`; without IDs the exit code is 0, or 3 with --no-allow-no-match."""
    cluster.model("m")
    for name in ("a", "b", "c"):
        cluster.deployment(name, "m")
    chosen = run("stop", "a,b", "--dry-run", "-o", "ids")
    assert chosen.out == "a\nb\n"
    assert run("stop", "-", stdin=chosen.out).status == 0
    assert cluster.running() == ["c"]
    assert run("stop", "-", stdin="").status == 0
    assert run("stop", "-", "--no-allow-no-match", stdin="").status == 3


def test_a_dry_run_sends_no_stop(cluster: RawCluster, run: Run) -> None:
    """A dry run shows the plan with the exit code of the real run, and everything keeps running."""
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
    """IDs that do not fit into one request line are all found and stopped, with four GET requests."""
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
