"""Ctrl-C and SIGTERM: in every phase they end the command in order; a second one ends it at once."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import FrameType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM)

# Once something was changed a signal waits for the report, but no longer than this.
REPORT_SECONDS = 0.9

SHOW_CURSOR = b"\x1b[?25h"


@dataclass
class Interrupted(BaseException):
    """A signal asked the command to end; not an Exception, so that nothing on the way takes it for a failure."""

    signal: int


Take = Callable[[Interrupted], None]


class Signals:
    """The handler: the first signal goes to whoever listens innermost, the second one ends the process."""

    def __init__(self) -> None:
        self.takers: list[Take] = []
        self.heard: int | None = None
        self.held: int | None = None
        self.holding = False

    def __call__(self, number: int, _: FrameType | None) -> None:
        """Take a signal."""
        if self.heard:
            leave(number)
            return
        self.heard = number
        if self.holding:
            signal.signal(signal.SIGALRM, lambda *_: leave(number))
            signal.setitimer(signal.ITIMER_REAL, REPORT_SECONDS)
        self.takers[-1](Interrupted(number))

    def hold(self, interrupted: Interrupted) -> None:
        """Keep a signal for whoever asks."""
        self.held = interrupted.signal


@contextmanager
def signals_to(take: Take) -> Iterator[Signals]:
    """Hand the first signal to `take`, also one that is already held. Does nothing outside the main thread."""
    signals, before = installed()
    signals.takers.append(take)
    try:
        if signals.held:
            take(Interrupted(signals.held))
        yield signals
    finally:
        signals.takers.pop()
        for number, handler in before.items():
            signal.signal(number, handler)


def hold_signals() -> None:
    """From now on raise nothing: work has begun that must be reported. Listeners further in still hear signals."""
    if signals := active():
        signals.holding = True
        signals.takers[0] = signals.hold


def installed() -> tuple[Signals, dict[int, Any]]:
    """Return the handler that is active, or a new one with the handlers it took the place of."""
    if signals := active():
        return signals, {}
    signals = Signals()
    try:
        # A shell starts background jobs with SIGINT ignored; that is respected.
        wanted = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
        return signals, {number: signal.signal(number, signals) for number in wanted}
    except ValueError:  # signals belong to the main thread
        return signals, {}


def active() -> Signals | None:
    """Return the handler that hears signals now, if it is ours."""
    return next((one for one in map(signal.getsignal, SIGNALS) if isinstance(one, Signals)), None)


def raise_it(interrupted: Interrupted) -> None:
    """Raise what was heard, where nothing is lost by leaving."""
    raise interrupted


def leave(number: int) -> None:
    """End the process now, with the cursor that a progress display may have hidden."""
    with suppress(OSError, ValueError, AttributeError):
        if sys.stderr.isatty():
            os.write(sys.stderr.fileno(), SHOW_CURSOR)
    os._exit(128 + number)
