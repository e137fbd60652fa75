import signal
import threading
from concurrent.futures import wait

import pytest

from esml_stop.runtime.background import BackgroundCall, begin, run_limited, wait_for_result
from esml_stop.runtime.signals import Interrupted
from tests.support.signals import hearing, send


def test_the_result_or_error_of_work_is_passed_on() -> None:
    """`wait_for_result` returns the result of the work, or raises its exception."""
    assert wait_for_result(5, begin(lambda: 42)) == 42
    for error in (KeyError("x"), SystemExit(3), TimeoutError("of its own")):
        with pytest.raises(type(error), match=str(error.args[0])):
            wait_for_result(5, begin(lambda error=error: raise_error(error)))  # type: ignore[misc]


def raise_error(error: BaseException) -> None:
    """Raise this error."""
    raise error


def test_work_that_exceeds_its_limit_is_not_interrupted() -> None:
    """After the limit the caller continues, and the work is not interrupted."""
    release = threading.Event()
    work = begin(lambda: release.wait(20))
    with pytest.raises(TimeoutError):
        wait_for_result(0.01, work)
    release.set()
    assert wait_for_result(20, work)


def test_idle_threads_are_reused() -> None:
    """Work reuses an idle thread, which is never the main thread."""
    wait_for_result(20, begin(lambda: None))
    existing = set(threading.enumerate())
    threads = {wait_for_result(20, begin(threading.current_thread)) for _ in range(20)}
    assert threads <= existing
    assert threads.isdisjoint({threading.main_thread()})


def test_a_signal_ends_the_wait_of_the_main_thread_only() -> None:
    """A signal interrupts the waiting main thread, but not a waiting worker."""
    release, sent = threading.Event(), threading.Event()

    def work() -> bool:
        send(signal.SIGTERM)
        sent.set()
        return wait_for_result(20, begin(lambda: release.wait(20)))

    with hearing():
        worker = begin(work)
        with pytest.raises(Interrupted) as raised:
            wait_for_result(20, worker)
        assert sent.is_set()
        release.set()
        wait([worker])
    assert (raised.value.signal, worker.result()) == (signal.SIGTERM, True)


def test_only_the_first_attempt_begins_before_it_is_requested() -> None:
    """A background call begins its first attempt immediately, and each later attempt when it is called."""
    attempts: list[int] = []
    ready = threading.Event()

    def call() -> int:
        attempts.append(len(attempts))
        ready.set()
        return len(attempts)

    early = BackgroundCall(call, lambda: 5)
    assert ready.wait(5)
    assert early(1) == 1
    assert early(2) == 2
    assert attempts == [0, 1]


def test_work_within_a_limited_call_needs_no_other_thread() -> None:
    """Work within a background call, which has a time limit, runs in the thread of that call."""

    def call() -> tuple[int, int]:
        return threading.get_ident(), run_limited(5, threading.get_ident)

    outer, inner = BackgroundCall(call, lambda: 5)(1)
    assert inner == outer
    assert run_limited(5, threading.get_ident) != threading.get_ident(), "the main thread has no limit"


def test_the_first_attempt_is_not_awaited_beyond_its_limit() -> None:
    """A first attempt that exceeds its limit raises TimeoutError, so that a slow server does not delay the caller."""
    release = threading.Event()
    try:
        with pytest.raises(TimeoutError):
            BackgroundCall(lambda: release.wait(20), lambda: 0)(1)
    finally:
        release.set()


def test_an_error_in_the_thread_is_raised_in_the_caller() -> None:
    """An exception in the thread is raised in the caller."""

    def fail() -> None:
        raise ValueError("no")

    early = BackgroundCall(fail, lambda: 5)
    with pytest.raises(ValueError, match="no"):
        early(1)


def test_a_timeout_does_not_interrupt_a_background_call() -> None:
    """A background call that exceeds the caller's timeout raises TimeoutError and is not interrupted."""
    release = threading.Event()
    early = BackgroundCall(lambda: release.wait(10), lambda: 10)
    with pytest.raises(TimeoutError):
        early(1, timeout=0.01)
    release.set()
    assert early(1, timeout=10)
