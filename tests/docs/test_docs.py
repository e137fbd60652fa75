import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from docs import man
from esml_stop.cli.main import COMMANDS, LazyGroup, esml
from esml_stop.exit_status import ExitStatus

TOP = Path(__file__).parent.parent.parent


def commands() -> dict[str, click.Command]:
    """Return every command by its name."""
    context = click.Context(esml)
    found = {name: LazyGroup.get_command(esml, context, name) for name in COMMANDS}
    return {name: command for name, command in found.items() if command}


def test_every_command_module_is_registered() -> None:
    """The modules in cli/commands and the registered commands have the same names."""
    modules = {path.stem for path in (TOP / "esml_stop" / "cli" / "commands").glob("[a-z]*.py")}
    assert set(commands()) == modules == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_is_explained(name: str) -> None:
    """Each command and each option has a help text that ends like a sentence."""
    command = commands()[name]
    assert command.help
    assert command.help.strip().endswith(".")
    for option in command.params:
        if isinstance(option, click.Option):
            assert option.help, option.name
            assert re.search(r"[.\]]$", option.help), option.help


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_in_the_option_reference(name: str) -> None:
    """docs/options.md contains the help of each command."""
    assert f"## esml {name}\n" in (TOP / "docs/options.md").read_text(encoding="utf-8")


def test_the_option_reference_is_up_to_date() -> None:
    """docs/options.md equals the output of `cog -r docs/options.md`."""
    checked = subprocess.run([sys.executable, "-m", "cogapp", "--check", "docs/options.md"], cwd=TOP, check=False)
    assert checked.returncode == 0


def test_readme_is_short() -> None:
    """README has at most 250 lines."""
    assert len((TOP / "README.md").read_text(encoding="utf-8").splitlines()) <= 250


def test_every_exit_code_is_in_readme() -> None:
    """The table in README has a row for each exit code, and no other."""
    codes = {int(code) for codes in man.exit_codes() for code in codes.split(",")}
    assert codes == {int(status) for status in ExitStatus}


def test_the_man_page_is_up_to_date() -> None:
    """docs/esml.1 equals the output of `python -m docs.man`."""
    assert (TOP / "docs" / "esml.1").read_text(encoding="utf-8") == man.page()


@pytest.mark.parametrize("name", ["stop", "list"])
def test_examples_come_before_options(name: str) -> None:
    """Help has this order: usage, examples, options, connection options, output options."""
    command = commands()[name]
    text = command.get_help(click.Context(command, info_name=name))
    positions = [text.index(title) for title in ("Usage:", "Examples:", "\nOptions:", "\nConnection:", "\nOutput:")]
    assert positions == sorted(positions)
