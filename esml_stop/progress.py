"""How it goes, on stderr while it goes: moving on a terminal, one line per finished target elsewhere."""

import sys
from typing import TYPE_CHECKING

from esml_stop.models import Ending, Outcome, Target
from esml_stop.notices import say
from esml_stop.text import clean, counted, seconds

if TYPE_CHECKING:
    from rich.progress import TaskID


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

    def ended(self, target: Target, ending: Ending) -> None:
        """Hear what became of a target."""

    def retrying(self, line: str) -> None:
        """Hear why a request is made again."""


class Lines(Quiet):
    """One line per finished target, when there are several: for logs."""

    total = 0

    def __init__(self, *, verbose: bool = False) -> None:
        self.verbose = verbose

    def phase(self, text: str, total: int | None = None) -> None:
        """Remember how many targets there are."""
        self.total = total or 0

    def ended(self, target: Target, ending: Ending) -> None:
        """Write what became of a target."""
        if self.total > 1:
            from esml_stop.words import OUTCOMES

            took = f" after {seconds(ending.seconds)}" if ending.outcome is Outcome.STOPPED else ""
            say(f"esml: {clean(target.deployment_id)}: {OUTCOMES[ending.outcome]}{took}")

    def retrying(self, line: str) -> None:
        """Write why a request is made again, if asked to."""
        if self.verbose:
            say(f"esml: {clean(line)}")


class Live(Lines):
    """A spinner with what is done, since when, and how much of it."""

    def __enter__(self) -> "Live":
        from rich.console import Console
        from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        self.under_way: dict[str, None] = {}
        self.done = 0
        columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
        self.progress: Progress = Progress(*columns, console=Console(stderr=True), transient=True)
        self.task: TaskID = self.progress.add_task("", total=None)
        self.progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.progress.stop()

    def phase(self, text: str, total: int | None = None) -> None:
        """Show what is done next."""
        self.total = total or 0
        self.progress.reset(self.task, description=text)

    def started(self, target: Target) -> None:
        """Show what is waited for."""
        self.under_way[target.deployment_id] = None
        self.show()

    def ended(self, target: Target, ending: Ending) -> None:
        """Show what is still waited for."""
        self.under_way.pop(target.deployment_id, None)
        self.done += 1
        self.show()

    def retrying(self, line: str) -> None:
        """Show why it takes longer."""
        self.progress.update(self.task, description=clean(line))

    def show(self) -> None:
        """Show the first deployments that are waited for."""
        names = [clean(name) for name in self.under_way]
        what = names[0] if len(names) == 1 else f"{len(names)} deployments"
        part = f" ({self.done} of {counted(self.total, 'deployment')} done)" if self.total > 1 else ""
        self.progress.update(self.task, description=f"Waiting for {what} to stop{part}")


def listener(*, quiet: bool = False, verbose: bool = False) -> Quiet:
    """Return the listener that fits this stderr."""
    if quiet:
        return Quiet()
    return Live(verbose=verbose) if sys.stderr.isatty() and not verbose else Lines(verbose=verbose)
