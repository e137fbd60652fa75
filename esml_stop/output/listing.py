"""The deployments that run, as a table for a terminal and as lines for a pipe."""

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from esml_stop.models import Deployment
from esml_stop.outcomes import Result
from esml_stop.output.messages import use, use_in_brief
from esml_stop.output.tsv import short, tabbed
from esml_stop.report import Report
from esml_stop.text import ago, clean, rfc3339

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

COLUMNS = ("Deployment", "Model", "State", "Alloc.", "Priority", "Nodes", "Queue", "Last use", "Used by")


def lines(report: Report) -> str:
    """Return a line per deployment, its nodes by their names; times are RFC 3339, a missing value is empty."""
    return "".join(f"{tabbed(line(one))}\n" for one in report.results)


def line(result: Result) -> Iterable[str]:
    """Return the values of one deployment, or the name that finds none."""
    found = result.target.deployment
    if found is None:
        return (result.deployment_id,)
    reached, nodes = f"{found.allocations}/{found.target_allocations}", ",".join(found.nodes)
    last = used_at(found)
    start = found.deployment_id, found.model_id, found.state, reached, found.priority or "", nodes
    return (*start, str(found.pending), last, ",".join(map(short, result.used_by)))


def show(console: "Console", report: Report) -> None:
    """Print what was found as a table, or where that is wider than the terminal as a block for each deployment."""
    from rich.measure import Measurement

    found = [one for one in report.results if one.target.deployment]
    now = int(time.time() * 1000)
    if not found:
        return
    grid = table(found, now)
    if Measurement.get(console, console.options.update(width=10_000), grid).maximum <= console.width:
        console.print(grid)
    else:
        console.print(*(block(one, now) for one in found), "", sep="\n", soft_wrap=True)


def table(results: Iterable[Result], now: int) -> "Table":
    """Return the table of the deployments; nothing in it is cut or folded."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for name in COLUMNS:
        grid.add_column(name, no_wrap=True, justify="right" if name in {"Alloc.", "Nodes", "Queue"} else "left")
    for result in results:
        if found := result.target.deployment:
            uses = "\n".join(map(use_in_brief, result.used_by))
            cells = (*columns(found), last_use(found, now), uses)
            grid.add_row(*(Text(cell) if cell is uses else Text(clean(cell)) for cell in cells))
    return grid


def block(result: Result, now: int) -> "Text":
    """Return the lines about one deployment."""
    from rich.text import Text

    found = result.target.deployment
    assert found
    _, model, state, allocations, priority, _, queue = columns(found)
    rank = f" {priority} priority," if priority else ""
    rows = [
        f"{state}, {allocations} allocations,{rank} {queue} queued, last used: {last_use(found, now)}",
        f"model {model} on {', '.join(found.nodes) or 'no node'}",
        *map(use, result.used_by),
    ]
    lines = "".join(f"\n  {clean(one)}" for one in rows)
    return Text.assemble((clean(found.deployment_id), "bold"), lines)


def columns(found: Deployment) -> tuple[str, ...]:
    """Return what the table shows of a deployment, up to its queue."""
    reached = f"{found.allocations}/{found.target_allocations}"
    nodes, queue = str(len(found.nodes)), f"{found.pending:,}"
    return found.deployment_id, found.model_id, found.state, reached, found.priority or "", nodes, queue


def last_use(found: Deployment, now: int) -> str:
    """Return how long ago it was last used; `not since` where nothing is known about the time before."""
    if found.in_use_now:
        return "now"
    if found.idle_since is None:
        return "unknown"
    known = found.last_access is not None and found.last_access >= found.idle_since
    return f"{'' if known else 'not since '}{ago(now - found.idle_since)}"


def used_at(found: Deployment) -> str:
    """Return when it was last used, for programs; `not since` where nothing is known about the time before."""
    if found.idle_since is None:
        return "unknown"
    known = found.last_access is not None and found.last_access >= found.idle_since
    return f"{'' if known else 'not since '}{rfc3339(found.idle_since)}"
