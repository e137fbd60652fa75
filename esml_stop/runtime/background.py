"""Work in threads that another thread watches, so that no request can outlast its time or a signal.

The client's time-out counts each step of a socket: a server that drips can outlast it, and a thread that waits for a
socket or a host name hears no signal. So the work is done in a daemon thread, and whoever wants it waits on a queue.
"""

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import TypeVar

from esml_stop.runtime.deadline import Deadline, over
from esml_stop.runtime.signals import signals_to

T = TypeVar("T")
News = SimpleQueue[tuple[T | None, BaseException | None]]

# A worker notices the deadline by itself; the watch is for one that does not.
GRACE_SECONDS = 0.2


def watched(work: Callable[[], T], deadline: Deadline) -> T:
    """Return or raise what some work comes to; DeadlinePassed when it takes too long, Interrupted at a signal."""
    news: News[T] = SimpleQueue()
    with signals_to(lambda interrupted: news.put((None, interrupted))):
        begin(work, news)
        try:
            # The watch of a single request ends first: it knows who was silent.
            return outcome(news, deadline.remaining + 3 * GRACE_SECONDS)
        except TimeoutError:
            raise over(deadline.seconds) from None


def within(seconds: float, work: Callable[[], T]) -> T:
    """Return or raise what some work comes to; TimeoutError when it takes longer than that."""
    news: News[T] = SimpleQueue()
    begin(work, news)
    return outcome(news, seconds)


def begin(work: Callable[[], T], news: News[T]) -> None:
    """Begin some work in a thread of its own, which tells what it comes to."""

    def report() -> None:
        try:
            news.put((work(), None))
        except BaseException as error:  # noqa: BLE001 - it is raised where the result is waited for
            news.put((None, error))

    threading.Thread(target=report, daemon=True).start()


def outcome(news: News[T], seconds: float) -> T:
    """Wait for the first news and return or raise what it says."""
    try:
        result, error = news.get(timeout=seconds)
    except Empty:
        raise TimeoutError from None
    if error:
        raise error
    return result  # type: ignore[return-value]
