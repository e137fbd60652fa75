"""What moves on a terminal while the work goes on: what is done, since when, and what is waited for."""

import sys
import threading
import time
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

from esml_stop.outcomes import Result, Target
from esml_stop.output import stderr
from esml_stop.output.progress import Lines, Quiet
from esml_stop.output.terminal import console, moves
from esml_stop.text import clean, counted

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.live import Live

# Most commands are over before there is anything to watch; these are spared the import of rich.
SHORT_SECONDS = 0.25
MOST_ROWS = 5


class Moving(Lines):
    """A line for the work and one for each target that is waited for, in place; gone when the work is done.

    At first it is one plain line; rich takes over, in a thread, when the work lasts.
    """

    text = ""
    note = ""

    def __enter__(self) -> "Moving":
        self.began, self.done, self._closed = time.monotonic(), 0, False
        self.under_way = {}
        self._stack, self._lock = ExitStack(), threading.Lock()
        self._live: Live | None = None
        self._timer = threading.Timer(SHORT_SECONDS, self._take_over)
        self._timer.daemon = True
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        with self._lock, suppress(OSError, ValueError):  # a terminal that is gone must not cost the report
            self._closed = True
            self._stack.close()
        stderr.wipe()

    def phase(self, text: str, total: int | None = None) -> None:
        """Show what is done next."""
        self.text, self.note, self.total, self.began = text, "", total or 0, time.monotonic()
        self._show()

    def started(self, target: Target) -> None:
        """Show what is waited for."""
        self.under_way[target.deployment_id] = time.monotonic()
        self._show()

    def ended(self, result: Result) -> None:
        """Show what is still waited for."""
        self.under_way.pop(result.deployment_id, None)
        self.done += 1
        self.note = ""
        self._show()

    def retrying(self, line: str) -> None:
        """Show why it takes longer, until something else happens."""
        self.note = clean(line)
        self._show()

    @property
    def head(self) -> str:
        """Return what is done, and how far it is."""
        return f"{self.text}: {self.done:,} of {self.total:,} done" if self.total > 1 else self.text

    def rows(self, now: float) -> list[str]:
        """Return what is waited for."""
        waiting = list(self.under_way.items())
        rows = [f"waiting {now - began:.0f} s for {clean(name)}" for name, began in waiting[:MOST_ROWS]]
        more = len(waiting) - MOST_ROWS
        return [*rows, *([f"and for {counted(more, 'other')}"] if more > 0 else [])]

    def _show(self) -> None:
        with self._lock:
            if self._live is None:
                stderr.at_work(self.note or self.head)

    def _take_over(self) -> None:
        """Let rich show it from now on."""
        from rich.live import Live
        from rich.spinner import Spinner

        screen = console(sys.stderr)
        self._spinner = Spinner("dots" if screen.encoding.startswith("utf") else "line")
        live = Live(
            get_renderable=lambda: self._view(screen),
            console=screen,
            refresh_per_second=8,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        with self._lock:
            if not self._closed:
                self._begin(live, screen)

    def _begin(self, live: "Live", screen: "Console") -> None:
        """Show it in the place of the plain line; what else is written goes above."""
        from rich.text import Text

        stderr.wipe()
        above = stderr.written_by(lambda line: screen.print(Text.from_ansi(line), soft_wrap=True))
        self._stack.enter_context(above)
        self._live = self._stack.enter_context(live)
        live.refresh()
        screen.show_cursor()  # if esml is killed, the shell has its cursor

    def _view(self, screen: "Console") -> "RenderableType":
        """Return what is on the screen now."""
        from rich.console import Group
        from rich.text import Text

        now = time.monotonic()
        spinner = self._spinner.render(screen.get_time())
        lines = Text.assemble(spinner, f" {self.head}, {now - self.began:.0f} s")  # type: ignore[arg-type]
        for row in self.rows(now):
            lines.append(f"\n  {row}")
        lines.no_wrap, lines.overflow = True, "ellipsis"
        return Group(lines, self.note) if self.note else lines


def listener(*, quiet: bool = False, verbose: bool = False) -> Quiet:
    """Return the listener that fits this stderr."""
    if quiet:
        return Quiet()
    return Lines(verbose=verbose) if verbose or not moves(sys.stderr) else Moving()
