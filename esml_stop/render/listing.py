"""The deployments that run, as a table for a terminal and as lines for a pipe."""

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from esml_stop.models import Deployment, Result
from esml_stop.render.plain import short, tabbed
from esml_stop.report import Report
from esml_stop.text import ago, clean, rfc3339
from esml_stop.words import use

if TYPE_CHECKING:
    from rich.table import Table

COLUMNS = ("Deployment", "Model", "State", "Allocations", "Priority", "Nodes", "Queue", "Last use", "Used by")


def lines(report: Report) -> str:
    """Return a line per deployment with the table's columns; times are RFC 3339, a missing value is empty."""
    return "".join(f"{tabbed(line(one))}\n" for one in report.results)


def line(result: Result) -> Iterable[str]:
    """Return the values of one deployment, or the name that finds none."""
    found = result.target.deployment
    if found is None:
        return (result.deployment_id,)
    last = rfc3339(found.last_access) if found.last_access else "never"
    return (*values(found), last, ",".join(map(short, result.used_by)))


def values(found: Deployment) -> tuple[str, ...]:
    """Return what a deployment shows in a table and in a line alike."""
    reached = f"{found.allocations}/{found.target_allocations}"
    nodes = ",".join(found.nodes)
    return found.deployment_id, found.model_id, found.state, reached, found.priority or "", nodes, str(found.pending)


def table(report: Report) -> "Table":
    """Return the table of the deployments that were found; long IDs fold onto the next line and are never cut."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in COLUMNS:
        grid.add_column(name, overflow="fold", justify="right" if name in {"Allocations", "Queue"} else "left")
    now = int(time.time() * 1000)
    for result in report.results:
        if found := result.target.deployment:
            last = ago(now - found.last_access) if found.last_access else "never"
            uses = "\n".join(map(use, result.used_by))
            grid.add_row(*(Text(clean(value)) for value in (*values(found), last)), Text(uses))
    return grid
