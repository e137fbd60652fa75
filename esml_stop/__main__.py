"""Entry point of the `esml` command and of `python -m esml_stop`."""

import _signal  # type: ignore[import-not-found] # importing `signal` itself takes a millisecond

# Until esml installs its handler, Ctrl-C ends the process. Otherwise Python would raise KeyboardInterrupt in an import.
if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)

import gc
import os
import sys
from contextlib import suppress

from esml_stop.exit_status import ExitStatus
from esml_stop.runtime.signals import install


def main() -> None:
    """Run the command line and exit with its exit code."""
    if os.name == "nt":  # signals, terminals and file modes work differently there
        sys.exit("esml does not run on Windows. Run it on Linux or macOS, or in the Windows Subsystem for Linux (WSL).")
    occupy_standard_streams()
    install()  # before importing click and the rest, which takes most of a short run
    # Imported objects live until exit; collecting garbage during imports finds nothing and takes 10% of a short run.
    gc.set_threshold(200_000)
    from esml_stop.cli.main import run

    flush_and_exit(run(sys.argv[1:]))


def occupy_standard_streams() -> None:
    """Open the null device for each closed standard stream, so that no socket or file gets its descriptor."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    if sys.stderr is None:
        sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115 - stays open until the process exits


def flush_and_exit(status: int) -> None:
    """Flush the standard streams and end the process without waiting for requests in other threads."""
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
