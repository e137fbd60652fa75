import signal
import threading
from concurrent.futures import wait

import pytest

from esml_stop.runtime.background import BackgroundCall, begin, run_limited, wait_for_result
from esml_stop.runtime.signals import Interrupted
from tests.support.signals import hearing, send


def test_what_the_work_comes_to_is_passed_on() -> None:
    """The result of the work is returned, and any exception is raised."""
    assert wait_for_result(5, begin(lambda: 42)) == 42
    for error in (KeyError("x"), SystemExit(3), TimeoutError("of its own")):
        with pytest.raises(type(error), match=str(error.args[0])):
            wait_for_result(5, begin(lambda error=error: raising(error)))  # type: ignore[misc]


def raising(error: BaseException) -> None:
    """Raise an error."""
    raise error


def test_work_that_takes_too_long_is_left_alone() -> None:
    """After the limit the caller continues, and the work is not interrupted."""
    over = threading.Event()
    work = begin(lambda: over.wait(20))
    with pytest.raises(TimeoutError):
        wait_for_result(0.01, work)
    over.set()
    assert wait_for_result(20, work)


def test_threads_are_used_again() -> None:
    """Work reuses an idle thread, which is never the main thread."""
    wait_for_result(20, begin(lambda: None))
    before = set(threading.enumerate())
    threads = {wait_for_result(20, begin(threading.current_thread)) for _ in range(20)}
    assert threads <= before
    assert threads.isdisjoint({threading.main_thread()})


def test_a_signal_ends_the_wait_of_the_main_thread_only() -> None:
    """A signal interrupts the waiting main thread, but not a waiting worker."""
    over, sent = threading.Event(), threading.Event()

    def work() -> bool:
        send(signal.SIGTERM)
        sent.set()
        return wait_for_result(20, begin(lambda: over.wait(20)))

    with hearing():
        worker = begin(work)
        with pytest.raises(Interrupted) as raised:
            wait_for_result(20, worker)
        assert sent.is_set()
        over.set()
        wait([worker])
    assert (raised.value.signal, worker.result()) == (signal.SIGTERM, True)


def test_the_first_attempt_begins_at_once_and_the_others_when_asked_for() -> None:
    """The first call of a background call returns the early result, and each later call makes a new request."""
    begun: list[int] = []
    ready = threading.Event()

    def call() -> int:
        begun.append(len(begun))
        ready.set()
        return len(begun)

    early = BackgroundCall(call, lambda: 5)
    assert ready.wait(5)
    assert early(1) == 1
    assert early(2) == 2
    assert begun == [0, 1]


def test_work_whose_caller_has_a_limit_needs_no_other_thread() -> None:
    """A request within a call that has a limit runs in the thread of that call."""

    def call() -> tuple[int, int]:
        return threading.get_ident(), run_limited(5, threading.get_ident)

    outer, inner = BackgroundCall(call, lambda: 5)(1)
    assert inner == outer
    assert run_limited(5, threading.get_ident) != threading.get_ident(), "the main thread has no limit"


def test_a_call_is_not_waited_for_after_its_limit() -> None:
    """A slow server does not delay the caller of an optional request beyond its limit."""
    over = threading.Event()
    try:
        with pytest.raises(TimeoutError):
            BackgroundCall(lambda: over.wait(20), lambda: 0)(1)
    finally:
        over.set()


def test_an_error_is_raised_where_the_answer_is_wanted() -> None:
    """An exception in the thread is raised in the caller."""

    def fail() -> None:
        raise ValueError("no")

    early = BackgroundCall(fail, lambda: 5)
    with pytest.raises(ValueError, match="no"):
        early(1)


def test_an_answer_is_waited_for_as_long_as_told() -> None:
    """A call that exceeds its limit raises TimeoutError and is not interrupted."""
    over = threading.Event()
    early = BackgroundCall(lambda: over.wait(10), lambda: 10)
    with pytest.raises(TimeoutError):
        early(1, timeout=0.01)
    over.set()
    assert early(1, timeout=10)
