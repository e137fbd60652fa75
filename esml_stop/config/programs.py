"""Runs a program and returns its output, with limits on time and size; its stderr is discarded."""

import os
import select
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence

from esml_stop.config.files import LARGEST_SECRET


class NotThere(Exception):
    """The program is not installed or cannot be started."""

    def __init__(self, program: str) -> None:
        super().__init__(program)
        self.program = program


class TooLong(Exception):
    """The program timed out."""


class Wrong(Exception):
    """The program failed, or its output cannot be a secret; the message says why."""


def output(arguments: Sequence[str], seconds: float, environment: Mapping[str, str]) -> str:
    """Return the standard output of a program; raises NotThere, TooLong or Wrong.

    The program runs without standard input and in its own session, so that its whole process group can be killed after
    the time limit.
    """
    deadline = time.monotonic() + seconds
    quiet = subprocess.DEVNULL
    try:
        process = subprocess.Popen(  # noqa: S603 - the program is one of a few, or the user's own command
            arguments, env=dict(environment), stdin=quiet, stdout=subprocess.PIPE, stderr=quiet, start_new_session=True
        )
    except OSError:
        raise NotThere(arguments[0]) from None
    try:
        data = written(process, deadline)
        status = process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        raise TooLong from None
    finally:
        end(process)
    if status:
        raise Wrong(f"{os.path.basename(arguments[0])} ended with exit code {status}")  # noqa: PTH119
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise Wrong("it is not UTF-8 text") from None


def written(process: "subprocess.Popen[bytes]", deadline: float) -> bytes:
    """Return the output of a program until it closes standard output; raise TooLong or Wrong beyond the limits."""
    assert process.stdout
    data = b""
    while True:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([process.stdout], [], [], left)[0]:
            raise TooLong
        part = os.read(process.stdout.fileno(), LARGEST_SECRET)
        if not part:
            return data
        data += part
        if len(data) > LARGEST_SECRET:
            raise Wrong(f"it is larger than {LARGEST_SECRET // 1024} KiB")


def end(process: "subprocess.Popen[bytes]") -> None:
    """Kill a program that is still running, with its process group, and close its output."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    if process.stdout:
        process.stdout.close()
