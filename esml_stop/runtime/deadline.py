"""The deadline of a command, its clock, which tests replace, and retries of requests before the deadline."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from email.utils import parsedate_to_datetime
from typing import Protocol, TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, wait_exponential, wait_random
from tenacity.stop import stop_base

from esml_stop.errors import DeadlinePassed, EsmlError
from esml_stop.runtime import signals

T = TypeVar("T")

ATTEMPTS = 4
BACKOFF = wait_exponential(multiplier=0.5, max=8) + wait_random(0, 0.25)

# A number of attempts that is never reached: only the deadline ends the retries.
UNLIMITED = 1_000_000


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
        # A list, so that deadlines made by earlier() are paused together with this one.
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
    return DeadlinePassed(text, hint="Allow more time with --timeout.")


def with_retries(
    call: Callable[[int], T], deadline: Deadline, on_retry: Callable[[str], None], *, attempts: int = ATTEMPTS
) -> T:
    """Make a call, passing the number of the attempt, until it succeeds; never past the deadline.

    Only transient errors are retried; the last one is raised.
    """
    retrying = Retrying(
        retry=retry_if_exception(is_transient),
        wait=pause,
        stop=stop_after_attempt(attempts) | NoTimeLeft(deadline),
        sleep=deadline.clock.sleep,
        before_sleep=lambda state: on_retry(announcement(state, attempts)),
        reraise=True,
    )
    for attempt in retrying:
        with attempt:
            return call(attempt.retry_state.attempt_number)
    raise AssertionError  # pragma: no cover - the loop returns or raises


def is_transient(error: BaseException) -> bool:
    """Return whether the same request may succeed later."""
    return isinstance(error, EsmlError) and error.transient


def pause(state: RetryCallState) -> float:
    """Return the seconds to wait: the value of Retry-After, or else about 0.5, 1 and 2, and at most about 8."""
    error = failure(state)
    wanted = error.retry_after if isinstance(error, EsmlError) else None
    return BACKOFF(state) if wanted is None else wanted


class NoTimeLeft(stop_base):
    """A stop condition: the next pause would last until the deadline or longer."""

    def __init__(self, deadline: Deadline) -> None:
        self.deadline = deadline

    def __call__(self, retry_state: RetryCallState) -> bool:
        """Return whether to give up instead of waiting."""
        return retry_state.upcoming_sleep >= self.deadline.remaining


def announcement(state: RetryCallState, attempts: int) -> str:
    """Return the line that announces a retry."""
    error = failure(state)
    message = error.message if isinstance(error, EsmlError) else str(error)
    count = f" ({state.attempt_number + 1} of {attempts})" if attempts < UNLIMITED else ""
    return f"{message} Trying again in {state.upcoming_sleep:.1f} s{count}."


def failure(state: RetryCallState) -> BaseException | None:
    """Return the exception of the last attempt."""
    return state.outcome.exception() if state.outcome else None


def retry_after(value: str | None) -> float | None:
    """Return the seconds of a Retry-After header, which is a number or a date."""
    if value is None:
        return None
    try:
        return (
            float(value)
            if value.strip().isdigit()
            else max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
        )
    except (ValueError, OverflowError):
        return None
