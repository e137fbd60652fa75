from itertools import pairwise

import pytest

from esml_stop.cluster.reader import Reader
from esml_stop.errors import BadAnswer, EsmlError, TlsFailed, Unreachable
from esml_stop.execute.stop import Stop, stop_all
from esml_stop.models import Flags
from esml_stop.outcomes import Outcome, Result, Target
from esml_stop.runtime.deadline import Deadline
from tests.execute.test_batch import RecordingListener
from tests.support.builders import deployment
from tests.support.fakes import BUSY, MISSING, REFUSED, RESET, SILENT, Answer, FakeClock, FakeCluster, refusal

STOPPING, RUNNING, GONE = {"d": "stopping"}, {"d": "started"}, dict[str, str]()
LISTED = Target("d", Outcome.WOULD_STOP, deployment("d"))
UNLISTED = Target("d", Outcome.WOULD_STOP)


def stopped(cluster: "TimedCluster", target: Target = LISTED, seconds: float = 60) -> Result:
    """Return the result of a stop of deployment d."""
    return Stop(cluster, target, Flags(), Deadline(seconds, cluster.clock), lambda _: None).run()


def outcome_and_attempts(result: Result) -> tuple[str, int]:
    """Return the outcome and the number of attempts of a stop without an error."""
    assert result.error is None
    return result.outcome.value, result.attempts


def cluster(*stops: Answer, looks: tuple[dict[str, str] | EsmlError, ...] = (GONE,)) -> "TimedCluster":
    """Return a fake cluster with these successive responses to stops and to reads of the state."""
    return TimedCluster(stops=list(stops), looks=list(looks))


class TimedCluster(FakeCluster):
    """A fake cluster with its own clock."""

    def __init__(self, **answers: object) -> None:
        super().__init__(**answers)  # type: ignore[arg-type]
        self.clock = FakeClock()


def test_a_confirmed_stop_needs_no_read() -> None:
    """A confirmed stop is one request and one attempt, whether or not the deployment was listed before."""
    for target in (LISTED, UNLISTED):
        fake = cluster(None)
        assert outcome_and_attempts(stopped(fake, target)) == ("stopped", 1)
        assert fake.asked == ["stop d"]


@pytest.mark.parametrize("lost", [RESET, BUSY])
def test_after_a_lost_response_a_missing_deployment_has_stopped(lost: Unreachable) -> None:
    """After a lost response, a missing deployment has stopped and nothing is sent again."""
    fake = cluster(lost, looks=(GONE,))
    assert stopped(fake).outcome is Outcome.STOPPED
    assert fake.asked == ["stop d", "look d"]


def test_a_lost_stop_is_repeated_if_the_deployment_is_running() -> None:
    """After a lost response, the stop is sent again once a read shows that the deployment is running."""
    fake = cluster(RESET, None, looks=(RUNNING,))
    assert outcome_and_attempts(stopped(fake)) == ("stopped", 2)
    assert fake.asked == ["stop d", "look d", "stop d"]


def test_a_stopping_deployment_is_awaited_with_growing_pauses() -> None:
    """After a lost response, a stopping deployment is polled with growing pauses, without a second stop."""
    fake = cluster(RESET, looks=(STOPPING, STOPPING, STOPPING, GONE))
    assert stopped(fake).outcome is Outcome.STOPPED
    assert fake.asked.count("stop d") == 1
    assert fake.clock.slept[1:] == [0.25, 0.5, 1.0]


def test_a_stop_at_the_deadline_is_still_stopping() -> None:
    """A deployment still stopping at the deadline is reported as such, with exit code 7 and a hint to check again."""
    fake = cluster(RESET, looks=(STOPPING,))
    result = stopped(fake, seconds=10)
    assert (result.outcome, result.error and result.error.exit_status) == (Outcome.STOPPING, 7)
    assert result.error
    assert "esml list" in str(result.error.hint)
    assert fake.clock.time - 1000 <= 10


def test_a_timeout_leaves_time_to_read_the_state() -> None:
    """If the stop times out two seconds before the deadline, the state is still read."""
    fake = cluster(SILENT, looks=(STOPPING, GONE))
    fake.stops[0] = lambda: time_out_after(fake, 58)
    assert stopped(fake).outcome is Outcome.STOPPED
    assert fake.asked == ["stop d", "look d", "look d"]


def time_out_after(fake: TimedCluster, seconds: float) -> None:
    """Advance the clock by some seconds and raise the error of a request that timed out."""
    fake.clock.time += seconds
    raise SILENT


def test_after_a_timeout_a_running_deployment_is_unknown() -> None:
    """After a timeout, a running deployment is unknown, with exit code 7, because it may still stop."""
    result = stopped(cluster(SILENT, looks=(RUNNING,)))
    assert (result.outcome, result.error and result.error.exit_status) == (Outcome.UNKNOWN, 7)


