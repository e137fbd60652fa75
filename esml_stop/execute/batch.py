"""Runs one job per target, in order and with limited concurrency, and loses no result to a signal or a failure."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import wait
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue
from typing import Protocol

from esml_stop.cluster.reader import Reader
from esml_stop.errors import EsmlError
from esml_stop.exit_status import ExitStatus
from esml_stop.models import Deployment
from esml_stop.outcomes import Outcome, Result, Target, having_outcome
from esml_stop.runtime.background import begin, begin_limited
from esml_stop.runtime.deadline import Deadline
from esml_stop.runtime.signals import SLICE_SECONDS, Interrupted, interrupt_pending, received_signal
from esml_stop.text import clean

# After a signal, how long to wait for answers before the outcome is reported as unknown, in seconds.
LATE_SECONDS = 0.25

# After a signal, the limit for the one request that reads the state, in seconds; the report is due within a second.
QUICK_SECONDS = 0.35

Say = Callable[[str], None]
Job = Callable[[Target, Say], Result]
Results = Sequence[Result]


class Listener(Protocol):
    """Shows the progress; called from the main thread only."""

    def started(self, target: Target) -> None:
        """Show that the job of a target has begun."""

    def ended(self, result: Result) -> None:
        """Show the outcome of a target."""

    def retrying(self, line: str) -> None:
        """Show that a request is retried, and why."""


@dataclass(frozen=True)
class Message:
    """A message from a worker thread to the main thread: the result of a target, or a line about a retry."""

    target: Target
    result: Result | None = None
    line: str = ""


class Batch:
    """Runs a job for each target, at most `parallel` at a time, and ends early after a signal."""

    def __init__(self, job: Job, deadline: Deadline, listener: Listener, *, parallel: int) -> None:
        self.job = job
        self.deadline = deadline
        self.listener = listener
        self.parallel = parallel
        self.messages: SimpleQueue[Message] = SimpleQueue()
        self.under_way: dict[str, Target] = {}
        self.results: dict[str, Result] = {}

    def run(self, targets: Sequence[Target]) -> tuple[dict[str, Result], int | None]:
        """Return the results of the jobs that were begun, by ID, and the signal that interrupted the batch or None."""
        waiting = iter(targets)
        for _ in range(self.parallel):
            self.begin_next(waiting)
        # Every job ends, because each of its waits has a limit.
        while self.under_way and not received_signal():
            if self.take_message(SLICE_SECONDS):
                self.begin_next(waiting)
        if received_signal():
            self.collect_late_results()
        return self.results, received_signal()

    def begin_next(self, waiting: Iterator[Target]) -> None:
        """Begin the next job in a thread, unless none is left, the deadline was reached or a signal arrived."""
        target = next(waiting, None) if self.deadline.remaining and not interrupt_pending() else None
        if target:
            self.under_way[target.deployment_id] = target
            self.listener.started(target)
            try:
                begin(lambda: self.work(target))
            except RuntimeError:
                error = EsmlError("This machine cannot start another thread; nothing was sent.", code="no_thread")
                self.messages.put(
                    Message(target, Result(target, Outcome.NOT_ATTEMPTED, used_by=target.used_by, error=error))
                )

    def work(self, target: Target) -> None:
        """Run the job of one target and send its result; runs in a worker thread."""
        clock = self.deadline.clock
        began = clock.now()
        try:
            result = self.job(target, lambda line: self.messages.put(Message(target, line=line)))
        except Exception as error:  # noqa: BLE001 - a bug must not leave a target without a result
            bug = EsmlError(f"esml failed unexpectedly: {error!r}", code="bug")
            result = Result(target, Outcome.UNKNOWN, used_by=target.used_by, error=bug, attempts=1)
        self.messages.put(Message(target, replace(result, seconds=clock.now() - began)))

    def take_message(self, seconds: float) -> bool:
        """Wait for a message of a worker; return True if it ends the job of its target."""
        try:
            message = self.messages.get(timeout=seconds)
        except Empty:
            return False
        if message.result is None:
            self.listener.retrying(f"{message.target.deployment_id}: {message.line}")
            return False
        del self.under_way[message.target.deployment_id]
        self.results[message.target.deployment_id] = message.result
        self.listener.ended(message.result)
        return True

    def collect_late_results(self) -> None:
        """Collect results for a moment longer; the outcome of the remaining targets is unknown."""
        moment = Deadline(LATE_SECONDS, self.deadline.clock)
        while self.under_way and moment.remaining:
            self.take_message(moment.remaining)
        for name, target in self.under_way.items():
            self.results[name] = Result(target, Outcome.UNKNOWN, used_by=target.used_by, error=NO_ANSWER, attempts=1)


NO_ANSWER = EsmlError(
    "The request was sent, but esml was interrupted before the response arrived.",
    code="no_answer",
    exit_status=ExitStatus.DEADLINE,
    hint="It may have taken effect; check with `esml list`.",
)


def settled_at_once(
    results: Results, reader: Reader, settled: Callable[[Result, Deployment | None], Result]
) -> list[Result]:
    """Return the results after a signal; one quick request settles the unknown ones."""
    names = {one.deployment_id for one in having_outcome(results, Outcome.UNKNOWN)}
    if not names:
        return list(results)
    moment = Deadline(QUICK_SECONDS, reader.deadline.clock)
    # In a thread: the main thread may not block after a signal.
    look = begin_limited(lambda: reader.running(names, moment))
    if not wait([look], timeout=QUICK_SECONDS).done or look.exception():
        return list(results)
    found = look.result()
    return [settled(one, found.get(one.deployment_id)) if one.deployment_id in names else one for one in results]


@dataclass(frozen=True, slots=True)
class FinalResults:
    """The results after the final check, the signal that interrupted it, and warnings about it."""

    results: Results
    signal: int | None = None
    warnings: tuple[str, ...] = ()


def keep_results_on_error(
    results: Results, work: Callable[[], Results], without: Callable[[Results, EsmlError], Results]
) -> FinalResults:
    """Return the results of `work`; if it fails, return the given results, so that none is lost.

    If the cluster cannot be read, `without` returns the results. After a signal or a bug they are unchanged.
    """
    try:
        return FinalResults(work())
    except Interrupted as interrupted:
        return FinalResults(results, interrupted.signal)
    except EsmlError as error:
        return FinalResults(without(results, error))
    except Exception as error:  # noqa: BLE001 - a bug must not lose the report
        bug = f"The final check failed unexpectedly ({clean(repr(error))}); this is a bug in esml."
        return FinalResults(results, warnings=(bug,))
