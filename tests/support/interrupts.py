"""Handles signals in a run on a cluster: the run ends once, after its clean-up."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupts:
    """Converts the first signal to KeyboardInterrupt, but not while `held`; later signals are ignored."""

    def __init__(self) -> None:
        self.held = 0
        self.came = False
        self.raised = False

    def install(self, *, hangup: bool) -> None:
        """Install the handlers; `hangup` is False under nohup, where SIGHUP must not end the run."""
        for number in ENDING:
            signal.signal(number, self.handle if hangup or number != signal.SIGHUP else nothing)

    def handle(self, number: int, frame: FrameType | None) -> None:
        """Record a signal, and end the run unless it is cleaning up."""
        self.came = True
        self.end()

    def end(self) -> None:
        """End the run after a signal, once, and not during clean-up."""
        if self.came and not self.raised and not self.held:
            self.raised = True
            raise KeyboardInterrupt

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Let a block finish before a signal ends the run."""
        self.held += 1
        try:
            yield
        finally:
            self.held -= 1
            self.end()


def nothing(number: int, frame: FrameType | None) -> None:
    """Do nothing; unlike SIG_IGN, this is not inherited by child processes."""


INTERRUPTS = Interrupts()
