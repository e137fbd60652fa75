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


def done(target: Target) -> Result:
    """Return the result of a successful job."""
    return Result(target, Outcome.STOPPED, attempts=1)


class Ears:
    """A listener that records events and the thread that reported each."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.threads: set[threading.Thread] = set()

    def started(self, target: Target) -> None:
        """Record the start of a job."""
        self.note(f"+{target.deployment_id}")

    def ended(self, result: Result) -> None:
        """Record a result."""
        self.note(f"-{result.deployment_id} {result.outcome.value}")

    def retrying(self, line: str) -> None:
        """Record the reason for a retry."""
        self.note(line)

    def note(self, line: str) -> None:
        """Record a line."""
        self.heard.append(line)
        self.threads.add(threading.current_thread())


def targets(*names: str) -> list[Target]:
    """Return targets to stop."""
    return [Target(name, Outcome.WOULD_STOP) for name in names]


def outcomes(results: dict[str, Result]) -> dict[str, str]:
    """Return the outcome of each target."""
    return {name: result.outcome.value for name, result in results.items()}


def test_each_target_has_a_result_in_order() -> None:
    """With --parallel 1, targets run one after the other, and the main thread reports each result."""
    ears = Ears()
    results, number = Batch(lambda target, _: done(target), Deadline(5), ears, parallel=1).run(targets("a", "b", "c"))
    assert (outcomes(results), number) == ({"a": "stopped", "b": "stopped", "c": "stopped"}, None)
    assert ears.heard == ["+a", "-a stopped", "+b", "-b stopped", "+c", "-c stopped"]
    assert ears.threads == {threading.main_thread()}


@pytest.mark.parametrize("parallel", [1, 3, 32])
def test_at_most_parallel_jobs_run_at_a_time(parallel: int) -> None:
    """At most `parallel` jobs run at a time, and this number is reached."""
    lock, full, now, most = threading.Lock(), threading.Event(), 0, 0

    def job(target: Target, __: Say) -> Result:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
            if now == parallel:
                full.set()
        assert full.wait(20)
        with lock:
            now -= 1
        return done(target)

    Batch(job, Deadline(30), Ears(), parallel=parallel).run(targets(*map(str, range(parallel + 8))))
    assert most == parallel


def test_a_failed_job_does_not_prevent_the_others() -> None:
    """An unexpected exception makes only its own target unknown; the others are completed."""

    def job(target: Target, _: Say) -> Result:
        if target.deployment_id == "b":
            raise ZeroDivisionError
        return done(target)

    results, _ = Batch(job, Deadline(5), Ears(), parallel=2).run(targets("a", "b", "c"))
    assert outcomes(results) == {"a": "stopped", "b": "unknown", "c": "stopped"}
    assert "ZeroDivisionError" in str(results["b"].error)


def test_without_threads_no_target_is_attempted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A target for which no thread can be started is not attempted."""

    def begin(_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(batch, "begin", begin)
    results, _ = Batch(lambda target, _: done(target), Deadline(5), Ears(), parallel=2).run(targets("a", "b", "c"))
    assert outcomes(results) == dict.fromkeys("abc", "not_attempted")


def test_notes_of_a_worker_reach_the_listener() -> None:
    """The listener receives each message of a worker, prefixed with the target's ID."""
    ears = Ears()

    def job(target: Target, say: Say) -> Result:
        say("again")
        return done(target)

    Batch(job, Deadline(5), ears, parallel=1).run(targets("a"))
    assert ears.heard == ["+a", "a: again", "-a stopped"]


def test_no_job_begins_after_the_deadline() -> None:
    """After the deadline no job begins, and the remaining targets have no result."""
    clock = FakeClock()

    def job(target: Target, _: Say) -> Result:
        clock.sleep(5)
        return done(target)

    results, number = Batch(job, Deadline(8, clock), Ears(), parallel=1).run(targets("a", "b", "c"))
    assert (outcomes(results), number) == ({"a": "stopped", "b": "stopped"}, None)


def test_after_a_signal_late_results_are_kept_and_nothing_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a signal, results that arrive shortly afterwards are kept, and no further job begins."""
    monkeypatch.setattr(batch, "LATE_SECONDS", 20)
    both = threading.Barrier(2)

    def job(target: Target, _: Say) -> Result:
        if both.wait(20) == 0:
            send(signal.SIGINT)
        until(interrupt_pending, "the signal")
        return done(target)

    with hearing():
        results, number = Batch(job, Deadline(30), Ears(), parallel=2).run(targets("a", "b", "c"))
    assert (outcomes(results), number) == ({"a": "stopped", "b": "stopped"}, signal.SIGINT)


def test_after_a_signal_a_job_without_a_result_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a signal, a job that returns no result shortly afterwards is unknown, with exit code 7."""
    monkeypatch.setattr(batch, "LATE_SECONDS", 0)
    over = threading.Event()

    def job(target: Target, _: Say) -> Result:
        send(signal.SIGTERM)
        over.wait(20)
        return done(target)

    with hearing():
        results, number = Batch(job, Deadline(30), Ears(), parallel=1).run(targets("a", "b"))
    over.set()
    assert (outcomes(results), number) == ({"a": "unknown"}, signal.SIGTERM)
    assert results["a"].error
    assert results["a"].error.exit_status == 7


def test_no_job_begins_after_an_earlier_signal() -> None:
    """If a signal arrived before the batch, no job begins."""
    with hearing():
        send()
        assert Batch(lambda target, _: done(target), Deadline(5), Ears(), parallel=2).run(targets("a")) == ({}, 2)
