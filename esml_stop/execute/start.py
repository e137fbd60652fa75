"""Starts one deployment again; that it arrives is looked at later, for all at once."""

from collections.abc import Callable
from dataclasses import replace

from esml_stop.cluster.calls import Calls
from esml_stop.errors import Refused
from esml_stop.execute.change import Change
from esml_stop.outcomes import Ending, Failure, Outcome, Target
from esml_stop.plan.start_settings import start_call
from esml_stop.runtime.deadline import Deadline

TAKEN = ("existing deployment with the same id", "it has already been started")


class Start(Change):
    """One start; reached when the deployment is there. What is still stopping is waited for before."""

    done = Outcome.STARTED
    look_later = "Look again later: `esml list` shows what runs; restoring again is harmless."
    not_done = "It does not run. Restore again when the cluster is well."

    def __init__(
        self, cluster: Calls, target: Target, wait_for: str, deadline: Deadline, on_retry: Callable[[str], None]
    ) -> None:
        super().__init__(cluster, target, deadline, on_retry)
        assert target.deployment
        self.deployment = target.deployment
        self.look_first = target.deployment.state == "stopping"
        self.wait_for = wait_for

    def send(self, timeout: float) -> None:
        """Send the start."""
        self.cluster.start(start_call(self.deployment), wait_for=self.wait_for, timeout=timeout)

    def reached(self, deadline: Deadline) -> Ending | None:
        """Return the ending when the deployment is there, started by whomever."""
        return self.ending(Outcome.STARTED) if self.present(deadline) else None

    def refused(self, refused: Refused) -> Ending:
        """Return what an error in Elasticsearch's own words means."""
        if any(words in (refused.reason or "") for words in TAKEN):
            return self.ending(Outcome.STARTED)  # by somebody else; the last look compares the parameters
        if refused.http_status == 408:  # the server's own time is over, and it goes on
            return self.ending(Outcome.STARTING, refused)
        return Ending(Outcome.FAILED, self.explained(refused), self.attempts)

    def explained(self, refused: Refused) -> Failure:
        """Return why a start was refused, with what to do where that is known."""
        told = self.failure(refused, Outcome.FAILED)
        if refused.http_status == 404:
            hint = "Load it first, for instance with eland, then restore again."
            return replace(told, message=f"The model {self.deployment.model_id} is not on this cluster.", hint=hint)
        if refused.http_status == 429:
            message = "The cluster's machine learning nodes have not enough memory or processors left for it."
            return replace(told, message=message, hint=f"Elasticsearch says: {refused.reason}")
        return told
