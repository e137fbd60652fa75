import signal
import threading
from collections.abc import Mapping

import pytest

from esml_stop.cluster.reader import Reader
from esml_stop.errors import EsmlError, Refused
from esml_stop.execute import batch
from esml_stop.execute.batch import settled_at_once
from esml_stop.execute.stop import settled, verified, with_final_check
from esml_stop.models import FINAL_CHECK, Listing, Pipeline, Pipelines
from esml_stop.outcomes import Outcome, Result, Target
from esml_stop.runtime.background import begin, wait_for_result
from esml_stop.runtime.deadline import Deadline
from tests.support.builders import deployment
from tests.support.fakes import BUSY, FakeClock, FakeCluster, refusal
from tests.support.signals import hearing, send

RUNNING, STOPPING, GONE = {"a": "started"}, {"a": "stopping"}, dict[str, str]()


def result(name: str, outcome: Outcome = Outcome.STOPPED, **more: object) -> Result:
    """Return the result of a deployment that was listed with the start time 1."""
    return Result(Target(name, Outcome.WOULD_STOP, deployment(name, start_time=1)), outcome, **more)  # type: ignore[arg-type]


def fake_reader(*looks: Mapping[str, str] | EsmlError, seconds: float = 60) -> tuple[Reader, FakeCluster, FakeClock]:
    """Return a reader for a fake cluster with these successive listings, the cluster and its clock."""
    cluster, clock = FakeCluster(looks=list(looks)), FakeClock()
    return Reader(cluster, Deadline(seconds, clock), lambda _: None), cluster, clock


def test_one_request_checks_all_stopped_deployments() -> None:
    """One request checks all stopped deployments; failed ones are not checked."""
    reader, cluster, _ = fake_reader(GONE)
    results = [result("a"), result("b", Outcome.FAILED), result("c")]
    assert verified(results, reader) == results
    assert cluster.asked == ["look a,c"]


def test_without_stopped_deployments_no_request_is_made() -> None:
    """No request is made if nothing stopped."""
    reader, cluster, _ = fake_reader(GONE)
    assert verified([result("a", Outcome.FAILED)], reader)
    assert cluster.asked == []


def test_a_deployment_missing_from_the_second_check_has_stopped() -> None:
    """A deployment has stopped if only the first check still lists it."""
    reader, cluster, clock = fake_reader(RUNNING, GONE)
    assert verified([result("a")], reader)[0].outcome is Outcome.STOPPED
    assert (len(cluster.asked), clock.slept) == (2, [0.5])


def test_a_deployment_that_stays_listed_has_not_stopped() -> None:
    """A deployment that three checks list as running has failed to stop, regardless of the stop response."""
    reader, cluster, _ = fake_reader(RUNNING)
    (one,) = verified([result("a")], reader)
    assert one.error
    assert (one.outcome, one.error.message, one.error.exit_status) == (
        Outcome.FAILED,
        "It is still listed as running.",
        1,
    )
    assert len(cluster.asked) == 3


def test_a_start_by_someone_else_is_recognized() -> None:
    """A different start time means that the deployment stopped and someone else started it again."""
    reader, _, _ = fake_reader(RUNNING)
    restarted = Result(Target("a", Outcome.WOULD_STOP, deployment("a", start_time=0)), Outcome.STOPPED)
    (one,) = verified([restarted], reader)
    assert one.error
    assert one.error.message == "It stopped, but was started again, not by this command."


def test_a_deployment_listed_as_stopping_is_awaited() -> None:
    """A stopping deployment is awaited with growing pauses; at the deadline it is still stopping, with exit code 7."""
    reader, _, clock = fake_reader(*[STOPPING] * 6, GONE)
    assert verified([result("a")], reader)[0].outcome is Outcome.STOPPED
    assert clock.slept == [0.5, 1, 2, 4, 5, 5]
    reader, _, clock = fake_reader(STOPPING, seconds=20)
    (one,) = verified([result("a")], reader)
    assert (one.outcome, one.error and one.error.exit_status) == (Outcome.STOPPING, 7)
    assert 19 < clock.time - 1000 <= 20


