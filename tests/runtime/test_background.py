import os
import signal
import threading

import pytest

from esml_stop.errors import DeadlinePassed
from esml_stop.runtime.background import Early, begin, watched, within
from esml_stop.runtime.deadline import Deadline
from esml_stop.runtime.signals import Interrupted


def test_what_the_work_comes_to_is_passed_on() -> None:
    """Its result is returned, its error is raised, whatever kind it is."""
    assert watched(lambda: 42, Deadline(5)) == 42
    assert within(5, begin(lambda: None)) is None
    for error in (KeyError("x"), SystemExit(3)):
        with pytest.raises(type(error)):
            watched(lambda error=error: raising(error), Deadline(5))  # type: ignore[misc]


def raising(error: BaseException) -> None:
    """Raise an error."""
    raise error


def test_work_that_takes_too_long_is_left_alone() -> None:
    """The deadline is the end, with the option's name; a request that is over its time is a TimeoutError."""
    done = threading.Event()
    with pytest.raises(DeadlinePassed, match="--timeout"):
        watched(done.wait, Deadline(0.01))
    with pytest.raises(TimeoutError):
        within(0.01, begin(done.wait))
    done.set()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_wait(number: int) -> None:
    """The wait ends at once and says which signal it was; the work hears nothing."""
    done = threading.Event()

    def work() -> None:
        os.kill(os.getpid(), number)
        done.wait(5)

    with pytest.raises(Interrupted) as raised:
        watched(work, Deadline(5))
    assert raised.value.signal == number
    done.set()


def test_work_is_done_elsewhere_than_in_the_main_thread() -> None:
    """That thread hears signals, so nothing may hold it up."""
    assert watched(threading.current_thread, Deadline(5)) is not threading.main_thread()


def test_the_first_attempt_begins_at_once_and_the_others_when_asked_for() -> None:
    """What was asked early is answered once; whoever tries again asks again."""
    begun: list[int] = []
    ready = threading.Event()

    def call() -> int:
        begun.append(len(begun))
        ready.set()
        return len(begun)

    early = Early(call)
    assert ready.wait(5)
    assert early(1) == 1
    assert early(2) == 2
    assert begun == [0, 1]


def test_an_error_is_raised_where_the_answer_is_wanted() -> None:
    """A failure in the thread is the caller's."""

    def fail() -> None:
        raise ValueError("no")

    early = Early(fail)
    with pytest.raises(ValueError, match="no"):
        early(1)


def test_an_answer_is_waited_for_as_long_as_told() -> None:
    """A call that takes longer than it may raises TimeoutError; it is not stopped."""
    over = threading.Event()
    early = Early(lambda: over.wait(10))
    with pytest.raises(TimeoutError):
        early(1, timeout=0.01)
    over.set()
    assert early(1, timeout=10)
