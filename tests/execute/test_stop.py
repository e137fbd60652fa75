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
    """Return how a stop of `d` ends."""
    return Stop(cluster, target, Flags(), Deadline(seconds, cluster.clock), lambda _: None).run()


def brief(result: Result) -> tuple[str, int]:
    """Return the outcome of a stop that has no error, and how often it was sent."""
    assert result.error is None
    return result.outcome.value, result.attempts


def cluster(*stops: Answer, looks: tuple[dict[str, str] | EsmlError, ...] = (GONE,)) -> "Timed":
    """Return a cluster that answers stops, and looks at the state, one after the other."""
    return Timed(stops=list(stops), looks=list(looks))


class Timed(FakeCluster):
    """A cluster with a clock."""

    def __init__(self, **answers: object) -> None:
        super().__init__(**answers)  # type: ignore[arg-type]
        self.clock = FakeClock()


def test_an_answer_that_says_stopped_needs_no_look() -> None:
    """One request, one attempt, stopped; also for what was not looked up before."""
    for target in (SEEN, UNSEEN):
        fake = cluster(None)
        assert brief(stopped(fake, target)) == ("stopped", 1)
        assert fake.asked == ["stop d"]


@pytest.mark.parametrize("lost", [RESET, BUSY])
def test_a_lost_answer_is_settled_by_the_state(lost: Unreachable) -> None:
    """Gone is stopped, and nothing is sent again."""
    fake = cluster(lost, looks=(GONE,))
    assert stopped(fake).outcome is Outcome.STOPPED
    assert fake.asked == ["stop d", "look d"]


def test_it_is_sent_again_only_while_it_still_runs() -> None:
    """A second stop follows a look that shows it running."""
    fake = cluster(RESET, None, looks=(RUNS,))
    assert brief(stopped(fake)) == ("stopped", 2)
    assert fake.asked == ["stop d", "look d", "stop d"]


def test_what_is_stopping_is_waited_for_with_growing_pauses() -> None:
    """No second stop while the first one works."""
    fake = cluster(RESET, looks=(GOING, GOING, GOING, GONE))
    assert stopped(fake).outcome is Outcome.STOPPED
    assert fake.asked.count("stop d") == 1
    assert fake.clock.slept[1:] == [0.25, 0.5, 1.0]


def test_what_is_still_stopping_at_the_deadline_is_said_to_be() -> None:
    """Exit 7, with a word about looking again."""
    fake = cluster(RESET, looks=(GOING,))
    ended = stopped(fake, seconds=10)
    assert (ended.outcome, ended.error and ended.error.exit_status) == (Outcome.STOPPING, 7)
    assert ended.error
    assert "esml list" in str(ended.error.hint)
    assert fake.clock.time - 1000 <= 10


def test_a_time_out_leaves_time_to_read_the_state() -> None:
    """The stop gets two seconds less than there are; the state is read in these."""
    fake = cluster(SILENT, looks=(GOING, GONE))
    fake.stops[0] = lambda: silent_for(fake, 58)
    assert stopped(fake).outcome is Outcome.STOPPED
    assert fake.asked == ["stop d", "look d", "look d"]


def silent_for(fake: Timed, seconds: float) -> None:
    """Let time pass and give no answer."""
    fake.clock.time += seconds
    raise SILENT


def test_after_a_time_out_what_still_runs_is_unknown() -> None:
    """The stop may still be on its way, so it is neither failed nor stopped."""
    ended = stopped(cluster(SILENT, looks=(RUNS,)))
    assert (ended.outcome, ended.error and ended.error.exit_status) == (Outcome.UNKNOWN, 7)


def test_what_keeps_failing_and_still_runs_is_failed() -> None:
    """Four stops, a look before each but the first, and one at the end; exit 1, and it says that it still runs."""
    fake = cluster(BUSY, looks=(RUNS,))
    ended = stopped(fake)
    assert (ended.outcome, ended.attempts, ended.error and ended.error.exit_status) == (Outcome.FAILED, 4, 1)
    assert fake.asked == ["stop d", *["look d", "stop d"] * 3, "look d"]
    assert ended.error
    assert "still running" in str(ended.error.hint)


