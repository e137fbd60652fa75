"""The deadline of a command, and its clock, which tests replace."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from typing import Protocol

from esml_stop.errors import DeadlinePassed
from esml_stop.runtime import signals


class Clock(Protocol):
    """A source of time, in seconds."""

    def now(self) -> float:
        """Return a monotonic time."""

    def sleep(self, seconds: float) -> None:
        """Pause this thread."""


class SystemClock:
    """The clock of the system."""

    def now(self) -> float:
        """Return the system's monotonic time."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Pause this thread; a signal raises Interrupted."""
        signals.sleep(seconds)


class Deadline:
    """The time limit of a command; time spent waiting for the user's answer does not count."""

    def __init__(self, seconds: float, clock: Clock | None = None) -> None:
        self.clock = clock or SystemClock()
        self.seconds = seconds
        self.margin = 0.0
        self._ends = [self.clock.now() + seconds]

    @property
    def remaining(self) -> float:
        """Return the remaining seconds, at least 0."""
        return max(0.0, self._ends[0] - self.margin - self.clock.now())

    @property
    def left(self) -> float:
        """Return the remaining seconds; raise DeadlinePassed if there are none."""
        if not (left := self.remaining):
            raise timed_out(self.seconds)
        return left

    def earlier(self, seconds: float) -> "Deadline":
        """Return a deadline that is always this many seconds before this one."""
        other = copy(self)
        other.margin += seconds
        return other

    def at_most(self, seconds: float) -> "Deadline":
        """Return an independent deadline, this many seconds from now but not after this one."""
        return Deadline(min(seconds, self.remaining), self.clock)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Pause the deadline while the user is prompted."""
        began = self.clock.now()
        try:
            yield
        finally:
            self._ends[0] += self.clock.now() - began


def timed_out(seconds: float) -> DeadlinePassed:
    """Return the error for a command that reached its time limit."""
    text = f"Timed out after {seconds:g} s."
    return DeadlinePassed(text, hint="Nothing was changed. Allow more time with --timeout.")
