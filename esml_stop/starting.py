"""Starts one deployment again; an answer that is lost is settled by reading the state."""

from collections.abc import Callable
from dataclasses import replace

from esml_stop.calls import Calls
from esml_stop.errors import DeadlinePassed, EsmlError, Refused, Unreachable
from esml_stop.models import Deployment, Ending, Failure, Outcome, Target
from esml_stop.parameters import start_call
from esml_stop.patterns import expression
from esml_stop.retrying import patiently
from esml_stop.stopping import failure
from esml_stop.timing import Deadline

LONGEST_PAUSE = 5.0
TAKEN = ("existing deployment with the same id", "it has already been started")


class Start:
    """One start: sent, sent again if it must be, and settled. That it arrives is looked at later, for all at once."""

    def __init__(
        self, cluster: Calls, target: Target, wait_for: str, deadline: Deadline, on_retry: Callable[[str], None]
    ) -> None:
        assert target.deployment
        self.cluster = cluster
        self.deployment = target.deployment
        self.wait_for = wait_for
        self.deadline = deadline.earlier(min(2.0, deadline.seconds / 4))
        self.whole = deadline
        self.on_retry = on_retry
        self.attempts = 0

    def run(self) -> Ending:
        """Return the ending, whatever happens on the way."""
        try:
            patiently(self.attempt, self.deadline, self.on_retry)
        except Refused as refused:
            return self.refused(refused)
        except EsmlError as lost:
            return self.settled(lost)
        return self.ending(Outcome.STARTED)

    def attempt(self, number: int) -> None:
        """Send the start, unless an earlier one has arrived; what is still stopping is waited for."""
        if (number > 1 or self.deployment.state == "stopping") and self.is_there():
            return
        timeout = self.deadline.left
        self.attempts = number
        self.cluster.start(start_call(self.deployment), wait_for=self.wait_for, timeout=timeout)

    def is_there(self) -> bool:
        """Tell whether the deployment runs, once it is not stopping any more."""
        pause = 0.5
        while (found := self.look(self.deadline)) and found.state == "stopping":
            self.deadline.clock.sleep(min(pause, self.deadline.left))
            pause = min(pause * 2, LONGEST_PAUSE)
        return found is not None

    def look(self, deadline: Deadline) -> Deployment | None:
        """Return the deployment as it is now, or None when it is not there."""
        name = self.deployment.deployment_id
        try:
            listed = self.cluster.deployments(expression([name]), deadline.left)
        except Refused as refused:
            raise Unreachable(f"The state cannot be read: {refused.message}") from refused
        return next((one for one in listed.deployments if one.deployment_id == name), None)

    def refused(self, refused: Refused) -> Ending:
        """Return what an error in Elasticsearch's own words means."""
        if any(words in (refused.reason or "") for words in TAKEN):
            return self.ending(Outcome.STARTED)  # by somebody else; the last look compares the parameters
        if refused.http_status == 408:
            return self.ending(Outcome.STARTING, refused)
        return Ending(Outcome.FAILED, explained(refused, self.deployment.model_id), self.attempts)

    def settled(self, lost: EsmlError) -> Ending:
        """Return what the state says after the answer to the start was lost."""
        if self.attempts == 0:
            return self.ending(Outcome.NOT_STARTED, lost)
        try:
            found = self.look(self.whole)
        except EsmlError:
            return self.ending(Outcome.UNKNOWN, lost)
        if found:
            return self.ending(Outcome.STARTING, lost)
        timed_out = isinstance(lost, DeadlinePassed) or not getattr(lost, "transient", False)
        return self.ending(Outcome.UNKNOWN if timed_out else Outcome.FAILED, lost)

    def ending(self, outcome: Outcome, error: EsmlError | None = None) -> Ending:
        """Return the ending with the failure as it is reported."""
        return Ending(outcome, failure(error, outcome) if error else None, self.attempts)


def explained(refused: Refused, model_id: str) -> Failure:
    """Return why a start was refused, with what to do where that is known."""
    told = failure(refused, Outcome.FAILED)
    if refused.http_status == 404:
        hint = "Load it first, for instance with eland, then restore again."
        return replace(told, message=f"The model {model_id} is not on this cluster.", hint=hint)
    if refused.http_status == 429:
        message = "The cluster's machine learning nodes have not enough memory or processors left for it."
        return replace(told, message=message, hint=f"Elasticsearch says: {refused.reason}")
    return told
