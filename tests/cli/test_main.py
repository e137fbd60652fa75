import errno
import json
import signal
from collections.abc import Callable

import click
import pytest

from esml_stop import errors
from esml_stop.cli import main
from esml_stop.runtime.signals import Interrupted
from tests.support.signals import hearing, send

Raise = Callable[[BaseException], None]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Raise:
    """Replace `esml stop` by a command that raises an error or returns an exit code."""

    def replace(error: BaseException | int) -> None:
        def run() -> int:
            if isinstance(error, int):
                return error
            raise error

        monkeypatch.setattr(main.LazyGroup, "get_command", lambda *_: click.Command("stop", callback=run))

    return replace


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.InputError("x"), 2),
        (errors.ConfigError("x"), 2),
        (errors.EsmlError("x"), 1),
        (errors.Unreachable("x"), 6),
        (errors.DeadlinePassed("x"), 6),
        (errors.TlsFailed("x"), 6),
        (errors.BadAnswer("x"), 6),
        (errors.OutputFailed("x"), 1),
        (errors.Refused("x", http_status=500), 1),
        (errors.NotAuthenticated("x", http_status=401), 4),
        (errors.NotAllowed("x", http_status=403), 4),
    ],
    ids=lambda one: type(one).__name__,
)
def test_each_error_has_its_exit_code(
    command: Raise, error: errors.EsmlError, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each error prints one sentence to stderr, and nothing to stdout, without a traceback."""
    command(error)
    assert main.run(["stop"]) == status
    assert capsys.readouterr() == ("", "esml: x\n")


def test_the_hint_comes_on_a_line_of_its_own(command: Raise, capsys: pytest.CaptureFixture[str]) -> None:
    """The hint follows the error message on a separate line."""
    command(errors.Unreachable("Nothing listens.", hint="Start it."))
    main.run(["stop"])
    assert capsys.readouterr().err == "esml: Nothing listens.\n  Start it.\n"


@pytest.mark.parametrize(("number", "status"), [(signal.SIGHUP, 129), (signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_has_its_exit_code(
    command: Raise, number: int, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """A signal before any change exits with 128 plus its number and says that nothing was changed."""
    command(Interrupted(number))
    assert main.run(["stop"]) == status
    assert capsys.readouterr().err == "esml: Interrupted before anything was changed.\n"


def test_an_unexpected_exception_is_reported_as_a_bug(command: Raise, capsys: pytest.CaptureFixture[str]) -> None:
    """An unexpected exception exits with 1 and is called a bug; --debug prints its traceback, escaped."""
    command(KeyError("\x1b[31m"))
    assert main.run(["stop"]) == 1
    assert capsys.readouterr().err == "esml: unexpected KeyError; this is a bug in esml. --debug shows where.\n"


@pytest.mark.parametrize(
    ("error", "status", "says"),
    [
        (BrokenPipeError(), 141, ""),
        (OSError(errno.ENOSPC, "no space"), 1, "esml: Standard output cannot be written: no space is left.\n"),
        (OSError(errno.EIO, "x"), 1, "esml: unexpected OSError; this is a bug in esml. --debug shows where.\n"),
        (click.Abort(), 130, "esml: Interrupted before anything was changed.\n"),
    ],
)
def test_streams_that_end_early(
    command: Raise, error: Exception, status: int, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A closed pipe exits with 141 and no message; a full disk exits with 1 and a message."""
    command(error)
    assert main.run(["stop"]) == status
    assert capsys.readouterr().err == says


def test_a_signal_that_came_while_the_report_was_written_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A signal during the output leaves the report complete, and sets the exit code."""

    def run() -> int:
        send(signal.SIGTERM)
        return 5

    monkeypatch.setattr(main.LazyGroup, "get_command", lambda *_: click.Command("stop", callback=run))
    with hearing():
        assert main.run(["stop"]) == 143


def test_a_signal_that_came_while_modules_were_imported_ends_it(capsys: pytest.CaptureFixture[str]) -> None:
    """A signal during imports ends the command before the arguments are parsed."""
    with hearing():
        send(signal.SIGHUP)
        assert main.run(["stop", "a"]) == 129
    assert capsys.readouterr().err == "esml: Interrupted before anything was changed.\n"


@pytest.mark.parametrize(
    "words", [["nope"], ["stop"], ["stop", "--nope"], ["stop", "a", "--parallel=99"], ["stop", ""]]
)
@pytest.mark.parametrize("form", [[], ["-o", "json"], ["-ojsonl"], ["--output=json"]], ids=str)
def test_a_command_line_that_is_wrong_is_2(
    words: list[str], form: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """A usage error exits with 2, prints a message to stderr, and JSON to stdout if that was requested."""
    assert main.run([*words, *form]) == 2
    out, err = capsys.readouterr()
    if form:
        document = json.loads(out)
        assert (document["exit"]["code"], document["errors"][0]["code"]) == (2, "usage")
    else:
        assert out == ""
    assert err.strip()