def test_after_four_failures_a_running_deployment_has_failed() -> None:
    """After four failed stops, each followed by a read, a running deployment has failed, with exit code 1."""
    fake = cluster(BUSY, looks=(RUNNING,))
    result = stopped(fake)
    assert (result.outcome, result.attempts, result.error and result.error.exit_status) == (Outcome.FAILED, 4, 1)
    assert fake.asked == ["stop d", *["look d", "stop d"] * 3, "look d"]
    assert result.error
    assert "still running" in str(result.error.hint)


def test_a_state_that_cannot_be_read_is_unknown_at_the_deadline() -> None:
    """If the state cannot be read before the deadline, the result is unknown, with exit code 7."""
    fake = cluster(RESET, looks=(BUSY,))
    result = stopped(fake, seconds=100)
    assert (result.outcome, result.error and result.error.exit_status) == (Outcome.UNKNOWN, 7)
    assert fake.clock.time - 1000 > 85


def test_the_state_decides_when_the_cluster_responds_again() -> None:
    """The state is read until the cluster responds again, and that state is the result."""
    fake = cluster(RESET, looks=(*[BUSY] * 12, GONE))
    assert stopped(fake, seconds=300).outcome is Outcome.STOPPED


@pytest.mark.parametrize("denied", [refusal(403), refusal(500), BadAnswer("odd")])
def test_a_permanent_read_error_makes_the_result_unknown(denied: EsmlError) -> None:
    """A permanent error while reading the state makes the outcome unknown within a second."""
    fake = cluster(RESET, looks=(denied,))
    assert stopped(fake, seconds=300).outcome is Outcome.UNKNOWN
    assert fake.clock.time - 1000 < 1


@pytest.mark.parametrize("unsent", [REFUSED, TlsFailed("no trust", sent=False)])
def test_a_stop_that_was_not_sent_is_not_attempted(unsent: Unreachable) -> None:
    """If the stop was not sent, it is not attempted and the exit code is 6."""
    result = stopped(cluster(unsent, looks=(unsent,)), UNLISTED)
    assert (result.outcome, result.error and result.error.exit_status) == (Outcome.NOT_ATTEMPTED, 6)


def test_after_the_deadline_nothing_is_sent() -> None:
    """After the deadline no stop is sent; the target is not attempted, with exit code 7."""
    fake = cluster(None)
    fake.clock.time += 0
    deadline = Deadline(1, fake.clock)
    fake.clock.sleep(2)
    result = Stop(fake, LISTED, Flags(), deadline, lambda _: None).run()
    assert (result.outcome, result.error and result.error.exit_status, fake.asked) == (Outcome.NOT_ATTEMPTED, 7, [])


@pytest.mark.parametrize(
    ("refused", "outcome", "status"),
    [
        (refusal(409), Outcome.IN_USE, 5),
        (refusal(400), Outcome.FAILED, 1),
        (refusal(500), Outcome.FAILED, 1),
        (refusal(404, "index_not_found_exception"), Outcome.FAILED, 1),
    ],
)
def test_a_refusal_is_final(refused: EsmlError, outcome: Outcome, status: int) -> None:
    """A refusal ends the stop after one attempt, with the server's reason and the exit code for its status."""
    fake = cluster(refused)
    result = stopped(fake)
    assert result.error
    assert (result.outcome, result.error.exit_status, result.error.reason) == (outcome, status, "no")
    assert fake.asked == ["stop d"]


def test_a_conflict_after_a_lost_response_is_a_refusal() -> None:
    """A 409 after a lost response means that the deployment is running and in use."""
    assert stopped(cluster(RESET, refusal(409), looks=(RUNNING,))).outcome is Outcome.IN_USE


def test_a_stop_is_repeated_if_the_server_requests_it() -> None:
    """After a 500 that asks to stop again, the stop is sent again if the deployment is running."""
    fake = cluster(refusal(500, reason="Attempt to stop again"), None, looks=(RUNNING,))
    assert outcome_and_attempts(stopped(fake)) == ("stopped", 2)


def test_repeated_requests_to_stop_again_end_with_the_state() -> None:
    """If the server keeps asking to stop again, as during the stop of another client, the state is the result."""
    again = refusal(500, reason="Attempt to stop again")
    assert stopped(cluster(again, looks=(*[STOPPING] * 40, GONE)), seconds=600).outcome is Outcome.STOPPED


def test_a_missing_deployment_that_was_listed_has_stopped() -> None:
    """A 404 for a deployment that was listed means that someone else stopped it."""
    assert outcome_and_attempts(stopped(cluster(MISSING))) == ("stopped", 1)


def test_a_missing_deployment_that_was_not_listed_is_not_found() -> None:
    """A 404 for a deployment that was not listed is reported as not found, because the ID may be a typo."""
    result = stopped(cluster(MISSING), UNLISTED)
    assert (result.outcome, result.error) == (Outcome.NOT_FOUND, None)


@pytest.mark.parametrize("looks", [(GONE,), (RUNNING,)])
def test_after_a_lost_response_a_missing_deployment_is_stopped_or_unknown(looks: tuple[dict[str, str], ...]) -> None:
    """After a lost response, a missing deployment has stopped if it was seen running; else it is unknown, exit 7."""
    result = stopped(cluster(RESET, MISSING, looks=looks), UNLISTED)
    if looks == (RUNNING,):
        assert outcome_and_attempts(result) == ("stopped", 2)
    else:
        assert (result.outcome, result.error and result.error.exit_status) == (Outcome.UNKNOWN, 7)


