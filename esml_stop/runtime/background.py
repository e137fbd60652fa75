"""Runs work in daemon threads, as futures, so that no request outlasts its time limit or a signal.

The transport's timeout applies to each socket operation, so a slow response can exceed it, and a thread
that waits for a socket or for DNS does not react to signals. The thread that needs the result waits for a future.
"""

import math
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from queue import SimpleQueue
from typing import Any, Generic, TypeVar

from esml_stop.runtime.signals import SLICE_SECONDS, in_main_thread, raise_if_interrupted

T = TypeVar("T")
Job = tuple[Callable[[], Any], "Future[Any]"]

# How much longer than the request's own timeout to wait for a worker, in seconds.
GRACE_SECONDS = 0.2

# The longest wait for a lock, in seconds; the maximum depends on the platform.
LONGEST_WAIT = 3_600.0

# The inboxes of idle threads.
_idle: list[SimpleQueue[Job]] = []

# `is_limited` is set in threads whose work the caller awaits with a time limit.
_thread = threading.local()


def begin(work: Callable[[], T]) -> "Future[T]":
    """Begin work in a daemon thread; raise RuntimeError if no thread can be started.

    The executors of `concurrent.futures` do not fit: the process waits for their threads at exit, and if a thread
    cannot be started, the work stays in the queue and may be done later.
    """
    future: Future[T] = Future()
    try:
        inbox = _idle.pop()
    except IndexError:
        inbox = SimpleQueue()
        threading.Thread(target=serve, args=(inbox,), daemon=True).start()
    inbox.put((work, future))
    return future


def serve(inbox: SimpleQueue[Job]) -> None:
    """Do the work that arrives in the inbox, one item at a time; never returns."""
    while True:
        work, future = inbox.get()
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001 - raised again where the result is requested
            _idle.append(inbox)
            future.set_exception(error)
        else:
            _idle.append(inbox)
            future.set_result(result)
            del result
        del work, future


def wait_for_result(seconds: float, future: "Future[T]") -> T:
    """Return the result of a future or raise its error; raise TimeoutError after this many seconds.

    In the main thread, a signal raises Interrupted.
    """
    ends = time.monotonic() + seconds
    longest = SLICE_SECONDS if in_main_thread() else LONGEST_WAIT
    while not future.done():
        left = ends - time.monotonic()
        if left <= 0:
            raise TimeoutError
        wait([future], timeout=min(left, longest))
        raise_if_interrupted()
    return future.result()


def begin_limited(work: Callable[[], T]) -> "Future[T]":
    """Begin work that the caller awaits with a time limit, so that requests in it need no further thread."""

    def limited() -> T:
        _thread.is_limited = True
        try:
            return work()
        finally:
            _thread.is_limited = False

    return begin(limited)


def run_limited(seconds: float, work: Callable[[], T]) -> T:
    """Do the work and return its result; raise TimeoutError after this many seconds.

    It runs in another thread, unless the caller of this thread already has a time limit.
    """
    return work() if getattr(_thread, "is_limited", False) else wait_for_result(seconds, begin(work))


class BackgroundCall(Generic[T]):
    """A call that begins immediately in a thread; calling this object returns its result or raises its error.

    `left` returns how many seconds to wait for the first attempt.
    """

    def __init__(self, call: Callable[[], T], left: Callable[[], float]) -> None:
        self._call, self._left = call, left
        self._first = begin_limited(call)

    def __call__(self, attempt: int, *, timeout: float = math.inf) -> T:
        """Return the result of the first attempt, or make a later attempt; raise TimeoutError after the limit."""
        return (
            wait_for_result(min(timeout, self._left() + GRACE_SECONDS), self._first) if attempt == 1 else self._call()
        )
