import time
from collections.abc import Callable
from email.utils import formatdate

import pytest

from esml_stop.errors import BadAnswer, EsmlError, TlsFailed, Unreachable
from esml_stop.runtime.deadline import UNLIMITED, Deadline, retry_after, with_retries
from tests.support.fakes import BUSY, FakeClock, refusal


def failing(times: int, error: EsmlError) -> Callable[[int], int]:
    """Return a call that fails a number of times and then returns the number of its attempt."""

    def call(number: int) -> int:
        if number <= times:
            raise error
        return number

    return call


def test_a_successful_call_is_not_retried() -> None:
    """A successful call is made once, without pause or message."""
    clock, messages = FakeClock(), list[str]()
    assert with_retries(failing(0, BUSY), Deadline(60, clock), messages.append) == 1
    assert (clock.slept, messages) == ([], [])


def test_pauses_grow_and_retries_are_announced() -> None:
    """Pauses are about 0.5, 1 and 2 seconds, and each retry is announced with its number."""
    clock, messages = FakeClock(), list[str]()
    assert with_retries(failing(3, BUSY), Deadline(60, clock), messages.append) == 4
    assert [low <= pause <= low + 0.25 for low, pause in zip((0.5, 1, 2), clock.slept, strict=True)] == [True] * 3
    assert [line.startswith("It is busy. Trying again in ") for line in messages] == [True] * 3
    assert [line[-9:] for line in messages] == ["(2 of 4).", "(3 of 4).", "(4 of 4)."]


def test_pauses_are_random() -> None:
    """Pauses are random, so that clients do not retry at the same time."""
    clock = FakeClock()
    for _ in range(20):
        with_retries(failing(1, BUSY), Deadline(60, clock), lambda _: None)
    assert len(set(clock.slept)) > 10


def test_the_last_error_is_raised_after_four_attempts() -> None:
    """After four attempts the last error is raised."""
    clock = FakeClock()
    with pytest.raises(Unreachable) as raised:
        with_retries(failing(99, BUSY), Deadline(60, clock), lambda _: None)
    assert raised.value is BUSY
    assert len(clock.slept) == 3


@pytest.mark.parametrize(
    "error",
    [
        BadAnswer("odd"),
        TlsFailed("no trust"),
        Unreachable("silent"),
        *(refusal(one) for one in (400, 401, 404, 409, 500)),
    ],
)
def test_permanent_errors_are_not_retried(error: EsmlError) -> None:
    """Invalid responses, TLS errors, timeouts and refusals are not retried."""
    clock = FakeClock()
    with pytest.raises(EsmlError):
        with_retries(failing(99, error), Deadline(60, clock), lambda _: None)
    assert clock.slept == []


def test_a_500_that_requests_another_stop_is_retried() -> None:
    """A 500 that is marked as transient, as when the server requests another stop, is retried."""
    clock = FakeClock()
    assert (
        with_retries(failing(1, refusal(500, reason="Attempt to stop again")), Deadline(60, clock), lambda _: None) == 2
    )


@pytest.mark.parametrize(("value", "pause"), [(0, 0), (7, 7), (59, 59)])
def test_retry_after_determines_the_pause(value: float, pause: float) -> None:
    """The pause before a retry is the value of Retry-After, if the response has one."""
    clock = FakeClock()
    error = Unreachable("busy", transient=True, retry_after=value)
    assert with_retries(failing(1, error), Deadline(60, clock), lambda _: None) == 2
    assert clock.slept == [pause]


@pytest.mark.parametrize("value", [60, 3600, float("inf")])
def test_a_retry_after_beyond_the_deadline_prevents_a_retry(value: float) -> None:
    """A Retry-After at or beyond the deadline raises the error without a pause or a retry."""
    clock, messages = FakeClock(), list[str]()
    with pytest.raises(Unreachable):
        with_retries(
            failing(1, Unreachable("x", transient=True, retry_after=value)), Deadline(60, clock), messages.append
        )
    assert (clock.slept, messages) == ([], [])


def test_no_pause_reaches_the_deadline() -> None:
    """With 1.2 seconds left, a pause of about 0.5 seconds is made, and the next one of about 1 second is not."""
    clock = FakeClock()
    with pytest.raises(Unreachable):
        with_retries(failing(99, BUSY), Deadline(1.2, clock), lambda _: None)
    assert len(clock.slept) == 1


def test_persistent_retries_end_only_at_the_deadline() -> None:
    """With unlimited attempts, retries continue until the deadline, with limited pauses and without numbers."""
    clock, messages = FakeClock(), list[str]()
    with pytest.raises(Unreachable):
        with_retries(failing(9999, BUSY), Deadline(300, clock), messages.append, attempts=UNLIMITED)
    assert 30 < len(clock.slept) < 60
    assert max(clock.slept) <= 8.25
    assert 290 < sum(clock.slept) < 300
    assert not any("of" in line.split() for line in messages)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("7", 7.0),
        ("0", 0.0),
        (" 3 ", 3.0),
        ("9" * 400, float("inf")),
        ("soon", None),
        ("-1", None),
        ("²", None),
    ],
)
def test_retry_after_can_be_a_number(value: str | None, seconds: float | None) -> None:
    """Retry-After can be a number of seconds; an invalid value counts as missing."""
    assert retry_after(value) == seconds


def test_retry_after_can_be_a_date() -> None:
    """Retry-After can be a date; a past date is 0 seconds, and an invalid one counts as missing."""
    seconds = retry_after(formatdate(time.time() + 60, usegmt=True))
    assert seconds
    assert 57 < seconds <= 60
    assert retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0.0
    assert retry_after("Wed, 99 Oct 99999 07:28:00 GMT") is None
