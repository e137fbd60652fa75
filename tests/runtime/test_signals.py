import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from esml_stop.runtime import signals
from esml_stop.runtime.signals import (
    Interrupted,
    forwarded_to,
    interrupt_pending,
    interruptible,
    raise_if_interrupted,
    received_signal,
    sleep,
)
from tests.support.signals import hearing, send


@pytest.fixture
def fatal() -> Iterator[list[int]]:
    """Handle signals as the command does, and yield the list of those that would have ended the process."""
    with hearing() as fatal_signals:
        yield fatal_signals


@pytest.mark.parametrize("number", signals.SIGNALS)
def test_a_signal_is_recorded_and_raises_nothing(fatal: list[int], number: int) -> None:
    """A signal is recorded without raising an exception; any thread can query it or raise Interrupted."""
    assert (received_signal(), interrupt_pending()) == (None, False)
    send(number)
    assert (received_signal(), interrupt_pending(), fatal) == (number, True, [])
    results: list[bool] = []
    thread = threading.Thread(target=lambda: results.append(interrupt_pending()))
    thread.start()
    thread.join()
    assert results == [True]
    with pytest.raises(Interrupted) as raised:
        raise_if_interrupted()
    assert raised.value.signal == number


def test_a_signal_is_seen_before_its_handler_has_run(fatal: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """A delivered signal is seen even if Python has not called its handler yet, so that no more changes are sent."""
    send()
    monkeypatch.setattr(signals._signals, "received", None)
    assert interrupt_pending()


def test_a_repeated_signal_is_ignored_until_the_report_is_due(
    fatal: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A repeated signal is ignored until the report is due; after that, it ends the process."""
    send(signal.SIGTERM)
    send(signal.SIGTERM)
    send(signal.SIGHUP)
    assert (received_signal(), fatal) == (signal.SIGTERM, [])
    monkeypatch.setattr(signals._signals, "received_at", time.monotonic() - signals.REPORT_SECONDS)
    send(signal.SIGINT)
    assert (received_signal(), fatal) == (signal.SIGTERM, [signal.SIGINT])


def test_a_signal_raises_while_the_user_is_prompted(fatal: list[int]) -> None:
    """A signal raises Interrupted in a prompt; a repeated one does not, but the next prompt raises at once."""
    assert not issubclass(Interrupted, Exception)
    with pytest.raises(Interrupted), interruptible():
        send()
    send()
    with pytest.raises(Interrupted), interruptible():
        pytest.fail("a signal that came before must be raised at once")


def test_a_signal_ends_a_sleep(fatal: list[int]) -> None:
    """A signal ends a sleep in any thread."""
    interrupted: list[str] = []

    def work() -> None:
        with pytest.raises(Interrupted):
            sleep(60)
        interrupted.append("worker")

    worker = threading.Thread(target=work)
    worker.start()
    threading.Timer(0.05, send).start()
    with pytest.raises(Interrupted) as raised:
        sleep(60)
    worker.join(20)
    assert (raised.value.signal, interrupted) == (signal.SIGINT, ["worker"])


def test_signals_can_be_forwarded(fatal: list[int]) -> None:
    """All signals, including one that arrived earlier, are forwarded to a function, and do not end the process."""
    forwarded: list[int] = []
    send(signal.SIGHUP)
    with forwarded_to(forwarded.append):
        send(signal.SIGTERM)
        send(signal.SIGTERM)
    assert (forwarded, fatal) == ([signal.SIGHUP, signal.SIGTERM, signal.SIGTERM], [])


def test_a_process_that_is_blocked_when_the_report_is_due_is_ended(fatal: list[int]) -> None:
    """When the report is due, the process is ended if it is blocked, and continues if it is still busy."""
    send()
    assert 0 < signal.setitimer(signal.ITIMER_REAL, 0)[0] <= 1  # stops the timer: the test sends SIGALRM itself
    ends = time.thread_time() + signals.REPORT_SECONDS / 5
    while time.thread_time() < ends:
        pass
    send(signal.SIGALRM)
    signal.setitimer(signal.ITIMER_REAL, 0)
    assert fatal == []
    send(signal.SIGALRM)
    assert fatal == [signal.SIGINT]


def test_an_ignored_signal_stays_ignored() -> None:
    """A signal that was ignored at the start, as in a background job, stays ignored."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with hearing():
            send(signal.SIGINT)
            assert (signal.getsignal(signal.SIGINT), received_signal()) == (signal.SIG_IGN, None)
    finally:
        signal.signal(signal.SIGINT, before)


def test_without_an_installed_handler_nothing_happens() -> None:
    """Without an installed handler, as inside another program, no signal is reported and nothing is raised."""
    assert (received_signal(), interrupt_pending()) == (None, False)
    with interruptible():
        raise_if_interrupted()


FIRST_IMPORT_SCRIPT = """
import _signal, runpy, sys

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name != "esml_stop.__main__":
            print(name, _signal.getsignal(_signal.SIGINT) == _signal.SIG_DFL)
            sys.stdout.flush()
            raise SystemExit

import esml_stop
sys.meta_path.insert(0, Finder())
runpy.run_module("esml_stop.__main__", run_name="__main__")
"""


def test_ctrl_c_raises_no_exception_during_the_first_import() -> None:
    """At the first import, Ctrl-C has its default effect: it ends the process instead of raising KeyboardInterrupt."""
    ended = subprocess.run([sys.executable, "-c", FIRST_IMPORT_SCRIPT], capture_output=True, text=True, check=True)
    assert ended.stdout.split()[1:] == ["True"], ended
