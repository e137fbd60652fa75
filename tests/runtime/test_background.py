import os
import signal
import threading

import pytest

from esml_stop.errors import DeadlinePassed
from esml_stop.runtime.background import watched, within
from esml_stop.runtime.deadline import Deadline
from esml_stop.runtime.signals import Interrupted


def test_what_the_work_comes_to_is_passed_on() -> None:
    """Its result is returned, its error is raised, whatever kind it is."""
    assert watched(lambda: 42, Deadline(5)) == 42
    assert within(5, lambda: None) is None
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
        within(0.01, done.wait)
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
