"""What people read besides the results: warnings, refusals and errors, on stderr."""

import sys
from collections.abc import Iterable

from esml_stop.errors import EsmlError
from esml_stop.text import clean


def say(line: str) -> None:
    """Write one line that is already clean."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def warn(line: str) -> None:
    """Write a warning."""
    say(f"esml: warning: {line}")


def block(lines: Iterable[str]) -> None:
    """Write lines that belong together; the first one names esml."""
    first, *others = lines
    say("\n".join([f"esml: {first}", *others]))


def error(error: EsmlError) -> None:
    """Write an error with its hint."""
    block([clean(error.message), *([f"  {clean(error.hint)}"] if error.hint else [])])
