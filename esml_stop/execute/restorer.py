"""Carries a restore out: starts what is to be started, then watches all of it arrive."""

from collections.abc import Sequence

from esml_stop.cluster.reader import Reader
from esml_stop.errors import EsmlError
from esml_stop.execute.batch import Batch, Listener, Say
from esml_stop.execute.start import Start
from esml_stop.execute.stopper import untouched
from esml_stop.outcomes import Ending, Outcome, Result, Target
from esml_stop.plan.restore_plan import arrived

ON_THE_WAY = {Outcome.STARTED, Outcome.STARTING}
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 5.0


class Restorer:
    """Starts the targets that are to be started, at most `parallel` at a time."""

    def __init__(self, reader: Reader, listener: Listener, *, wait_for: str, parallel: int) -> None:
        self.reader = reader
        self.wait_for = wait_for
        self.batch = Batch(self.start, reader.deadline, listener, parallel=parallel)

    def carry_out(self, planned: Sequence[Result]) -> tuple[list[Result], int | None]:
        """Return one result per target, in order, and the signal that ended it early, if one did."""
        todo = [one.target for one in planned if one.outcome is Outcome.WOULD_START]
        endings, signal = self.batch.run(todo)
        return [self.result(one, endings.get(one.deployment_id)) for one in planned], signal

    def start(self, target: Target, say: Say) -> Ending:
        """Start one deployment; runs in a worker thread."""
        return Start(self.reader.cluster, target, self.wait_for, self.reader.deadline, say).run()

    def result(self, planned: Result, ending: Ending | None) -> Result:
        """Return the result of a target that was started, or of one that was not touched."""
        if ending:
            return Result.of(planned.target, ending)
        return planned if planned.error else untouched(planned.target)


def watched_arriving(results: Sequence[Result], reader: Reader, wait_for: str) -> list[Result]:
    """Return the results once everything has arrived, or the time is over; one request a look for all of them."""
    pause, seen = FIRST_PAUSE, list(results)
    while names := [one.deployment_id for one in seen if is_on_the_way(one)]:
        try:
            running = reader.running(names)
        except EsmlError:
            return seen  # the server's own word stands
        seen = [arrived(one, running, wait_for) if is_on_the_way(one) else one for one in seen]
        if not any(one.outcome is Outcome.STARTING for one in seen) or pause >= reader.deadline.remaining:
            break
        reader.deadline.clock.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE)
    return seen


def is_on_the_way(result: Result) -> bool:
    """Tell whether a deployment may still change from one look to the next."""
    found = result.target.deployment
    waiting = result.outcome is Outcome.ALREADY_RUNNING and found is not None and found.state == "starting"
    return result.outcome in ON_THE_WAY or waiting
