"""The sentences people read about targets; no I/O, and every foreign value cleaned."""

from collections.abc import Sequence

from esml_stop.models import Kind, NotChecked, Outcome, Reference, Result, Target, Through
from esml_stop.report import Report
from esml_stop.text import clean, command, counted, listed

OUTCOMES = {
    Outcome.STOPPED: "stopped",
    Outcome.WOULD_STOP: "would stop",
    Outcome.NOT_FOUND: "not found",
    Outcome.IN_USE: "in use, not stopped",
    Outcome.STOPPING: "still stopping",
    Outcome.UNKNOWN: "unknown",
    Outcome.FAILED: "failed",
    Outcome.NOT_STARTED: "not touched",
}


def use(reference: Reference) -> str:
    """Return one use of a deployment in words."""
    name = clean(reference.id)
    if reference.kind is Kind.PIPELINE:
        how = "its model or a model alias" if reference.through is Through.MODEL else "the deployment"
        return f"ingest pipeline {name} (names {how})"
    how = "owns" if reference.through is Through.ENDPOINT else "uses"
    return f"inference endpoint {name} ({how} the deployment)"


def unread(one: NotChecked) -> str:
    """Return what was not checked in words."""
    return f"{clean(one.what)} not checked ({clean(one.reason)})"


def refusal(result: Result, again: Sequence[str], *, dry_run: bool) -> list[str]:
    """Return the lines about a deployment that is in use; the last one is the command that stops it all the same."""
    verb = "would not be" if dry_run else "was not"
    lines = [
        f"{clean(result.deployment_id)} {verb} stopped: it is in use.",
        *(f"  {use(one)}" for one in result.used_by),
    ]
    if result.error and result.error.reason:
        lines.append(f"  Elasticsearch says: {clean(result.error.reason)}")
    if result.target.deployment and not result.error and all(one.through is Through.MODEL for one in result.used_by):
        lines.append(f"  No other deployment of model {clean(result.target.deployment.model_id)} would be left.")
    return [*lines, f"  To stop it all the same: {clean(command(*again, result.deployment_id, '--force'))}"]


def forced(target: Target) -> str:
    """Return the warning about a deployment that is stopped although it is in use."""
    uses = "; ".join(map(use, target.used_by))
    return f"{clean(target.deployment_id)} is in use: {uses}. These fail until it is started again."


def missing(target: Target) -> str:
    """Return the line about a name that found nothing."""
    what = "No deployment matches" if "*" in target.deployment_id else "No deployment is called"
    hint = f": it {clean(target.hint)}" if target.hint and target.hint.startswith("is ") else ""
    if target.hint and not hint:
        hint = f"; {clean(target.hint)}"
    line = f"{what} {clean(target.deployment_id)}{hint or '; nothing to stop'}"
    return line if line.endswith("?") else f"{line}."


def closing(report: Report) -> str:
    """Return the one sentence that says what changed."""
    if report.cancelled:
        return "Cancelled; nothing was stopped."
    if not report.results:
        return "Nothing to stop."
    parts = [part(report, outcome) for outcome in Outcome if report.count(outcome)]
    sentence = f"{listed(parts)}."
    return f"{sentence[0].upper()}{sentence[1:]}{' Nothing was changed.' if report.dry_run else ''}"


def part(report: Report, outcome: Outcome) -> str:
    """Return how many ended so, or which one if it is the only one."""
    names = [result.deployment_id for result in report.results if result.outcome is outcome]
    what = clean(names[0]) if len(names) == 1 else counted(len(names), "deployment")
    return (
        f"{what} {'is ' if outcome in IS and len(names) == 1 else 'are ' if outcome in IS else ''}{OUTCOMES[outcome]}"
    )


IS = {Outcome.STOPPED, Outcome.IN_USE, Outcome.STOPPING, Outcome.UNKNOWN}
