"""Work in threads, as futures, so that no request can outlast its time or a signal.

The transport's time-out counts each step of a socket: a server that drips can outlast it, and a thread that waits for a
socket or a host name hears no signal. So the work is done in a daemon thread, and whoever wants it waits for a future.
"""

import math
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from queue import SimpleQueue
from threading import Thread
from typing import Any, Generic, TypeVar

from esml_stop.runtime.signals import SLICE_SECONDS, check, in_main_thread

T = TypeVar("T")
Job = tuple[Callable[[], Any], "Future[Any]"]

# A worker notices the deadline by itself; the watch is for one that does not.
GRACE_SECONDS = 0.2

# The longest time that a lock is waited for; the limits of locks depend on the system.
LONGEST_WAIT = 3_600.0

# The inboxes of threads that have nothing to do.
_idle: list[SimpleQueue[Job]] = []


def begin(work: Callable[[], T]) -> "Future[T]":
    """Begin some work in a daemon thread; raise RuntimeError when this machine has no thread left for it.

    `concurrent.futures` has no executor for this: a process that ends waits for its threads, and work whose thread
    cannot be started stays in its queue and may be done later.
    """
    future: Future[T] = Future()
    try:
        inbox = _idle.pop()
    except IndexError:
        inbox = SimpleQueue()
        Thread(target=serve, args=(inbox,), daemon=True).start()
    inbox.put((work, future))
    return future


def serve(inbox: SimpleQueue[Job]) -> None:
    """Do the work that is put into the inbox, one after the other, for ever."""
    while True:
        work, future = inbox.get()
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001 - it is raised where the result is wanted
            _idle.append(inbox)
            future.set_exception(error)
        else:
            _idle.append(inbox)
            future.set_result(result)
            del result
        del work, future


def within(seconds: float, future: "Future[T]") -> T:
    """Return or raise what some work comes to; raise TimeoutError when it takes longer than that.

    In the main thread a signal raises Interrupted.
    """
    ends = time.monotonic() + seconds
    longest = SLICE_SECONDS if in_main_thread() else LONGEST_WAIT
    while not future.done():
        left = ends - time.monotonic()
        if left <= 0:
            raise TimeoutError
        wait([future], timeout=min(left, longest))
        check()
    return future.result()


class Early(Generic[T]):
    """A call whose first attempt is made at once, in a thread; calling this returns, or raises, what came of it."""

    def __init__(self, call: Callable[[], T]) -> None:
        self._call = call
        self._first = begin(call)

    def __call__(self, attempt: int, *, timeout: float = math.inf) -> T:
        """Return the result of the first attempt; raise TimeoutError when that takes longer than `timeout`.

        Every later attempt is made now.
        """
        return within(timeout, self._first) if attempt == 1 else self._call()