@pytest.mark.parametrize("error", [BUSY, refusal(403)])
def test_a_failed_check_keeps_the_stop_response(error: EsmlError) -> None:
    """If the check fails, the deployment counts as stopped, and the result says that it was not checked."""
    reader, _, _ = fake_reader(error)
    (one,) = verified([result("a")], reader)
    assert (one.outcome, [unread.what for unread in one.target.not_checked]) == (Outcome.STOPPED, [FINAL_CHECK])


def test_a_listed_deployment_has_not_stopped_if_the_next_check_fails() -> None:
    """A deployment that one check lists as running has failed to stop, even if the next check fails."""
    reader, _, _ = fake_reader(RUNNING, refusal(403))
    assert verified([result("a")], reader)[0].outcome is Outcome.FAILED


def test_the_uses_of_a_refused_deployment_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a 409, the uses of the deployment are read, because the response does not name them."""
    reader, cluster, _ = fake_reader({"a": "started"})
    monkeypatch.setattr(cluster, "pipelines", lambda _: Pipelines({"p": Pipeline(frozenset({"a"}))}))
    refused = result(
        "a", Outcome.IN_USE, error=Refused("no", http_status=409, reason="referenced by ingest processors")
    )
    final = with_final_check([refused], reader, check=True)
    assert (final.results[0].outcome, final.signal) == (Outcome.IN_USE, None)
    assert [one.id for one in final.results[0].used_by] == ["p"]


def test_a_signal_during_the_final_check_keeps_all_results() -> None:
    """A signal ends the check, and all results are kept."""
    reader, cluster, _ = fake_reader(GONE)
    release = threading.Event()

    def look(_: str, timeout: float) -> Listing:
        send(signal.SIGTERM)
        return wait_for_result(20, begin(lambda: release.wait(20)))  # type: ignore[return-value]

    cluster.deployments = look  # type: ignore[method-assign, assignment]
    with hearing():
        final = with_final_check([result("a")], reader, check=True)
    release.set()
    assert (final.results[0].outcome, final.signal, final.warnings) == (Outcome.STOPPED, signal.SIGTERM, ())


def test_an_exception_in_the_final_check_keeps_all_results() -> None:
    """An unexpected exception in the check becomes a warning, and all results are kept."""
    reader, cluster, _ = fake_reader(GONE)
    cluster.looks = None  # type: ignore[assignment]
    final = with_final_check([result("a")], reader, check=True)
    assert (final.results[0].outcome, final.signal) == (Outcome.STOPPED, None)
    assert [line for line in final.warnings if "bug" in line]


@pytest.mark.parametrize(
    ("state", "outcome"), [(GONE, "stopped"), (STOPPING, "stopping"), (RUNNING, "unknown"), (refusal(403), "unknown")]
)
def test_after_a_signal_one_request_settles_unknown_results(
    state: Mapping[str, str] | EsmlError, outcome: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a signal, one check finds gone and stopping deployments; others stay unknown, as they do if it fails."""
    monkeypatch.setattr(batch, "QUICK_SECONDS", 20)
    reader, cluster, _ = fake_reader(state)
    results = [result("a", Outcome.UNKNOWN), result("b"), result("c", Outcome.NOT_ATTEMPTED)]
    seen = settled_at_once(results, reader, settled)
    assert [one.outcome.value for one in seen] == [outcome, "stopped", "not_attempted"]
    assert cluster.asked == ["look a"]


def test_a_deployment_never_seen_running_has_not_stopped() -> None:
    """After a signal with --no-check, a missing deployment is not reported as stopped, as its ID may be a typo."""
    reader, _, _ = fake_reader(GONE)
    unseen = Result(Target("a", Outcome.WOULD_STOP), Outcome.UNKNOWN)
    assert settled_at_once([unseen], reader, settled) == [unseen]
