"""What is decided about each target, and what became of it."""

from dataclasses import dataclass
from enum import Enum

from esml_stop.errors import EsmlError
from esml_stop.models import Deployment, NotChecked, Reference


class Outcome(str, Enum):
    """What became of a target, or in a dry run would; the last ones are those of list, restore and restart."""

    STOPPED = "stopped"
    WOULD_STOP = "would_stop"
    NOT_FOUND = "not_found"
    IN_USE = "in_use"
    STOPPING = "stopping"
    UNKNOWN = "unknown"
    FAILED = "failed"
    NOT_ATTEMPTED = "not_attempted"
    NOT_IDLE = "not_idle"
    LISTED = "listed"
    STARTED = "started"
    WOULD_START = "would_start"
    ALREADY_RUNNING = "already_running"
    DIFFERS = "differs"
    STARTING = "starting"
    RESTARTED = "restarted"
    WOULD_RESTART = "would_restart"

    @property
    def is_plan(self) -> bool:
        """Tell whether it only says what is to be done."""
        return self in {Outcome.WOULD_STOP, Outcome.WOULD_START, Outcome.WOULD_RESTART}


@dataclass(frozen=True, slots=True)
class Target:
    """One requested deployment and the decision about it, such as WOULD_STOP, IN_USE, NOT_FOUND or NOT_ATTEMPTED.

    `breaks` are those of its uses that do not work any more when the whole plan is carried out.
    `meant` has the running deployments of the model that was named instead of a deployment.
    """

    deployment_id: str
    decision: Outcome
    deployment: Deployment | None = None
    used_by: tuple[Reference, ...] = ()
    not_checked: tuple[NotChecked, ...] = ()
    hint: str | None = None
    breaks: tuple[Reference, ...] = ()
    meant: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """A target and its outcome.

    `used_by` may know more than the plan did; `error` says why it is not as it was asked for; `attempts` counts the
    requests to change it, `seconds` the time from the first request to the last.
    """

    target: Target
    outcome: Outcome
    forced: bool = False
    used_by: tuple[Reference, ...] = ()
    error: EsmlError | None = None
    attempts: int = 0
    seconds: float = 0.0

    @classmethod
    def planned(cls, target: Target, error: EsmlError | None = None) -> "Result":
        """Return the result of a target that only the plan was made for."""
        return cls(target, target.decision, used_by=target.used_by, error=error)

    @classmethod
    def untouched(cls, target: Target) -> "Result":
        """Return the result of a target that nothing was sent for although the plan was carried out."""
        outcome = Outcome.NOT_ATTEMPTED if target.decision.is_plan else target.decision
        return cls(target, outcome, used_by=target.used_by)

    @property
    def deployment_id(self) -> str:
        """Return the deployment ID of the target."""
        return self.target.deployment_id
