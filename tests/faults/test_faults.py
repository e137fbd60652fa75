from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from tests.faults.cases import CASES, Case
from tests.faults.playing import Played, play

# One process plays them all side by side.
pytestmark = pytest.mark.xdist_group("faults")

Running = dict[str, "Future[Played]"]


@pytest.fixture(scope="module")
def running(request: pytest.FixtureRequest) -> Iterator[Running]:
    """Play the cases that were chosen side by side: most of them only wait."""
    chosen = [item.callspec.params["case"] for item in request.session.items if item.path == request.path]  # type: ignore[attr-defined]
    with ThreadPoolExecutor(6) as pool:
        yield {str(case): pool.submit(play, case) for case in chosen}


PARAMETERS = [pytest.param(case, marks=[pytest.mark.thorough] if case.thorough else [], id=str(case)) for case in CASES]


@pytest.mark.parametrize("case", PARAMETERS)
def test_whatever_goes_wrong_is_said_as_it_is(case: Case, running: Running) -> None:
    """Outcome, exit code and words fit, in time and with no more requests than it takes; stopped is what is gone."""
    played = running[str(case)].result()
    assert played.ended.status == case.status, played.ended.err
    assert played.ended.outcomes == ({"d": case.outcome} if case.outcome else {})
    assert case.says in played.ended.err
    assert played.seconds < case.within
    assert {phase: played.requests[phase] for phase in case.requests} == case.requests
    assert played.running == ([] if case.gone else ["d"])
