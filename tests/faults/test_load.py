import pytest

from esml_stop.sandbox.state import State
from tests.support import faults
from tests.support.command import esml
from tests.support.faulty_server import LOOK, RESOLVE, STOP, FaultyServer, deployments


@pytest.mark.parametrize("parallel", [1, 4, 32])
def test_many_deployments_are_stopped_with_few_requests(server: FaultyServer, state: State, parallel: int) -> None:
    """96 deployments are stopped with one look-up, one stop each, at most --parallel at a time, and one final check."""
    names = [f"ci-{number}" for number in range(96)]
    for number, name in enumerate(names):
        deployments(state, name, model=f"model-{number}", stop_ms=20 if parallel > 1 else 0)
    state.models |= {f"other-{number}": "pytorch" for number in range(1_000)}
    for number in range(200):
        state.pipelines[f"p-{number}"] = {"processors": [{"inference": {"model_id": f"other-{number}"}}]}
    ended = esml("stop", "ci-*", "--yes", "--parallel", str(parallel), environment={"ESML_URL": server.url})
    assert (ended.status, set(ended.outcomes.values()), len(ended.outcomes)) == (0, {"stopped"}, 96)
    assert not state.deployments
    assert sorted(server.lines(STOP)) == sorted(f"POST /_ml/trained_models/{name}/deployment/_stop" for name in names)
    assert min(parallel, 2) <= server.most_in_flight <= parallel
    assert (len(server.lines(RESOLVE)), len(server.lines(LOOK))) == (1, 1)


def test_bad_responses_affect_only_their_targets(server: FaultyServer, state: State) -> None:
    """A 401 and an invalid response affect only their own deployments, a reset is retried, and the exit code is 1."""
    deployments(state, "a", "b", "c", "d", "e")
    normal_response = faults.after(0)
    server.on(
        STOP, normal_response, faults.error(401, "security_exception"), normal_response, faults.page(), faults.reset
    )
    ended = esml("stop", "a,b,c,d,e", "--parallel", "1", environment={"ESML_URL": server.url})
    assert list(ended.outcomes.items()) == [
        ("a", "stopped"),
        ("b", "failed"),
        ("c", "stopped"),
        ("d", "unknown"),
        ("e", "stopped"),
    ]
    assert ended.status == 1
    assert sorted(state.deployments) == ["b", "d"]
