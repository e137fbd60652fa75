"""How it goes, on stderr while it goes: moving on a terminal, one line per finished target elsewhere."""

from esml_stop.outcomes import Outcome, Result, Target
from esml_stop.output.stderr import at_work, say, wipe
from esml_stop.text import clean, seconds


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


class Lines(Quiet):
    """One line per finished target, when there are several: for logs."""

    total = 0

    def __init__(self, *, verbose: bool = False) -> None:
        self.verbose = verbose

    def __exit__(self, *_: object) -> None:
        wipe()

    def phase(self, text: str, total: int | None = None) -> None:
        """Remember how many targets there are; tell a person what is done."""
        self.total = total or 0
        at_work(text)

    def ended(self, result: Result) -> None:
        """Write what became of a target."""
        if self.total > 1:
            from esml_stop.output.messages import OUTCOMES

            took = f" after {seconds(result.seconds)}" if result.outcome is Outcome.STOPPED else ""
            say(f"esml: {clean(result.deployment_id)}: {OUTCOMES[result.outcome]}{took}")

    def retrying(self, line: str) -> None:
        """Write why a request is made again, if asked to."""
        if self.verbose:
            say(f"esml: {clean(line)}")
