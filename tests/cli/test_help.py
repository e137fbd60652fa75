import pytest

from esml_stop.cli.main import COMMANDS
from tests.support.command import esml


def test_esml_without_arguments_prints_its_help() -> None:
    """`esml` without arguments prints the help and exits with 0."""
    ended = esml()
    assert (ended.status, ended.err) == (0, "")
    assert ended.out.startswith("Usage: esml [OPTIONS] COMMAND [ARGS]...")
    assert "\n  stop " in ended.out


def test_stop_without_arguments_prints_a_short_help() -> None:
    """`esml stop` without arguments prints purpose and examples, without options, and exits with 2."""
    ended = esml("stop")
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.startswith("Usage: esml stop [OPTIONS] DEPLOYMENT_ID...")
    assert "esml stop my_model_for_search --force" in ended.err
    assert "--parallel" not in ended.err
    assert ended.err.endswith("See `esml stop --help` for all options.\n")


@pytest.mark.parametrize(
    ("arguments", "suggestion"),
    [
        (["stpo", "x"], "There is no command 'stpo'. Did you mean 'stop'?"),
        (["kill", "x"], "There is no command 'kill'. Commands: stop, list, "),
        (["stop", "--forec", "x"], "--force"),
        (["stop", "x", "--output", "jsonn"], "'json'"),
    ],
)
def test_a_misspelled_word_gets_a_suggestion(arguments: list[str], suggestion: str) -> None:
    """A misspelled command, option or value exits with 2 and suggests the correct one or lists the commands."""
    ended = esml(*arguments)
    assert (ended.status, ended.out) == (2, "")
    assert suggestion in ended.err


def test_the_short_help_option_equals_the_long_one() -> None:
    """`esml -h` and `esml stop -h` print the same as with --help."""
    assert esml("-h").out == esml("--help").out
    assert esml("stop", "-h").out == esml("stop", "--help").out


@pytest.mark.parametrize("words", [[], ["stop"], ["config"]])
def test_the_help_command_equals_the_help_option(words: list[str]) -> None:
    """`esml help` and `esml help COMMAND` print the same as --help."""
    assert esml("help", *words).out == esml(*words, "--help").out


def test_help_for_an_unknown_command_lists_the_commands() -> None:
    """`esml help` with an unknown command exits with 2 and lists the commands."""
    ended = esml("help", "nope")
    assert (ended.status, ended.out) == (2, "")
    assert "There is no command 'nope'. Commands: stop, list, " in ended.err


@pytest.mark.parametrize(
    ("arguments", "suggestion"),
    [
        (["stop", "--all"], "Use the argument _all."),
        (["stop", "x", "--wait"], "esml always waits"),
        (["stop", "x", "--json"], "Use -o json."),
        (["stop", "x", "--api-key", "y"], "Use --api-key-file or ESML_API_KEY."),
        (["--force", "stop", "x"], "Options must come after the command: esml stop --force x"),
        (["-o", "json", "list"], "Options must come after the command: esml list -o json"),
    ],
)
def test_options_of_other_tools_suggest_their_equivalent(arguments: list[str], suggestion: str) -> None:
    """An option of another tool, or one before the command, exits with 2 and a hint at the correct usage."""
    ended = esml(*arguments)
    assert ended.status == 2
    assert suggestion in ended.err


@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS)], ids=" ".join)
def test_help_fits_80_columns(command: list[str]) -> None:
    """No line of a help text is wider than 80 columns, except for a URL."""
    ended = esml(*command, "--help", environment={"COLUMNS": "80"})
    assert [line for line in ended.out.splitlines() if len(line) > 80 and "https://" not in line] == []
