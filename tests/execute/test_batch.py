import signal
import threading

import pytest

from esml_stop.execute import batch
from esml_stop.execute.batch import Batch, Say
from esml_stop.outcomes import Outcome, Result, Target
from esml_stop.runtime.deadline import Deadline
from esml_stop.runtime.signals import interrupt_pending
from tests.support.fakes import FakeClock
from tests.support.signals import hearing, send
from tests.support.terminal import until


def stopped_result(target: Target) -> Result:
    """Return the result of a successful stop."""
    return Result(target, Outcome.STOPPED, attempts=1)


class RecordingListener:
    """A listener that records all events and the threads that reported them."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.threads: set[threading.Thread] = set()

    def started(self, target: Target) -> None:
        """Record the start of a job."""
        self.record(f"+{target.deployment_id}")

    def ended(self, result: Result) -> None:
        """Record a result."""
        self.record(f"-{result.deployment_id} {result.outcome.value}")

    def retrying(self, line: str) -> None:
        """Record the reason for a retry."""
        self.record(line)

    def record(self, line: str) -> None:
        """Record an event and the current thread."""
        self.events.append(line)
        self.threads.add(threading.current_thread())


def targets(*names: str) -> list[Target]:
    """Return targets with these deployment IDs that are planned to be stopped."""
    return [Target(name, Outcome.WOULD_STOP) for name in names]


def outcomes(results: dict[str, Result]) -> dict[str, str]:
    """Return the outcome of each target by deployment ID."""
    return {name: result.outcome.value for name, result in results.items()}


def test_each_target_has_a_result_in_order() -> None:
    """With parallel=1, jobs run one after the other, and the main thread reports each start and result."""
    listener = RecordingListener()
    results, signal_number = Batch(lambda target, _: stopped_result(target), Deadline(5), listener, parallel=1).run(
        targets("a", "b", "c")
    )
    assert (outcomes(results), signal_number) == ({"a": "stopped", "b": "stopped", "c": "stopped"}, None)
    assert listener.events == ["+a", "-a stopped", "+b", "-b stopped", "+c", "-c stopped"]
    assert listener.threads == {threading.main_thread()}


@pytest.mark.parametrize("parallel", [1, 3, 32])
def test_at_most_parallel_jobs_run_at_a_time(parallel: int) -> None:
    """At most `parallel` jobs run at a time, and this number is reached."""
    lock, all_started, active, maximum = threading.Lock(), threading.Event(), 0, 0

    def job(target: Target, __: Say) -> Result:
        nonlocal active, maximum
        with lock:
            active += 1
            maximum = max(maximum, active)
            if active == parallel:
                all_started.set()
        assert all_started.wait(20)
        with lock:
            active -= 1
        return stopped_result(target)

    Batch(job, Deadline(30), RecordingListener(), parallel=parallel).run(targets(*map(str, range(parallel + 8))))
    assert maximum == parallel


def test_a_failed_job_does_not_prevent_the_others() -> None:
    """An unexpected exception makes only its own target unknown; the others are completed."""

    def job(target: Target, _: Say) -> Result:
        if target.deployment_id == "b":
            raise ZeroDivisionError
        return stopped_result(target)

    results, _ = Batch(job, Deadline(5), RecordingListener(), parallel=2).run(targets("a", "b", "c"))
    assert outcomes(results) == {"a": "stopped", "b": "unknown", "c": "stopped"}
    assert "ZeroDivisionError" in str(results["b"].error)


def test_without_threads_no_target_is_attempted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A target for which no thread can be started is not attempted."""

    def begin(_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(batch, "begin", begin)
    results, _ = Batch(lambda target, _: stopped_result(target), Deadline(5), RecordingListener(), parallel=2).run(
        targets("a", "b", "c")
    )
    assert outcomes(results) == dict.fromkeys("abc", "not_attempted")


def test_messages_of_a_worker_reach_the_listener() -> None:
    """The listener receives each message of a worker, prefixed with the target's ID."""
    listener = RecordingListener()

    def job(target: Target, say: Say) -> Result:
        say("again")
        return stopped_result(target)

    Batch(job, Deadline(5), listener, parallel=1).run(targets("a"))
    assert listener.events == ["+a", "a: again", "-a stopped"]


def test_no_job_begins_after_the_deadline() -> None:
    """After the deadline no further job begins, and the remaining targets have no result."""
    clock = FakeClock()

    def job(target: Target, _: Say) -> Result:
        clock.sleep(5)
        return stopped_result(target)

    results, signal_number = Batch(job, Deadline(8, clock), RecordingListener(), parallel=1).run(targets("a", "b", "c"))
    assert (outcomes(results), signal_number) == ({"a": "stopped", "b": "stopped"}, None)


def test_after_a_signal_late_results_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a signal, results that arrive shortly afterwards are kept, and no further job begins."""
    monkeypatch.setattr(batch, "LATE_SECONDS", 20)
    both_running = threading.Barrier(2)

    def job(target: Target, _: Say) -> Result:
        if both_running.wait(20) == 0:
            send(signal.SIGINT)
        until(interrupt_pending, "the signal")
        return stopped_result(target)

    with hearing():
        results, signal_number = Batch(job, Deadline(30), RecordingListener(), parallel=2).run(targets("a", "b", "c"))
    assert (outcomes(results), signal_number) == ({"a": "stopped", "b": "stopped"}, signal.SIGINT)


def test_after_a_signal_a_job_without_a_result_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a signal, a job that returns no result shortly afterwards is unknown, with exit code 7."""
    monkeypatch.setattr(batch, "LATE_SECONDS", 0)
    release = threading.Event()

    def job(target: Target, _: Say) -> Result:
        send(signal.SIGTERM)
        release.wait(20)
        return stopped_result(target)

    with hearing():
        results, signal_number = Batch(job, Deadline(30), RecordingListener(), parallel=1).run(targets("a", "b"))
    release.set()
    assert (outcomes(results), signal_number) == ({"a": "unknown"}, signal.SIGTERM)
    assert results["a"].error
    assert results["a"].error.exit_status == 7


def test_no_job_begins_after_an_earlier_signal() -> None:
    """If a signal arrived before the batch, no job begins."""
    with hearing():
        send()
        assert Batch(lambda target, _: stopped_result(target), Deadline(5), RecordingListener(), parallel=2).run(
            targets("a")
        ) == ({}, 2)
