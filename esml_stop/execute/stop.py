"""Stops one deployment."""

from collections.abc import Callable

from esml_stop.cluster.calls import Calls
from esml_stop.errors import Refused
from esml_stop.execute.change import Change
from esml_stop.models import Flags
from esml_stop.outcomes import Ending, Failure, Outcome, Target
from esml_stop.runtime.deadline import Deadline


class Stop(Change):
    """One stop; reached when the deployment is gone."""

    done = Outcome.STOPPED
    look_later = "Look again later: `esml list` shows what runs; stopping it again is harmless."
    not_done = "It still runs. Stop it again when the cluster is well."

    def __init__(
        self, cluster: Calls, target: Target, flags: Flags, deadline: Deadline, on_retry: Callable[[str], None]
    ) -> None:
        super().__init__(cluster, target, deadline, on_retry)
        self.flags = flags
        self.was_seen = target.deployment is not None

    def send(self, timeout: float) -> None:
        """Send the stop."""
        self.cluster.stop(self.target.deployment_id, flags=self.flags, timeout=timeout)

    def reached(self, deadline: Deadline) -> Ending | None:
        """Return the ending when the deployment is gone."""
        found = self.present(deadline)
        self.was_seen |= self.state is not None
        return None if found else self.not_running()

    def refused(self, refused: Refused) -> Ending:
        """Return what an error in Elasticsearch's own words means."""
        if is_missing(refused):
            return self.not_running(refused)
        return self.ending(Outcome.IN_USE if refused.http_status == 409 else Outcome.FAILED, refused)

    def not_running(self, refused: Refused | None = None) -> Ending:
        """Return the ending of a deployment that is not there.

        What was seen running and is not there any more has stopped, whoever did it. What was never seen may have been
        a typing error, so it is not said to have stopped.
        """
        if self.was_seen:
            return self.ending(Outcome.STOPPED)
        if refused and self.attempts == 1:
            return self.ending(Outcome.NOT_FOUND, refused)
        text = "It is not running. An answer to the stop was lost, so whether it ran before is not known."
        return Ending(Outcome.NOT_FOUND, Failure(text), self.attempts)


def is_missing(refused: Refused) -> bool:
    """Tell whether Elasticsearch says that it knows no such deployment; other 404s say nothing about it."""
    return refused.http_status == 404 and refused.type == "resource_not_found_exception"
