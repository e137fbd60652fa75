"""JSON output: one versioned envelope for all commands; its schema is in esml_stop/schemas/."""

import json
import time
from collections.abc import Iterator

from esml_stop import __version__
from esml_stop.errors import EsmlError
from esml_stop.exit_status import REASONS
from esml_stop.invocation import Invocation
from esml_stop.models import UNKNOWN_STATE
from esml_stop.outcomes import Outcome, Report, Result, is_unmatched
from esml_stop.output import in_use, messages
from esml_stop.output.json_fields import DEPLOYMENT_FIELDS, Json, deployment_fields, not_checked, reference

SCHEMA_VERSION = 1


def document(report: Report, invocation: Invocation) -> str:
    """Return the whole report as one JSON document."""
    return to_json(envelope(report, invocation))


def lines(report: Report, invocation: Invocation) -> str:
    """Return one JSON document per line: each deployment, then the rest of the envelope."""
    return to_json_lines(envelope(report, invocation), "deployments", "deployment")


def error_document(error: EsmlError, invocation: Invocation) -> str:
    """Return the envelope for an error that ended a command before it had results, in the requested format."""
    nothing = Report(invocation.command)
    found = (
        common_fields(invocation, "error", int(error.exit_status))
        | report_fields(nothing)
        | {"errors": [error_fields(error)]}
    )
    return to_json(found) if invocation.output_format == "json" else to_json_lines(found, "deployments", "deployment")


def to_json(body: Json) -> str:
    """Return a document as JSON, indented so that it is readable."""
    return json.dumps(body, indent=2) + "\n"


def to_json_lines(body: Json, key: str, kind: str) -> str:
    """Return a line of JSON for each item of a list in a document, and a last line for the rest."""
    rows = [{"type": kind, **row} for row in body.pop(key)]
    return "".join(json.dumps(row) + "\n" for row in [*rows, {"type": "summary", **body}])


def envelope(report: Report, invocation: Invocation) -> Json:
    """Return the envelope of a report as JSON values."""
    found = common_fields(invocation, report.status, int(report.exit_status), report.reason) | report_fields(report)
    rows = [deployment(one, report, invocation) for one in report.results]
    found["errors"] = [one["error"] for one in rows if one["error"]]
    # `esml list` contains only deployments; a name that matched nothing is a warning or an error.
    found["deployments"] = [one for one in rows if report.command != "list" or one["model_id"]]
    return found


def common_fields(invocation: Invocation, status: str, exit_code: int, why: str | None = None) -> Json:
    """Return the fields at the beginning of every document."""
    where = invocation.cluster
    return {
        "schema_version": SCHEMA_VERSION,
        "esml_version": __version__,
        "command": invocation.command,
        "status": status,
        "exit": {"code": exit_code, "reason": why or REASONS.get(exit_code, "failed")},
        "started_at": invocation.started_at,
        "seconds": round(time.monotonic() - invocation.began, 3),
        "cluster": where and {"url": where.url, "name": where.name, "uuid": where.uuid},
        "warnings": list(invocation.warnings),
    }


def report_fields(report: Report) -> Json:
    """Return the other fields of commands about deployments; the caller fills the lists."""
    return {
        "dry_run": report.dry_run,
        "saved_to": report.saved_to,
        "counts": {outcome.value: report.count(outcome) for outcome in Outcome},
        "deployments": [],
        "errors": [],
    }


def deployment(result: Result, report: Report, invocation: Invocation) -> Json:
    """Return the entry for one target and its outcome."""
    found = result.target.deployment
    now = result.seen or found
    return {
        "deployment_id": result.deployment_id,
        "outcome": result.outcome.value,
        "previous_state": found.state if found and report.command != "list" else None,
        "state": state_now(result),
        "forced": result.forced,
        "used_by": [reference(one) for one in result.used_by],
        "not_checked": [not_checked(one) for one in result.target.not_checked],
        "hint": result.target.hint,
        "error": next(errors(result, report, invocation), None),
        "attempts": result.attempts,
        "seconds": round(result.seconds, 3),
        **(deployment_fields(now) if now else dict.fromkeys(DEPLOYMENT_FIELDS)),
    }


def state_now(result: Result) -> str | None:
    """Return the state as last listed, or else derived from the outcome; None if it is unknown."""
    if result.seen and result.seen.state != UNKNOWN_STATE:
        return result.seen.state
    found = result.target.deployment
    before = found.state if found else None
    known = {
        Outcome.STOPPED: "stopped",
        Outcome.STOPPING: "stopping",
        Outcome.STARTED: "started",
        Outcome.RESTARTED: "started",
        Outcome.STARTING: "starting",
        Outcome.UNKNOWN: None,
        Outcome.FAILED: None,
    }
    return known.get(result.outcome, before)


def errors(result: Result, report: Report, invocation: Invocation) -> Iterator[Json]:
    """Yield the error of a target, if there is one, with the same text as on stderr."""
    name = result.deployment_id
    if result.outcome is Outcome.IN_USE:
        first, *uses, last = in_use.in_use_lines(result, report, invocation.options)
        text = f"{first.rstrip(':')}: {'; '.join(use.strip().rstrip('.') for use in uses)}."
        how = last.strip()
        own = error_fields(result.error) if result.error else error_fields(EsmlError(text))
        yield own | {
            "code": "in_use",
            "message": text,
            "hint": how,
            "target": name,
            "command": how.partition(": ")[2],
        }
    elif result.error:
        yield error_fields(result.error) | {"target": name}
    elif is_unmatched(result, strict=report.strict):
        first, *others = messages.unmatched_error(result, report, invocation.options)
        hint = others[0].strip() if others else None
        again = hint.partition(": ")[2] if hint else None
        yield error_fields(EsmlError(first, hint=hint, code="not_found", target=name)) | {"command": again}
    elif result.outcome is Outcome.NOT_ATTEMPTED:
        yield error_fields(EsmlError(f"{name} was not attempted.", code="not_attempted", target=name))


def error_fields(error: EsmlError) -> Json:
    """Return an error as JSON values; the caller sets `command` if there is a command that resolves the error."""
    return {
        "code": error.code,
        "message": error.message,
        "hint": error.hint,
        "target": error.target,
        "command": None,
        "http_status": error.http_status,
        "type": error.type,
        "reason": error.reason,
    }
