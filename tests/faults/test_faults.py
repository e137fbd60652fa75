from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from tests.faults.cases import CASES, Case
from tests.faults.playing import CaseResult, run_case

PARAMETERS = [pytest.param(case, marks=[pytest.mark.thorough] if case.thorough else [], id=str(case)) for case in CASES]
CONCURRENT_CASES = 5


class CaseRunner:
    """Runs a case and the next few cases at the same time, because most of them only wait."""

    def __init__(self, cases: list[Case], pool: ThreadPoolExecutor) -> None:
        self.cases = cases
        self.pool = pool
        self.futures: dict[str, Future[CaseResult]] = {}

    def result(self, case: Case) -> CaseResult:
        """Return the result of a case, and begin the next few cases."""
        first = self.cases.index(case)
        for one in self.cases[first : first + CONCURRENT_CASES]:
            if str(one) not in self.futures:
                self.futures[str(one)] = self.pool.submit(run_case, one)
        return self.futures[str(case)].result()


@pytest.fixture(scope="module")
def case_runner(request: pytest.FixtureRequest) -> Iterator[CaseRunner]:
    """Yield the runner for the selected cases."""
    selected_cases = [item.callspec.params["case"] for item in request.session.items if item.path == request.path]  # type: ignore[attr-defined]
    with ThreadPoolExecutor(CONCURRENT_CASES) as pool:
        yield CaseRunner(selected_cases, pool)


@pytest.mark.parametrize("case", PARAMETERS)
def test_each_fault_ends_as_expected(case: Case, case_runner: CaseRunner) -> None:
    """Outcome, exit code, message and number of requests are as expected, and a stopped deployment no longer exists."""
    result = case_runner.result(case)
    assert result.ended.status == case.status, result.ended.err
    assert result.ended.outcomes == ({"d": case.outcome} if case.outcome else {})
    assert case.message in result.ended.err
    assert {phase: result.requests[phase] for phase in case.requests} == case.requests
    assert result.running == ([] if case.gone else ["d"])
