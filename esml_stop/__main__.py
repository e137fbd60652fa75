"""Where the `esml` command and `python -m esml_stop` begin and end."""

import _signal  # type: ignore[import-not-found] # what `signal` is made of: importing that takes a millisecond

# Until the handler is there, Ctrl-C just ends the process: Python would raise KeyboardInterrupt amid an import.
if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)

import gc
import os
import sys
from contextlib import suppress

from esml_stop.exit_status import ExitStatus
from esml_stop.runtime.signals import install


def main() -> None:
    """Run the command line and leave with its exit code."""
    if os.name == "nt":  # signals, terminals and file modes work differently there
        sys.exit("esml does not run on Windows. Run it on Linux or macOS, or in the Windows Subsystem for Linux (WSL).")
    occupy_standard_streams()
    install()  # before click and the rest are imported, which takes most of a short run
    # What is imported stays: to look for garbage in it finds none, and takes a tenth of a short run.
    gc.set_threshold(200_000)
    from esml_stop.cli.main import run

    leave(run(sys.argv[1:]))


def occupy_standard_streams() -> None:
    """Keep a socket or a file from getting the number of a standard stream that was closed by the caller."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    if sys.stderr is None:
        sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115 - a descriptor, for the life of the process


def leave(status: int) -> None:
    """End the process at once: a request that is still waiting in a thread must not hold it back."""
    try:
        if sys.stdout:
            sys.stdout.flush()
    except BrokenPipeError:
        status = ExitStatus.BROKEN_PIPE
    except (OSError, ValueError):  # full disk, closed stream
        status = status or ExitStatus.FAILED
    with suppress(OSError, ValueError, AttributeError):
        sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    main()
