import io

import pytest

from esml_stop.output import terminal


class Terminal(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        """Return True."""
        return True


@pytest.mark.parametrize(
    ("environment", "on_terminal", "in_pipe"),
    [
        ({}, True, False),
        ({"NO_COLOR": "1"}, False, False),
        ({"NO_COLOR": ""}, True, False),
        ({"FORCE_COLOR": "1"}, True, True),
        ({"FORCE_COLOR": "0"}, False, False),
        ({"FORCE_COLOR": "false"}, False, False),
        ({"FORCE_COLOR": ""}, True, False),
        ({"CLICOLOR_FORCE": "1"}, True, True),
        ({"CLICOLOR_FORCE": "0"}, False, False),
        ({"CLICOLOR": "0"}, False, False),
        ({"TERM": "dumb"}, False, False),
        ({"TERM": "dumb", "FORCE_COLOR": "1"}, True, True),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1", "CLICOLOR_FORCE": "1"}, False, False),
    ],
)
def test_colors_depend_on_the_stream_and_the_environment(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], on_terminal: bool, in_pipe: bool
) -> None:
    """Each stream is checked separately; NO_COLOR takes precedence over variables that force colors."""
    for name, value in {"TERM": "xterm", **environment}.items():
        monkeypatch.setenv(name, value)
    assert terminal.has_colour(Terminal()) is on_terminal
    assert terminal.has_colour(io.StringIO()) is in_pipe
    assert terminal.has_colour(None) is in_pipe


def test_a_closed_stream_is_not_a_terminal() -> None:
    """A closed stream is neither a terminal nor able to move the cursor."""
    closed = Terminal()
    closed.close()
    closed.isatty = io.StringIO.isatty.__get__(closed)  # type: ignore[method-assign]
    assert not terminal.is_terminal(closed)
    assert not terminal.can_move_cursor(closed)


@pytest.mark.parametrize(("columns", "width"), [("44", 44), ("0", 80), ("-3", 80), ("wide", 80), ("", 80)])
def test_the_width_is_columns_or_80(monkeypatch: pytest.MonkeyPatch, columns: str, width: int) -> None:
    """COLUMNS is the width if it is a positive number; otherwise the width without a terminal is 80."""
    monkeypatch.setenv("COLUMNS", columns)
    assert terminal.width(io.StringIO()) == width