def test_a_missing_deployment_is_not_found_if_no_stop_was_sent() -> None:
    """A missing deployment is reported as not found if no stop could be sent."""
    assert stopped(cluster(REFUSED), UNLISTED).outcome is Outcome.NOT_FOUND


def test_a_deployment_that_stays_stopping_is_stopped_again() -> None:
    """A deployment that stays stopping after a lost response is stopped again, as the master node may have failed."""
    fake = cluster(RESET, None, looks=(STOPPING,))
    assert outcome_and_attempts(stopped(fake, seconds=300)) == ("stopped", 2)
    assert fake.asked.count("stop d") == 2
    assert 3 <= fake.clock.time - 1000 < 8


def test_the_stop_is_repeated_with_growing_pauses() -> None:
    """The stop is sent four times with growing pauses; then the state is read until the deadline."""
    fake, times = cluster(RESET, looks=(STOPPING,)), list[float]()
    fake.stops[0] = lambda: lose_response(fake, times)
    result = stopped(fake, seconds=300)
    assert (result.outcome, result.attempts, result.error and result.error.exit_status) == (Outcome.STOPPING, 4, 7)
    pauses = [later - earlier for earlier, later in pairwise(times)]
    assert len(pauses) == 3
    assert pauses == sorted(pauses)
    assert 290 < fake.clock.time - 1000 <= 300


def lose_response(fake: TimedCluster, times: list[float]) -> None:
    """Record when a stop was sent, and raise the error for a lost response."""
    times.append(fake.clock.time)
    raise RESET


def test_an_unexpected_response_makes_the_result_unknown() -> None:
    """An unexpected response makes the result unknown, with exit code 6, after one attempt."""
    fake = cluster(BadAnswer('"stopped": false'))
    result = stopped(fake)
    assert (result.outcome, result.attempts, result.error and result.error.exit_status) == (Outcome.UNKNOWN, 1, 6)


def reader(cluster: FakeCluster, seconds: float = 5) -> Reader:
    """Return a reader for a fake cluster."""
    return Reader(cluster, Deadline(seconds), lambda _: None)


def test_only_planned_targets_are_stopped_and_results_are_in_order() -> None:
    """Each target has a result in order, and stops are sent only for planned targets."""
    fake = FakeCluster()
    targets = [
        Target("a", Outcome.IN_USE, deployment("a")),
        Target("b", Outcome.WOULD_STOP, deployment("b")),
        Target("c", Outcome.NOT_FOUND),
        Target("d", Outcome.WOULD_STOP, deployment("d")),
    ]
    results, signal = stop_all(reader(fake), targets, Flags(), RecordingListener(), parallel=1)
    assert [(one.deployment_id, one.outcome.value) for one in results] == [
        ("a", "in_use"),
        ("b", "stopped"),
        ("c", "not_found"),
        ("d", "stopped"),
    ]
    assert (fake.asked, signal) == (["stop b", "stop d"], None)


def test_forced_is_set_only_for_stopped_deployments() -> None:
    """With --force, `forced` is true only for deployments that stopped."""
    targets = [Target(name, Outcome.WOULD_STOP, deployment(name)) for name in ("a", "b")]
    fake = FakeCluster(stops=[refusal(500), None])
    results, _ = stop_all(reader(fake), targets, Flags(force=True), RecordingListener(), parallel=1)
    assert [(one.outcome.value, one.forced) for one in results] == [("failed", False), ("stopped", True)]


def test_without_time_left_nothing_is_sent() -> None:
    """Without time left, no stop is sent and every planned target is not attempted."""
    targets = [Target(name, Outcome.WOULD_STOP, deployment(name)) for name in ("a", "b")]
    fake = FakeCluster()
    results, _ = stop_all(reader(fake, 0), targets, Flags(), RecordingListener(), parallel=4)
    assert ([one.outcome for one in results], fake.asked) == ([Outcome.NOT_ATTEMPTED] * 2, [])


@pytest.mark.parametrize(
    ("version", "outcome"), [("8.7.1", "unknown"), (None, "unknown"), ("8.8.0", "stopped"), ("9.1.0", "stopped")]
)
def test_an_old_server_does_not_prove_a_stop_of_an_unlisted_deployment(version: str | None, outcome: str) -> None:
    """Before 8.8, or with an unknown version, "stopped" is accepted only for deployments that were listed."""
    fake = cluster(None)
    fake.version = version
    reader = Reader(fake, Deadline(60, fake.clock), lambda _: None)
    unlisted = Target("e", Outcome.WOULD_STOP)
    results, _ = stop_all(reader, [LISTED, unlisted], Flags(), RecordingListener(), parallel=1)
    assert [one.outcome.value for one in results] == ["stopped", outcome]
    assert (results[1].error is None) is (outcome == "stopped")
