"""Files that settings name: read with care, and with clear words when they cannot be."""

import stat
from pathlib import Path
from typing import TextIO

from esml_stop.errors import ConfigError

LARGEST_SECRET = 64 * 1024


def secret(path: str, source: str, stdin: TextIO | None) -> str:
    """Return the one line of a file that holds a secret; `-` is standard input."""
    text = from_stdin(stdin, source) if path == "-" else read(Path(path).expanduser(), source, LARGEST_SECRET)
    line = text.rstrip("\r\n")
    if not line:
        raise ConfigError(f"{source}: {path} is empty.")
    return line


def from_stdin(stdin: TextIO | None, source: str) -> str:
    """Return what standard input holds, up to the size of a secret."""
    try:
        return stdin.read(LARGEST_SECRET) if stdin else ""
    except (OSError, ValueError):
        raise ConfigError(f"{source}: standard input cannot be read.") from None


def read(path: Path, source: str, largest: int) -> str:
    """Return the text of a regular file that is not too large."""
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise ConfigError(f"{source}: {path} is not a regular file.")
        if found.st_size > largest:
            raise ConfigError(f"{source}: {path} is larger than {largest // 1024} KiB.")
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ConfigError(f"{source}: {path} is not UTF-8 text.") from None
    except (OSError, ValueError) as error:
        raise ConfigError(f"{source}: {path} cannot be read ({reason(error)}).") from None


def must_exist(path: str | None, source: str | None) -> str | None:
    """Return the path of a readable file, or raise ConfigError; None stays None."""
    if path is None:
        return None
    try:
        with Path(path).expanduser().open("rb"):
            return str(Path(path).expanduser())
    except (OSError, ValueError) as error:
        raise ConfigError(f"{source}: {path} cannot be read ({reason(error)}).") from None


def reason(error: Exception) -> str:
    """Return why a file could not be opened, in a few words."""
    return (getattr(error, "strerror", None) or "not a file name").lower()
