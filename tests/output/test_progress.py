"""Tests the progress in a log and on a terminal."""

import io
import sys
import threading
import time

import pyte
import pytest

from esml_stop.outcomes import Outcome, Result, Target
from esml_stop.output import progress, stderr
from esml_stop.output.progress import LogProgress, TerminalProgress

A, D = Target("a", Outcome.WOULD_STOP), Target("d", Outcome.WOULD_STOP)


def test_a_reminder_names_pending_targets_and_their_queues() -> None:
    """A reminder names each pending target with its waiting time and, if known, the number of queued requests."""
    log = LogProgress()
    log.phase("Stopping", 2)
    log.started(D)
    log.queued = lambda names: dict.fromkeys(names, 17)
    later = log.under_way["d"] + 60
    assert list(log.reminders(later)) == ["still stopping d (60 s, 17 requests queued)"]
    log.queued = lambda _: {}
    assert list(log.reminders(later)) == ["still stopping d (60 s)"]
    log.ended(Result(D, Outcome.STOPPED))
    assert list(log.reminders(log.began + 29)) == []


def test_a_reminder_names_a_few_targets_and_counts_the_rest() -> None:
    """A reminder names MOST_NAMES targets and counts the others."""
    log = LogProgress()
    log.phase("Stopping", 9)
    for number in range(9):
        log.started(Target(f"d{number}", Outcome.WOULD_STOP))
    found = list(log.reminders(time.monotonic() + 31))
    assert len(found) == progress.MOST_NAMES + 1
    assert found[-1] == "still stopping 4 others"


def test_reminders_about_a_target_appear_every_thirty_seconds() -> None:
    """A reminder about a target appears every 30 seconds from the start of its own job."""
    log = LogProgress()
    log.phase("Stopping", 1)
    log.started(D)
    began = log.under_way["d"]
    reminders = {seconds: lines for seconds in range(100) if (lines := log.due(began + seconds))}
    assert reminders == {seconds: [f"still stopping d ({seconds} s)"] for seconds in (30, 60, 90)}


def test_a_long_lookup_gets_reminders() -> None:
    """A look-up gets a reminder after 30 seconds, too."""
    log = LogProgress()
    log.phase("Looking up deployments")
    assert list(log.reminders(log.began + 30)) == ["still looking up deployments (30 s)"]


def test_a_thread_writes_the_reminders(monkeypatch: pytest.MonkeyPatch) -> None:
    """A background thread writes the reminders."""
    reminded = threading.Event()
    monkeypatch.setattr(progress, "CHECK_SECONDS", 0.001)
    monkeypatch.setattr(progress, "write_line", lambda line: reminded.set() if "still stopping d" in line else None)
    with LogProgress() as log:
        log.phase("Stopping", 1)
        log.started(D)
        log.under_way["d"] -= 60
        assert reminded.wait(30)


class Terminal(io.StringIO):
    """A terminal that records what is written to it."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        """Return True."""
        return True

    @property
    def lines(self) -> list[str]:
        """Return the lines on the screen, without empty ones."""
        screen = pyte.Screen(60, 40)
        pyte.Stream(screen).feed(self.getvalue().replace("\n", "\r\n"))
        return [line.rstrip() for line in screen.display if line.strip()]


def replace_stderr(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Replace stderr with a terminal of 60 columns; pytest replaces stderr before each test."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setattr(progress, "SHORT_SECONDS", 0.0)
    return terminal


def test_lines_printed_during_progress_stay_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines that are printed during progress remain complete and in order, and the progress disappears."""
    terminal = replace_stderr(monkeypatch)
    with TerminalProgress() as display:
        display.phase("Stopping", 3)
        assert display.has_rows.wait(30)
        stderr.warn("the first")
        display.started(A)
        stderr.write_error(["the second has two lines", "  and this is the other"])
        display.ended(Result(A, Outcome.STOPPED))
        stderr.write_line(f"a line that is longer than the terminal is wide: {'x' * 40} end")
    stderr.write_line("after all")
    assert terminal.lines == [
        "esml: warning: the first",
        "esml: the second has two lines",
        "  and this is the other",
        "a line that is longer than the terminal is wide: xxxxxxxxxxx",
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxx end",
        "after all",
    ]
    assert "x" * 40 in terminal.getvalue(), "a command that is copied must stay in one piece"


def test_progress_shows_a_total_and_the_pending_targets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Progress shows a total, a line for each of the first pending targets, the number of the others, and retries."""
    replace_stderr(monkeypatch)
    with TerminalProgress() as display:
        display.phase("Stopping", 12)
        for number in range(8):
            display.started(Target(f"d{number}", Outcome.WOULD_STOP))
        display.ended(Result(Target("d0", Outcome.WOULD_STOP), Outcome.STOPPED))
        now = display.under_way["d1"] + 14
        assert display.rows(display.began)[0] == "Stopping: 1 of 12 done, 0 s"
        assert display.rows(now)[1] == "waiting 14 s for d1"
        assert len(display.rows(now)) == 1 + progress.MOST_NAMES + 1
        assert display.rows(now)[-1] == "and for 2 others"
        display.retrying("busy\x1b[31m. Trying again")
        assert display.note == "busy\\x1b[31m. Trying again"
        display.ended(Result(Target("d1", Outcome.WOULD_STOP), Outcome.STOPPED))
        assert display.note == ""
        assert display.rows(now)[-1] == "and for 1 other"


def test_a_short_command_shows_one_plain_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """A short command shows a single plain line, which disappears."""
    terminal = replace_stderr(monkeypatch)
    monkeypatch.setattr(progress, "SHORT_SECONDS", 60.0)
    with TerminalProgress() as display:
        display.phase("Looking up")
        assert terminal.lines == ["Looking up ..."]
    assert terminal.lines == []
    assert not display.has_rows.is_set()


def test_a_progress_line_is_truncated_to_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A progress line is truncated to the terminal's width, also with wide characters."""
    terminal = replace_stderr(monkeypatch)
    for text in ("x" * 100, "\u6df1" * 100):
        stderr.show_step(text)
        assert len(terminal.lines) == 1
    stderr.clear_step()
    assert terminal.lines == []
