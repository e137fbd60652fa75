"""The table and the closing sentence for a terminal."""

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from esml_stop.models import Outcome, Result
from esml_stop.render import listing
from esml_stop.report import Report
from esml_stop.text import clean, seconds
from esml_stop.words import OUTCOMES, closing, use

COLOURS = {
    Outcome.STOPPED: "green",
    Outcome.WOULD_STOP: "cyan",
    Outcome.NOT_FOUND: "yellow",
    Outcome.NOT_STARTED: "yellow",
    Outcome.STOPPING: "yellow",
}


def show(report: Report, *, quiet: bool = False) -> None:
    """Print the report to a terminal."""
    console = Console(highlight=False, soft_wrap=False)
    if report.command == "list":
        listing.show(console, report)
    elif report.results:
        console.print(table(report))
    if not quiet:
        console.print(Text(closing(report), style="bold"), soft_wrap=True)


def table(report: Report) -> Table:
    """Return one row per target; long IDs fold onto the next line and are never cut."""
    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("Deployment", "Model", "Outcome", "Used by"):
        grid.add_column(name, overflow="fold")
    for result in report.results:
        grid.add_row(*row(result))
    return grid


def row(result: Result) -> list[Text]:
    """Return the cells of one target."""
    found = result.target.deployment
    took = f" in {seconds(result.seconds)}" if result.outcome is Outcome.STOPPED else ""
    return [
        Text(clean(result.deployment_id)),
        Text(clean(found.model_id) if found else ""),
        Text(f"{OUTCOMES[result.outcome]}{took}", style=COLOURS.get(result.outcome, "red")),
        Text("\n".join(map(use, result.used_by))),
    ]
