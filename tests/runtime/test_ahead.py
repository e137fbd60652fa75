import threading
from queue import Empty

import pytest

from esml_stop.runtime.ahead import Early


def test_the_first_attempt_begins_at_once_and_the_others_when_asked_for() -> None:
    """What was asked early is answered once; whoever tries again asks again."""
    begun: list[int] = []
    ready = threading.Event()

    def call() -> int:
        begun.append(len(begun))
        ready.set()
        return len(begun)

    early = Early(call)
    assert ready.wait(5)
    assert early(1) == 1
    assert early(2) == 2
    assert begun == [0, 1]


def test_an_error_is_raised_where_the_answer_is_wanted() -> None:
    """A failure in the thread is the caller's."""

    def fail() -> None:
        raise ValueError("no")

    early = Early(fail)
    with pytest.raises(ValueError, match="no"):
        early(1)


def test_an_answer_is_waited_for_as_long_as_told() -> None:
    """A call that takes longer than it may raises Empty; it is not stopped."""
    over = threading.Event()
    early = Early(lambda: over.wait(10))
    with pytest.raises(Empty):
        early(1, timeout=0.01)
    over.set()
    assert early(1, timeout=10)
