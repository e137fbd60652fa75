"""Installs the command's signal handlers during a test, and restores those of pytest."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from esml_stop.runtime import signals


@contextmanager
def hearing() -> Iterator[list[int]]:
    """Handle signals as the command does; yield the signals that would have ended the process at once."""
    ended: list[int] = []
    before = {number: signal.getsignal(number) for number in (*signals.SIGNALS, signal.SIGALRM)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(signals, "_signals", own := signals.Signals())
        patch.setattr(signals, "exit_now", ended.append)
        signals.install()
        try:
            yield ended
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            for number, handler in before.items():
                signal.signal(number, handler)
            os.close(signal.set_wakeup_fd(-1))
            assert own.wakeup_fd is not None
            os.close(own.wakeup_fd)


def send(number: int = signal.SIGINT) -> None:
    """Send this process a signal."""
    os.kill(os.getpid(), number)
