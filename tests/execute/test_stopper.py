from esml_stop.execute.stopper import Stopper
from esml_stop.models import Flags
from esml_stop.outcomes import Outcome, Target
from esml_stop.runtime.deadline import Deadline
from tests.execute.test_batch import Ears
from tests.support.builders import deployment
from tests.support.fakes import FakeCluster, refusal


def test_every_target_has_a_result_in_order_and_only_the_planned_are_touched() -> None:
    """What was decided against keeps its decision; nothing is sent for it."""
    cluster = FakeCluster()
    targets = [
        Target("a", Outcome.IN_USE, deployment("a")),
        Target("b", Outcome.WOULD_STOP, deployment("b")),
        Target("c", Outcome.NOT_FOUND),
        Target("d", Outcome.WOULD_STOP, deployment("d")),
    ]
    results, signal = Stopper(cluster, Flags(), Deadline(5), Ears(), parallel=1).carry_out(targets)
    assert [(one.deployment_id, one.outcome.value) for one in results] == [
        ("a", "in_use"),
        ("b", "stopped"),
        ("c", "not_found"),
        ("d", "stopped"),
    ]
    assert (cluster.asked, signal) == (["stop b", "stop d"], None)


def test_forced_is_only_what_stopped_with_force() -> None:
    """A stop that failed forced nothing."""
    targets = [Target(name, Outcome.WOULD_STOP, deployment(name)) for name in ("a", "b")]
    cluster = FakeCluster(stops=[refusal(500), None])
    results, _ = Stopper(cluster, Flags(force=True), Deadline(5), Ears(), parallel=1).carry_out(targets)
    assert [(one.outcome.value, one.forced) for one in results] == [("failed", False), ("stopped", True)]


def test_without_time_nothing_is_started() -> None:
    """Every planned target is reported as not started."""
    deadline = Deadline(5)
    deadline.expire()
    targets = [Target(name, Outcome.WOULD_STOP, deployment(name)) for name in ("a", "b")]
    cluster = FakeCluster()
    results, _ = Stopper(cluster, Flags(), deadline, Ears()).carry_out(targets)
    assert ([one.outcome for one in results], cluster.asked) == ([Outcome.NOT_STARTED] * 2, [])
