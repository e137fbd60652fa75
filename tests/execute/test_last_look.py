import os
import signal
import threading
from collections.abc import Callable, Mapping

import pytest

from esml_stop.cluster.reader import Reader
from esml_stop.errors import EsmlError, Refused
from esml_stop.execute.last_look import looked_at_again, verified
from esml_stop.models import LAST_LOOK, Listing
from esml_stop.outcomes import Outcome, Result, Target
from esml_stop.runtime.deadline import Deadline
from tests.support.builders import deployment
from tests.support.fakes import BUSY, FakeClock, FakeCluster, refusal

RUNS, GOING, GONE = {"a": "started"}, {"a": "stopping"}, dict[str, str]()


def result(name: str, outcome: Outcome = Outcome.STOPPED, **more: object) -> Result:
    """Return what became of a deployment that was seen running since 1."""
    return Result(Target(name, Outcome.WOULD_STOP, deployment(name, start_time=1)), outcome, **more)  # type: ignore[arg-type]


def reader(*looks: Mapping[str, str] | EsmlError, seconds: float = 60) -> tuple[Reader, FakeCluster, FakeClock]:
    """Return a reader of a cluster that lists this, one after the other."""
    cluster, clock = FakeCluster(looks=list(looks)), FakeClock()
    return Reader(cluster, Deadline(seconds, clock), lambda _: None), cluster, clock


def test_one_look_for_all_that_stopped() -> None:
    """What failed is not asked for."""
    read, cluster, _ = reader(GONE)
    results = [result("a"), result("b", Outcome.FAILED), result("c")]
    assert verified(results, read) == results
    assert cluster.asked == ["look a*,c*"]


def test_nothing_stopped_is_nothing_to_look_at() -> None:
    """No request."""
    read, cluster, _ = reader(GONE)
    assert verified([result("a", Outcome.FAILED)], read)
    assert cluster.asked == []


def test_a_node_may_be_a_moment_behind() -> None:
    """What is listed once more and then gone has stopped."""
    read, cluster, clock = reader(RUNS, GONE)
    assert verified([result("a")], read)[0].outcome is Outcome.STOPPED
    assert (len(cluster.asked), clock.slept) == (2, [0.5])


def test_what_stays_listed_has_not_stopped() -> None:
    """Three looks, then the listing counts for more than the answer to the stop."""
    read, cluster, _ = reader(RUNS)
    (one,) = verified([result("a")], read)
    assert one.error
    assert (one.outcome, one.error.message, one.error.exit_status) == (
        Outcome.FAILED,
        "It is still listed as running.",
        1,
    )
    assert len(cluster.asked) == 3


def test_what_was_started_again_is_told_apart() -> None:
    """Another start time means that it did stop."""
    read, _, _ = reader(RUNS)
    again = Result(Target("a", Outcome.WOULD_STOP, deployment("a", start_time=0)), Outcome.STOPPED)
    (one,) = verified([again], read)
    assert one.error
    assert one.error.message == "It stopped, and was started again by someone else."


def test_what_is_listed_as_stopping_is_waited_for() -> None:
    """As long as the deadline allows, with growing pauses; then it is still stopping, exit 7."""
    read, _, clock = reader(*[GOING] * 6, GONE)
    assert verified([result("a")], read)[0].outcome is Outcome.STOPPED
    assert clock.slept == [0.5, 1, 2, 4, 5, 5]
    read, _, clock = reader(GOING, seconds=20)
    (one,) = verified([result("a")], read)
    assert (one.outcome, one.error and one.error.exit_status) == (Outcome.STOPPING, 7)
    assert 19 < clock.time - 1000 <= 20


@pytest.mark.parametrize("error", [BUSY, refusal(403)])
def test_a_look_that_fails_leaves_the_servers_word(error: EsmlError) -> None:
    """Stopped, and the result says that nobody looked."""
    read, _, _ = reader(error)
    (one,) = verified([result("a")], read)
    assert (one.outcome, [unread.what for unread in one.target.not_checked]) == (Outcome.STOPPED, [LAST_LOOK])


def test_what_a_look_has_shown_is_not_forgotten_when_the_next_one_fails() -> None:
    """Listed once, then no answer: it is not said to have stopped."""
    read, _, _ = reader(RUNS, refusal(403))
    assert verified([result("a")], read)[0].outcome is Outcome.FAILED


def test_a_refusal_without_a_name_is_looked_into() -> None:
    """After a 409 what uses the deployment is read, as the server does not say it."""
    read, cluster, _ = reader({"a": "started"})
    refused = result(
        "a", Outcome.IN_USE, error=Refused("no", http_status=409, reason="referenced by ingest processors")
    )
    looked = looked_at_again([refused], read, check=True)
    assert (looked.results[0].outcome, looked.signal) == (Outcome.IN_USE, None)
    assert "look a*" in cluster.asked


def interrupted() -> None:
    """Send this process a signal."""
    os.kill(os.getpid(), signal.SIGTERM)


def broken() -> None:
    """Be a bug."""
    raise ZeroDivisionError


@pytest.mark.parametrize(("trouble", "number"), [(interrupted, signal.SIGTERM), (broken, None)])
def test_whatever_happens_the_results_are_there(trouble: Callable[[], None], number: int | None) -> None:
    """A signal in the last look, or a bug in it, loses nothing of what is known."""
    read, cluster, _ = reader(GONE)

    def look(_: str, timeout: float) -> Listing:
        trouble()
        threading.Event().wait(0.3)
        return Listing((), frozenset())

    cluster.deployments = look  # type: ignore[method-assign, assignment]
    looked = looked_at_again([result("a")], read, check=True)
    assert (looked.results[0].outcome, looked.signal) == (Outcome.STOPPED, number)
    assert any("bug" in line for line in looked.warnings) == (number is None)
