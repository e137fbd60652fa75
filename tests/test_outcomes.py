import pytest

from esml_stop.errors import EsmlError
from esml_stop.outcomes import Outcome, Report, Result, Target


def result(outcome: Outcome, code: int | None = None, decision: Outcome | None = None) -> Result:
    """Return a result, with an error if an exit code is given."""
    failure = None if code is None else EsmlError("why", exit_status=code)
    return Result(Target("d", decision or outcome), outcome, error=failure)


STOPPED = result(Outcome.STOPPED, decision=Outcome.WOULD_STOP)
REFUSED = result(Outcome.IN_USE)


@pytest.mark.parametrize(
    ("results", "code", "status"),
    [
        ((), 0, "success"),
        ((STOPPED,), 0, "success"),
        ((STOPPED, result(Outcome.NOT_FOUND), result(Outcome.NOT_IDLE)), 0, "success"),
        ((result(Outcome.WOULD_STOP), REFUSED), 5, "partial"),
        ((REFUSED, REFUSED), 5, "error"),
        ((result(Outcome.FAILED, 1), REFUSED), 1, "error"),
        ((result(Outcome.FAILED, 4), result(Outcome.FAILED, 4)), 4, "error"),
        ((STOPPED, result(Outcome.FAILED, 4), result(Outcome.STOPPING, 7)), 1, "partial"),
        ((STOPPED, result(Outcome.STOPPING, 7), result(Outcome.UNKNOWN, 7)), 7, "partial"),
        ((STOPPED, result(Outcome.NOT_ATTEMPTED, decision=Outcome.WOULD_STOP)), 7, "partial"),
        ((result(Outcome.ALREADY_RUNNING), result(Outcome.STARTED)), 0, "success"),
        ((result(Outcome.DIFFERS, 1), result(Outcome.STARTED)), 1, "partial"),
        ((result(Outcome.STARTING, 7),), 7, "error"),
    ],
)
def test_the_exit_code_is_that_of_all_problems_or_1(results: tuple[Result, ...], code: int, status: str) -> None:
    """The exit code is 0 without errors, the code of the errors if they all have the same one, else 1."""
    report = Report("stop", results)
    assert (report.exit_status, report.status) == (code, status)


def test_strict_makes_an_unmatched_name_exit_3() -> None:
    """With --no-allow-no-match an unmatched name or an empty selection exits with 3."""
    missing, held = result(Outcome.NOT_FOUND), result(Outcome.NOT_ATTEMPTED)
    assert Report("stop", (missing, held), strict=True).exit_status == 3
    assert Report("stop", (missing, STOPPED), strict=True).exit_status == 3
    assert Report("stop", (), strict=True).exit_status == 3
    assert Report("stop", (STOPPED,), strict=True).exit_status == 0
    late = result(Outcome.NOT_ATTEMPTED, decision=Outcome.WOULD_STOP)
    assert Report("stop", (late,), strict=True).exit_status == 7


@pytest.mark.parametrize(("signal", "code"), [(2, 130), (15, 143)])
def test_a_signal_overrides_the_exit_code(signal: int, code: int) -> None:
    """After a signal the exit code is 128 plus its number, regardless of the results."""
    assert Report("stop", (STOPPED, REFUSED), signal=signal).exit_status == code


def test_a_large_report_skips_the_table_after_a_signal() -> None:
    """A report is written without a table only if it is large and a signal arrived."""
    many = (STOPPED,) * 1_000
    assert Report("stop", many, signal=2).skips_table
    assert not Report("stop", many).skips_table
    assert not Report("stop", (STOPPED,), signal=2).skips_table


def test_a_declined_prompt_exits_with_1() -> None:
    """Declining the prompt exits with 1."""
    report = Report("stop", (result(Outcome.NOT_ATTEMPTED),), cancelled=True)
    assert (report.exit_status, report.status) == (1, "cancelled")


def test_outcomes_are_counted() -> None:
    """A report counts its results by outcome."""
    report = Report("stop", (STOPPED, REFUSED, STOPPED))
    assert [report.count(one) for one in (Outcome.STOPPED, Outcome.IN_USE, Outcome.FAILED)] == [2, 1, 0]
