"""`esml list`, step by step: read the deployments and what uses them, report."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from esml_stop.cluster.reader import Reader
from esml_stop.outcomes import Outcome, Report, Result
from esml_stop.output.progress import Progress
from esml_stop.plan.patterns import ALL, Selection
from esml_stop.plan.stop_plan import listed


def run(
    selection: Selection, reader: Reader, progress: Progress, *, check: bool = True, strict: bool = False
) -> Report:
    """Return a report of the requested deployments (by default all) and what uses them."""
    everything = selection.is_empty
    if everything:
        selection = replace(selection, names=(ALL,))
    progress.phase("Looking up deployments and what uses them" if check else "Looking up deployments")
    snapshot = reader.read(selection, check=check)
    targets = (one for one in listed(selection, snapshot) if not (everything and one.decision is Outcome.NOT_FOUND))
    return Report("list", tuple(map(Result.planned, targets)), strict=strict)


def ordered(report: Report, sort: str | None) -> Report:
    """Return the report with its deployments sorted; unknown values and names without a deployment come last."""
    results = sorted(report.results, key=KEYS[sort]) if sort else report.results
    return replace(report, results=tuple(results))


def by_last_used(result: Result) -> tuple[bool, float, str]:
    """Return a sort key that puts the longest unused deployment first."""
    last = result.target.deployment and result.target.deployment.idle_since
    return last is None, last or 0, result.deployment_id


def by_memory(result: Result) -> tuple[bool, float, str]:
    """Return a sort key that puts the deployment with the most memory first."""
    needed = result.target.deployment and result.target.deployment.memory_bytes
    return needed is None, -(needed or 0), result.deployment_id


def by_id(result: Result) -> tuple[bool, float, str]:
    """Return a sort key that orders deployments by ID."""
    return result.target.deployment is None, 0, result.deployment_id


KEYS: Mapping[str, Callable[[Result], tuple[bool, float, str]]] = {
    "id": by_id,
    "last-used": by_last_used,
    "memory": by_memory,
}
