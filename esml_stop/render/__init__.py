"""Everything that is written to stdout: one report, in the form that was asked for."""

import sys

from esml_stop.report import Report


def render(report: Report, form: str, *, quiet: bool = False) -> None:
    """Write a report to stdout; the table is for terminals, a pipe gets tab-separated lines."""
    if form in {"json", "jsonl"}:
        from esml_stop.render import data

        text = data.document(report) if form == "json" else data.lines(report)
    elif form == "ids":
        from esml_stop.render import plain

        text = plain.ids(report)
    elif sys.stdout.isatty():
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
