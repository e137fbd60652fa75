from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from tests.faults.cases import CASES, Case
from tests.faults.playing import Played, play

PARAMETERS = [pytest.param(case, marks=[pytest.mark.thorough] if case.thorough else [], id=str(case)) for case in CASES]
SIDE_BY_SIDE = 5


class Ahead:
    """Runs the next few cases while one is checked, because most of them only wait."""

    def __init__(self, cases: list[Case], pool: ThreadPoolExecutor) -> None:
        self.cases = cases
        self.pool = pool
        self.begun: dict[str, Future[Played]] = {}

    def played(self, case: Case) -> Played:
        """Return the result of a case."""
        first = self.cases.index(case)
        for one in self.cases[first : first + SIDE_BY_SIDE]:
            if str(one) not in self.begun:
                self.begun[str(one)] = self.pool.submit(play, one)
        return self.begun[str(case)].result()


@pytest.fixture(scope="module")
def ahead(request: pytest.FixtureRequest) -> Iterator[Ahead]:
    """Yield the runner of the selected cases."""
    chosen = [item.callspec.params["case"] for item in request.session.items if item.path == request.path]  # type: ignore[attr-defined]
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        yield Ahead(chosen, pool)


@pytest.mark.parametrize("case", PARAMETERS)
def test_each_fault_ends_as_expected(case: Case, ahead: Ahead) -> None:
    """Outcome, exit code, message and number of requests are as expected, and a stopped deployment is gone."""
    played = ahead.played(case)
    assert played.ended.status == case.status, played.ended.err
    assert played.ended.outcomes == ({"d": case.outcome} if case.outcome else {})
    assert case.says in played.ended.err
    assert {phase: played.requests[phase] for phase in case.requests} == case.requests
    assert played.running == ([] if case.gone else ["d"])
