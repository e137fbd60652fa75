"""Tables of results, for a terminal and for -o table and wide."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from esml_stop.outcomes import PROBLEMS, Outcome, Report, Result, Target
from esml_stop.output import listing
from esml_stop.output.columns import Cell, Layout, Row, lines
from esml_stop.output.in_use import use_in_brief
from esml_stop.output.messages import OUTCOMES
from esml_stop.text import clean, seconds

YELLOW_OUTCOMES = {Outcome.NOT_FOUND, Outcome.NOT_ATTEMPTED, Outcome.NOT_IDLE, Outcome.STOPPING, Outcome.STARTING}

# The labels in the plan that the user has to confirm.
PLAN_LABELS = {**OUTCOMES, Outcome.IN_USE: "in use, will be skipped"}

LAYOUT = Layout(("DEPLOYMENT", "OUTCOME", "MODEL"), optional=("MODEL",), last="USED BY")
WITH_ERRORS = Layout(("DEPLOYMENT", "OUTCOME", "MODEL", "ERROR"), optional=("MODEL",), last="USED BY")


def text(report: Report, width: int | None, *, coloured: bool = False, errors: bool = False) -> str:
    """Return the table of a report; `errors` adds a column for the errors, if there are any."""
    if report.command == "list":
        rows: Sequence[Row] = listing.rows(report.results)
        return joined(lines(listing.LAYOUT, rows, width, coloured=coloured)) if rows else ""
    rows = [row(one) for one in problems_last(report.results)]
    layout = WITH_ERRORS if errors and any(one.error for one in report.results) else LAYOUT
    return joined(lines(layout, rows, width, coloured=coloured)) if rows else ""


def plan(targets: Iterable[Target], width: int, *, coloured: bool) -> str:
    """Return the table for the confirmation prompt: the planned outcome of each target and what uses it."""
    rows = [row(Result.planned(target), PLAN_LABELS) for target in targets]
    return joined(lines(LAYOUT, rows, width, coloured=coloured))


def joined(parts: Iterator[str]) -> str:
    """Return lines as one text."""
    return "".join(f"{line}\n" for line in parts)


def problems_last(results: Iterable[Result]) -> Sequence[Result]:
    """Return the results in their order, but with problems last, where users see them first."""
    return sorted(results, key=lambda one: one.outcome in PROBLEMS)


def row(result: Result, labels: Mapping[Outcome, str] = OUTCOMES) -> Row:
    """Return the row of one target."""
    found = result.target.deployment
    took = f" in {seconds(result.seconds)}" if result.outcome is Outcome.STOPPED else ""
    cells = {
        "DEPLOYMENT": Cell(clean(result.deployment_id)),
        "OUTCOME": Cell(f"{labels[result.outcome]}{took}", colour(result.outcome)),
        "MODEL": Cell(clean(found.model_id) if found else ""),
        "ERROR": Cell(clean(result.error.message) if result.error else ""),
    }
    return Row(cells, [use_in_brief(use) for use in result.used_by])


def colour(outcome: Outcome) -> str:
    """Return the ANSI style for an outcome."""
    if outcome in YELLOW_OUTCOMES:
        return "33"
    return "31" if outcome in PROBLEMS else "32"
