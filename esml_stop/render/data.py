"""JSON for programs: one versioned envelope for every command; esml_stop/schemas/ has its schema."""

import json
from typing import Any

from esml_stop import __version__
from esml_stop.errors import EsmlError
from esml_stop.models import NotChecked, Outcome, Reference, Result
from esml_stop.report import Report

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
    report = head(command, "error", error.exit_status)
    failure = {
        "code": error.code,
        "message": error.message,
        "hint": error.hint,
        "target": error.target,
        "http_status": getattr(error, "http_status", None),
        "type": getattr(error, "type", None),
        "reason": getattr(error, "reason", None),
    }
    return json.dumps(report | {"deployments": [], "errors": [failure]}, indent=indent) + "\n"


def envelope(report: Report) -> dict[str, Any]:
    """Return the report as plain data."""
    return head(report.command, report.status, report.exit_status) | {
        "dry_run": report.dry_run,
        "counts": {outcome.value: count for outcome in Outcome if (count := report.count(outcome))},
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
    found, error = result.target.deployment, result.error
    return {
        "deployment_id": result.deployment_id,
        "model_id": found.model_id if found else None,
        "state": found.state if found else None,
        "outcome": result.outcome.value,
        "forced": result.forced,
        "used_by": [reference(one) for one in result.used_by],
        "not_checked": [not_checked(one) for one in result.target.not_checked],
        "hint": result.target.hint,
        "error": error
        and {"status": error.status, "type": error.type, "reason": error.reason, "message": error.message},
        "attempts": result.attempts,
        "seconds": round(result.seconds, 3),
    }


def reference(one: Reference) -> dict[str, str]:
    """Return one use of a deployment."""
    return {"kind": one.kind.value, "id": one.id, "through": one.through.value}


def not_checked(one: NotChecked) -> dict[str, str]:
    """Return what could not be looked at, and why."""
    return {"what": one.what, "reason": one.reason}
