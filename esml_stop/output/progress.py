"""Progress on stderr: rows that are updated in place on a terminal, a line per finished target elsewhere."""

import math
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from typing import TextIO, TypeVar

from esml_stop.outcomes import Outcome, Result, Target
from esml_stop.output.messages import OUTCOMES
from esml_stop.output.stderr import clear_step, lines_written_by, show_step, write_line
from esml_stop.output.terminal import can_move_cursor, console, rows_on, show_rows, write_above
from esml_stop.text import clean, counted, seconds

P = TypeVar("P", bound="Progress")
S = TypeVar("S", bound="ShownProgress")

# The interval between reminders in a log of the targets that are not finished, in seconds.
REMINDER_SECONDS = 30.0
# How often to check whether a reminder is due, in seconds; targets begin at different times.
CHECK_SECONDS = 0.25
# rich is imported only after this many seconds, because most commands end sooner.
SHORT_SECONDS = 0.25
# How often the rows on a terminal are updated, in seconds.
REFRESH_SECONDS = 0.125
# How many unfinished targets are named; the others are only counted.
MOST_NAMES = 5


class Progress:
    """Receives the progress of a command in the main thread; this base class shows nothing, for --quiet."""

    def __enter__(self: P) -> P:  # noqa: PYI019 - Python 3.10 has no typing.Self
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def phase(self, text: str, total: int | None = None) -> None:
        """Show the next step and its number of targets."""

    def started(self, target: Target) -> None:
        """Show that a change has begun."""

    def ended(self, result: Result) -> None:
        """Show the outcome of a target."""

    def retrying(self, line: str) -> None:
        """Show why a request is sent again."""


