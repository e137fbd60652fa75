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

ReplaceStop = Callable[[BaseException], None]


@pytest.fixture
def replace_stop(monkeypatch: pytest.MonkeyPatch) -> ReplaceStop:
    """Return a function that replaces `esml stop` with a command that raises an error or returns an exit code."""

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
    ids=lambda error: type(error).__name__,
)
def test_each_error_has_its_exit_code(
    replace_stop: ReplaceStop, error: errors.EsmlError, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each kind of error has a fixed exit code, and only its message is printed, in one line on stderr."""
    replace_stop(error)
    assert main.run(["stop"]) == status
    assert capsys.readouterr() == ("", "esml: x\n")


def test_the_hint_is_on_a_separate_line(replace_stop: ReplaceStop, capsys: pytest.CaptureFixture[str]) -> None:
    """The hint follows the error message on a separate line."""
    replace_stop(errors.Unreachable("Nothing listens.", hint="Start it."))
    main.run(["stop"])
    assert capsys.readouterr().err == "esml: Nothing listens.\n  Start it.\n"


@pytest.mark.parametrize(("number", "status"), [(signal.SIGHUP, 129), (signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_has_its_exit_code(
    replace_stop: ReplaceStop, number: int, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """A signal before any change exits with 128 plus its number and says that nothing was changed."""
    replace_stop(Interrupted(number))
    assert main.run(["stop"]) == status
    assert capsys.readouterr().err == "esml: Interrupted before anything was changed.\n"


def test_an_unexpected_exception_is_reported_as_a_bug(
    replace_stop: ReplaceStop, capsys: pytest.CaptureFixture[str]
) -> None:
    """An unexpected exception exits with 1 and is reported as a bug, in one line that mentions --debug."""
    replace_stop(KeyError("\x1b[31m"))
    assert main.run(["stop"]) == 1
    assert capsys.readouterr().err == "esml: unexpected KeyError; this is a bug in esml. --debug shows where.\n"


@pytest.mark.parametrize(
    ("error", "status", "error_text"),
    [
        (BrokenPipeError(), 141, ""),
        (OSError(errno.ENOSPC, "no space"), 1, "esml: Standard output cannot be written: no space is left.\n"),
        (OSError(errno.EIO, "x"), 1, "esml: unexpected OSError; this is a bug in esml. --debug shows where.\n"),
        (click.Abort(), 130, "esml: Interrupted before anything was changed.\n"),
    ],
)
def test_output_errors_have_their_exit_codes(
    replace_stop: ReplaceStop, error: Exception, status: int, error_text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A closed pipe exits with 141, a full disk with 1 and an aborted prompt with 130; other I/O errors are bugs."""
    replace_stop(error)
    assert main.run(["stop"]) == status
    assert capsys.readouterr().err == error_text


def test_a_signal_during_the_report_sets_the_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """A signal that does not interrupt the command replaces its exit code with 128 plus the signal's number."""

    def run() -> int:
        send(signal.SIGTERM)
        return 5

    monkeypatch.setattr(main.LazyGroup, "get_command", lambda *_: click.Command("stop", callback=run))
    with hearing():
        assert main.run(["stop"]) == 143


def test_a_signal_during_imports_ends_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    """A signal during imports ends the command before it runs, with 128 plus the signal's number as exit code."""
    with hearing():
        send(signal.SIGHUP)
        assert main.run(["stop", "a"]) == 129
    assert capsys.readouterr().err == "esml: Interrupted before anything was changed.\n"


@pytest.mark.parametrize(
    "arguments", [["nope"], ["stop"], ["stop", "--nope"], ["stop", "a", "--parallel=99"], ["stop", ""]]
)
@pytest.mark.parametrize("output_options", [[], ["-o", "json"], ["-ojsonl"], ["--output=json"]], ids=str)
def test_a_usage_error_exits_with_2(
    arguments: list[str], output_options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """A usage error exits with 2, prints a message to stderr, and JSON to stdout if that was requested."""
    assert main.run([*arguments, *output_options]) == 2
    out, err = capsys.readouterr()
    if output_options:
        document = json.loads(out)
        assert (document["exit"]["code"], document["errors"][0]["code"]) == (2, "usage")
    else:
        assert out == ""
    assert err.strip()
