"""Where the `esml` command and `python -m esml_stop` begin and end."""

import gc
import os
import sys

from esml_stop.exit_status import ExitStatus


def main() -> None:
    """Run the command line and leave with its exit code."""
    # What is imported stays: to look for garbage in it finds none, and takes a tenth of a short run.
    gc.set_threshold(200_000)
    from esml_stop.cli import run

    leave(run(sys.argv[1:]))


def leave(status: int) -> None:
    """End the process at once: a request that is still waiting in a thread must not hold it back."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:
        status = ExitStatus.BROKEN_PIPE
    except (OSError, ValueError, AttributeError):  # full disk, closed stream, no stream at all
        status = status or ExitStatus.FAILED
    os._exit(status)


if __name__ == "__main__":
    main()
