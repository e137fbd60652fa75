"""The one deadline of a command, and the clock that tests replace."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from typing import Protocol

from esml_stop.errors import DeadlinePassed
from esml_stop.runtime import signals


class Clock(Protocol):
    """Where the time comes from; seconds."""

    def now(self) -> float:
        """Return the time since some moment in the past; never goes back."""

    def sleep(self, seconds: float) -> None:
        """Let this thread wait."""


class SystemClock:
    """The real time."""

    def now(self) -> float:
        """Return the system's monotonic time."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Let this thread wait; a signal raises Interrupted."""
        signals.sleep(seconds)


class Deadline:
    """When the whole command must be over; the time that a person takes to answer does not count."""

    def __init__(self, seconds: float, clock: Clock | None = None) -> None:
        self.clock = clock or SystemClock()
        self.seconds = seconds
        self.margin = 0.0
        self._ends = [self.clock.now() + seconds]

    @property
    def remaining(self) -> float:
        """Return the seconds that are left, never below zero."""
        return max(0.0, self._ends[0] - self.margin - self.clock.now())

    @property
    def left(self) -> float:
        """Return the seconds that are left; raise DeadlinePassed when there are none."""
        if not (left := self.remaining):
            raise over(self.seconds)
        return left

    def earlier(self, seconds: float) -> "Deadline":
        """Return a deadline that stays that many seconds before this one."""
        other = copy(self)
        other.margin += seconds
        return other

    def at_most(self, seconds: float) -> "Deadline":
        """Return a deadline of its own, that many seconds from now but not after this one."""
        return Deadline(min(seconds, self.remaining), self.clock)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Stop the time while a person is asked."""
        began = self.clock.now()
        try:
            yield
        finally:
            self._ends[0] += self.clock.now() - began


def over(seconds: float) -> DeadlinePassed:
    """Return the error that ends a command at its time limit."""
    text = f"Timed out after {seconds:g} s."
    return DeadlinePassed(text, hint="Nothing was changed. Allow more time with --timeout.")
