"""Everything that is written to stdout: one report, in the form that was asked for."""

import sys
from io import TextIOWrapper

from esml_stop.errors import OutputFailed
from esml_stop.report import Report
from esml_stop.terminal import is_terminal


def render(report: Report, form: str, *, quiet: bool = False) -> None:
    """Write a report to stdout; the table is for terminals, a pipe gets tab-separated lines.

    Raises OutputFailed when it cannot be written, but BrokenPipeError when nobody reads it.
    """
    if sys.stdout is None:
        raise OutputFailed("The results cannot be written: standard output is closed.")
    try:
        write(report, form, quiet=quiet)
    except BrokenPipeError:
        raise
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "standard output is closed"
        raise OutputFailed(f"The results cannot be written: {why.lower()}.") from error


def write(report: Report, form: str, *, quiet: bool) -> None:
    """Write a report to a stdout that is open."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # an encoding that lacks a character loses no line
    if form in {"json", "jsonl"}:
        from esml_stop.render import data

        text = data.document(report) if form == "json" else data.lines(report)
    elif form == "ids":
        from esml_stop.render import plain

        text = plain.ids(report)
    elif is_terminal(sys.stdout):
        from esml_stop.render import table

        table.show(report, quiet=quiet)
        return
    elif report.command == "list":
        from esml_stop.render import listing

        text = listing.lines(report)
    else:
        from esml_stop.render import plain

        text = plain.lines(report)
    sys.stdout.write(text)
    sys.stdout.flush()


def write_schema() -> None:
    """Write the JSON Schema of the data forms to stdout."""
    from importlib.resources import files

    sys.stdout.write(files("esml_stop").joinpath("schemas", "report-1.json").read_text(encoding="utf-8"))
