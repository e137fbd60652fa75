"""The capabilities of a terminal (colour, cursor movement, width), determined for each stream, and rich displays."""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

DUMB = {"dumb", "unknown"}
OFF = {"0", "false", "no"}


def is_terminal(stream: TextIO | None) -> bool:
    """Return whether a stream is a terminal."""
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # the stream is closed
        return False


def can_move_cursor(stream: TextIO | None) -> bool:
    """Return whether the terminal can overwrite a line."""
    return is_terminal(stream) and os.environ.get("TERM", "").lower() not in DUMB


def has_colour(stream: TextIO | None) -> bool:
    """Return whether to use colour: NO_COLOR, then FORCE_COLOR or CLICOLOR_FORCE, then CLICOLOR and the terminal."""
    if os.environ.get("NO_COLOR"):
        return False
    if forced := os.environ.get("FORCE_COLOR") or os.environ.get("CLICOLOR_FORCE"):
        return forced.lower() not in OFF
    return can_move_cursor(stream) and os.environ.get("CLICOLOR") != "0"


def width(stream: TextIO | None) -> int:
    """Return the width of a terminal in columns: COLUMNS, else the size that the terminal reports, else 80."""
    try:
        columns = int(os.environ.get("COLUMNS", "0")) or os.get_terminal_size(stream.fileno() if stream else 1).columns
    except (OSError, ValueError):
        columns = 0
    return columns if columns > 0 else 80


def console(stream: TextIO) -> "Console":
    """Return a rich console for a stream; it uses only the standard colours, which follow the theme of the terminal."""
    from rich.console import Console

    return Console(
        file=stream,
        color_system="standard" if has_colour(stream) else None,
        force_terminal=can_move_cursor(stream),
        width=width(stream),
        highlight=False,
        markup=False,
    )


def rows_on(screen: "Console") -> "Progress":
    """Return a rich display of rows, each truncated to the width of the terminal; the first one has a spinner."""
    from rich.progress import Progress, SpinnerColumn, TextColumn
    from rich.table import Column

    return Progress(
        SpinnerColumn("dots" if screen.encoding.startswith("utf") else "line", style=None, finished_text=" "),
        TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True, overflow="ellipsis")),
        console=screen,
        auto_refresh=False,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )


def show_rows(display: "Progress", rows: Sequence[str]) -> None:
    """Show these rows instead of the current ones."""
    for _ in range(len(rows) - len(display.task_ids)):
        is_first = not display.task_ids
        display.add_task("", total=None if is_first else 1, completed=0 if is_first else 1)
    for number, task in enumerate(display.task_ids):
        text = rows[number] if number < len(rows) else ""
        display.update(task, visible=bool(text), description=text)
    display.refresh()


def write_above(screen: "Console", line: str) -> None:
    """Write a line, which may contain ANSI colours, above the rows."""
    from rich.text import Text

    screen.print(Text.from_ansi(line), soft_wrap=True)
