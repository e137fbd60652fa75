"""Carries a plan out: in order, a few at a time, inside one deadline, until it is done or interrupted."""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Protocol

from esml_stop.calls import Calls
from esml_stop.interruption import Interrupted, signals_to
from esml_stop.models import Failure, Flags, Outcome, Result, Target
from esml_stop.stopping import Ending, Stop
from esml_stop.timing import Deadline
from esml_stop.watch import GRACE_SECONDS

# After Ctrl-C, what is under way is given this long to answer before it is reported as unknown.
LAST_WORDS_SECONDS = 0.4


class Listener(Protocol):
    """Who wants to know how it goes; called from the main thread only."""

    def started(self, target: Target) -> None:
        """Hear that a stop is sent now."""

    def ended(self, result: Result) -> None:
        """Hear what became of a target."""

    def retrying(self, line: str) -> None:
        """Hear why a request is made again."""


@dataclass(frozen=True)
class News:
    """What a worker says: its target, and the ending once there is one."""

    target: Target
    ending: Ending | None = None
    seconds: float = 0.0
    line: str | None = None


class Stopper:
    """Stops the targets that are to be stopped, at most `parallel` at a time."""

    def __init__(
        self, cluster: Calls, flags: Flags, deadline: Deadline, listener: Listener, *, parallel: int = 4
    ) -> None:
        self.cluster = cluster
        self.flags = flags
        self.deadline = deadline
        self.listener = listener
        self.parallel = parallel
        self.news: SimpleQueue[News | Interrupted] = SimpleQueue()

    def carry_out(self, targets: Sequence[Target]) -> tuple[list[Result], int | None]:
        """Return one result per target, in order, and the signal that ended it early, if one did.

        Targets that were decided against are not touched.
        """
        todo = [target for target in targets if target.decision is Outcome.WOULD_STOP]
        with signals_to(self.news.put):
            ended, signal = self.stop_all(todo)
        results = [ended.get(target.deployment_id) or self.untouched(target) for target in targets]
        return results, signal

    def stop_all(self, todo: list[Target]) -> tuple[dict[str, Result], int | None]:
        """Return the results of those that were begun, and the signal that came, if one did."""
        waiting, under_way = iter(todo), dict[str, Target]()
        ended: dict[str, Result] = {}
        for _ in range(self.parallel):
            self.begin_next(waiting, under_way)
        while under_way:
            try:
                news = self.news.get(timeout=self.deadline.remaining + GRACE_SECONDS)
            except Empty:
                return ended | self.lost(under_way, "no answer before the deadline"), None
            if isinstance(news, Interrupted):
                return ended | self.last_words(under_way), news.signal
            if self.heard(news, under_way, ended):
                self.begin_next(waiting, under_way)
        return ended, None

    def begin_next(self, waiting: Iterator[Target], under_way: dict[str, Target]) -> None:
        """Send the next stop from a thread of its own, unless there is none or the time is over."""
        target = next(waiting, None) if self.deadline.remaining else None
        if target:
            under_way[target.deployment_id] = target
            self.listener.started(target)
            threading.Thread(target=self.work, args=(target,), daemon=True).start()

    def work(self, target: Target) -> None:
        """Stop one deployment and put the ending on the queue; runs in a worker thread."""
        clock = self.deadline.clock
        began = clock.now()
        say = self.speaker(target)
        try:
            ending = Stop(self.cluster, target.deployment_id, self.flags, self.deadline, say).run()
        except Exception as error:  # noqa: BLE001 - a bug must not leave a target without a word
            ending = Ending(Outcome.UNKNOWN, Failure(f"esml failed unexpectedly: {error!r}"), 1)
        self.news.put(News(target, ending, clock.now() - began))

    def speaker(self, target: Target) -> Callable[[str], None]:
        """Return what a worker calls to say something about its target."""
        return lambda line: self.news.put(News(target, line=line))

    def heard(self, news: News, under_way: dict[str, Target], ended: dict[str, Result]) -> bool:
        """Take a worker's news; return True when its target has ended."""
        if news.ending is None:
            self.listener.retrying(f"{news.target.deployment_id}: {news.line}")
            return False
        del under_way[news.target.deployment_id]
        result = self.result(news.target, news.ending, news.seconds)
        ended[news.target.deployment_id] = result
        self.listener.ended(result)
        return True

    def last_words(self, under_way: dict[str, Target]) -> dict[str, Result]:
        """Return the results that still come in a moment; what stays silent is unknown."""
        ended: dict[str, Result] = {}
        self.deadline.expire()  # no worker sends anything from now on
        moment = Deadline(LAST_WORDS_SECONDS, self.deadline.clock)
        while under_way and moment.remaining:
            try:
                news = self.news.get(timeout=moment.remaining)
            except Empty:
                break
            if isinstance(news, News):
                self.heard(news, under_way, ended)
        return ended | self.lost(under_way, "interrupted before an answer came")

    def lost(self, under_way: dict[str, Target], why: str) -> dict[str, Result]:
        """Return the results of stops that were sent and never answered."""
        ending = Ending(Outcome.UNKNOWN, Failure(f"It may or may not have stopped: {why}.", exit_status=7), 1)
        return {name: self.result(target, ending, 0.0) for name, target in under_way.items()}

    def result(self, target: Target, ending: Ending, seconds: float) -> Result:
        """Return the result; what was seen running and is not known any more has been stopped by someone else."""
        outcome, error = ending.outcome, ending.error
        if outcome is Outcome.NOT_FOUND and target.deployment:
            outcome, error = Outcome.STOPPED, None
        forced = self.flags.force and outcome is Outcome.STOPPED
        return Result(target, outcome, forced, target.used_by, error, ending.attempts, seconds)

    def untouched(self, target: Target) -> Result:
        """Return the result of a target that no stop was sent for."""
        decided = target.decision is not Outcome.WOULD_STOP
        return Result(target, target.decision if decided else Outcome.NOT_STARTED, used_by=target.used_by)
