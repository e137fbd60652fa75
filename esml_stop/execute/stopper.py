"""Carries a plan out: stops what is to be stopped and gives every target its result, in order."""

from collections.abc import Sequence

from esml_stop.cluster.calls import Calls
from esml_stop.execute.batch import Batch, Listener, Say
from esml_stop.execute.stop import Stop
from esml_stop.models import Flags
from esml_stop.outcomes import Ending, Outcome, Result, Target
from esml_stop.runtime.deadline import Deadline


class Stopper:
    """Stops the targets that are to be stopped, at most `parallel` at a time."""

    def __init__(
        self, cluster: Calls, flags: Flags, deadline: Deadline, listener: Listener, *, parallel: int = 4
    ) -> None:
        self.cluster = cluster
        self.flags = flags
        self.deadline = deadline
        self.batch = Batch(self.stop, deadline, listener, parallel=parallel)

    def carry_out(self, targets: Sequence[Target]) -> tuple[list[Result], int | None]:
        """Return one result per target, in order, and the signal that ended it early, if one did.

        Targets that were decided against are not touched.
        """
        endings, signal = self.batch.run([one for one in targets if one.decision is Outcome.WOULD_STOP])
        return [self.result(target, endings.get(target.deployment_id)) for target in targets], signal

    def stop(self, target: Target, say: Say) -> Ending:
        """Stop one deployment; runs in a worker thread."""
        return Stop(self.cluster, target, self.flags, self.deadline, say).run()

    def result(self, target: Target, ending: Ending | None) -> Result:
        """Return the result of a target that was stopped, or of one that was not touched."""
        if ending is None:
            return untouched(target)
        forced = self.flags.force and ending.outcome is Outcome.STOPPED
        return Result.of(target, ending, forced=forced)


def untouched(target: Target) -> Result:
    """Return the result of a target that nothing was sent for."""
    outcome = Outcome.NOT_STARTED if target.decision.is_plan else target.decision
    return Result(target, outcome, used_by=target.used_by)
