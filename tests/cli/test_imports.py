import os
import subprocess
import sys

import pytest

from esml_stop.cli.main import COMMANDS

SLOW_MODULES = {"elasticsearch", "elastic_transport", "urllib3", "rich", "asyncio", "yaml", "tenacity", "ssl", "http"}

PROGRAM = """
import os, sys
from esml_stop.cli.main import run
status = run(sys.argv[1:])
sys.stdout.flush()
print(int(status), *sorted({name.partition(".")[0] for name in sys.modules}), file=sys.stderr)
"""


def run_and_list_imports(*arguments: str, **environment: str) -> tuple[int, set[str]]:
    """Run a command line in a separate process; return its exit code and the top-level modules that it imported."""
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    status, *modules = ended.stderr.splitlines()[-1].split()
    return int(status), set(modules)


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["--version"], []])
def test_help_and_version_import_no_client(arguments: list[str]) -> None:
    """--help, -h, --version and no arguments import neither the HTTP client nor rich nor any other slow module."""
    status, modules = run_and_list_imports(*arguments)
    assert status == 0
    assert not SLOW_MODULES & modules
    assert "click" in modules


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command_imports_no_client(command: str) -> None:
    """The help of each command imports neither the HTTP client nor any other slow module."""
    status, modules = run_and_list_imports(command, "--help")
    assert status == 0
    assert not SLOW_MODULES & modules


@pytest.mark.parametrize(
    "arguments",
    [
        ["stpo"],
        ["stop"],
        ["stop", "--no-such-option", "x"],
        ["stop", "x", "--timeout", "soon"],
        ["stop", "x", "-o", "yaml"],
        ["stop", "*"],
        ["stop", "a,,b"],
    ],
)
def test_usage_errors_import_no_client(arguments: list[str]) -> None:
    """Usage errors exit with 2 without importing the HTTP client or any other slow module."""
    status, modules = run_and_list_imports(*arguments)
    assert status == 2
    assert not SLOW_MODULES & modules


def test_each_summary_comes_from_the_help_of_its_command() -> None:
    """The summary of each command in `esml --help` is the first sentence of the command's own help."""
    import click

    from esml_stop.cli.main import LazyGroup, esml

    context = click.Context(esml)
    for name, purpose in COMMANDS.items():
        command = LazyGroup.get_command(esml, context, name)
        assert command
        assert purpose == command.get_short_help_str(limit=100)
