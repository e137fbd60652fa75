"""Work in threads, as futures, so that no request can outlast its time or a signal.

The time-out of the transport counts each step of a socket: a server that drips can outlast it, and a thread that waits
for a socket or a host name hears no signal. So the work is done in a daemon thread, and the thread that needs the
result waits for a future.
"""

import math
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from queue import SimpleQueue
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

# Whether the work of a thread is waited for with a limit.
_thread = threading.local()


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
        threading.Thread(target=serve, args=(inbox,), daemon=True).start()
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


def begin_limited(work: Callable[[], T]) -> "Future[T]":
    """Begin some work whose caller waits for it with a limit, so that nothing inside it needs a limit of its own."""

    def limited() -> T:
        _thread.is_limited = True
        try:
            return work()
        finally:
            _thread.is_limited = False

    return begin(limited)


def finished(seconds: float, work: Callable[[], T]) -> T:
    """Do some work and return what it comes to; raise TimeoutError when it takes longer than that.

    It is done in another thread, unless the caller of this one has set a limit already.
    """
    return work() if getattr(_thread, "is_limited", False) else within(seconds, begin(work))


class BackgroundCall(Generic[T]):
    """A call that begins at once in a thread; calling this returns its result, or raises its error.

    `left` returns the seconds that the first attempt may still take when its result is needed.
    """

    def __init__(self, call: Callable[[], T], left: Callable[[], float]) -> None:
        self._call, self._left = call, left
        self._first = begin_limited(call)

    def __call__(self, attempt: int, *, timeout: float = math.inf) -> T:
        """Return the result of the first attempt; later attempts are made now. Raises TimeoutError after the limit."""
        return within(min(timeout, self._left() + GRACE_SECONDS), self._first) if attempt == 1 else self._call()
