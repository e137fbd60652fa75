"""The table and the closing sentence for a terminal."""

import sys
from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from esml_stop.outcomes import Outcome, Result, Target
from esml_stop.output import listing
from esml_stop.output.messages import OUTCOMES, closing, use_in_brief
from esml_stop.output.terminal import console
from esml_stop.report import Report
from esml_stop.text import clean, seconds

GOOD = {Outcome.STOPPED, Outcome.WOULD_STOP, Outcome.STARTED, Outcome.WOULD_START, Outcome.ALREADY_RUNNING}
DOUBTFUL = {Outcome.NOT_FOUND, Outcome.NOT_ATTEMPTED, Outcome.NOT_IDLE, Outcome.STOPPING, Outcome.STARTING}

# What uses a deployment is said in full where it matters; the model is the next that can be done without.
COLUMNS = ("Deployment", "Outcome", "Model", "Used by")
NARROWEST_USE = 20


def show(report: Report, *, quiet: bool = False) -> None:
    """Print the report to a terminal."""
    screen = console(sys.stdout)
    if report.command == "list":
        listing.show(screen, report)
    elif report.results and not report.cancelled:
        screen.print(fitting(report.results, screen))
    if not quiet:
        screen.print(Text(closing(report), style="bold"), soft_wrap=True)


def show_plan(targets: Iterable[Target]) -> None:
    """Show on stderr, to whoever is asked about it, what would become of each target."""
    screen = console(sys.stderr)
    screen.print(fitting([Result.planned(target) for target in targets], screen))


def fitting(results: Sequence[Result], screen: Console) -> Table:
    """Return the table with as many columns as fit; uses are wrapped and long IDs fold, nothing is ever cut."""
    used = any(result.used_by for result in results)
    without_uses = table(results, COLUMNS[:3])
    needed = Measurement.get(screen, screen.options.update(width=10_000), without_uses).maximum
    if used and needed + NARROWEST_USE <= screen.width:
        return table(results, COLUMNS)
    return without_uses if needed <= screen.width else table(results, COLUMNS[:2])


def table(results: Iterable[Result], columns: Sequence[str]) -> Table:
    """Return one row per target."""
    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for name in columns:
        grid.add_column(name, overflow="fold")
    for result in results:
        grid.add_row(*row(result)[: len(columns)])
    return grid


def row(result: Result) -> list[Text]:
    """Return the cells of one target."""
    found = result.target.deployment
    took = f" in {seconds(result.seconds)}" if result.outcome is Outcome.STOPPED else ""
    return [
        Text(clean(result.deployment_id)),
        Text(f"{OUTCOMES[result.outcome]}{took}", style=colour(result.outcome)),
        Text(clean(found.model_id) if found else ""),
        Text("\n".join(map(use_in_brief, result.used_by))),
    ]


def colour(outcome: Outcome) -> str:
    """Return the colour of an outcome."""
    if outcome in GOOD:
        return "green"
    return "yellow" if outcome in DOUBTFUL else "red"