def test_a_state_that_cannot_be_read_is_unknown_at_the_deadline() -> None:
    """Reading goes on until then: the cluster may come back."""
    fake = cluster(RESET, looks=(BUSY,))
    ended = stopped(fake, seconds=100)
    assert (ended.outcome, ended.error and ended.error.exit_status) == (Outcome.UNKNOWN, 7)
    assert fake.clock.time - 1000 > 85


def test_a_cluster_that_comes_back_settles_it() -> None:
    """The state is read as long as it takes, and what it says counts."""
    fake = cluster(RESET, looks=(*[BUSY] * 12, GONE))
    assert stopped(fake, seconds=300).outcome is Outcome.STOPPED


@pytest.mark.parametrize("denied", [refusal(403), refusal(500), BadAnswer("odd")])
def test_a_state_that_may_not_be_read_is_unknown_at_once(denied: EsmlError) -> None:
    """What asking again does not change is not asked for until the deadline."""
    fake = cluster(RESET, looks=(denied,))
    assert stopped(fake, seconds=300).outcome is Outcome.UNKNOWN
    assert fake.clock.time - 1000 < 1


@pytest.mark.parametrize("unsent", [REFUSED, TlsFailed("no trust", sent=False)])
def test_what_was_never_sent_was_not_attempted(unsent: Unreachable) -> None:
    """Nothing was changed, and the exit code is that of a cluster that cannot be reached."""
    ended = stopped(cluster(unsent, looks=(unsent,)), UNSEEN)
    assert (ended.outcome, ended.error and ended.error.exit_status) == (Outcome.NOT_ATTEMPTED, 6)


def test_after_the_deadline_nothing_is_sent() -> None:
    """It was not attempted, exit 7."""
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
    """One attempt, the server's own words, no look."""
    fake = cluster(refused)
    ended = stopped(fake)
    assert ended.error
    assert (ended.outcome, ended.error.exit_status, ended.error.reason) == (outcome, status, "no")
    assert fake.asked == ["stop d"]


def test_a_conflict_after_a_lost_answer_is_a_refusal() -> None:
    """The first stop came to nothing, the second one was refused: it runs."""
    assert stopped(cluster(RESET, refusal(409), looks=(RUNS,))).outcome is Outcome.IN_USE


def test_stop_again_is_done() -> None:
    """The one 500 that asks for it is followed by a look and another stop."""
    fake = cluster(refusal(500, reason="Attempt to stop again"), None, looks=(RUNS,))
    assert brief(stopped(fake)) == ("stopped", 2)


def test_a_stop_that_is_always_told_to_come_again_is_settled_by_the_state() -> None:
    """Somebody else's stop is at work; it ends when that one does."""
    again = refusal(500, reason="Attempt to stop again")
    assert stopped(cluster(again, looks=(*[GOING] * 40, GONE)), seconds=600).outcome is Outcome.STOPPED


def test_a_missing_deployment_that_was_seen_has_stopped() -> None:
    """Somebody else was quicker; it is gone, which is what was wanted."""
    assert brief(stopped(cluster(MISSING))) == ("stopped", 1)


def test_a_missing_deployment_that_was_not_seen_is_not_found() -> None:
    """It may be a typing error, so it is not said to have stopped."""
    ended = stopped(cluster(MISSING), UNSEEN)
    assert (ended.outcome, ended.error) == (Outcome.NOT_FOUND, None)


@pytest.mark.parametrize("looks", [(GONE,), (RUNS,)])
def test_missing_after_a_lost_answer(looks: tuple[dict[str, str], ...]) -> None:
    """What no look has shown running is unknown, exit 7: it is not said that nothing was done. Else it has stopped."""
    ended = stopped(cluster(RESET, MISSING, looks=looks), UNSEEN)
    if looks == (RUNS,):
        assert brief(ended) == ("stopped", 2)
    else:
        assert (ended.outcome, ended.error and ended.error.exit_status) == (Outcome.UNKNOWN, 7)


