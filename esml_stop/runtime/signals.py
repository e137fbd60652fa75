"""Ctrl-C, SIGTERM and SIGHUP: noted when they come, acted on where nothing is lost.

The handler raises nothing, so no code has to be prepared for it. It sets a flag, which is read while the main thread
waits and before each change is sent. Only where the process waits for a person or another program does it raise.
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

# The report comes within this time. Until then the signal may be repeated: GNU timeout sends it twice.
REPORT_SECONDS = 0.9

# How often a wait looks at the flag: a signal that comes just before a lock is waited for does not end the wait.
SLICE_SECONDS = 0.05

SHOW_CURSOR = b"\x1b[?25h"


class Interrupted(BaseException):
    """A signal asked the command to end; not an Exception, so that nothing on the way takes it for a failure."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.signal = number


class Signals:
    """The handler and what it noted; one for the process."""

    def __init__(self) -> None:
        self.heard: int | None = None
        self.began = 0.0
        self.raises = False
        self.taker: Callable[[int], None] | None = None
        self.main_thread = get_ident()
        self.awake: int | None = None

    def install(self) -> None:
        """Hear the signals from now on; one that is ignored stays ignored, as shells want it for background jobs."""
        self.awake, write = os.pipe()
        os.set_blocking(write, False)
        signal.set_wakeup_fd(write, warn_on_full_buffer=False)
        for number in SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self)

    def __call__(self, number: int, _: FrameType | None) -> None:
        """Note a signal."""
        if self.taker:
            self.taker(number)
        elif self.heard is None:
            self.heard, self.began = number, time.monotonic()
            limit(number, REPORT_SECONDS)
            if self.raises:
                raise Interrupted(number)
        elif time.monotonic() - self.began > REPORT_SECONDS:
            leave(number)

    @property
    def waiting(self) -> bool:
        """Tell whether a signal was delivered, also if its handler has not run yet; for any thread."""
        return self.heard is not None or (self.awake is not None and bool(select.select([self.awake], [], [], 0)[0]))


def limit(number: int, seconds: float) -> None:
    """End the process after some time, unless the main thread is at work then: a long report may be finished."""
    worked = time.thread_time()

    def over(*_: object) -> None:
        if time.thread_time() - worked < seconds / 10:  # it waits: for whoever should read the report, or a file
            leave(number)
        limit(number, REPORT_SECONDS / 3)

    signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, seconds)


_signals = Signals()


def install() -> None:
    """Hear signals from now on; only in the main thread, and once."""
    _signals.install()


def heard() -> int | None:
    """Return the signal that asked the command to end, None when there was none."""
    return _signals.heard


def is_ending() -> bool:
    """Tell whether a signal came; asked, in any thread, before each change is sent."""
    return _signals.waiting


def in_main_thread() -> bool:
    """Tell whether this is the thread that hears signals."""
    return get_ident() == _signals.main_thread


def check() -> None:
    """Raise Interrupted in the main thread if a signal came."""
    if _signals.heard and in_main_thread():
        raise Interrupted(_signals.heard)


@contextmanager
def interruptible() -> Iterator[None]:
    """Raise Interrupted from the handler: while a person or another program is waited for and nothing is changed."""
    _signals.raises = True
    try:
        check()
        yield
    finally:
        _signals.raises = False


@contextmanager
def handed_to(take: Callable[[int], None]) -> Iterator[None]:
    """Call `take` for each signal, also for one that came before, instead of ending."""
    _signals.taker = take
    try:
        if _signals.heard:
            take(_signals.heard)
        yield
    finally:
        _signals.taker = None


def sleep(seconds: float) -> None:
    """Wait; a signal raises Interrupted, in every thread."""
    if _signals.awake is None:
        time.sleep(seconds)
    elif select.select([_signals.awake], [], [], seconds)[0]:
        while _signals.heard is None:  # its handler runs in a moment
            time.sleep(0.001)
        raise Interrupted(_signals.heard)


def leave(number: int) -> None:
    """End the process now, with the cursor that a progress display may have hidden."""
    with suppress(OSError, ValueError, AttributeError):
        if sys.stderr.isatty():
            os.write(sys.stderr.fileno(), SHOW_CURSOR)
    os._exit(128 + number)
