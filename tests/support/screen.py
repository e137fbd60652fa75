"""Runs the real command on a terminal, and shows what a person would see there at the end."""

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
    """What a command wrote: to the terminal, as bytes with the seconds they came after, and to the pipe beside it."""

    columns: int
    status: int = -1
    chunks: list[tuple[float, bytes]] = field(default_factory=list)
    piped: bytes = b""

    @property
    def raw(self) -> str:
        """Return all that was written to the terminal, as it came."""
        return b"".join(chunk for _, chunk in self.chunks).decode(errors="replace")

    @property
    def lines(self) -> list[str]:
        """Return the lines that are on the screen in the end, without the empty ones."""
        screen = pyte.Screen(self.columns, ROWS)
        pyte.ByteStream(screen).feed(self.raw.encode())
        return [line.rstrip() for line in screen.display if line.strip()]

    @property
    def written(self) -> list[str]:
        """Return the lines as they were written, without colours; the terminal may have wrapped them."""
        return re.sub(r"\x1b\[[\d;]*m", "", self.raw.rpartition("\r\x1b[K")[2]).splitlines()

    @property
    def text(self) -> str:
        """Return the screen in the end as one text, lines that the terminal wrapped put together again."""
        return " ".join(" ".join(self.lines).split())

    @property
    def colours(self) -> set[str]:
        """Return the colours and other styles that were used, as their codes."""
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
    """Run `esml` on a terminal; a stream that is switched off is a pipe.

    `watch` gets everything that was written so far, whenever something is written.
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
    """Take what comes from a terminal until the last one that writes to it is gone."""
    while True:
        try:
            data = os.read(terminal, 65_536)
        except OSError:  # how Linux says that nobody is left
            return
        if not data:
            return
        shown.chunks.append((time.monotonic() - began, data))
        watch(shown.raw)
