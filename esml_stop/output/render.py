"""Everything that is written to stdout: one report, in the form that was asked for."""

from esml_stop.output.stdout import stdout
from esml_stop.output.terminal import is_terminal
from esml_stop.report import Report


def render(report: Report, form: str, *, quiet: bool = False) -> None:
    """Write a report to stdout; the table is for terminals, a pipe gets text that is never wrapped or cut."""
    with stdout() as out:
        if form == "table" and is_terminal(out) and not report.is_hurried:
            from esml_stop.output import table

            table.show(report, quiet=quiet)
        else:
            out.write(text_of(report, form))


def text_of(report: Report, form: str) -> str:
    """Return a report in one of the forms for programs."""
    if form in {"json", "jsonl"}:
        from esml_stop.output import json_report

        return json_report.document(report) if form == "json" else json_report.lines(report)
    from esml_stop.output import tsv

    if form == "ids":
        return tsv.ids(report)
    if report.command == "list":
        from esml_stop.output import listing

        return listing.lines(report)
    return tsv.lines(report)


def write(text: str) -> None:
    """Write what is no report to stdout."""
    with stdout() as out:
        out.write(text)


def schema(name: str) -> str:
    """Return the JSON Schema of the data forms, or of save files."""
    from importlib.resources import files

    return files("esml_stop").joinpath("schemas", f"{name}-1.json").read_text(encoding="utf-8")
