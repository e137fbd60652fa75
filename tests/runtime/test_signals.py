import os
import signal
import threading
from collections.abc import Iterator

import pytest

from esml_stop.runtime import signals
from esml_stop.runtime.signals import Interrupted, hold_signals, raise_it, signals_to


@pytest.fixture(autouse=True)
def left(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Return the signals for which the process would have ended, and keep it alive."""
    ended: list[int] = []
    monkeypatch.setattr(signals, "leave", ended.append)
    before = [signal.getsignal(number) for number in signals.SIGNALS]
    yield ended
    signal.setitimer(signal.ITIMER_REAL, 0)
    assert [signal.getsignal(number) for number in signals.SIGNALS] == before, "the handlers are as they were"


def send(number: int = signal.SIGINT) -> None:
    """Send this process a signal and let it arrive."""
    os.kill(os.getpid(), number)


def test_the_first_signal_is_taken_and_the_second_ends_it(left: list[int]) -> None:
    """The listener hears one; after that there is no patience."""
    heard: list[Interrupted] = []
    with signals_to(heard.append):
        send(signal.SIGTERM)
        assert (heard, left) == ([Interrupted(signal.SIGTERM)], [])
        send(signal.SIGINT)
    assert (len(heard), left[0]) == (1, signal.SIGINT)


def test_it_can_be_raised() -> None:
    """Where nothing is lost by leaving, the signal becomes an exception that no `except Exception` stops."""
    assert not issubclass(Interrupted, Exception)
    with signals_to(raise_it), pytest.raises(Interrupted):
        send()


def test_the_innermost_listener_hears_it(left: list[int]) -> None:
    """One scope inside another takes the signal, and the second one counts as second wherever it arrives."""
    inner: list[Interrupted] = []
    outer: list[Interrupted] = []
    with signals_to(outer.append):
        with signals_to(inner.append):
            send()
        assert left == []
        send()
    assert ([one.signal for one in inner], outer, left[0]) == ([signal.SIGINT], [], signal.SIGINT)


def test_once_held_nothing_is_raised_and_listeners_hear_it_late() -> None:
    """After the first change a signal waits: for the next listener, and for the exit code."""
    heard: list[Interrupted] = []
    with signals_to(raise_it) as signals:
        hold_signals()
        send()
        assert signals.held == signal.SIGINT
        with signals_to(heard.append):
            assert heard == [Interrupted(signal.SIGINT)]


def test_once_held_a_signal_ends_it_within_a_second(left: list[int]) -> None:
    """Whatever the main thread is held up by, the alarm is set."""
    with signals_to(raise_it):
        hold_signals()
        send()
        remaining, _ = signal.getitimer(signal.ITIMER_REAL)
        assert 0 < remaining <= 1
        send(signal.SIGALRM)
    assert left == [signal.SIGINT]


def test_an_ignored_signal_stays_ignored() -> None:
    """A job in the background of a shell is not ended by a Ctrl-C that was not meant for it."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with signals_to(raise_it):
            send(signal.SIGINT)
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_outside_the_main_thread_nothing_happens() -> None:
    """A thread cannot take signals, and need not know it."""
    entered: list[bool] = []

    def work() -> None:
        with signals_to(raise_it):
            hold_signals()
            entered.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert entered == [True]
