"""Reads files named by settings, with limits on type and size; errors name the file and the setting."""

import os
import stat
from pathlib import Path
from typing import TextIO

from esml_stop.config.settings import unwrapped
from esml_stop.errors import ConfigError

LARGEST_SECRET = 64 * 1024
OTHERS = stat.S_IRWXG | stat.S_IRWXO
OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def secret(path: str, source: str, stdin: TextIO | None) -> str:
    """Return the secret in a file or pipe; `-` means standard input."""
    if path == "-":
        text = from_stdin(stdin, source)
    else:
        text, _ = read(Path(path).expanduser(), f"{source}: {path}", LARGEST_SECRET, pipe=True)
    found = unwrapped(text)
    if not found:
        raise ConfigError(f"{source}: {'standard input' if path == '-' else path} is empty.")
    return found


def from_stdin(stdin: TextIO | None, source: str) -> str:
    """Return the text on standard input, up to LARGEST_SECRET characters."""
    try:
        return stdin.read(LARGEST_SECRET) if stdin else ""
    except (OSError, ValueError):
        raise ConfigError(f"{source}: standard input cannot be read.") from None


def read(path: Path, what: str, largest: int, *, pipe: bool = False) -> tuple[str, os.stat_result]:
    """Return the text and the status of a regular file; raise ConfigError if it is larger than `largest` bytes.

    `what` is the name of the file in errors. With `pipe`, a pipe such as the shell's <(command) is also allowed.
    """
    try:
        # Non-blocking, so that opening a pipe without a writer does not hang.
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:  # noqa: PTH123
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode) and not (pipe and stat.S_ISFIFO(found.st_mode)):
                raise ConfigError(f"{what} is not a regular file.")
            os.set_blocking(file.fileno(), True)
            data = file.read(largest + 1)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{what} cannot be read ({reason(error)}).") from None
    if len(data) > largest:
        raise ConfigError(f"{what} is larger than {largest // 1024} KiB.")
    return text(data, what), found


def is_open_to_others(found: os.stat_result) -> bool:
    """Return whether group or others have any permission on a file."""
    return bool(found.st_mode & OTHERS)


def is_writable_only_by_owner(found: os.stat_result) -> bool:
    """Return whether only the current user or root may write to a file."""
    return not found.st_mode & OTHERS_WRITE and found.st_uid in {os.geteuid(), 0}


def text(data: bytes, what: str) -> str:
    """Return data as text without a byte order mark, which some editors write; raise ConfigError if it is not UTF-8."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError(f"{what} is not UTF-8 text.") from None


def must_exist(path: str, source: str) -> str:
    """Return the path of a readable file, or raise ConfigError."""
    file = Path(path).expanduser()
    try:
        if file.is_dir():
            raise ConfigError(f"{source}: {path} is a folder.")
        with file.open("rb"):
            return str(file)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{source}: {path} cannot be read ({reason(error)}).") from None


def reason(error: Exception) -> str:
    """Return why a file could not be opened, in a few words."""
    return (getattr(error, "strerror", None) or "not a file name").lower()
