"""Writes messages to stderr: warnings, refusals, errors and prompts."""

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from textwrap import wrap

from esml_stop.errors import EsmlError
from esml_stop.output.terminal import can_move_cursor, has_colour, is_terminal, width
from esml_stop.text import clean, columns_of

# Not bold yellow: it is nearly white in many terminals, and some have a white background.
RED, YELLOW = "1;31", "33"

# Matches an esml command within a line.
COMMAND = re.compile(r"[ `]esml [a-z]")


def write_line(line: str) -> None:
    """Write one line, which must already be clean; errors are ignored, so that the work continues."""
    with suppress(OSError, ValueError):
        _writers[-1](line)


def prompt(question: str) -> str:
    """Ask a question and return the line that the user enters; empty if it cannot be read."""
    lines = wrapped(question)
    try:
        _put("\n".join(lines) + " ")  # a signal may arrive as soon as the question is shown
        answer = sys.stdin.readline()
    except (OSError, ValueError, AttributeError):
        answer = ""
    except BaseException:
        write_line("")  # so that further output begins on a new line
        raise
    if not answer.endswith("\n"):
        write_line("")
    return answer


def warn(line: str) -> None:
    """Write a warning."""
    first, *others = folded(f"esml: warning: {line}")
    write_line("\n".join([first.replace("warning:", coloured("warning:", YELLOW), 1), *others]))


def write_error(lines: Iterable[str]) -> None:
    """Write the lines of one message; the first one begins with the name of the program."""
    first, *others = (part for line in with_name(lines) for part in folded(line))
    write_line("\n".join([first.replace("esml:", coloured("esml:", RED), 1), *others]))


def with_name(lines: Iterable[str]) -> Iterator[str]:
    """Yield the lines, the first one with the name of the program before it."""
    for number, line in enumerate(lines):
        yield line if number else f"esml: {line}"


def folded(line: str) -> Sequence[str]:
    """Return a line wrapped at word boundaries for a terminal; a line with a command stays whole, so it can be copied.

    Terminals rejoin lines that they have wrapped themselves when these are copied.
    """
    if not is_terminal(sys.stderr) or columns_of(line) <= room() or COMMAND.search(line):
        return [line]
    return wrapped(line, indent=" " * (len(line) - len(line.lstrip()) + 2))


def wrapped(line: str, indent: str = "") -> list[str]:
    """Return a line wrapped at word boundaries to the width of stderr; `indent` begins each line but the first."""
    return wrap(line, room(), subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def room() -> int:
    """Return the width of a line on stderr, at least 20 columns; a narrower terminal wraps lines itself."""
    return max(width(sys.stderr), 20)


def error(error: EsmlError) -> None:
    """Write an error with its hint."""
    write_error([clean(error.message), *([f"  {clean(error.hint)}"] if error.hint else [])])


def show_step(text: str) -> None:
    """Show the current step on a terminal, until something else is written; does nothing elsewhere."""
    if is_terminal(sys.stderr) and not can_move_cursor(sys.stderr):
        write_line(f"esml: {text} ...")
    if can_move_cursor(sys.stderr):
        most = width(sys.stderr) - 5
        _put(f"\r\x1b[K{text[: most if text.isascii() else most // 2]} ...")
        _shown.append(text)


def clear_step() -> None:
    """Remove the step that `show_step` shows."""
    if _shown:
        _shown.clear()
        _put("\r\x1b[K")


@contextmanager
def lines_written_by(writer: Callable[[str], None]) -> Iterator[None]:
    """Let another function write the lines, so that a progress display can make room for them."""
    _writers.append(writer)
    try:
        yield
    finally:
        _writers.remove(writer)


def coloured(text: str, colour: str) -> str:
    """Return text in a colour, if stderr has colours."""
    return f"\x1b[{colour}m{text}\x1b[0m" if has_colour(sys.stderr) else text


def _write(line: str) -> None:
    clear_step()
    _put(f"{line}\n")


def _put(text: str) -> None:
    """Write to stderr; errors are ignored, so that the work continues."""
    with suppress(OSError, ValueError, AttributeError):  # full, gone or closed
        sys.stderr.write(text)
        sys.stderr.flush()


_writers: list[Callable[[str], None]] = [_write]
_shown: list[str] = []
