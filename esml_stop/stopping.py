"""Stops one deployment and finds out what became of it; an answer that is lost is settled by reading the state."""

from collections.abc import Callable

from esml_stop.calls import Calls
from esml_stop.errors import BadAnswer, DeadlinePassed, EsmlError, Refused, TlsFailed, Unreachable
from esml_stop.exit_status import ExitStatus
from esml_stop.models import Deployment, Ending, Failure, Flags, Outcome, Target
from esml_stop.patterns import expression
from esml_stop.retrying import patiently
from esml_stop.timing import Deadline

LONGEST_PAUSE = 5.0


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

    def run(self) -> Ending:
        """Return the ending, whatever happens on the way."""
        try:
            patiently(self.attempt, self.deadline, self.on_retry)
        except Refused as refused:
            return self.refused(refused)
        except BadAnswer as bad:
            return self.ending(Outcome.UNKNOWN, bad)
        except (Unreachable, StillStopping) as lost:
            return self.settled(lost)
        return self.ending(Outcome.STOPPED)

    def attempt(self, number: int) -> None:
        """Send the stop; from the second time on only if the deployment still runs."""
        if number > 1 and self.gone_or_going():
            return
        timeout = self.deadline.left
        self.attempts = number
        try:
            self.cluster.stop(self.deployment_id, flags=self.flags, timeout=timeout)
        except Refused as refused:
            # Sent before, and gone now: that is what was asked for.
            if refused.http_status != 404 or number == 1:
                raise

    def gone_or_going(self) -> bool:
        """Wait while it is stopping; return True when it is gone, False when it still runs."""
        pause = 0.5
        while found := self.look(self.deadline):
            if found.state != "stopping":
                return False
            if pause >= self.deadline.remaining:
                raise StillStopping("It was still stopping when the time was over.")
            self.deadline.clock.sleep(pause)
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
        """Return what the state says after the last word on the stop was lost."""
        if self.attempts == 0:
            return self.ending(Outcome.NOT_STARTED, lost)
        try:
            found = self.look(self.whole)
        except EsmlError:
            return self.ending(Outcome.UNKNOWN, lost)
        if found is None:
            return self.ending(Outcome.STOPPED)
        if found.state == "stopping":
            return self.ending(Outcome.STOPPING, lost)
        # It runs, but a stop may still be on its way when time ran out rather than attempts.
        timed_out = isinstance(lost, DeadlinePassed) or not getattr(lost, "transient", False)
        return self.ending(Outcome.UNKNOWN if timed_out else Outcome.FAILED, lost)

    def refused(self, refused: Refused) -> Ending:
        """Return what an error in Elasticsearch's own words means."""
        if refused.http_status == 404:
            # What was seen running and is not known any more has been stopped by someone else.
            return self.ending(Outcome.STOPPED) if self.was_seen else self.ending(Outcome.NOT_FOUND, refused)
        return self.ending(Outcome.IN_USE if refused.http_status == 409 else Outcome.FAILED, refused)

    def ending(self, outcome: Outcome, error: EsmlError | None = None) -> Ending:
        """Return the ending with the failure as it is reported."""
        return Ending(outcome, failure(error, outcome) if error else None, self.attempts)


def failure(error: EsmlError, outcome: Outcome) -> Failure:
    """Return an error as it is reported for one target."""
    status, kind, reason = (getattr(error, name, None) for name in ("http_status", "type", "reason"))
    return Failure(error.message, status, kind, reason, exit_status(error, outcome), error.hint)


def exit_status(error: EsmlError, outcome: Outcome) -> ExitStatus:
    """Return the exit code of a target that ended so; several kinds together make a 1 later."""
    if outcome is Outcome.IN_USE:
        return ExitStatus.IN_USE
    if outcome in {Outcome.STOPPING, Outcome.STARTING, Outcome.NOT_STARTED} or (
        outcome is Outcome.UNKNOWN and is_silence(error)
    ):
        return ExitStatus.DEADLINE
    return ExitStatus.FAILED if is_silence(error) else error.exit_status


def is_silence(error: EsmlError) -> bool:
    """Tell whether the cluster could not be heard, rather than answering something wrong."""
    return isinstance(error, Unreachable | StillStopping) and not isinstance(error, BadAnswer | TlsFailed)
