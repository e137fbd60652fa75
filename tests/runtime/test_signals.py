import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from esml_stop.runtime import signals
from esml_stop.runtime.signals import Interrupted, check, forwarded_to, heard, interruptible, is_ending, sleep
from tests.support.signals import hearing, send


@pytest.fixture
def left() -> Iterator[list[int]]:
    """Handle signals and return those that would have ended the process."""
    with hearing() as ended:
        yield ended


@pytest.mark.parametrize("number", signals.SIGNALS)
def test_a_signal_is_noted_and_raises_nothing(left: list[int], number: int) -> None:
    """A signal is recorded and interrupts nothing; any thread can query it."""
    assert (heard(), is_ending()) == (None, False)
    send(number)
    assert (heard(), is_ending(), left) == (number, True, [])
    told: list[bool] = []
    thread = threading.Thread(target=lambda: told.append(is_ending()))
    thread.start()
    thread.join()
    assert told == [True]
    with pytest.raises(Interrupted) as raised:
        check()
    assert raised.value.signal == number


def test_a_signal_whose_handler_has_not_run_yet_is_seen(left: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """A delivered signal is seen before a change is sent, even if Python has not called its handler yet."""
    send()
    monkeypatch.setattr(signals._signals, "heard", None)
    assert is_ending()


def test_a_repeat_changes_nothing_until_the_report_is_due(left: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """A second signal changes nothing before the report; one after it ends the process."""
    send(signal.SIGTERM)
    send(signal.SIGTERM)
    send(signal.SIGHUP)
    assert (heard(), left) == (signal.SIGTERM, [])
    monkeypatch.setattr(signals._signals, "began", time.monotonic() - signals.REPORT_SECONDS)
    send(signal.SIGINT)
    assert (heard(), left) == (signal.SIGTERM, [signal.SIGINT])


def test_it_is_raised_where_a_person_is_waited_for(left: list[int]) -> None:
    """While the user is prompted, a signal raises once, and a repeated one does not interrupt the message about it."""
    assert not issubclass(Interrupted, Exception)
    with pytest.raises(Interrupted), interruptible():
        send()
    send()
    with pytest.raises(Interrupted), interruptible():
        pytest.fail("a signal that came before must be raised at once")


def test_a_sleep_ends_with_a_signal(left: list[int]) -> None:
    """A signal ends a sleep in any thread."""
    ended: list[str] = []

    def work() -> None:
        with pytest.raises(Interrupted):
            sleep(60)
        ended.append("worker")

    worker = threading.Thread(target=work)
    worker.start()
    threading.Timer(0.05, send).start()
    with pytest.raises(Interrupted) as raised:
        sleep(60)
    worker.join(20)
    assert (raised.value.signal, ended) == (signal.SIGINT, ["worker"])


def test_signals_can_be_handed_on(left: list[int]) -> None:
    """Signals are forwarded to a command that runs inside, also an earlier one."""
    taken: list[int] = []
    send(signal.SIGHUP)
    with forwarded_to(taken.append):
        send(signal.SIGTERM)
        send(signal.SIGTERM)
    assert (taken, left) == ([signal.SIGHUP, signal.SIGTERM, signal.SIGTERM], [])


def test_what_waits_when_the_report_is_due_is_ended_and_what_works_is_not(left: list[int]) -> None:
    """After a signal, output to a full pipe is abandoned, and a long report is completed."""
    send()
    assert 0 < signal.setitimer(signal.ITIMER_REAL, 0)[0] <= 1  # the test itself sends the alarm
    ends = time.thread_time() + signals.REPORT_SECONDS / 5
    while time.thread_time() < ends:
        pass
    send(signal.SIGALRM)
    signal.setitimer(signal.ITIMER_REAL, 0)
    assert left == []
    send(signal.SIGALRM)
    assert left == [signal.SIGINT]


def test_an_ignored_signal_stays_ignored() -> None:
    """A signal that was ignored at the start, as in a background job, stays ignored."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with hearing():
            send(signal.SIGINT)
            assert (signal.getsignal(signal.SIGINT), heard()) == (signal.SIG_IGN, None)
    finally:
        signal.signal(signal.SIGINT, before)


def test_without_a_handler_nothing_happens() -> None:
    """Inside another program, esml installs no handlers."""
    assert (heard(), is_ending()) == (None, False)
    with interruptible():
        check()
    assert os.getpid()


FIRST_LOOK = """
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


def test_ctrl_c_does_not_raise_amid_the_first_import() -> None:
    """During the first imports Ctrl-C ends the process instead of raising KeyboardInterrupt."""
    ended = subprocess.run([sys.executable, "-c", FIRST_LOOK], capture_output=True, text=True, check=True)
    assert ended.stdout.split()[1:] == ["True"], ended
