import time
from collections.abc import Callable
from email.utils import formatdate

import pytest

from esml_stop.errors import BadAnswer, EsmlError, TlsFailed, Unreachable
from esml_stop.runtime.deadline import Deadline
from esml_stop.runtime.retry import UNLIMITED, retry_after, with_retries
from tests.support.fakes import BUSY, FakeClock, refusal


def failing(times: int, error: EsmlError) -> Callable[[int], int]:
    """Return a call that fails a number of times and then returns the number of its attempt."""

    def call(number: int) -> int:
        if number <= times:
            raise error
        return number

    return call


def test_what_works_is_not_tried_again() -> None:
    """A successful call is made once, without pause or message."""
    clock, said = FakeClock(), list[str]()
    assert with_retries(failing(0, BUSY), Deadline(60, clock), said.append) == 1
    assert (clock.slept, said) == ([], [])


def test_pauses_grow_and_are_said() -> None:
    """Pauses are about 0.5, 1 and 2 seconds, and each retry is announced with its number."""
    clock, said = FakeClock(), list[str]()
    assert with_retries(failing(3, BUSY), Deadline(60, clock), said.append) == 4
    assert [low <= pause <= low + 0.25 for low, pause in zip((0.5, 1, 2), clock.slept, strict=True)] == [True] * 3
    assert [line.startswith("It is busy. Trying again in ") for line in said] == [True] * 3
    assert [line[-9:] for line in said] == ["(2 of 4).", "(3 of 4).", "(4 of 4)."]


def test_pauses_differ() -> None:
    """Pauses are random, so that clients do not retry at the same time."""
    clock = FakeClock()
    for _ in range(20):
        with_retries(failing(1, BUSY), Deadline(60, clock), lambda _: None)
    assert len(set(clock.slept)) > 10


def test_four_attempts_are_enough() -> None:
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
def test_what_trying_again_does_not_change_is_not_tried_again(error: EsmlError) -> None:
    """Invalid responses, TLS errors, timeouts and refusals are not retried."""
    clock = FakeClock()
    with pytest.raises(EsmlError):
        with_retries(failing(99, error), Deadline(60, clock), lambda _: None)
    assert clock.slept == []


def test_the_server_may_ask_to_be_stopped_again() -> None:
    """The 500 that requests another stop is retried."""
    clock = FakeClock()
    assert (
        with_retries(failing(1, refusal(500, reason="Attempt to stop again")), Deadline(60, clock), lambda _: None) == 2
    )


@pytest.mark.parametrize(("wanted", "pause"), [(0, 0), (7, 7), (59, 59)])
def test_retry_after_is_the_pause(wanted: float, pause: float) -> None:
    """Retry-After determines the pause."""
    clock = FakeClock()
    error = Unreachable("busy", transient=True, retry_after=wanted)
    assert with_retries(failing(1, error), Deadline(60, clock), lambda _: None) == 2
    assert clock.slept == [pause]


@pytest.mark.parametrize("wanted", [60, 3600, float("inf")])
def test_a_retry_after_beyond_the_deadline_ends_the_wait_at_once(wanted: float) -> None:
    """A Retry-After beyond the deadline ends the retries at once."""
    clock, said = FakeClock(), list[str]()
    with pytest.raises(Unreachable):
        with_retries(failing(1, Unreachable("x", transient=True, retry_after=wanted)), Deadline(60, clock), said.append)
    assert (clock.slept, said) == ([], [])


def test_no_pause_reaches_the_deadline() -> None:
    """With a second left there is one pause of half a second, and none of a second."""
    clock = FakeClock()
    with pytest.raises(Unreachable):
        with_retries(failing(99, BUSY), Deadline(1.2, clock), lambda _: None)
    assert len(clock.slept) == 1


def test_persistently_only_the_deadline_ends_it() -> None:
    """With unlimited attempts, retries continue until the deadline, with limited pauses and without numbers."""
    clock, said = FakeClock(), list[str]()
    with pytest.raises(Unreachable):
        with_retries(failing(9999, BUSY), Deadline(300, clock), said.append, attempts=UNLIMITED)
    assert 30 < len(clock.slept) < 60
    assert max(clock.slept) <= 8.25
    assert 290 < sum(clock.slept) < 300
    assert not any("of" in line.split() for line in said)


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
def test_retry_after_is_a_number(value: str | None, seconds: float | None) -> None:
    """Retry-After can be a number of seconds; an invalid value counts as missing."""
    assert retry_after(value) == seconds


def test_retry_after_is_a_date() -> None:
    """Retry-After can be a date; a past date is 0 seconds."""
    wanted = retry_after(formatdate(time.time() + 60, usegmt=True))
    assert wanted
    assert 57 < wanted <= 60
    assert retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0.0
    assert retry_after("Wed, 99 Oct 99999 07:28:00 GMT") is None
