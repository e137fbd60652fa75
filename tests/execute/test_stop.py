from itertools import pairwise

import pytest

from esml_stop.cluster.reader import Reader
from esml_stop.errors import BadAnswer, EsmlError, TlsFailed, Unreachable
from esml_stop.execute.stop import Stop, stop_all
from esml_stop.models import Flags
from esml_stop.outcomes import Outcome, Result, Target
from esml_stop.runtime.deadline import Deadline
from tests.execute.test_batch import Ears
from tests.support.builders import deployment
from tests.support.fakes import BUSY, MISSING, REFUSED, RESET, SILENT, Answer, FakeClock, FakeCluster, refusal

GOING, RUNS, GONE = {"d": "stopping"}, {"d": "started"}, dict[str, str]()
SEEN = Target("d", Outcome.WOULD_STOP, deployment("d"))
UNSEEN = Target("d", Outcome.WOULD_STOP)


def stopped(cluster: "Timed", target: Target = SEEN, seconds: float = 60) -> Result:
    """Return the result of a stop of `d`."""
    return Stop(cluster, target, Flags(), Deadline(seconds, cluster.clock), lambda _: None).run()


def brief(result: Result) -> tuple[str, int]:
    """Return the outcome of a stop without an error, and the number of requests."""
    assert result.error is None
    return result.outcome.value, result.attempts


def cluster(*stops: Answer, looks: tuple[dict[str, str] | EsmlError, ...] = (GONE,)) -> "Timed":
    """Return a cluster with these successive responses to stops and to reads of the state."""
    return Timed(stops=list(stops), looks=list(looks))


class Timed(FakeCluster):
    """A cluster with a clock."""

    def __init__(self, **answers: object) -> None:
        super().__init__(**answers)  # type: ignore[arg-type]
        self.clock = FakeClock()


def test_a_confirmed_stop_needs_no_read() -> None:
    """A confirmed stop is one request and one attempt, whether or not the deployment was listed before."""
    for target in (SEEN, UNSEEN):
        fake = cluster(None)
        assert brief(stopped(fake, target)) == ("stopped", 1)
        assert fake.asked == ["stop d"]


@pytest.mark.parametrize("lost", [RESET, BUSY])
def test_after_a_lost_response_a_missing_deployment_has_stopped(lost: Unreachable) -> None:
    """After a lost response, a missing deployment has stopped and nothing is sent again."""
    fake = cluster(lost, looks=(GONE,))
    assert stopped(fake).outcome is Outcome.STOPPED
    assert fake.asked == ["stop d", "look d"]


def test_a_lost_stop_is_repeated_if_the_deployment_is_running() -> None:
    """After a lost response, the stop is sent again once a read shows that the deployment is running."""
    fake = cluster(RESET, None, looks=(RUNS,))
    assert brief(stopped(fake)) == ("stopped", 2)
    assert fake.asked == ["stop d", "look d", "stop d"]


def test_a_stopping_deployment_is_awaited_with_growing_pauses() -> None:
    """A stopping deployment is awaited with growing pauses, without a second stop."""
    fake = cluster(RESET, looks=(GOING, GOING, GOING, GONE))
    assert stopped(fake).outcome is Outcome.STOPPED
    assert fake.asked.count("stop d") == 1
    assert fake.clock.slept[1:] == [0.25, 0.5, 1.0]


def test_a_stop_at_the_deadline_is_still_stopping() -> None:
    """A deployment still stopping at the deadline is reported as such, with exit code 7 and a hint to check again."""
    fake = cluster(RESET, looks=(GOING,))
    ended = stopped(fake, seconds=10)
    assert (ended.outcome, ended.error and ended.error.exit_status) == (Outcome.STOPPING, 7)
    assert ended.error
    assert "esml list" in str(ended.error.hint)
    assert fake.clock.time - 1000 <= 10


def test_a_timeout_leaves_time_to_read_the_state() -> None:
    """If the stop times out two seconds before the deadline, the state is still read."""
    fake = cluster(SILENT, looks=(GOING, GONE))
    fake.stops[0] = lambda: silent_for(fake, 58)
    assert stopped(fake).outcome is Outcome.STOPPED
    assert fake.asked == ["stop d", "look d", "look d"]


def silent_for(fake: Timed, seconds: float) -> None:
    """Advance the clock by some seconds and raise the error of a request that timed out."""
    fake.clock.time += seconds
    raise SILENT


def test_after_a_timeout_a_running_deployment_is_unknown() -> None:
    """After a timeout, a running deployment is unknown, because the stop may still take effect."""
    ended = stopped(cluster(SILENT, looks=(RUNS,)))
    assert (ended.outcome, ended.error and ended.error.exit_status) == (Outcome.UNKNOWN, 7)


