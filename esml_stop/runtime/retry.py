"""Retries of requests: backoff, Retry-After and the deadline; the transport's own retries are off."""

from collections.abc import Callable
from email.utils import parsedate_to_datetime
from time import time
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, wait_exponential, wait_random
from tenacity.stop import stop_base

from esml_stop.errors import EsmlError
from esml_stop.runtime.deadline import Deadline

T = TypeVar("T")

ATTEMPTS = 4
BACKOFF = wait_exponential(multiplier=0.5, max=8) + wait_random(0, 0.25)

# A number of attempts that is never reached: only the deadline ends the retries.
UNLIMITED = 1_000_000


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
        return float(value) if value.strip().isdigit() else max(0.0, parsedate_to_datetime(value).timestamp() - time())
    except (ValueError, OverflowError):
        return None
