"""Handling of Ctrl-C, SIGTERM and SIGHUP: the handler sets a flag, and the command ends where no result is lost.

The flag is checked while the main thread waits and before each change is sent. The handler raises an exception only
while the process waits for the user or another program (`interruptible`).
"""

import os
import select
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import get_ident
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

# The report must be written within this many seconds. Repeated signals are ignored until then: GNU timeout sends two.
REPORT_SECONDS = 0.9

# How often a wait checks the flag, in seconds: a signal that arrives just before a wait for a lock does not end it.
SLICE_SECONDS = 0.05

SHOW_CURSOR = b"\x1b[?25h"


class Interrupted(BaseException):
    """A signal asked the command to end; a BaseException, so that `except Exception` does not catch it."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.signal = number


class Signals:
    """The signal handler and its state; one per process."""

    def __init__(self) -> None:
        self.received: int | None = None
        self.received_at = 0.0
        self.is_interruptible = False
        self.forward: Callable[[int], None] | None = None
        self.main_thread = get_ident()
        self.wakeup_fd: int | None = None

    def install(self) -> None:
        """Install the handler; signals that are ignored stay ignored, as shells require for background jobs."""
        self.wakeup_fd, write = os.pipe()
        os.set_blocking(write, False)
        signal.set_wakeup_fd(write, warn_on_full_buffer=False)
        for number in SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self)

    def __call__(self, number: int, _: FrameType | None) -> None:
        """Record a signal, or pass it to the function of `forwarded_to`."""
        if self.forward:
            self.forward(number)
        elif self.received is None:
            self.received, self.received_at = number, time.monotonic()
            exit_after(number, REPORT_SECONDS)
            if self.is_interruptible:
                raise Interrupted(number)
        elif time.monotonic() - self.received_at > REPORT_SECONDS:
            exit_now(number)

    @property
    def waiting(self) -> bool:
        """Return whether a signal was delivered, even if its handler has not run yet; safe in any thread."""
        return self.received is not None or (
            self.wakeup_fd is not None and bool(select.select([self.wakeup_fd], [], [], 0)[0])
        )


def exit_after(number: int, seconds: float) -> None:
    """End the process after this many seconds, unless the main thread is busy, e.g. writing a long report."""
    worked = time.thread_time()

    def on_alarm(*_: object) -> None:
        if time.thread_time() - worked < seconds / 10:  # the main thread is blocked, e.g. by a slow reader of stdout
            exit_now(number)
        exit_after(number, REPORT_SECONDS / 3)

    signal.signal(signal.SIGALRM, on_alarm)
    signal.setitimer(signal.ITIMER_REAL, seconds)


_signals = Signals()


def install() -> None:
    """Install the signal handler; call it once, in the main thread."""
    _signals.install()


def received_signal() -> int | None:
    """Return the signal that asked the command to end, or None."""
    return _signals.received


def interrupt_pending() -> bool:
    """Return whether a signal arrived; called in any thread before each change is sent."""
    return _signals.waiting


def in_main_thread() -> bool:
    """Return whether this is the main thread, which handles signals."""
    return get_ident() == _signals.main_thread


def raise_if_interrupted() -> None:
    """Raise Interrupted in the main thread if a signal arrived."""
    if _signals.received and in_main_thread():
        raise Interrupted(_signals.received)


@contextmanager
def interruptible() -> Iterator[None]:
    """Let the handler raise Interrupted; for waits for the user or another program while nothing is changed."""
    _signals.is_interruptible = True
    try:
        raise_if_interrupted()
        yield
    finally:
        _signals.is_interruptible = False


@contextmanager
def forwarded_to(take: Callable[[int], None]) -> Iterator[None]:
    """Call `take` for each signal, including one that arrived before, instead of ending the command."""
    _signals.forward = take
    try:
        if _signals.received:
            take(_signals.received)
        yield
    finally:
        _signals.forward = None


def sleep(seconds: float) -> None:
    """Pause this thread; a signal raises Interrupted in every thread."""
    if _signals.wakeup_fd is None:
        time.sleep(seconds)
    elif select.select([_signals.wakeup_fd], [], [], seconds)[0]:
        while _signals.received is None:  # the handler has not run yet
            time.sleep(0.001)
        raise Interrupted(_signals.received)


def exit_now(number: int) -> None:
    """End the process now; show the cursor, which a progress display may have hidden."""
    with suppress(OSError, ValueError, AttributeError):
        if sys.stderr.isatty():
            os.write(sys.stderr.fileno(), SHOW_CURSOR)
    os._exit(128 + number)
