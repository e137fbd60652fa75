"""Targets, their results, and the report that a command returns, which determines the exit code."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from esml_stop.errors import EsmlError
from esml_stop.exit_status import REASONS, ExitStatus
from esml_stop.models import Deployment, NotChecked, Reference


class Outcome(str, Enum):
    """The outcome of a target, planned or actual; from LISTED on, outcomes of list, restore and restart only."""

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
    def is_planned_change(self) -> bool:
        """Return whether this outcome is a planned change."""
        return self in {Outcome.WOULD_STOP, Outcome.WOULD_START, Outcome.WOULD_RESTART}


@dataclass(frozen=True, slots=True)
class Target:
    """One requested deployment and the decision about it, such as WOULD_STOP, IN_USE, NOT_FOUND or NOT_ATTEMPTED.

    `failing_uses` are the uses that will fail once the whole plan is carried out. `model_deployments` are the running
    deployments of the model or model alias that was given instead of a deployment ID.
    """

    deployment_id: str
    decision: Outcome
    deployment: Deployment | None = None
    used_by: tuple[Reference, ...] = ()
    not_checked: tuple[NotChecked, ...] = ()
    hint: str | None = None
    failing_uses: tuple[Reference, ...] = ()
    model_deployments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """A target and its outcome.

    `used_by` may contain uses that were not known to the plan. `error` explains why the requested state was not
    reached. `attempts` is the number of attempts to change the deployment, `seconds` how long the change took. `seen`
    is the deployment as the cluster listed it for a restore or after a start.
    """

    target: Target
    outcome: Outcome
    forced: bool = False
    used_by: tuple[Reference, ...] = ()
    error: EsmlError | None = None
    attempts: int = 0
    seconds: float = 0.0
    seen: Deployment | None = None

    @classmethod
    def planned(cls, target: Target, error: EsmlError | None = None) -> "Result":
        """Return the result of a target that was only planned."""
        return cls(target, target.decision, used_by=target.used_by, error=error)

    @classmethod
    def not_attempted(cls, target: Target) -> "Result":
        """Return the result of a target for which no request was sent; a planned change becomes NOT_ATTEMPTED."""
        outcome = Outcome.NOT_ATTEMPTED if target.decision.is_planned_change else target.decision
        return cls(target, outcome, used_by=target.used_by)

    @property
    def deployment_id(self) -> str:
        """Return the deployment ID of the target."""
        return self.target.deployment_id


# Outcomes in which the requested state is reached, or would be.
DONE = {
    Outcome.STOPPED,
    Outcome.WOULD_STOP,
    Outcome.LISTED,
    Outcome.STARTED,
    Outcome.WOULD_START,
    Outcome.RESTARTED,
    Outcome.WOULD_RESTART,
}
# Outcomes that require attention.
PROBLEMS = {
    Outcome.IN_USE,
    Outcome.STOPPING,
    Outcome.UNKNOWN,
    Outcome.FAILED,
    Outcome.NOT_ATTEMPTED,
    Outcome.DIFFERS,
    Outcome.STARTING,
}

# After a signal, more results are written as plain lines, because laying out a table would take seconds.
MAX_TABLE_ROWS_AFTER_SIGNAL = 200


@dataclass(frozen=True, slots=True)
class Report:
    """The results of one command, for any output format."""

    command: str
    results: tuple[Result, ...] = ()
    dry_run: bool = False
    strict: bool = False
    cancelled: bool = False
    signal: int | None = None
    saved_to: str | None = None
    warnings: tuple[str, ...] = ()

    @property
    def exit_status(self) -> int:
        """Return the exit code: 128 plus the signal, else the code that all problems share (0 if none), else 1."""
        if self.signal:
            return 128 + self.signal
        if self.cancelled:
            return ExitStatus.FAILED
        if self.strict and not self.results:
            return ExitStatus.NO_MATCH
        kinds = self.problem_codes
        if not kinds:
            return ExitStatus.OK
        return kinds.pop() if len(kinds) == 1 else ExitStatus.FAILED

    @property
    def problem_codes(self) -> set[int]:
        """Return the different exit codes of the results, without 0."""
        return set(filter(None, (exit_code_of(result, strict=self.strict) for result in self.results)))

    @property
    def reason(self) -> str:
        """Return the reason for the exit code, for programs."""
        if self.cancelled:
            return "cancelled"
        mixed = self.exit_status == ExitStatus.FAILED and len(self.problem_codes) > 1
        return "different_errors" if mixed else REASONS.get(self.exit_status, "failed")

    @property
    def status(self) -> str:
        """Return "success", "partial" (at least one target is done, but not all), "error" or "cancelled"."""
        if self.cancelled:
            return "cancelled"
        if self.exit_status == ExitStatus.OK:
            return "success"
        return "partial" if any(result.outcome in DONE for result in self.results) else "error"

    @property
    def skips_table(self) -> bool:
        """Return whether there is no time to lay out a table of all results, because of a signal."""
        return self.signal is not None and len(self.results) > MAX_TABLE_ROWS_AFTER_SIGNAL

    def count(self, outcome: Outcome) -> int:
        """Return the number of targets with this outcome."""
        return sum(result.outcome is outcome for result in self.results)


def is_unmatched(result: Result, *, strict: bool) -> bool:
    """Return whether a name that matched nothing is an error; it always is for a model with running deployments."""
    return result.outcome is Outcome.NOT_FOUND and (strict or bool(result.target.model_deployments))


def exit_code_of(result: Result, *, strict: bool) -> int:
    """Return the exit code for one result; 0 if there is no problem."""
    if result.outcome is Outcome.NOT_FOUND:
        return ExitStatus.NO_MATCH if is_unmatched(result, strict=strict) else ExitStatus.OK
    if result.outcome is Outcome.NOT_ATTEMPTED and result.error is None:
        # Either another name matched nothing, or the deadline passed before the target was attempted.
        return (
            ExitStatus.NO_MATCH if strict and result.target.decision is Outcome.NOT_ATTEMPTED else ExitStatus.DEADLINE
        )
    if result.outcome is Outcome.IN_USE:
        return ExitStatus.IN_USE
    if result.error:
        return result.error.exit_status
    return ExitStatus.OK


def having_outcome(results: Iterable[Result], *outcomes: Outcome) -> list[Result]:
    """Return the results that have one of the outcomes."""
    return [result for result in results if result.outcome in outcomes]
