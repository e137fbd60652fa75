import pytest

from esml_stop.models import Deployment, Kind, Reference, Through
from esml_stop.outcomes import Outcome, Report, Result, Target
from esml_stop.output.listing import last_use, lines, used_at
from esml_stop.output.table import text
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
    memory_bytes=265_000_000,
)


def report() -> Report:
    """Return a list with a busy deployment, one whose last use is unknown, and a name that matches nothing."""
    return Report(
        "list",
        (
            Result(Target(BUSY.deployment_id, Outcome.LISTED, BUSY, USES), Outcome.LISTED, used_by=USES),
            Result(Target("b", Outcome.LISTED, deployment("b")), Outcome.LISTED),
            Result(Target("nope", Outcome.NOT_FOUND), Outcome.NOT_FOUND),
        ),
    )


def test_each_line_of_a_list_has_all_values() -> None:
    """Each deployment is one line with all values: node names, times in UTC and uses."""
    assert lines(report()).split("\n") == [
        f"{BUSY.deployment_id}\tm\tstarted\t1/2\tlow\tnode-1,node-2\t1234\t2023-11-14T22:13:20Z\t{SHORT_USES}\t265000000\t\t",
        "b\tm\tstarted\t0/0\t\t\t0\tunknown\t\t\t\t",
        "",
    ]


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
        (deployment("d", idle_since=7 * DAY - 59_000), "unknown", "not since 1970-01-07T23:59:01Z"),
        (deployment("d", last_access=5 * DAY, idle_since=5 * DAY, last_minute=1), "now", "1970-01-06T00:00:00Z"),
    ],
    ids=["nothing known", "used", "not since its start", "one node restarted", "started just now", "in use"],
)
def test_the_last_use_is_shown_only_as_far_as_known(found: Deployment, ago: str, at: str) -> None:
    """The last use is shown as far as it is known: as a time, `now`, `not since` a time, or `unknown`."""
    assert (last_use(found, 7 * DAY), used_at(found)) == (ago, at)


def test_a_wide_terminal_shows_every_column() -> None:
    """A wide terminal shows all columns, one row per deployment and one line per use, without truncation."""
    head, busy, second, third, other = text(report(), 160).splitlines()
    assert head.split("  ")[0] == "DEPLOYMENT"
    assert busy.split()[:3] == ["a_rather_long_deployment_id", "started", "1/2"]
    assert "m      253 MB  node-1, node-2  1,234  low" in busy
    assert busy.endswith("endpoint my-elser")
    assert [line.strip() for line in (second, third)] == ["pipeline p[1]", "pipeline q (model)"]
    assert other.split()[0] == "b"


def test_a_table_without_a_terminal_has_its_natural_width() -> None:
    """Without a terminal, the table is the same as on a terminal with 1,000 columns."""
    assert text(report(), None) == text(report(), 1000)


@pytest.mark.parametrize("columns", [30, 60])
def test_a_narrow_terminal_shows_the_uses_below_each_row(columns: int) -> None:
    """A narrow terminal shows complete IDs, no models, and the uses below each row."""
    table = text(report(), columns)
    assert "MODEL" not in table
    assert table.startswith("DEPLOYMENT")
    assert "a_rather_long_deployment_id" in table
    assert all(f"\n  used by: {use}\n" in table for use in ("endpoint my-elser", "pipeline p[1]", "pipeline q (model)"))


def test_columns_that_fit_are_shown_above_the_uses() -> None:
    """The memory column is shown if it fits, even if the uses are shown below each row."""
    head, first, use, *_ = text(report(), 72).splitlines()
    assert head.split("  ")[-1].strip() == "MEMORY"
    assert first.endswith("253 MB")
    assert use == "  used by: endpoint my-elser"


def test_a_very_long_id_does_not_remove_columns() -> None:
    """A very long ID is on its own line, a long reason wraps, and the other rows keep their columns."""
    names = ["a", "b", "c", "d" * 90]
    found = [deployment(name, "m", reason="word " * 30 if name == "c" else None) for name in names]
    results = tuple(Result.planned(Target(one.deployment_id, Outcome.LISTED, one, USES[1:2])) for one in found)
    head, *rows = text(Report("list", results), 100).splitlines()
    assert head.endswith("USED BY")
    assert rows[0].split() == ["a", "started", "0/0", "unknown", "m", "0", "pipeline", "p[1]"]
    assert rows[-2] == "d" * 90
    folded = rows[3 : rows.index("d" * 90)]
    assert folded[0].startswith("  reason: word word")
    assert all(len(line) <= 100 and line.startswith("    word") for line in folded[1:])


def test_an_id_wider_than_its_column_is_on_a_separate_line() -> None:
    """An ID that does not fit into its column is on a separate line, followed by its row."""
    _, name, rest, *_ = text(report(), 30).splitlines()
    assert name == BUSY.deployment_id
    assert rest.split()[:2] == ["started", "1/2"]


@pytest.mark.parametrize(("columns", "visible"), [(80, []), (87, ["MODEL"]), (95, ["MODEL", "MEMORY"])])
def test_columns_are_added_in_order_of_importance(columns: int, visible: list[str]) -> None:
    """With more room, columns are added in order of importance."""
    head = text(report(), columns).splitlines()[0]
    assert head.startswith("DEPLOYMENT")
    assert [one for one in ("MODEL", "MEMORY", "NODES") if one in head] == visible
