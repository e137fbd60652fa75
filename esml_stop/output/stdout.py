"""Standard output, the way every result goes."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from typing import TextIO

from esml_stop.errors import OutputFailed


@contextmanager
def stdout() -> Iterator[TextIO]:
    """Yield standard output and flush it.

    Raises OutputFailed when it cannot be written, but BrokenPipeError when nobody reads it.
    """
    if sys.stdout is None:
        raise OutputFailed("The results cannot be written: standard output is closed.")
    try:
        if isinstance(sys.stdout, TextIOWrapper):
            sys.stdout.reconfigure(errors="backslashreplace")  # an encoding that lacks a character loses no line
        yield sys.stdout
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "standard output is closed"
        raise OutputFailed(f"The results cannot be written: {why.lower()}.") from error
