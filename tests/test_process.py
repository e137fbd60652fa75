"""Tests the start and the end of the process."""

import subprocess
import sys

PROGRAM = "import os, esml_stop.__main__ as process; os.name = 'nt'; process.main()"


def test_windows_is_not_supported() -> None:
    """On Windows the command exits with 1 and prints only that it does not run there, and where to run it."""
    ended = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == (
        "esml does not run on Windows. Run it on Linux or macOS, or in the Windows Subsystem for Linux (WSL).\n"
    )