def test_missing_after_a_stop_that_was_never_sent_is_not_found() -> None:
    """The first attempt did not leave this machine, so nothing was stopped by it."""
    assert stopped(cluster(REFUSED), UNSEEN).outcome is Outcome.NOT_FOUND


def test_what_stays_stopping_after_a_lost_answer_is_stopped_again() -> None:
    """A master that died midway leaves it stopping until the stop is sent again."""
    fake = cluster(RESET, None, looks=(GOING,))
    assert brief(stopped(fake, seconds=300)) == ("stopped", 2)
    assert fake.asked.count("stop d") == 2
    assert 3 <= fake.clock.time - 1000 < 8


def test_the_stop_is_sent_again_a_few_times_and_further_and_further_apart() -> None:
    """Then the state is read until the deadline; the server may only be slow."""
    fake, sent = cluster(RESET, looks=(GOING,)), list[float]()
    fake.stops[0] = lambda: lost_at(fake, sent)
    ended = stopped(fake, seconds=300)
    assert (ended.outcome, ended.attempts, ended.error and ended.error.exit_status) == (Outcome.STOPPING, 4, 7)
    apart = [later - earlier for earlier, later in pairwise(sent)]
    assert len(apart) == 3
    assert apart == sorted(apart)
    assert 290 < fake.clock.time - 1000 <= 300


def lost_at(fake: Timed, sent: list[float]) -> None:
    """Remember when a stop was sent, and lose its answer."""
    sent.append(fake.clock.time)
    raise RESET


def test_an_answer_of_another_shape_is_never_stopped() -> None:
    """Unknown with exit 6, after one attempt."""
    fake = cluster(BadAnswer('"stopped": false'))
    ended = stopped(fake)
    assert (ended.outcome, ended.attempts, ended.error and ended.error.exit_status) == (Outcome.UNKNOWN, 1, 6)


def reader(cluster: FakeCluster, seconds: float = 5) -> Reader:
    """Return a reader of a cluster."""
    return Reader(cluster, Deadline(seconds), lambda _: None)


def test_every_target_has_a_result_in_order_and_only_the_planned_are_touched() -> None:
    """What was decided against keeps its decision; nothing is sent for it."""
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


def test_forced_is_only_what_stopped_with_force() -> None:
    """A stop that failed forced nothing."""
    targets = [Target(name, Outcome.WOULD_STOP, deployment(name)) for name in ("a", "b")]
    fake = FakeCluster(stops=[refusal(500), None])
    results, _ = stop_all(reader(fake), targets, Flags(force=True), Ears(), parallel=1)
    assert [(one.outcome.value, one.forced) for one in results] == [("failed", False), ("stopped", True)]


def test_without_time_nothing_is_sent() -> None:
    """Every planned target is reported as not attempted."""
    targets = [Target(name, Outcome.WOULD_STOP, deployment(name)) for name in ("a", "b")]
    fake = FakeCluster()
    results, _ = stop_all(reader(fake, 0), targets, Flags(), Ears(), parallel=4)
    assert ([one.outcome for one in results], fake.asked) == ([Outcome.NOT_ATTEMPTED] * 2, [])


@pytest.mark.parametrize(
    ("version", "outcome"), [("8.7.1", "unknown"), (None, "unknown"), ("8.8.0", "stopped"), ("9.1.0", "stopped")]
)
def test_an_old_server_is_not_believed_about_what_was_not_listed(version: str | None, outcome: str) -> None:
    """Before 8.8 it says "stopped" for any model; what was seen running has stopped on every server."""
    fake = cluster(None)
    fake.version = version
    reader = Reader(fake, Deadline(60, fake.clock), lambda _: None)
    unseen = Target("e", Outcome.WOULD_STOP)
    results, _ = stop_all(reader, [SEEN, unseen], Flags(), Ears(), parallel=1)
    assert [one.outcome.value for one in results] == ["stopped", outcome]
    assert (results[1].error is None) is (outcome == "stopped")
