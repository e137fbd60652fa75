"""How it goes, on stderr while it goes: moving on a terminal, one line per finished target elsewhere."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from esml_stop.outcomes import Outcome, Result, Target
from esml_stop.output.messages import OUTCOMES
from esml_stop.output.stderr import at_work, say, wipe
from esml_stop.text import clean, counted, seconds


class Quiet:
    """A listener that says nothing."""

    def __enter__(self) -> "Quiet":
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def phase(self, text: str, total: int | None = None) -> None:
        """Hear what is done next."""

    def started(self, target: Target) -> None:
        """Hear that a stop is sent now."""

    def ended(self, result: Result) -> None:
        """Hear what became of a target."""

    def retrying(self, line: str) -> None:
        """Hear why a request is made again."""


# How often a log is told what is still waited for, in seconds.
REMINDER_SECONDS = 30.0
# How many targets a reminder names; more are counted.
MOST_NAMES = 5


class Lines(Quiet):
    """For logs: one line per finished target, when there are several, and what is still waited for from time to time.

    `queued` returns how many requests wait in the queues of some deployments; it is asked in a thread of its own.
    """

    total = 0
    text = ""

    def __init__(self, *, verbose: bool = False) -> None:
        self.verbose = verbose
        self.queued: Callable[[Sequence[str]], Mapping[str, int]] = lambda _: {}
        self.began = time.monotonic()
        self.under_way: dict[str, float] = {}
        self._over = threading.Event()

    def __enter__(self) -> "Lines":
        self._over = threading.Event()
        threading.Thread(target=self._remind, args=(self._over,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        wipe()

    def phase(self, text: str, total: int | None = None) -> None:
        """Remember what is done and for how many targets; tell a person."""
        self.text, self.total, self.began = text, total or 0, time.monotonic()
        at_work(text)

    def started(self, target: Target) -> None:
        """Remember since when a target is waited for."""
        self.under_way[target.deployment_id] = time.monotonic()

    def ended(self, result: Result) -> None:
        """Write what became of a target."""
        self.under_way.pop(result.deployment_id, None)
        if self.total > 1:
            took = f" after {seconds(result.seconds)}" if result.outcome is Outcome.STOPPED else ""
            say(f"esml: {clean(result.deployment_id)}: {OUTCOMES[result.outcome]}{took}")

    def retrying(self, line: str) -> None:
        """Write why a request is made again, if asked to."""
        if self.verbose:
            say(f"esml: {clean(line)}")

    def reminders(self, now: float, every: float = REMINDER_SECONDS) -> Iterator[str]:
        """Yield what is waited for, and for how long: each target that is waited for long enough, or else the step."""
        doing = f"{self.text[:1].lower()}{self.text[1:]}"
        late = {name: now - began for name, began in list(self.under_way.items()) if now - began >= every}
        if not late and self.text and now - self.began >= every and not self.under_way:
            yield f"still {doing} ({now - self.began:.0f} s)"
        names = list(late)[:MOST_NAMES]
        queues = self.queued(names) if names else {}
        for name in names:
            queue = f", {counted(queues[name], 'request')} queued" if name in queues else ""
            yield f"still {doing} {clean(name)} ({late[name]:.0f} s{queue})"
        if len(late) > len(names):
            yield f"still {doing} {counted(len(late) - len(names), 'other')}"

    def _remind(self, over: threading.Event) -> None:
        while not over.wait(REMINDER_SECONDS):
            for line in self.reminders(time.monotonic()):
                say(f"esml: {line}")
