"""Does one job for each of many targets: in order, a few at a time, inside one deadline, until done or interrupted."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue
from typing import Protocol

from esml_stop.errors import EsmlError
from esml_stop.exit_status import ExitStatus
from esml_stop.outcomes import Outcome, Result, Target
from esml_stop.runtime.background import begin
from esml_stop.runtime.deadline import Deadline
from esml_stop.runtime.signals import SLICE_SECONDS, heard, is_ending

# After Ctrl-C, what is under way is given this long to answer before it is reported as unknown.
LAST_WORDS_SECONDS = 0.25

Say = Callable[[str], None]
Job = Callable[[Target, Say], Result]


class Listener(Protocol):
    """An observer of the progress; called from the main thread only."""

    def started(self, target: Target) -> None:
        """Hear that a target's job begins."""

    def ended(self, result: Result) -> None:
        """Hear what became of a target."""

    def retrying(self, line: str) -> None:
        """Hear why a request is made again."""


@dataclass(frozen=True)
class News:
    """What a worker says: its target, and the result once there is one."""

    target: Target
    result: Result | None = None
    line: str = ""


class Batch:
    """Runs a job for each target, at most `parallel` at a time, and hears signals meanwhile."""

    def __init__(self, job: Job, deadline: Deadline, listener: Listener, *, parallel: int) -> None:
        self.job = job
        self.deadline = deadline
        self.listener = listener
        self.parallel = parallel
        self.news: SimpleQueue[News] = SimpleQueue()
        self.under_way: dict[str, Target] = {}
        self.results: dict[str, Result] = {}

    def run(self, targets: Sequence[Target]) -> tuple[dict[str, Result], int | None]:
        """Return the results of the targets that were begun, and the signal that came, if one did."""
        waiting = iter(targets)
        for _ in range(self.parallel):
            self.begin_next(waiting)
        # Every job ends by itself: what it waits for has a limit.
        while self.under_way and not heard():
            if self.hears_of_an_end(SLICE_SECONDS):
                self.begin_next(waiting)
        if heard():
            self.take_last_words()
        return self.results, heard()

    def begin_next(self, waiting: Iterator[Target]) -> None:
        """Begin the next target in a thread, unless there is none or the time is over."""
        target = next(waiting, None) if self.deadline.remaining and not is_ending() else None
        if target:
            self.under_way[target.deployment_id] = target
            self.listener.started(target)
            try:
                begin(lambda: self.work(target))
            except RuntimeError:  # this machine has no thread left
                error = EsmlError("This machine has no thread left for it; nothing was sent.", code="no_thread")
                self.news.put(News(target, Result(target, Outcome.NOT_ATTEMPTED, used_by=target.used_by, error=error)))

    def work(self, target: Target) -> None:
        """Do the job for one target and put the result on the queue; runs in a worker thread."""
        clock = self.deadline.clock
        began = clock.now()
        try:
            result = self.job(target, lambda line: self.news.put(News(target, line=line)))
        except Exception as error:  # noqa: BLE001 - a bug must not leave a target without a word
            bug = EsmlError(f"esml failed unexpectedly: {error!r}", code="bug")
            result = Result(target, Outcome.UNKNOWN, used_by=target.used_by, error=bug, attempts=1)
        self.news.put(News(target, replace(result, seconds=clock.now() - began)))

    def hears_of_an_end(self, seconds: float) -> bool:
        """Wait for a worker's news; return True when its target has ended."""
        try:
            news = self.news.get(timeout=seconds)
        except Empty:
            return False
        if news.result is None:
            self.listener.retrying(f"{news.target.deployment_id}: {news.line}")
            return False
        del self.under_way[news.target.deployment_id]
        self.results[news.target.deployment_id] = news.result
        self.listener.ended(news.result)
        return True

    def take_last_words(self) -> None:
        """Take the results that still come in a moment; what stays silent is unknown."""
        moment = Deadline(LAST_WORDS_SECONDS, self.deadline.clock)
        while self.under_way and moment.remaining:
            self.hears_of_an_end(moment.remaining)
        for name, target in self.under_way.items():
            self.results[name] = Result(target, Outcome.UNKNOWN, used_by=target.used_by, error=UNHEARD, attempts=1)


UNHEARD = EsmlError(
    "The request was sent, but esml was interrupted before an answer came.",
    code="no_answer",
    exit_status=ExitStatus.DEADLINE,
    hint="Whether it had an effect is not known; `esml list` shows what runs.",
)
