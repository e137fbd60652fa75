"""Runs the real command on a terminal until it ends, and returns its output and the final screen."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Thread

import pyte

ROWS = 400


@dataclass
class Shown:
    """The exit code and the output of a command: to the terminal, in chunks with times in seconds, and to pipes."""

    columns: int
    status: int = -1
    chunks: list[tuple[float, bytes]] = field(default_factory=list)
    piped: bytes = b""

    @property
    def raw(self) -> str:
        """Return all output to the terminal."""
        return b"".join(chunk for _, chunk in self.chunks).decode(errors="replace")

    @property
    def lines(self) -> list[str]:
        """Return the non-empty lines on the final screen."""
        screen = pyte.Screen(self.columns, ROWS)
        pyte.ByteStream(screen).feed(self.raw.encode())
        return [line.rstrip() for line in screen.display if line.strip()]

    @property
    def written(self) -> list[str]:
        """Return the lines written after the last progress display, without colors or wrapping."""
        return re.sub(r"\x1b\[[\d;]*m", "", self.raw.rpartition("\r\x1b[K")[2]).splitlines()

    @property
    def text(self) -> str:
        """Return the final screen as text, with wrapped lines joined."""
        return " ".join(" ".join(self.lines).split())

    @property
    def colours(self) -> set[str]:
        """Return the codes of all colors and styles in the output to the terminal."""
        return {code for codes in re.findall(r"\x1b\[([\d;]*)m", self.raw) for code in codes.split(";")} - {"", "0"}


def on_terminal(
    *arguments: str,
    environment: Mapping[str, str],
    columns: int = 80,
    stdout: bool = True,
    stderr: bool = True,
    answer: str = "",
    watch: Callable[[str], None] = lambda _: None,
) -> Shown:
    """Run `esml` on a terminal; with `stdout` or `stderr` False, this stream is a pipe.

    `answer` is typed at the start. `watch` is called with the whole output after each write.
    """
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    shown, began = Shown(columns), time.monotonic()
    with subprocess.Popen(
        [sys.executable, "-m", "esml_stop", *arguments],
        stdin=theirs,
        stdout=theirs if stdout else subprocess.PIPE,
        stderr=theirs if stderr else subprocess.PIPE,
        env={**os.environ, "TERM": "xterm-256color", **environment},
    ) as process:
        os.close(theirs)
        os.write(ours, answer.encode())
        reader = Thread(target=read, args=(ours, shown, began, watch))
        reader.start()
        shown.piped = b"".join(pipe.read() for pipe in (process.stdout, process.stderr) if pipe)
        shown.status = process.wait(timeout=60)
    reader.join(timeout=10)
    os.close(ours)
    return shown


def read(terminal: int, shown: Shown, began: float, watch: Callable[[str], None]) -> None:
    """Read from a terminal into `shown` until the command has closed the terminal."""
    while True:
        try:
            data = os.read(terminal, 65_536)
        except OSError:  # on Linux, the last writer has closed the terminal
            return
        if not data:
            return
        shown.chunks.append((time.monotonic() - began, data))
        watch(shown.raw)
