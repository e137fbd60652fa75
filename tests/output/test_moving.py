import io
import sys
import time

import pyte
import pytest

from esml_stop.outcomes import Outcome, Result, Target
from esml_stop.output import moving, stderr
from esml_stop.output.moving import Moving


class Terminal(io.StringIO):
    """A terminal that remembers what was written to it."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        """Tell that it is one."""
        return True

    @property
    def lines(self) -> list[str]:
        """Return what is on the screen, without empty lines."""
        screen = pyte.Screen(60, 40)
        pyte.Stream(screen).feed(self.getvalue().replace("\n", "\r\n"))
        return [line.rstrip() for line in screen.display if line.strip()]


def terminal_for(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Put a terminal of 60 columns in the place of stderr; pytest puts its own there before each test."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setattr(moving, "SHORT_SECONDS", 0.0)
    return terminal


def wait_until_it_moves(listener: Moving) -> None:
    """Wait until rich shows what happens."""
    ends = time.monotonic() + 10
    while listener._live is None:
        assert time.monotonic() < ends
        time.sleep(0.01)


def target(name: str) -> Target:
    """Return a target that is to be stopped."""
    return Target(name, Outcome.WOULD_STOP)


def test_what_is_said_meanwhile_is_neither_swallowed_nor_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines that come while something moves stay on the screen, whole and in order; the moving part is gone."""
    terminal = terminal_for(monkeypatch)
    with Moving() as listener:
        listener.phase("Stopping", 3)
        wait_until_it_moves(listener)
        stderr.warn("the first")
        listener.started(target("a"))
        stderr.block(["the second has two lines", "  and this is the other"])
        listener.ended(Result(target("a"), Outcome.STOPPED))
        stderr.say(f"a line that is longer than the terminal is wide: {'x' * 40} end")
    stderr.say("after all")
    assert terminal.lines == [
        "esml: warning: the first",
        "esml: the second has two lines",
        "  and this is the other",
        "a line that is longer than the terminal is wide: xxxxxxxxxxx",
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxx end",
        "after all",
    ]
    assert "x" * 40 in terminal.getvalue(), "a command that is copied must stay in one piece"


def test_it_shows_how_far_it_is_and_what_it_waits_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line for the whole, one for each of the first that are waited for, and how many more."""
    terminal_for(monkeypatch)
    with Moving() as listener:
        listener.phase("Stopping", 12)
        for number in range(8):
            listener.started(target(f"d{number}"))
        listener.ended(Result(target("d0"), Outcome.STOPPED))
        now = listener.under_way["d1"] + 14
        assert listener.head == "Stopping: 1 of 12 done"
        assert listener.rows(now)[0] == "waiting 14 s for d1"
        assert len(listener.rows(now)) == moving.MOST_ROWS + 1
        assert listener.rows(now)[-1] == "and for 2 others"
        listener.retrying("busy\x1b[31m. Trying again")
        assert listener.note == "busy\\x1b[31m. Trying again"
        listener.ended(Result(target("d1"), Outcome.STOPPED))
        assert listener.note == ""
        assert listener.rows(now)[-1] == "and for 1 other"


def test_a_short_command_is_spared_what_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is over in a moment shows one plain line, which is gone in the end."""
    terminal = terminal_for(monkeypatch)
    monkeypatch.setattr(moving, "SHORT_SECONDS", 60.0)
    with Moving() as listener:
        listener.phase("Looking up")
        assert terminal.lines == ["Looking up ..."]
    assert terminal.lines == []
    assert listener._live is None


def test_a_line_that_is_too_long_for_the_terminal_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line that can be written over must not wrap, with wide characters neither."""
    terminal = terminal_for(monkeypatch)
    for text in ("x" * 100, "\u6df1" * 100):
        stderr.at_work(text)
        assert len(terminal.lines) == 1
    stderr.wipe()
    assert terminal.lines == []
