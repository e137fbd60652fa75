"""Writes a report to standard output in the requested format."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from io import TextIOWrapper
from typing import TextIO

from esml_stop.errors import OutputFailed
from esml_stop.invocation import Invocation
from esml_stop.outcomes import DONE, Report, Result
from esml_stop.output import json_report, listing, table
from esml_stop.output.in_use import short
from esml_stop.output.terminal import has_colour, is_terminal, width
from esml_stop.text import clean, tabbed


def render(report: Report, invocation: Invocation, *, summarized: bool = False) -> None:
    """Write a report to stdout; the default is a table on a terminal and tab-separated lines elsewhere.

    With `summarized`, the closing sentence on stderr replaces the default table of a single target. The text is
    complete before anything is written, so that an error in formatting leaves no partial output.
    """
    single = report.command != "list" and len(report.results) == 1
    if not (summarized and invocation.output_format is None and single and is_terminal(sys.stdout)):
        write(text_of(report, invocation))


def text_of(report: Report, invocation: Invocation) -> str:
    """Return a report in the requested format."""
    form = invocation.output_format or ("table" if is_terminal(sys.stdout) and not report.skips_table else "tsv")
    if form in {"json", "jsonl"}:
        return json_report.document(report, invocation) if form == "json" else json_report.lines(report, invocation)
    if form == "ids":
        return ids(report)
    if form == "tsv":
        return listing.lines(report) if report.command == "list" else lines(report)
    return "" if report.cancelled else table_of(report, wide=form == "wide")


def lines(report: Report) -> str:
    """Return a line per target: deployment ID, outcome, model ID, previous state, uses, and the error or hint."""
    return "".join(f"{line(result)}\n" for result in report.results)


def line(result: Result) -> str:
    """Return one target's values, separated by tabs; missing values are empty."""
    deployment = result.target.deployment
    values = (
        result.deployment_id,
        result.outcome.value,
        deployment.model_id if deployment else "",
        deployment.state if deployment else "",
        ",".join(map(short, result.used_by)),
        result.error.message if result.error else result.target.hint or "",
    )
    return tabbed(values)


def ids(report: Report) -> str:
    """Return the IDs of the deployments that are listed, or that were or would be stopped or started."""
    return "".join(f"{clean(result.deployment_id)}\n" for result in report.results if result.outcome in DONE)


def table_of(report: Report, *, wide: bool) -> str:
    """Return the table, fitted to the width of the terminal; in a pipe and with -o wide, at its natural width."""
    everything = wide or not is_terminal(sys.stdout)
    room = None if everything else width(sys.stdout)
    return table.text(report, room, coloured=has_colour(sys.stdout), errors=everything)


def write(text: str) -> None:
    """Write text to stdout."""
    with stdout() as out:
        out.write(text)


def schema(name: str) -> str:
    """Return the JSON Schema of the JSON output or of save files."""
    return files("esml_stop").joinpath("schemas", f"{name}-1.json").read_text(encoding="utf-8")


@contextmanager
def stdout() -> Iterator[TextIO]:
    """Yield standard output and flush it.

    Raises BrokenPipeError if the reader closed the pipe, and OutputFailed if writing fails for another reason.
    """
    if sys.stdout is None:
        raise OutputFailed("The results cannot be written: standard output is closed.")
    try:
        if isinstance(sys.stdout, TextIOWrapper):
            sys.stdout.reconfigure(errors="backslashreplace")  # for characters that the encoding lacks
        yield sys.stdout
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "standard output is closed"
        raise OutputFailed(f"The results cannot be written: {why.lower()}.") from error
