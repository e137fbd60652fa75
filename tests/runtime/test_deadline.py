from contextlib import suppress

import pytest

from esml_stop.errors import DeadlinePassed
from esml_stop.runtime.deadline import Deadline
from tests.support.fakes import FakeClock


def test_the_remaining_time_shrinks_to_zero() -> None:
    """The remaining seconds follow the clock down to 0; then `left` raises DeadlinePassed with the time limit."""
    clock = FakeClock()
    deadline = Deadline(10, clock)
    clock.sleep(4)
    assert (deadline.remaining, deadline.left) == (6, 6)
    clock.sleep(60)
    assert deadline.remaining == 0
    with pytest.raises(DeadlinePassed, match=r"Timed out after 10 s\."):
        _ = deadline.left


def test_an_earlier_deadline_leaves_a_reserve() -> None:
    """An earlier deadline ends the given number of seconds before the whole one, and reserves add up."""
    clock = FakeClock()
    whole = Deadline(10, clock)
    assert (whole.earlier(2).remaining, whole.earlier(2).earlier(3).remaining, whole.remaining) == (8, 5, 10)


def test_at_most_is_never_later_than_the_whole_deadline() -> None:
    """A separate limit never exceeds the deadline of the command."""
    clock = FakeClock()
    whole = Deadline(10, clock)
    assert (whole.at_most(3).remaining, whole.at_most(60).remaining) == (3, 10)


def test_the_deadline_is_paused_while_the_user_is_prompted() -> None:
    """A deadline and its earlier deadlines are paused while the user is prompted, even if the prompt fails."""
    clock = FakeClock()
    whole = Deadline(10, clock)
    reserve = whole.earlier(2)
    with whole.paused():
        clock.sleep(500)
    assert (whole.remaining, reserve.remaining) == (10, 8)
    with suppress(KeyError), whole.paused():
        clock.sleep(500)
        raise KeyError
    assert whole.remaining == 10
