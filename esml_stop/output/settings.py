"""Writes the connection settings to stdout: a table on a terminal, tab-separated lines in a pipe, or JSON."""

import sys
from collections.abc import Iterator
from typing import Any

from esml_stop.invocation import Invocation
from esml_stop.output.columns import Cell, Layout, Row, lines
from esml_stop.output.json_report import common_fields, error_fields, to_json, to_json_lines
from esml_stop.output.render import stdout
from esml_stop.output.terminal import has_colour, is_terminal
from esml_stop.settings_report import Inspection, Setting, SettingsReport
from esml_stop.text import clean, tabbed

CAN = {
    "manage_ml": "stop deployments",
    "monitor_inference": "see inference endpoints",
    "read_pipeline": "read ingest pipelines",
}
ANSWERS = {True: "yes", False: "no", None: "unknown to this server"}


def show(report: SettingsReport, invocation: Invocation, *, quiet: bool = False) -> None:
    """Write the report to stdout; the text is complete before anything is written."""
    as_table = invocation.output_format == "table" or (invocation.output_format is None and is_terminal(sys.stdout))
    text = table(report) if as_table else text_of(report, invocation)
    if as_table and is_terminal(sys.stdout) and not quiet:
        text += f"{closing(report)}\n"
    with stdout() as out:
        out.write(text)


def text_of(report: SettingsReport, invocation: Invocation) -> str:
    """Return the report in one of the formats for programs."""
    if invocation.output_format == "json":
        return to_json(envelope(report, invocation))
    if invocation.output_format == "jsonl":
        return to_json_lines(envelope(report, invocation), "settings", "setting")
    return "".join(f"{tabbed((one.name, one.value, one.source))}\n" for one in rows_of(report))


def envelope(report: SettingsReport, invocation: Invocation) -> dict[str, Any]:
    """Return the report as JSON values."""
    found = report.inspection
    return common_fields(invocation, "error" if report.exit_status else "success", int(report.exit_status)) | {
        "settings": [{"name": one.name, "value": one.value, "source": one.source} for one in report.settings],
        "not_used": list(report.not_used),
        "warnings": list(report.warnings),
        "check": found and inspection(found),
        "errors": [error_fields(report.error)] if report.error else [],
    }


def inspection(found: Inspection) -> dict[str, Any]:
    """Return the result of --check as JSON values."""
    return {
        "cluster_name": found.cluster_name,
        "version": found.version,
        "security": found.security,
        "user": found.user,
        "roles": list(found.roles),
        "api_key": found.api_key,
        "privileges": dict(found.privileges or {}),
    }


def rows_of(report: SettingsReport) -> Iterator[Setting]:
    """Yield the settings, the sources that are not used, and the results of --check."""
    yield from report.settings
    yield from (Setting("not_used", name) for name in report.not_used)
    if found := report.inspection:
        yield Setting("cluster", found.cluster_name or "not shown", "" if found.cluster_name else "requires monitor")
        yield Setting("version", found.version or "not shown", "" if found.version else "requires monitor")
        yield Setting("user", identity(found))
        for name, has in (found.privileges or {}).items():
            yield Setting(f"may {CAN[name]}", ANSWERS[has], name if found.security else "")


def identity(found: Inspection) -> str:
    """Return the user or API key as which the cluster authenticates this connection."""
    if not found.security:
        return "anyone: security is disabled"
    name = found.user or ""
    if found.api_key:
        return f"API key {found.api_key} of {name}"
    return f"{name} ({', '.join(found.roles) or 'no roles'})"


LAYOUT = Layout(("SETTING", "VALUE", "SOURCE"))
STYLES = {"yes": "32", "no": "31"}


def table(report: SettingsReport) -> str:
    """Return the report as a table; long values are never truncated."""
    rows = [
        Row(
            {
                "SETTING": Cell(clean(one.name.replace("_", " "))),
                "VALUE": Cell(clean(one.value), STYLES.get(one.value, "")),
                "SOURCE": Cell(clean(one.source)),
            }
        )
        for one in rows_of(report)
    ]
    return "".join(f"{line}\n" for line in lines(LAYOUT, rows, None, coloured=has_colour(sys.stdout)))


def closing(report: SettingsReport) -> str:
    """Return the closing sentence, which says whether the connection works and may stop deployments."""
    if report.error:
        return "This connection does not work."
    if report.inspection is None:
        return "The cluster was not contacted; use --check to test the connection."
    if not report.inspection.may_stop:
        return "This connection works, but you may not stop deployments."
    if report.blocked:
        return "This connection works, but the profile's command policy does not allow stopping deployments."
    return "This connection works, and you may stop deployments."
