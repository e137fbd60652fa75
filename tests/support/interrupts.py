"""Handles signals in a run on a cluster: the run ends once, and only after its clean-up."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupts:
    """Raises KeyboardInterrupt on the first signal, or after `hold`, and ignores later signals."""

    def __init__(self) -> None:
        self.held = 0
        self.came = False
        self.raised = False

    def install(self, *, hangup: bool) -> None:
        """Install the handlers; without `hangup`, as under nohup, SIGHUP does not end the run."""
        for number in ENDING:
            signal.signal(number, self.handle if hangup or number != signal.SIGHUP else nothing)

    def handle(self, number: int, frame: FrameType | None) -> None:
        """Record a signal, and end the run unless it is cleaning up."""
        self.came = True
        self.end()

    def end(self) -> None:
        """Raise KeyboardInterrupt after a signal, once, and not during `hold`."""
        if self.came and not self.raised and not self.held:
            self.raised = True
            raise KeyboardInterrupt

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Run a `with` block to its end before a signal ends the run."""
        self.held += 1
        try:
            yield
        finally:
            self.held -= 1
            self.end()


def nothing(number: int, frame: FrameType | None) -> None:
    """Do nothing; child processes do not inherit this handler, unlike SIG_IGN."""


INTERRUPTS = Interrupts()
