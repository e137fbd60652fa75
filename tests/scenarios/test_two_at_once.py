from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.raw_cluster import RawCluster
from tests.support.runner import Run

pytestmark = pytest.mark.scenario


@pytest.mark.parametrize("options", [[], ["--no-check"]], ids=str)
def test_two_commands_on_the_same_deployments_both_succeed(cluster: RawCluster, run: Run, options: list[str]) -> None:
    """Two simultaneous stops of the same deployments both exit with 0, and every deployment is stopped."""
    names = ["a", "b", "c", "d", "e"]
    cluster.model("m")
    for name in names:
        cluster.deployment(name, "m")
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda _: run("stop", *names, "--parallel", "2", *options), range(2)))
    assert [ended.status for ended in both] == [0, 0], [ended.err for ended in both]
    assert all(list(ended.outcomes) == names for ended in both)
    assert {outcome for ended in both for outcome in ended.outcomes.values()} <= {"stopped", "not_found"}
    assert cluster.running() == []


@pytest.mark.faults
def test_a_deployment_that_starts_later_is_not_stopped(cluster: RawCluster, run: Run) -> None:
    """A stop by pattern does not stop a matching deployment that starts while the command is running."""
    cluster.model("m")
    cluster.deployment("ci-1", "m")
    cluster.fault("ci-1", stop_ms=1000)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(run, "stop", "ci-*", "--yes")
        cluster.until(lambda: cluster.states()["ci-1"] == "stopping", "the stop")
        cluster.deployment("ci-2", "m")
        ended = running.result()
    assert (ended.status, ended.outcomes) == (0, {"ci-1": "stopped"})
    assert cluster.running() == ["ci-2"]
