"""What a log says while something is waited for."""

import threading
import time

import pytest

from esml_stop.outcomes import Outcome, Result, Target
from esml_stop.output import progress
from esml_stop.output.progress import Lines

D, E = Target("d", Outcome.WOULD_STOP), Target("e", Outcome.WOULD_STOP)


def test_a_reminder_names_what_is_waited_for_and_its_queue() -> None:
    """Each target that is waited for long enough, with its queue where that is known."""
    lines = Lines()
    lines.phase("Stopping", 2)
    lines.started(D)
    lines.queued = lambda names: dict.fromkeys(names, 17)
    later = lines.under_way["d"] + 60
    assert list(lines.reminders(later)) == ["still stopping d (60 s, 17 requests queued)"]
    lines.queued = lambda _: {}
    assert list(lines.reminders(later)) == ["still stopping d (60 s)"]
    lines.ended(Result(D, Outcome.STOPPED))
    assert list(lines.reminders(lines.began + 29)) == []


def test_a_reminder_names_a_few_and_counts_the_others() -> None:
    """A log of hundreds stays short."""
    lines = Lines()
    lines.phase("Stopping", 9)
    for number in range(9):
        lines.started(Target(f"d{number}", Outcome.WOULD_STOP))
    found = list(lines.reminders(time.monotonic() + 31))
    assert len(found) == progress.MOST_NAMES + 1
    assert found[-1] == "still stopping 4 others"


def test_a_step_without_targets_is_reminded_of_too() -> None:
    """A look-up that lasts."""
    lines = Lines()
    lines.phase("Looking up deployments")
    assert list(lines.reminders(lines.began + 30)) == ["still looking up deployments (30 s)"]


def test_reminders_come_by_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread writes them until the work is over."""
    came = threading.Event()
    monkeypatch.setattr(progress, "REMINDER_SECONDS", 0.001)
    monkeypatch.setattr(progress, "say", lambda line: came.set() if "still stopping d" in line else None)
    with Lines() as lines:
        lines.phase("Stopping", 1)
        lines.started(D)
        lines.under_way["d"] -= 60
        assert came.wait(30)