def test_after_four_failures_a_running_deployment_has_failed() -> None:
    """After four failed stops, each after a read, a running deployment has failed, with exit code 1."""
    fake = cluster(BUSY, looks=(RUNS,))
    ended = stopped(fake)
    assert (ended.outcome, ended.attempts, ended.error and ended.error.exit_status) == (Outcome.FAILED, 4, 1)
    assert fake.asked == ["stop d", *["look d", "stop d"] * 3, "look d"]
    assert ended.error
    assert "still running" in str(ended.error.hint)


def test_a_state_that_cannot_be_read_is_unknown_at_the_deadline() -> None:
    """If the state cannot be read before the deadline, the result is unknown, with exit code 7."""
    fake = cluster(RESET, looks=(BUSY,))
    ended = stopped(fake, seconds=100)
    assert (ended.outcome, ended.error and ended.error.exit_status) == (Outcome.UNKNOWN, 7)
    assert fake.clock.time - 1000 > 85


def test_the_state_decides_when_the_cluster_responds_again() -> None:
    """The state is read until the cluster responds again, and that state is the result."""
    fake = cluster(RESET, looks=(*[BUSY] * 12, GONE))
    assert stopped(fake, seconds=300).outcome is Outcome.STOPPED


@pytest.mark.parametrize("denied", [refusal(403), refusal(500), BadAnswer("odd")])
def test_a_permanent_read_error_makes_the_result_unknown(denied: EsmlError) -> None:
    """A permanent error while reading the state makes the result unknown at once."""
    fake = cluster(RESET, looks=(denied,))
    assert stopped(fake, seconds=300).outcome is Outcome.UNKNOWN
    assert fake.clock.time - 1000 < 1


@pytest.mark.parametrize("unsent", [REFUSED, TlsFailed("no trust", sent=False)])
def test_a_stop_that_was_not_sent_is_not_attempted(unsent: Unreachable) -> None:
    """If the stop was not sent, it is not attempted and the exit code is 6."""
    ended = stopped(cluster(unsent, looks=(unsent,)), UNSEEN)
    assert (ended.outcome, ended.error and ended.error.exit_status) == (Outcome.NOT_ATTEMPTED, 6)


def test_after_the_deadline_nothing_is_sent() -> None:
    """After the deadline the stop is not attempted, with exit code 7."""
    fake = cluster(None)
    fake.clock.time += 0
    deadline = Deadline(1, fake.clock)
    fake.clock.sleep(2)
    ended = Stop(fake, SEEN, Flags(), deadline, lambda _: None).run()
    assert (ended.outcome, ended.error and ended.error.exit_status, fake.asked) == (Outcome.NOT_ATTEMPTED, 7, [])


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
    """A refusal is reported with the server's message after one attempt."""
    fake = cluster(refused)
    ended = stopped(fake)
    assert ended.error
    assert (ended.outcome, ended.error.exit_status, ended.error.reason) == (outcome, status, "no")
    assert fake.asked == ["stop d"]


def test_a_conflict_after_a_lost_response_is_a_refusal() -> None:
    """A 409 after a lost response means that the deployment is running and in use."""
    assert stopped(cluster(RESET, refusal(409), looks=(RUNS,))).outcome is Outcome.IN_USE


def test_a_stop_is_repeated_if_the_server_requests_it() -> None:
    """After a 500 that asks to stop again, the stop is sent again if the deployment is running."""
    fake = cluster(refusal(500, reason="Attempt to stop again"), None, looks=(RUNS,))
    assert brief(stopped(fake)) == ("stopped", 2)


def test_repeated_requests_to_stop_again_end_with_the_state() -> None:
    """If the server keeps asking to stop again, as during the stop of another client, the state is the result."""
    again = refusal(500, reason="Attempt to stop again")
    assert stopped(cluster(again, looks=(*[GOING] * 40, GONE)), seconds=600).outcome is Outcome.STOPPED


def test_a_missing_deployment_that_was_listed_has_stopped() -> None:
    """A 404 for a deployment that was listed means that someone else stopped it."""
    assert brief(stopped(cluster(MISSING))) == ("stopped", 1)


def test_a_missing_deployment_that_was_not_listed_is_not_found() -> None:
    """A 404 for a deployment that was not listed is reported as not found, because the ID may be a typo."""
    ended = stopped(cluster(MISSING), UNSEEN)
    assert (ended.outcome, ended.error) == (Outcome.NOT_FOUND, None)


