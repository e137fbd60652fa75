"""Runs the real command in pipes or on a terminal, so that a test can interrupt it and type."""

import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass

# The time limit of each wait in seconds; it is long because the machine may be busy.
PATIENCE = 60.0


def until(condition: Callable[[], object], what: str) -> None:
    """Wait until a condition is true; fail after PATIENCE seconds."""
    ends = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < ends, f"{what} did not happen"
        time.sleep(0.01)


@contextmanager
def started(*arguments: str, environment: Mapping[str, str]) -> Iterator["subprocess.Popen[str]"]:
    """Yield the process of a running `esml` with its streams in pipes, and kill it at the end."""
    command = [sys.executable, "-m", "esml_stop", *arguments]
    env, pipe = {**os.environ, **environment}, subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=env) as process:
        try:
            yield process
        finally:
            process.kill()


def interrupted(process: "subprocess.Popen[str]", *signals: int, pause: float = 0.1) -> tuple[int, str, str]:
    """Send signals with pauses in seconds, wait until the command ends, and return exit code, stdout and stderr."""
    for number in signals:
        process.send_signal(number)
        time.sleep(pause if number is not signals[-1] or len(signals) > 1 else 0)
    out, err = process.communicate(timeout=PATIENCE)
    return process.returncode, out, err


@dataclass
class Terminal:
    """A running command on its own terminal, and its output so far."""

    pid: int
    fd: int
    seen: str = ""
    status: int | None = None

    def read_until(self, text: str) -> None:
        """Read the output until it contains a text; fail after PATIENCE seconds."""
        until(lambda: text in self.read(), f"{text!r} on the terminal")

    def wait(self, condition: Callable[[], bool], what: str) -> None:
        """Wait for a condition while reading the output, so that the command is not blocked."""
        until(lambda: (self.read(), condition())[1], what)

    def read(self) -> str:
        """Read available output and return all output so far."""
        with suppress(OSError):  # the command has ended
            while select.select([self.fd], [], [], 0)[0] and (data := os.read(self.fd, 65_536)):
                self.seen += data.decode()
        return self.seen

    def type(self, text: str) -> None:
        """Type text, including control characters."""
        os.write(self.fd, text.encode())

    def ended(self) -> int:
        """Wait until the command ends, and return its exit code."""
        done = [0, 0]

        def over() -> bool:
            self.read()
            done[:] = os.waitpid(self.pid, os.WNOHANG)
            return bool(done[0])

        until(over, "the end of the command")
        self.read()
        self.status = os.waitstatus_to_exitcode(done[1])
        return self.status


@contextmanager
def on_terminal(*arguments: str, environment: Mapping[str, str]) -> Iterator[Terminal]:
    """Yield a running `esml` whose stdin, stdout and stderr are a terminal."""
    pid, fd = pty.fork()
    if pid == 0:  # the child process
        os.execve(sys.executable, [sys.executable, "-m", "esml_stop", *arguments], {**os.environ, **environment})
    terminal = Terminal(pid, fd)
    try:
        yield terminal
    finally:
        if terminal.status is None:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        os.close(fd)
