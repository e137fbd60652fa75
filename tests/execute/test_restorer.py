from collections.abc import Mapping

from esml_stop.cluster.reader import Reader
from esml_stop.errors import EsmlError
from esml_stop.execute.restorer import Restorer, watched_arriving
from esml_stop.outcomes import Failure, Outcome, Result, Target
from esml_stop.output.progress import Quiet
from esml_stop.runtime.deadline import Deadline
from tests.support.builders import deployment
from tests.support.fakes import FakeClock, FakeCluster, refusal


def planned(name: str, outcome: Outcome = Outcome.WOULD_START, state: str = "stopped") -> Result:
    """Return what a plan says of a saved deployment."""
    return Result(Target(name, outcome, deployment(name, state=state)), outcome)


def reader(*looks: Mapping[str, str] | EsmlError, seconds: float = 60) -> tuple[Reader, FakeCluster, FakeClock]:
    """Return a reader of a cluster that shows these states one after the other."""
    cluster, clock = FakeCluster(looks=list(looks)), FakeClock()
    return Reader(cluster, Deadline(seconds, clock), lambda _: None), cluster, clock


def test_only_what_is_planned_is_started_and_the_order_stays() -> None:
    """What runs, differs or is held back is not touched."""
    read, cluster, _ = reader({})
    differs = Result(planned("b", Outcome.DIFFERS).target, Outcome.DIFFERS, error=Failure("other"))
    plan = [planned("a"), differs, planned("c", Outcome.ALREADY_RUNNING), planned("d")]
    results, signal = Restorer(read, Quiet(), wait_for="started", parallel=1).carry_out(plan)
    assert ([one.outcome.value for one in results], signal) == (
        ["started", "differs", "already_running", "started"],
        None,
    )
    assert results[1].error == differs.error
    assert cluster.asked == ["start a started", "start d started"]


def began(name: str) -> Result:
    """Return the result of a start that was accepted."""
    return Result(planned(name).target, Outcome.STARTED, attempts=1)


def test_all_are_watched_with_one_request_a_look() -> None:
    """Until the last one has started, with growing pauses."""
    read, cluster, clock = reader(
        {"a": "starting", "b": "started"}, {"a": "starting", "b": "started"}, {"a": "started", "b": "started"}
    )
    seen = watched_arriving([began("a"), began("b"), planned("x", Outcome.NOT_FOUND)], read, "started")
    assert [one.outcome.value for one in seen] == ["started", "started", "not_found"]
    assert (cluster.asked, clock.slept) == (["look a*,b*"] * 3, [0.5, 1.0])


def test_what_ran_but_was_only_starting_is_watched_too() -> None:
    """It is never said to have been started by this run."""
    read, _, _ = reader({"a": "starting"}, {"a": "started"})
    (one,) = watched_arriving([planned("a", Outcome.ALREADY_RUNNING, "starting")], read, "started")
    assert one.outcome is Outcome.ALREADY_RUNNING


def test_when_time_is_over_it_is_still_starting() -> None:
    """Exit code 7, and how far it is."""
    read, _, _ = reader({"a": "starting"}, seconds=5)
    (one,) = watched_arriving([began("a")], read, "started")
    assert (one.outcome, one.error and one.error.exit_status) == (Outcome.STARTING, 7)


def test_nothing_to_watch_asks_nothing() -> None:
    """Neither for what failed nor for what runs."""
    read, cluster, _ = reader({})
    results = [planned("a", Outcome.FAILED), planned("b", Outcome.ALREADY_RUNNING, "started")]
    assert watched_arriving(results, read, "started") == results
    assert cluster.asked == []


def test_without_an_answer_the_servers_word_stands() -> None:
    """It said that the deployment started."""
    read, _, _ = reader(refusal(403))
    (one,) = watched_arriving([began("a")], read, "started")
    assert one.outcome is Outcome.STARTED
