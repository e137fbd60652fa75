"""Work in threads that the main thread watches, so that no request can outlast the deadline or a signal.

The client's time-out counts each step of a socket: a server that drips can outlast it, and a thread that waits for a
socket hears no signal. So every request is made in a daemon thread, and the main thread waits for news on a queue.
"""

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import TypeVar

from esml_stop.errors import DeadlinePassed
from esml_stop.timing import Deadline

T = TypeVar("T")

# A worker notices the deadline by itself; the watch is for one that does not.
GRACE_SECONDS = 0.2


def watched(work: Callable[[], T], deadline: Deadline) -> T:
    """Return what some work in a thread returns, or raise what it raises; DeadlinePassed when it takes too long."""
    news: SimpleQueue[tuple[T | None, BaseException | None]] = SimpleQueue()

    def report() -> None:
        try:
            news.put((work(), None))
        except BaseException as error:  # noqa: BLE001 - it is raised where the result is waited for
            news.put((None, error))

    threading.Thread(target=report, daemon=True).start()
    try:
        result, error = news.get(timeout=deadline.remaining + GRACE_SECONDS)
    except Empty:
        raise DeadlinePassed(f"The time given with --timeout ({deadline.seconds:g} s) is over.") from None
    if error:
        raise error
    return result  # type: ignore[return-value]
