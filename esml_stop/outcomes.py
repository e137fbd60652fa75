"""What is decided about each target, and what became of it."""

from dataclasses import dataclass
from enum import Enum

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
    NOT_STARTED = "not_started"
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
class Failure:
    """Why a target failed; `status`, `type` and `reason` are the server's own, where it answered."""

    message: str
    status: int | None = None
    type: str | None = None
    reason: str | None = None
    exit_status: int = 1
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class Ending:
    """What a request for one deployment led to; `seconds` counts from its first request to its last."""

    outcome: Outcome
    error: Failure | None = None
    attempts: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Target:
    """One wanted deployment and what is decided about it, such as WOULD_STOP, IN_USE, NOT_FOUND or NOT_STARTED.

    `breaks` are those of its uses that do not work any more when the whole plan is carried out.
    """

    deployment_id: str
    decision: Outcome
    deployment: Deployment | None = None
    used_by: tuple[Reference, ...] = ()
    not_checked: tuple[NotChecked, ...] = ()
    hint: str | None = None
    breaks: tuple[Reference, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """A target and what became of it; `used_by` may know more than the plan did."""

    target: Target
    outcome: Outcome
    forced: bool = False
    used_by: tuple[Reference, ...] = ()
    error: Failure | None = None
    attempts: int = 0
    seconds: float = 0.0

    @classmethod
    def planned(cls, target: Target, error: Failure | None = None) -> "Result":
        """Return the result of a target that only the plan was made for."""
        return cls(target, target.decision, used_by=target.used_by, error=error)

    @classmethod
    def of(cls, target: Target, ending: Ending, *, forced: bool = False) -> "Result":
        """Return the result of a target that a request was made for."""
        return cls(target, ending.outcome, forced, target.used_by, ending.error, ending.attempts, ending.seconds)

    @property
    def deployment_id(self) -> str:
        """Return the deployment ID of the target."""
        return self.target.deployment_id
