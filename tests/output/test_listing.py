import io

import pytest
from rich.console import Console

from esml_stop.models import Deployment, Kind, Reference, Through
from esml_stop.outcomes import Outcome, Result, Target
from esml_stop.output.listing import last_use, lines, show, used_at
from esml_stop.report import Report
from tests.support.builders import deployment

USES = (
    Reference(Kind.ENDPOINT, "my-elser", Through.ENDPOINT),
    Reference(Kind.PIPELINE, "p[1]", Through.DEPLOYMENT),
    Reference(Kind.PIPELINE, "q", Through.MODEL),
)
SHORT_USES = "endpoint:my-elser,pipeline:p[1],pipeline:q"
BUSY = deployment(
    "a_rather_long_deployment_id",
    "m",
    allocations=1,
    target_allocations=2,
    priority="low",
    nodes=("node-1", "node-2"),
    pending=1234,
    last_access=1_700_000_000_000,
    idle_since=1_700_000_000_000,
)


def report() -> Report:
    """Return a list of a busy deployment, one that was never used, and a name that finds none."""
    return Report(
        "list",
        (
            Result(Target(BUSY.deployment_id, Outcome.LISTED, BUSY, USES), Outcome.LISTED, used_by=USES),
            Result(Target("b", Outcome.LISTED, deployment("b")), Outcome.LISTED),
            Result(Target("nope", Outcome.NOT_FOUND), Outcome.NOT_FOUND),
        ),
    )


def printed(width: int) -> str:
    """Return what a terminal of that width shows."""
    console = Console(file=io.StringIO(), width=width, height=40, color_system=None, highlight=False)
    show(console, report())
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_lines_have_every_value_whole() -> None:
    """Nodes by name, times in UTC, uses as words; a name that finds nothing stands alone."""
    assert lines(report()).split("\n") == [
        f"{BUSY.deployment_id}\tm\tstarted\t1/2\tlow\tnode-1,node-2\t1234\t2023-11-14T22:13:20Z\t{SHORT_USES}",
        "b\tm\tstarted\t0/0\t\t\t0\tunknown\t",
        "nope",
        "",
    ]


def test_a_wide_terminal_shows_a_table() -> None:
    """One row each, every use on a line of its own, nothing cut, no markup read."""
    text = printed(160)
    row = next(line for line in text.splitlines() if "a_rather_long" in line)
    assert row.split()[:7] == ["a_rather_long_deployment_id", "m", "started", "1/2", "low", "2", "1,234"]
    assert "now  " in row
    assert "endpoint my-elser" in row
    assert "\n" in text
    assert [line.strip() for line in text.splitlines() if line.strip().startswith("pipeline")] == [
        "pipeline p[1]",
        "pipeline q (by model)",
    ]


@pytest.mark.parametrize("width", [20, 60, 80])
def test_a_narrow_terminal_shows_a_block_for_each(width: int) -> None:
    """Whole values again, wherever the terminal itself breaks the lines."""
    text = printed(width)
    assert "a_rather_long_deployment_id\n  started, 1/2 allocations, low priority, 1,234 queued, last used: " in text
    assert "\n  model m on node-1, node-2\n  inference endpoint my-elser (owns the deployment)\n" in text
    assert "\nb\n  started, 0/0 allocations, 0 queued, last used: unknown\n  model m on no node\n" in text


DAY = 86_400_000


@pytest.mark.parametrize(
    ("found", "ago", "at"),
    [
        (deployment("d"), "unknown", "unknown"),
        (deployment("d", last_access=5 * DAY, idle_since=5 * DAY), "2 days ago", "1970-01-06T00:00:00Z"),
        (deployment("d", idle_since=6 * DAY), "not since 1 day ago", "not since 1970-01-07T00:00:00Z"),
        (
            deployment("d", last_access=5 * DAY, idle_since=6 * DAY),
            "not since 1 day ago",
            "not since 1970-01-07T00:00:00Z",
        ),
        (deployment("d", last_access=5 * DAY, idle_since=5 * DAY, last_minute=1), "now", "1970-01-06T00:00:00Z"),
    ],
    ids=["nothing known", "used", "not since its start", "one node restarted", "in use"],
)
def test_the_last_use_is_never_more_than_what_is_known(found: Deployment, ago: str, at: str) -> None:
    """Nothing is called unused for a time about which the cluster knows nothing."""
    assert (last_use(found, 7 * DAY), used_at(found)) == (ago, at)
