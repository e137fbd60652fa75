"""JSON for programs: one versioned envelope for every command; esml_stop/schemas/ has its schema."""

import json
from typing import Any

from esml_stop import __version__
from esml_stop.errors import EsmlError
from esml_stop.models import Deployment, NotChecked, Reference
from esml_stop.outcomes import Outcome, Result
from esml_stop.plan.start_settings import start_call
from esml_stop.report import Report
from esml_stop.text import rfc3339

SCHEMA_VERSION = 1


def document(report: Report) -> str:
    """Return the whole report as one JSON document."""
    return json.dumps(envelope(report), indent=2) + "\n"


def lines(report: Report) -> str:
    """Return one JSON document a line: each deployment, then the rest of the envelope."""
    head = envelope(report)
    rows = [{"type": "deployment", **row} for row in head.pop("deployments")]
    return "".join(json.dumps(row) + "\n" for row in [*rows, {"type": "summary", **head}])


def error_document(command: str, error: EsmlError, *, indent: int | None = 2) -> str:
    """Return the envelope of a command that ended before it had any result."""
    report = head(command, "error", error.exit_status) | {"dry_run": False, "counts": {}, "saved_to": None}
    return json.dumps(report | {"deployments": [], "errors": [ended_by(error)]}, indent=indent) + "\n"


def ended_by(error: EsmlError) -> dict[str, Any]:
    """Return what ended a command."""
    return {
        "code": error.code,
        "message": error.message,
        "hint": error.hint,
        "target": error.target,
        "http_status": error.http_status,
        "type": error.type,
        "reason": error.reason,
    }


def envelope(report: Report) -> dict[str, Any]:
    """Return the report as plain data."""
    return head(report.command, report.status, report.exit_status) | {
        "dry_run": report.dry_run,
        "counts": {outcome.value: count for outcome in Outcome if (count := report.count(outcome))},
        "saved_to": report.saved_to,
        "deployments": [deployment(result) for result in report.results],
        "errors": [],
    }


def head(command: str, status: str, exit_code: int) -> dict[str, Any]:
    """Return what every document begins with."""
    return {
        "schema_version": SCHEMA_VERSION,
        "esml_version": __version__,
        "command": command,
        "status": status,
        "exit_code": int(exit_code),
    }


def deployment(result: Result) -> dict[str, Any]:
    """Return one target and what became of it."""
    return {
        "deployment_id": result.deployment_id,
        "outcome": result.outcome.value,
        "forced": result.forced,
        "used_by": [reference(one) for one in result.used_by],
        "not_checked": [not_checked(one) for one in result.target.not_checked],
        "hint": result.target.hint,
        "error": result.error and failure(result.error),
        "attempts": result.attempts,
        "seconds": round(result.seconds, 3),
        **(found(result.target.deployment) if result.target.deployment else dict.fromkeys(FOUND)),
    }


def failure(error: EsmlError) -> dict[str, Any]:
    """Return why a target failed."""
    return {"status": error.http_status, "type": error.type, "reason": error.reason, "message": error.message}


def found(one: Deployment) -> dict[str, Any]:
    """Return what the cluster said of a deployment before anything was done to it."""
    values = (
        one.model_id,
        one.state,
        {"reached": one.allocations, "wanted": one.target_allocations},
        one.priority,
        list(one.nodes),
        one.pending,
        one.inference_count,
        one.start_time and rfc3339(one.start_time),
        one.last_access and rfc3339(one.last_access),
        start_call(one).console,
    )
    return dict(zip(FOUND, values, strict=True))


FOUND = (
    "model_id",
    "state",
    "allocations",
    "priority",
    "nodes",
    "pending_requests",
    "inference_count",
    "start_time",
    "last_access",
    "start_call",
)


def reference(one: Reference) -> dict[str, str | None]:
    """Return one use of a deployment."""
    return {"kind": one.kind.value, "id": one.id, "through": one.through.value, "alias": one.alias}


def not_checked(one: NotChecked) -> dict[str, str]:
    """Return what could not be looked at, and why."""
    return {"what": one.what, "reason": one.reason}
