"""Tab-separated values for pipes: one line per target, never truncated or wrapped."""

from collections.abc import Iterable

from esml_stop.models import Kind, Reference
from esml_stop.outcomes import DONE, Report, Result
from esml_stop.text import clean


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


def tabbed(values: Iterable[str]) -> str:
    """Return values separated by tabs; tabs within a value are escaped."""
    return "\t".join(map(clean, values))


def short(reference: Reference) -> str:
    """Return a use as `pipeline:ID` or `endpoint:ID`."""
    return f"{'pipeline' if reference.kind is Kind.PIPELINE else 'endpoint'}:{reference.id}"


def ids(report: Report) -> str:
    """Return the IDs of the deployments that are listed, or that were or would be stopped or started."""
    return "".join(f"{clean(result.deployment_id)}\n" for result in report.results if result.outcome in DONE)
