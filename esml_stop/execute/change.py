"""Sends one change to a deployment and determines the outcome; reads the state if the answer is lost."""

import math
from collections.abc import Callable

from esml_stop.cluster.api import Cluster
from esml_stop.errors import BadAnswer, DeadlinePassed, EsmlError, Refused, TlsFailed, Unreachable
from esml_stop.exit_status import ExitStatus
from esml_stop.models import Deployment
from esml_stop.outcomes import Outcome, Result, Target
from esml_stop.plan.patterns import expression
from esml_stop.runtime.deadline import UNLIMITED, Deadline, with_retries
from esml_stop.runtime.signals import Interrupted, interrupt_pending

SHORTEST_PAUSE, LONGEST_PAUSE = 0.25, 5.0

# How long a deployment may be stopping after a lost answer before the stop is sent again, in seconds, for attempts 2, 3
# and 4. If the master node failed during a stop, the deployment stays in "stopping" until the stop is sent again.
PATIENCE = (3.0, 10.0, 30.0)


class StillStopping(EsmlError):
    """A deployment was still stopping when the time limit was reached."""

    exit_status = ExitStatus.DEADLINE
    code = "still_stopping"


class Interruption(Unreachable):
    """A signal arrived before the change was sent."""

    code = "interrupted"

    def __init__(self) -> None:
        super().__init__("Interrupted before the request was sent.", sent=False)


class Change:
    """One change to a deployment: sends the request, retries it, and determines the outcome.

    `deadline` is earlier than `whole`, to leave time to read the state. Subclasses define how to send the request,
    when it has taken effect, and what a refusal means.
    """

    done: Outcome
    unknown_hint: str
    failed_hint: str
    look_first = False

    def __init__(self, cluster: Cluster, target: Target, deadline: Deadline, on_retry: Callable[[str], None]) -> None:
        self.cluster = cluster
        self.target = target
        self.whole = deadline
        self.deadline = deadline.earlier(min(2.0, deadline.seconds / 4))
        self.on_retry = on_retry
        self.attempts = 0
        self.sent = False
        self.lost = False
        self.state: str | None = None

    def run(self) -> Result:
        """Send the change and return the result; never raises EsmlError."""
        try:
            return with_retries(self.attempt, self.deadline, self.on_retry)
        except Refused as refused:
            return self.settled(refused) if refused.transient else self.refused(refused)
        except BadAnswer as bad:
            return self.result(Outcome.UNKNOWN if self.sent else Outcome.NOT_ATTEMPTED, bad)
        except (Unreachable, StillStopping) as lost:
            return self.settled(lost)
        except Interrupted:  # during a pause
            return self.result(Outcome.UNKNOWN if self.sent else Outcome.NOT_ATTEMPTED, Interruption())

    def attempt(self, number: int) -> Result:
        """Send the change; a retry is skipped if the change has taken effect meanwhile."""
        patience = PATIENCE[min(number - 2, len(PATIENCE) - 1)] if self.sent else math.inf
        if (number > 1 or self.look_first) and (reached := self.reached(self.deadline, patience)):
            return reached
        if self.sent and self.state == "stopping":
            self.on_retry("Still stopping after a lost response. Sending the request again.")
        timeout = self.deadline.left
        if interrupt_pending():
            raise Interruption
        self.attempts, self.lost = number, self.sent
        try:
            self.send(timeout)
        except EsmlError as error:
            self.sent |= error.sent
            raise
        return self.result(self.done)

    def settled(self, lost: EsmlError) -> Result:
        """Return the result after a lost answer, by reading the state until it is known or the deadline is reached."""
        if not self.sent:
            return self.result(Outcome.NOT_ATTEMPTED, lost)
        try:
            reached = with_retries(
                lambda _: self.reached(self.whole, math.inf), self.whole, self.on_retry, attempts=UNLIMITED
            )
        except (EsmlError, Interrupted):
            return self.result(Outcome.STOPPING if self.state == "stopping" else Outcome.UNKNOWN, lost)
        if reached:
            return reached
        # Nothing has changed; after a timeout, rather than a last attempt, the request may still take effect.
        timed_out = isinstance(lost, DeadlinePassed) or not lost.transient
        return self.result(Outcome.UNKNOWN if timed_out else Outcome.FAILED, lost)

    def wait_while_stopping(self, deadline: Deadline, patience: float) -> Deployment | None:
        """Wait until the deployment is no longer stopping, at most `patience` seconds, and return it; None if gone."""
        pause, began = SHORTEST_PAUSE, deadline.clock.now()
        while found := self.look(deadline):
            self.state = found.state
            if found.state != "stopping" or deadline.clock.now() - began >= patience:
                break
            if pause >= deadline.remaining:
                raise StillStopping("It was still stopping when the time limit was reached.")
            deadline.clock.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
        return found

    def look(self, deadline: Deadline) -> Deployment | None:
        """Return the deployment as currently listed, or None."""
        name = self.target.deployment_id
        try:
            listed = self.cluster.deployments(expression([name]), deadline.left)
        except Refused as refused:
            raise Unreachable(f"The state cannot be read: {refused.message}") from refused
        return next((one for one in listed.deployments if one.deployment_id == name), None)

    def result(self, outcome: Outcome, error: EsmlError | None = None) -> Result:
        """Return the result; its error gets the exit code and hint for the outcome."""
        if error:
            error = error.replace(exit_status=exit_status(error, outcome), hint=self.hint(error, outcome))
        return Result(self.target, outcome, used_by=self.target.used_by, error=error, attempts=self.attempts)

    def hint(self, error: EsmlError, outcome: Outcome) -> str | None:
        """Return what the user can do after this outcome."""
        if outcome in {Outcome.UNKNOWN, Outcome.STOPPING, Outcome.STARTING}:
            return self.unknown_hint
        return self.failed_hint if outcome is Outcome.FAILED and is_silence(error) else error.hint

    def send(self, timeout: float) -> None:
        """Send the request."""
        raise NotImplementedError

    def reached(self, deadline: Deadline, patience: float) -> Result | None:
        """Return a result if the state shows that the change has taken effect; None if the request must be sent."""
        raise NotImplementedError

    def refused(self, refused: Refused) -> Result:
        """Return the result for an error that Elasticsearch returned."""
        raise NotImplementedError


def exit_status(error: EsmlError, outcome: Outcome) -> int:
    """Return the exit code of one target; the report turns different codes into 1."""
    if outcome is Outcome.IN_USE:
        return ExitStatus.IN_USE
    if outcome is Outcome.NOT_ATTEMPTED and not isinstance(error, DeadlinePassed):
        return error.exit_status
    if outcome in {Outcome.STOPPING, Outcome.STARTING, Outcome.NOT_ATTEMPTED} or (
        outcome is Outcome.UNKNOWN and is_silence(error)
    ):
        return ExitStatus.DEADLINE
    return ExitStatus.FAILED if is_silence(error) else error.exit_status


def is_silence(error: EsmlError) -> bool:
    """Return whether there was no answer from the cluster, as opposed to an invalid or refusing one."""
    return isinstance(error, Unreachable | StillStopping) and not isinstance(error, BadAnswer | TlsFailed)
