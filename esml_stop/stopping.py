"""Stops one deployment and finds out what became of it; an answer that is lost is settled by reading the state."""

from collections.abc import Callable

from esml_stop.calls import Calls
from esml_stop.errors import BadAnswer, DeadlinePassed, EsmlError, Refused, TlsFailed, Unreachable
from esml_stop.exit_status import ExitStatus
from esml_stop.models import Deployment, Ending, Failure, Flags, Outcome, Target
from esml_stop.patterns import expression
from esml_stop.retrying import PERSISTENTLY, patiently
from esml_stop.timing import Deadline

STILL_RUNS = "It still runs. Stop it again when the cluster is well."
LOOK_LATER = "Look again later: `esml list` shows what runs; stopping it again is harmless."

SHORTEST_PAUSE, LONGEST_PAUSE = 0.25, 5.0


class StillStopping(EsmlError):
    """The stop was accepted, its answer is lost, and the deployment is not gone yet."""


class Stop:
    """One stop: sent, sent again if it must be, and settled. `deadline` leaves time to read the state once more."""

    def __init__(
        self, cluster: Calls, target: Target, flags: Flags, deadline: Deadline, on_retry: Callable[[str], None]
    ) -> None:
        self.cluster = cluster
        self.deployment_id = target.deployment_id
        self.was_seen = target.deployment is not None
        self.flags = flags
        self.reserve = min(2.0, deadline.seconds / 4)
        self.whole = deadline
        self.deadline = deadline.earlier(self.reserve)
        self.on_retry = on_retry
        self.attempts = 0
        self.sent = False
        self.state: str | None = None

    def run(self) -> Ending:
        """Return the ending, whatever happens on the way."""
        try:
            return patiently(self.attempt, self.deadline, self.on_retry)
        except Refused as refused:
            return self.refused(refused)
        except BadAnswer as bad:
            return self.ending(Outcome.UNKNOWN if self.sent else Outcome.NOT_STARTED, bad)
        except (Unreachable, StillStopping) as lost:
            return self.settled(lost)

    def attempt(self, number: int) -> Ending:
        """Send the stop; from the second time on only if the deployment still runs."""
        if number > 1 and self.gone(self.deadline):
            return self.not_running()
        timeout = self.deadline.left
        self.attempts = number
        try:
            self.cluster.stop(self.deployment_id, flags=self.flags, timeout=timeout)
        except EsmlError as error:
            self.sent |= getattr(error, "sent", True)
            raise
        return self.ending(Outcome.STOPPED)

    def gone(self, deadline: Deadline) -> bool:
        """Wait while it is stopping; return True when it is gone, False when it still runs."""
        pause = SHORTEST_PAUSE
        while found := self.look(deadline):
            self.was_seen, self.state = True, found.state
            if found.state != "stopping":
                return False
            if pause >= deadline.remaining:
                raise StillStopping("It was still stopping when the time was over.")
            deadline.clock.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
        return True

    def look(self, deadline: Deadline) -> Deployment | None:
        """Return the deployment as it is now, or None when it is gone."""
        try:
            listed = self.cluster.deployments(expression([self.deployment_id]), deadline.left)
        except Refused as refused:
            raise Unreachable(f"The state cannot be read: {refused.message}") from refused
        return next((one for one in listed.deployments if one.deployment_id == self.deployment_id), None)

    def settled(self, lost: EsmlError) -> Ending:
        """Return what the state says after the last word on the stop was lost, read until it is known."""
        if not self.sent:
            return self.ending(Outcome.NOT_STARTED, lost)
        try:
            gone = patiently(lambda _: self.gone(self.whole), self.whole, self.on_retry, attempts=PERSISTENTLY)
        except EsmlError:
            return self.ending(Outcome.STOPPING if self.state == "stopping" else Outcome.UNKNOWN, lost)
        if gone:
            return self.not_running()
        # It runs, but a stop may still be on its way when time ran out rather than attempts.
        timed_out = isinstance(lost, DeadlinePassed) or not getattr(lost, "transient", False)
        return self.ending(Outcome.UNKNOWN if timed_out else Outcome.FAILED, lost)

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

    def ending(self, outcome: Outcome, error: EsmlError | None = None) -> Ending:
        """Return the ending with the failure as it is reported."""
        return Ending(outcome, failure(error, outcome) if error else None, self.attempts)


def failure(error: EsmlError, outcome: Outcome) -> Failure:
    """Return an error as it is reported for one target."""
    status, kind, reason = (getattr(error, name, None) for name in ("http_status", "type", "reason"))
    return Failure(error.message, status, kind, reason, exit_status(error, outcome), hint(error, outcome))


def hint(error: EsmlError, outcome: Outcome) -> str | None:
    """Return what to do about a target that ended so."""
    if outcome in {Outcome.UNKNOWN, Outcome.STOPPING}:
        return LOOK_LATER
    return STILL_RUNS if outcome is Outcome.FAILED and is_silence(error) else error.hint


def exit_status(error: EsmlError, outcome: Outcome) -> ExitStatus:
    """Return the exit code of a target that ended so; several kinds together make a 1 later."""
    if outcome is Outcome.IN_USE:
        return ExitStatus.IN_USE
    if outcome is Outcome.NOT_STARTED and not isinstance(error, DeadlinePassed):
        return error.exit_status
    if outcome in {Outcome.STOPPING, Outcome.STARTING, Outcome.NOT_STARTED} or (
        outcome is Outcome.UNKNOWN and is_silence(error)
    ):
        return ExitStatus.DEADLINE
    return ExitStatus.FAILED if is_silence(error) else error.exit_status


def is_missing(refused: Refused) -> bool:
    """Tell whether Elasticsearch says that it knows no such deployment; other 404s say nothing about it."""
    return refused.http_status == 404 and refused.type == "resource_not_found_exception"


def is_silence(error: EsmlError) -> bool:
    """Tell whether the cluster could not be heard, rather than answering something wrong."""
    return isinstance(error, Unreachable | StillStopping) and not isinstance(error, BadAnswer | TlsFailed)