class ShownProgress(Progress):
    """Keeps the state of the progress; a separate thread runs `_show` until the context is left."""

    def __init__(self) -> None:
        self.text, self.total, self.done = "", 0, 0
        self.began = time.monotonic()
        self.under_way: dict[str, float] = {}
        self._over = threading.Event()

    def __enter__(self: S) -> S:  # noqa: PYI019 - Python 3.10 has no typing.Self
        self._over = threading.Event()
        threading.Thread(target=self._show, args=(self._over,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        clear_step()

    def phase(self, text: str, total: int | None = None) -> None:
        """Begin the next step."""
        self.text, self.total, self.done, self.began = text, total or 0, 0, time.monotonic()

    def started(self, target: Target) -> None:
        """Record when a change began."""
        self.under_way[target.deployment_id] = time.monotonic()

    def ended(self, result: Result) -> None:
        """Record that a target is finished."""
        self.under_way.pop(result.deployment_id, None)
        self.done += 1

    def _show(self, over: threading.Event) -> None:
        raise NotImplementedError


class LogProgress(ShownProgress):
    """For logs: a line per finished target, if there are several, and reminders of the targets that are not finished.

    `queued` returns the number of queued requests by deployment ID; it is called in the thread of `_show`.
    """

    def __init__(self, *, verbose: bool = False) -> None:
        super().__init__()
        self.verbose = verbose
        self.queued: Callable[[Sequence[str]], Mapping[str, int]] = lambda _: {}
        self.reminded = -math.inf

    def phase(self, text: str, total: int | None = None) -> None:
        """Begin the next step; on a terminal, show it."""
        super().phase(text, total)
        show_step(text)

    def ended(self, result: Result) -> None:
        """Write the outcome of a target, if there are several."""
        super().ended(result)
        if self.total > 1:
            took = f" after {seconds(result.seconds)}" if result.outcome is Outcome.STOPPED else ""
            write_line(f"esml: {clean(result.deployment_id)}: {OUTCOMES[result.outcome]}{took}")

    def retrying(self, line: str) -> None:
        """With --verbose, write why a request is sent again."""
        if self.verbose:
            write_line(f"esml: {clean(line)}")

    def reminders(self, now: float, every: float = REMINDER_SECONDS) -> Iterator[str]:
        """Yield a line for each target that has taken `every` seconds, or for the step if no target has begun."""
        doing = f"{self.text[:1].lower()}{self.text[1:]}"
        late = {name: now - began for name, began in list(self.under_way.items()) if now - began >= every}
        if not late and self.text and now - self.began >= every and not self.under_way:
            yield f"still {doing} ({now - self.began:.0f} s)"
        names = list(late)[:MOST_NAMES]
        queues = self.queued(names) if names else {}
        for name in names:
            queue = f", {counted(queues[name], 'request')} queued" if name in queues else ""
            yield f"still {doing} {clean(name)} ({late[name]:.0f} s{queue})"
        if len(late) > len(names):
            yield f"still {doing} {counted(len(late) - len(names), 'other')}"

    def due(self, now: float) -> list[str]:
        """Return the reminders to write now; none if the last ones are less than REMINDER_SECONDS ago."""
        lines = list(self.reminders(now)) if now - self.reminded >= REMINDER_SECONDS else []
        if lines:
            self.reminded = now
        return lines

    def _show(self, over: threading.Event) -> None:
        while not over.wait(CHECK_SECONDS):
            for line in self.due(time.monotonic()):
                write_line(f"esml: {line}")


class TerminalProgress(ShownProgress):
    """Shows a row for the step and one for each unfinished target, updated in place and removed at the end.

    It begins as one plain line. After SHORT_SECONDS, rich shows the rows, and `has_rows` is set.
    """

    def __init__(self) -> None:
        super().__init__()
        self.note = ""
        self.has_rows = threading.Event()
        self._stack, self._lock = ExitStack(), threading.Lock()

    def __exit__(self, *_: object) -> None:
        with self._lock, suppress(OSError, ValueError):  # a closed terminal must not prevent the report
            self._over.set()
            self._stack.close()
        self.has_rows.clear()
        clear_step()

    def phase(self, text: str, total: int | None = None) -> None:
        """Show the next step."""
        super().phase(text, total)
        self._note("")

    def ended(self, result: Result) -> None:
        """Show the targets that are not finished."""
        super().ended(result)
        self._note("")

    def retrying(self, line: str) -> None:
        """Show why a request is sent again, until the next step or result."""
        self._note(clean(line))

    @property
    def step(self) -> str:
        """Return the step, with the number of finished targets if there are several."""
        return f"{self.text}: {self.done:,} of {self.total:,} done" if self.total > 1 else self.text

    def rows(self, now: float) -> list[str]:
        """Return the rows: the step with its duration, the unfinished targets, and why a request is sent again."""
        waiting = list(self.under_way.items())
        rows = [f"waiting {now - began:.0f} s for {clean(name)}" for name, began in waiting[:MOST_NAMES]]
        if more := waiting[MOST_NAMES:]:
            rows.append(f"and for {counted(len(more), 'other')}")
        return [f"{self.step}, {now - self.began:.0f} s", *rows, *([self.note] if self.note else [])]

    def _note(self, note: str) -> None:
        with self._lock:
            self.note = note
            if not self.has_rows.is_set():
                show_step(note or self.step)

    def _show(self, over: threading.Event) -> None:
        if over.wait(SHORT_SECONDS):
            return
        screen = console(sys.stderr)
        shown = rows_on(screen)
        with self._lock:
            if over.is_set():
                return
            clear_step()
            self.has_rows.set()
            # Other lines are written above the rows.
            self._stack.enter_context(lines_written_by(lambda line: write_above(screen, line)))
            self._stack.enter_context(shown)
            screen.show_cursor()  # rich hides the cursor; the shell needs it if esml is killed
        while not over.wait(REFRESH_SECONDS):
            with self._lock:
                if not over.is_set():
                    show_rows(shown, self.rows(time.monotonic()))


def progress_on(stream: TextIO | None, *, quiet: bool = False, verbose: bool = False) -> Progress:
    """Return the kind of progress display that a stream supports."""
    if quiet:
        return Progress()
    return LogProgress(verbose=verbose) if verbose or not can_move_cursor(stream) else TerminalProgress()
