"""What people read besides the results: warnings, refusals and errors, on stderr."""

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from textwrap import wrap

from esml_stop.errors import EsmlError
from esml_stop.output.terminal import has_colour, is_terminal, moves, width
from esml_stop.text import clean, columns_of

# Bold yellow is nearly white in many terminals, and some are white.
RED, YELLOW = "1;31", "33"

# A command in a line.
COMMAND = re.compile(r"[ `]esml [a-z]")


def say(line: str) -> None:
    """Write one line that is already clean; that nobody can read it must not keep the work from going on."""
    with suppress(OSError, ValueError):
        _writers[-1](line)


def ask(question: str) -> str:
    """Return the line that a person answers; nothing at all counts as an empty one."""
    lines = wrapped(question)
    try:
        _put("\n".join(lines) + " ")  # a signal may come as soon as it is there
        answer = sys.stdin.readline()
    except (OSError, ValueError, AttributeError):
        answer = ""
    except BaseException:
        say("")  # what follows begins a line of its own
        raise
    if not answer.endswith("\n"):
        say("")
    return answer


def warn(line: str) -> None:
    """Write a warning."""
    first, *others = folded(f"esml: warning: {line}")
    say("\n".join([first.replace("warning:", coloured("warning:", YELLOW), 1), *others]))


def block(lines: Iterable[str]) -> None:
    """Write lines that belong together; the first one names esml."""
    first, *others = (part for line in with_name(lines) for part in folded(line))
    say("\n".join([first.replace("esml:", coloured("esml:", RED), 1), *others]))


def with_name(lines: Iterable[str]) -> Iterator[str]:
    """Yield lines, the first one with the name of the program."""
    for number, line in enumerate(lines):
        yield line if number else f"esml: {line}"


def folded(line: str) -> Sequence[str]:
    """Return a line as a terminal shows it best: broken between words, but in one piece if a command is to be copied.

    A terminal knows which lines it has broken itself, and copies these in one piece.
    """
    if not is_terminal(sys.stderr) or columns_of(line) <= room() or COMMAND.search(line):
        return [line]
    return wrapped(line, indent=" " * (len(line) - len(line.lstrip()) + 2))


def wrapped(line: str, indent: str = "") -> list[str]:
    """Return a line broken between words to the width of stderr; `indent` starts each line but the first."""
    return wrap(line, room(), subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def room() -> int:
    """Return the columns for a line on stderr; a very narrow terminal breaks lines itself."""
    return max(width(sys.stderr), 20)


def error(error: EsmlError) -> None:
    """Write an error with its hint."""
    block([clean(error.message), *([f"  {clean(error.hint)}"] if error.hint else [])])


def at_work(text: str) -> None:
    """Show on a terminal what is being done, until something else is written; nothing elsewhere."""
    if is_terminal(sys.stderr) and not moves(sys.stderr):
        say(f"esml: {text} ...")
    if moves(sys.stderr):
        most = width(sys.stderr) - 5
        _put(f"\r\x1b[K{text[: most if text.isascii() else most // 2]} ...")
        _shown.append(text)


def wipe() -> None:
    """Remove what is shown of the work."""
    if _shown:
        _shown.clear()
        _put("\r\x1b[K")


@contextmanager
def written_by(writer: Callable[[str], None]) -> Iterator[None]:
    """Let someone else write the lines for a while: whatever moves on the screen has to make room for them."""
    _writers.append(writer)
    try:
        yield
    finally:
        _writers.remove(writer)


def coloured(text: str, colour: str) -> str:
    """Return text in a colour, where stderr has colours."""
    return f"\x1b[{colour}m{text}\x1b[0m" if has_colour(sys.stderr) else text


def _write(line: str) -> None:
    wipe()
    _put(f"{line}\n")


def _put(text: str) -> None:
    """Write to stderr; that nobody can read it must not keep the work from going on."""
    with suppress(OSError, ValueError, AttributeError):  # full, gone or closed
        sys.stderr.write(text)
        sys.stderr.flush()


_writers: list[Callable[[str], None]] = [_write]
_shown: list[str] = []
