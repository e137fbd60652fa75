import time
from collections.abc import Callable
from email.utils import formatdate

import pytest

from esml_stop.errors import BadAnswer, EsmlError, TlsFailed, Unreachable
from esml_stop.runtime.deadline import Deadline
from esml_stop.runtime.retry import PERSISTENTLY, patiently, retry_after
from tests.support.fakes import BUSY, FakeClock, refusal


def failing(times: int, error: EsmlError) -> Callable[[int], int]:
    """Return a call that fails so many times and then returns the number of its attempt."""

    def call(number: int) -> int:
        if number <= times:
            raise error
        return number

    return call


def test_what_works_is_not_tried_again() -> None:
    """One attempt, no pause, no word."""
    clock, said = FakeClock(), list[str]()
    assert patiently(failing(0, BUSY), Deadline(60, clock), said.append) == 1
    assert (clock.slept, said) == ([], [])


def test_pauses_grow_and_are_said() -> None:
    """About half a second, one and two, each a little longer than that, and each announced with its number."""
    clock, said = FakeClock(), list[str]()
    assert patiently(failing(3, BUSY), Deadline(60, clock), said.append) == 4
    assert [low <= pause <= low + 0.25 for low, pause in zip((0.5, 1, 2), clock.slept, strict=True)] == [True] * 3
    assert [line.startswith("It is busy. Trying again in ") for line in said] == [True] * 3
    assert [line[-9:] for line in said] == ["(2 of 4).", "(3 of 4).", "(4 of 4)."]


def test_pauses_differ() -> None:
    """Many clients that failed together do not come back together."""
    clock = FakeClock()
    for _ in range(20):
        patiently(failing(1, BUSY), Deadline(60, clock), lambda _: None)
    assert len(set(clock.slept)) > 10


def test_four_attempts_are_enough() -> None:
    """The last error is raised as it came."""
    clock = FakeClock()
    with pytest.raises(Unreachable) as raised:
        patiently(failing(99, BUSY), Deadline(60, clock), lambda _: None)
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
    """Odd answers, TLS, time-outs and every refusal end it at once."""
    clock = FakeClock()
    with pytest.raises(EsmlError):
        patiently(failing(99, error), Deadline(60, clock), lambda _: None)
    assert clock.slept == []


def test_the_server_may_ask_to_be_stopped_again() -> None:
    """The one 500 that says so is tried again."""
    clock = FakeClock()
    assert patiently(failing(1, refusal(500, reason="Attempt to stop again")), Deadline(60, clock), lambda _: None) == 2


@pytest.mark.parametrize(("wanted", "pause"), [(0, 0), (7, 7), (59, 59)])
def test_retry_after_is_the_pause(wanted: float, pause: float) -> None:
    """What the server asks for counts instead of our own pauses."""
    clock = FakeClock()
    error = Unreachable("busy", transient=True, retry_after=wanted)
    assert patiently(failing(1, error), Deadline(60, clock), lambda _: None) == 2
    assert clock.slept == [pause]


@pytest.mark.parametrize("wanted", [60, 3600, float("inf")])
def test_a_retry_after_beyond_the_deadline_ends_the_wait_at_once(wanted: float) -> None:
    """Nobody waits for a moment that comes too late."""
    clock, said = FakeClock(), list[str]()
    with pytest.raises(Unreachable):
        patiently(failing(1, Unreachable("x", transient=True, retry_after=wanted)), Deadline(60, clock), said.append)
    assert (clock.slept, said) == ([], [])


def test_no_pause_reaches_the_deadline() -> None:
    """With a second left there is one pause of half a second and none of a whole one."""
    clock = FakeClock()
    with pytest.raises(Unreachable):
        patiently(failing(99, BUSY), Deadline(1.2, clock), lambda _: None)
    assert len(clock.slept) == 1


def test_persistently_only_the_deadline_ends_it() -> None:
    """Reading the state goes on as long as there is time, with pauses that stop growing, and counts nothing."""
    clock, said = FakeClock(), list[str]()
    with pytest.raises(Unreachable):
        patiently(failing(9999, BUSY), Deadline(300, clock), said.append, attempts=PERSISTENTLY)
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
    """Whole seconds; anything that cannot be read counts as missing."""
    assert retry_after(value) == seconds


def test_retry_after_is_a_date() -> None:
    """The seconds until then, none for a date that is over."""
    wanted = retry_after(formatdate(time.time() + 60, usegmt=True))
    assert wanted
    assert 57 < wanted <= 60
    assert retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0.0
    assert retry_after("Wed, 99 Oct 99999 07:28:00 GMT") is None