@pytest.mark.parametrize("looks", [(GONE,), (RUNS,)])
def test_after_a_lost_response_a_missing_deployment_is_stopped_or_unknown(looks: tuple[dict[str, str], ...]) -> None:
    """After a lost response, a missing deployment has stopped if it was seen running; else it is unknown, exit 7."""
    ended = stopped(cluster(RESET, MISSING, looks=looks), UNSEEN)
    if looks == (RUNS,):
        assert brief(ended) == ("stopped", 2)
    else:
        assert (ended.outcome, ended.error and ended.error.exit_status) == (Outcome.UNKNOWN, 7)


def test_a_missing_deployment_is_not_found_if_no_stop_was_sent() -> None:
    """A missing deployment is reported as not found if no stop could be sent."""
    assert stopped(cluster(REFUSED), UNSEEN).outcome is Outcome.NOT_FOUND


def test_a_deployment_that_stays_stopping_is_stopped_again() -> None:
    """A deployment that stays stopping after a lost response is stopped again, as the master node may have failed."""
    fake = cluster(RESET, None, looks=(GOING,))
    assert brief(stopped(fake, seconds=300)) == ("stopped", 2)
    assert fake.asked.count("stop d") == 2
    assert 3 <= fake.clock.time - 1000 < 8


def test_the_stop_is_repeated_with_growing_pauses() -> None:
    """The stop is sent four times with growing pauses; then the state is read until the deadline."""
    fake, sent = cluster(RESET, looks=(GOING,)), list[float]()
    fake.stops[0] = lambda: lost_at(fake, sent)
    ended = stopped(fake, seconds=300)
    assert (ended.outcome, ended.attempts, ended.error and ended.error.exit_status) == (Outcome.STOPPING, 4, 7)
    apart = [later - earlier for earlier, later in pairwise(sent)]
    assert len(apart) == 3
    assert apart == sorted(apart)
    assert 290 < fake.clock.time - 1000 <= 300


def lost_at(fake: Timed, sent: list[float]) -> None:
    """Record when a stop was sent, and lose its response."""
    sent.append(fake.clock.time)
    raise RESET


def test_an_unexpected_response_makes_the_result_unknown() -> None:
    """An unexpected response makes the result unknown, with exit code 6, after one attempt."""
    fake = cluster(BadAnswer('"stopped": false'))
    ended = stopped(fake)
    assert (ended.outcome, ended.attempts, ended.error and ended.error.exit_status) == (Outcome.UNKNOWN, 1, 6)


def reader(cluster: FakeCluster, seconds: float = 5) -> Reader:
    """Return a reader of a cluster."""
    return Reader(cluster, Deadline(seconds), lambda _: None)


def test_every_target_has_a_result_in_order_and_only_planned_ones_are_stopped() -> None:
    """Each target has a result in order, and stops are sent only for planned targets."""
    fake = FakeCluster()
    targets = [
        Target("a", Outcome.IN_USE, deployment("a")),
        Target("b", Outcome.WOULD_STOP, deployment("b")),
        Target("c", Outcome.NOT_FOUND),
        Target("d", Outcome.WOULD_STOP, deployment("d")),
    ]
    results, signal = stop_all(reader(fake), targets, Flags(), Ears(), parallel=1)
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
    results, _ = stop_all(reader(fake), targets, Flags(force=True), Ears(), parallel=1)
    assert [(one.outcome.value, one.forced) for one in results] == [("failed", False), ("stopped", True)]


def test_without_time_nothing_is_sent() -> None:
    """Without time left, every planned target is not attempted."""
    targets = [Target(name, Outcome.WOULD_STOP, deployment(name)) for name in ("a", "b")]
    fake = FakeCluster()
    results, _ = stop_all(reader(fake, 0), targets, Flags(), Ears(), parallel=4)
    assert ([one.outcome for one in results], fake.asked) == ([Outcome.NOT_ATTEMPTED] * 2, [])


@pytest.mark.parametrize(
    ("version", "outcome"), [("8.7.1", "unknown"), (None, "unknown"), ("8.8.0", "stopped"), ("9.1.0", "stopped")]
)
def test_an_unlisted_deployment_is_unproven_on_an_old_server(version: str | None, outcome: str) -> None:
    """Before 8.8, or with an unknown version, "stopped" is accepted only for deployments that were listed."""
    fake = cluster(None)
    fake.version = version
    reader = Reader(fake, Deadline(60, fake.clock), lambda _: None)
    unseen = Target("e", Outcome.WOULD_STOP)
    results, _ = stop_all(reader, [SEEN, unseen], Flags(), Ears(), parallel=1)
    assert [one.outcome.value for one in results] == ["stopped", outcome]
    assert (results[1].error is None) is (outcome == "stopped")
