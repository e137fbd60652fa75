"""JSON for programs: one versioned envelope for every command; esml_stop/schemas/ has its schema."""

import json
import time
from collections.abc import Iterator
from typing import Any

from esml_stop import __version__
from esml_stop.errors import EsmlError
from esml_stop.exit_status import REASONS
from esml_stop.invocation import Invocation
from esml_stop.models import UNKNOWN_STATE, Deployment, NotChecked, Reference
from esml_stop.outcomes import Outcome, Report, Result, is_missed
from esml_stop.output import in_use, messages
from esml_stop.plan.start_settings import start_call
from esml_stop.text import rfc3339

SCHEMA_VERSION = 1

Json = dict[str, Any]


def document(report: Report, about: Invocation) -> str:
    """Return the whole report as one JSON document."""
    return whole(envelope(report, about))


def lines(report: Report, about: Invocation) -> str:
    """Return one JSON document a line: each deployment, then the rest of the envelope."""
    return by_line(envelope(report, about), "deployments", "deployment")


def error_document(error: EsmlError, about: Invocation) -> str:
    """Return the envelope of a command that ended before it had any result, in the form that was asked for."""
    nothing = Report(about.command)
    found = head(about, "error", int(error.exit_status)) | rest(nothing) | {"errors": [described(error)]}
    return whole(found) if about.form == "json" else by_line(found, "deployments", "deployment")


def whole(body: Json) -> str:
    """Return a document for people to read, too."""
    return json.dumps(body, indent=2) + "\n"


def by_line(body: Json, key: str, kind: str) -> str:
    """Return a line for each item of a list in a document, and a last one with the rest."""
    rows = [{"type": kind, **row} for row in body.pop(key)]
    return "".join(json.dumps(row) + "\n" for row in [*rows, {"type": "summary", **body}])


def envelope(report: Report, about: Invocation) -> Json:
    """Return the report as plain data."""
    found = head(about, report.status, int(report.exit_status), report.reason) | rest(report)
    rows = [deployment(one, report, about) for one in report.results]
    found["errors"] = [one["error"] for one in rows if one["error"]]
    # Only deployments are rows of a list; a name that matched nothing is a warning or an error.
    found["deployments"] = [one for one in rows if report.command != "list" or one["model_id"]]
    return found


def head(about: Invocation, status: str, exit_code: int, why: str | None = None) -> Json:
    """Return what every document begins with."""
    where = about.cluster
    return {
        "schema_version": SCHEMA_VERSION,
        "esml_version": __version__,
        "command": about.command,
        "status": status,
        "exit": {"code": exit_code, "reason": why or REASONS.get(exit_code, "failed")},
        "started_at": about.started_at,
        "seconds": round(time.monotonic() - about.began, 3),
        "cluster": where and {"url": where.url, "name": where.name, "uuid": where.uuid},
        "warnings": list(about.warnings),
    }


def rest(report: Report) -> Json:
    """Return what the envelope of a command about deployments has besides; lists are empty until they are filled."""
    return {
        "dry_run": report.dry_run,
        "saved_to": report.saved_to,
        "counts": {outcome.value: report.count(outcome) for outcome in Outcome},
        "deployments": [],
        "errors": [],
    }


def deployment(result: Result, report: Report, about: Invocation) -> Json:
    """Return one target and what became of it."""
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
        "error": next(errors(result, report, about), None),
        "attempts": result.attempts,
        "seconds": round(result.seconds, 3),
        **(shown(now) if now else dict.fromkeys(SHOWN)),
    }


def state_now(result: Result) -> str | None:
    """Return the state that follows from what became of a target; None when that is not known."""
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


def errors(result: Result, report: Report, about: Invocation) -> Iterator[Json]:
    """Yield why a target is not as it was asked for, in the words that people read."""
    name = result.deployment_id
    if result.outcome is Outcome.IN_USE:
        first, *uses, last = in_use.refusal(result, report, about.options)
        text = f"{first.rstrip(':')}: {'; '.join(use.strip().rstrip('.') for use in uses)}."
        how = last.strip()
        own = described(result.error) if result.error else described(EsmlError(text))
        yield own | {
            "code": "in_use",
            "message": text,
            "hint": how,
            "target": name,
            "command": how.partition(": ")[2],
        }
    elif result.error:
        yield described(result.error) | {"target": name}
    elif is_missed(result, strict=report.strict):
        first, *others = messages.missed(result, report, about.options)
        hint = others[0].strip() if others else None
        again = hint.partition(": ")[2] if hint else None
        yield described(EsmlError(first, hint=hint, code="not_found", target=name)) | {"command": again}
    elif result.outcome is Outcome.NOT_ATTEMPTED:
        yield described(EsmlError(f"{name} was not attempted.", code="not_attempted", target=name))


def described(error: EsmlError) -> Json:
    """Return an error as plain data; `command` is for those that a command would overcome."""
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


def shown(one: Deployment) -> Json:
    """Return what the cluster showed of a deployment."""
    values = (
        one.model_id,
        one.reason,
        {"reached": one.allocations, "wanted": one.target_allocations},
        one.adaptive_allocations,
        one.priority,
        one.threads_per_allocation,
        one.memory_bytes,
        list(one.nodes),
        one.pending,
        one.inference_count,
        one.start_time and rfc3339(one.start_time),
        one.last_access and rfc3339(one.last_access),
        one.idle_since and rfc3339(one.idle_since),
        None if one.is_orphan else start_call(one).console,
    )
    return dict(zip(SHOWN, values, strict=True))


SHOWN = (
    "model_id",
    "reason",
    "allocations",
    "adaptive_allocations",
    "priority",
    "threads_per_allocation",
    "memory_bytes",
    "nodes",
    "pending_requests",
    "inference_count",
    "start_time",
    "last_access",
    "idle_since",
    "start_call",
)


def reference(one: Reference) -> Json:
    """Return one use of a deployment."""
    return {"kind": one.kind.value, "id": one.id, "through": one.through.value, "alias": one.alias}


def not_checked(one: NotChecked) -> Json:
    """Return what could not be looked at, and why."""
    return {"what": one.what, "reason": one.reason}
