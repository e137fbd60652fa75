"""Runs a program and returns its output, with limits on time and size; its stderr is discarded."""

import os
import select
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress

from esml_stop.config.files import LARGEST_SECRET


class ProgramNotFound(Exception):
    """The program, whose name is the message, is not installed."""


class ProgramTimeout(Exception):
    """The program timed out."""


class ProgramFailed(Exception):
    """The program failed or could not be started, or its output cannot be a secret; the message says why."""


def output(arguments: Sequence[str], seconds: float, environment: Mapping[str, str]) -> str:
    """Return the standard output of a program; raises one of the errors above.

    The program runs without standard input and in its own session, so that its whole process group can be killed after
    the time limit.
    """
    deadline = time.monotonic() + seconds
    quiet = subprocess.DEVNULL
    try:
        process = subprocess.Popen(  # noqa: S603 - the program is one of a few, or the user's own command
            arguments, env=dict(environment), stdin=quiet, stdout=subprocess.PIPE, stderr=quiet, start_new_session=True
        )
    except FileNotFoundError:
        raise ProgramNotFound(arguments[0]) from None
    except OSError as error:
        raise ProgramFailed(f"{arguments[0]}: {(error.strerror or 'unknown error').lower()}") from None
    try:
        data = written(process, deadline)
        status = process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        raise ProgramTimeout from None
    finally:
        end(process)
    if status:
        raise ProgramFailed(f"{os.path.basename(arguments[0])} exited with code {status}")  # noqa: PTH119
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise ProgramFailed("it is not UTF-8 text") from None


def written(process: "subprocess.Popen[bytes]", deadline: float) -> bytes:
    """Return what a program writes until it closes standard output; raise an error beyond the limits."""
    assert process.stdout
    data = b""
    while True:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([process.stdout], [], [], left)[0]:
            raise ProgramTimeout
        part = os.read(process.stdout.fileno(), LARGEST_SECRET)
        if not part:
            return data
        data += part
        if len(data) > LARGEST_SECRET:
            raise ProgramFailed(f"it is larger than {LARGEST_SECRET // 1024} KiB")


def end(process: "subprocess.Popen[bytes]") -> None:
    """Kill a program that did not end in time, with everything in its process group, and close its output."""
    # Until wait() is called, the number of the group cannot be reused, even if the program itself has ended.
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    if process.stdout:
        process.stdout.close()
