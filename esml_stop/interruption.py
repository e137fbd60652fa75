"""Ctrl-C and SIGTERM: in every phase they end the command in order; a second one ends it at once."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@dataclass
class Interrupted(BaseException):
    """A signal asked the command to end; not an Exception, so that nothing on the way takes it for a failure."""

    signal: int


@contextmanager
def signals_to(take: Callable[[Interrupted], None]) -> Iterator[None]:
    """Hand the first signal to `take`; leave at the second. Does nothing outside the main thread."""
    heard: list[int] = []

    def handle(number: int, _: FrameType | None) -> None:
        heard.append(number)
        if len(heard) > 1:
            os._exit(128 + number)
        take(Interrupted(number))

    try:
        # A shell starts background jobs with SIGINT ignored; that is respected.
        wanted = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
        before = {number: signal.signal(number, handle) for number in wanted}
    except ValueError:  # signals belong to the main thread
        before = {}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def raise_it(interrupted: Interrupted) -> None:
    """Raise what was heard, where nothing is lost by leaving."""
    raise interrupted
