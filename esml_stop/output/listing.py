"""The deployments of `esml list`, as a table and as tab-separated lines."""

import time
from collections.abc import Iterable, Sequence

from esml_stop.models import Deployment
from esml_stop.outcomes import Outcome, Report, Result
from esml_stop.output.columns import Cell, Layout, Row
from esml_stop.output.in_use import short, use_in_brief
from esml_stop.text import ago, clean, counted, rfc3339, size, tabbed

LAYOUT = Layout(
    titles=(
        "DEPLOYMENT",
        "STATE",
        "ALLOC",
        "LAST USED",
        "MODEL",
        "MEMORY",
        "NODES",
        "QUEUE",
        "PRIORITY",
        "THREADS",
    ),
    optional=("MODEL", "MEMORY", "NODES", "QUEUE", "PRIORITY", "THREADS"),
    last="USED BY",
    right=frozenset({"ALLOC", "MEMORY", "QUEUE", "THREADS"}),
)
STATES = {"started": "32", "failed": "31", "stopping": "33", "starting": "33"}


def lines(report: Report) -> str:
    """Return a line per deployment, with the names of its nodes; times are RFC 3339, missing values are empty."""
    rows = (line(found, one) for one in report.results if (found := one.target.deployment))
    return "".join(f"{tabbed(row)}\n" for row in rows)


def line(found: Deployment, result: Result) -> Iterable[str]:
    """Return the values of one deployment."""
    return (
        found.deployment_id,
        found.model_id,
        found.state,
        f"{found.allocations}/{found.target_allocations}",
        found.priority or "",
        ",".join(found.nodes),
        str(found.pending),
        used_at(found),
        ",".join(map(short, result.used_by)),
        "" if found.memory_bytes is None else str(found.memory_bytes),
        "" if found.threads_per_allocation is None else str(found.threads_per_allocation),
        found.reason or "",
    )


def rows(results: Iterable[Result]) -> Sequence[Row]:
    """Return the rows of the table."""
    now = int(time.time() * 1000)
    return [
        Row(
            cells(found, now),
            [use_in_brief(use) for use in one.used_by],
            [f"reason: {clean(found.reason)}"] if found.reason else [],
        )
        for one in results
        if (found := one.target.deployment)
    ]


def cells(found: Deployment, now: int) -> dict[str, Cell]:
    """Return the cells of one deployment."""
    return {
        "DEPLOYMENT": Cell(clean(found.deployment_id)),
        "STATE": Cell(clean(found.state), STATES.get(found.state, "")),
        "ALLOC": Cell(f"{found.allocations}/{found.target_allocations}"),
        "LAST USED": Cell(last_use(found, now)),
        "MODEL": Cell(clean(found.model_id)),
        "MEMORY": Cell("" if found.memory_bytes is None else size(found.memory_bytes)),
        "NODES": Cell(clean(", ".join(found.nodes))),
        "QUEUE": Cell(f"{found.pending:,}"),
        "PRIORITY": Cell(clean(found.priority or "")),
        "THREADS": Cell("" if found.threads_per_allocation is None else str(found.threads_per_allocation)),
    }


def last_use(found: Deployment, now: int) -> str:
    """Return how long ago a deployment was last used; "not since" if nothing is known about the time before."""
    if found.in_use_now:
        return "now"
    if found.idle_since is None:
        return "unknown"
    passed = now - found.idle_since
    if found.last_access is not None and found.last_access >= found.idle_since:
        return ago(passed)
    return f"not since {ago(passed)}" if passed >= 60_000 else "unknown"  # less than a minute says too little


def used_at(found: Deployment) -> str:
    """Return when a deployment was last used, for programs; "not since" if nothing is known about the time before."""
    if found.idle_since is None:
        return "unknown"
    known = found.last_access is not None and found.last_access >= found.idle_since
    return f"{'' if known else 'not since '}{rfc3339(found.idle_since)}"


def summary(report: Report) -> str:
    """Return the sentence with the number of deployments and the memory that they require, as far as it is known.

    Each deployment loads the whole model in its own process on each of its nodes, so two deployments of a model
    require twice the memory.
    """
    number = report.count(Outcome.LISTED)
    if not number:
        return "No deployments are running." if not report.results else "No deployments to list."
    found = [one.target.deployment for one in report.results if one.target.deployment]
    known = [one.memory_bytes * max(1, len(one.nodes)) for one in found if one.memory_bytes is not None]
    memory = f", {'at least ' if len(known) < len(found) else ''}{size(sum(known))} of memory" if known else ""
    return f"{counted(number, 'deployment')}{memory}."
