"""Messages about the outcome of a command and of each target, with all untrusted values cleaned. Pure."""

from collections.abc import Sequence

from esml_stop.errors import EsmlError
from esml_stop.models import Deployment
from esml_stop.outcomes import DONE, PROBLEMS, Outcome, Report, Result, Target, is_unmatched
from esml_stop.output import listing
from esml_stop.output.in_use import broken_uses_warning
from esml_stop.plan.start_settings import start_call
from esml_stop.text import clean, command, rfc3339, seconds

OUTCOMES = {
    Outcome.STOPPED: "stopped",
    Outcome.WOULD_STOP: "would be stopped",
    Outcome.NOT_FOUND: "not found",
    Outcome.IN_USE: "in use",
    Outcome.STOPPING: "still stopping",
    Outcome.UNKNOWN: "unknown",
    Outcome.FAILED: "failed",
    Outcome.NOT_ATTEMPTED: "not attempted",
    Outcome.NOT_IDLE: "not idle",
    Outcome.LISTED: "listed",
    Outcome.STARTED: "started",
    Outcome.WOULD_START: "would be started",
    Outcome.ALREADY_RUNNING: "already running",
    Outcome.DIFFERS: "running with different settings",
    Outcome.STARTING: "still starting",
    Outcome.RESTARTED: "restarted",
    Outcome.WOULD_RESTART: "would be restarted",
}

# How the first line about a target with a problem begins, after its name.
PROBLEM_VERBS = {
    Outcome.STOPPING: "is still stopping",
    Outcome.UNKNOWN: "is in an unknown state",
    Outcome.FAILED: "failed",
    Outcome.NOT_ATTEMPTED: "was not attempted",
    Outcome.DIFFERS: "is running with different settings",
    Outcome.STARTING: "is still starting",
    Outcome.NOT_FOUND: "was not found",
}


def failure(result: Result) -> list[str]:
    """Return the lines about a target that failed or is not known to be stopped.

    If the message begins with "It", the deployment ID replaces this word.
    """
    error, name = result.error or EsmlError(""), clean(result.deployment_id)
    message = clean(error.message)
    if message.startswith("It "):
        first = f"{name}{message[2:]}"
    else:
        first = f"{name} {PROBLEM_VERBS.get(result.outcome, 'failed')}: {message}"
    return [first, *([f"  {clean(error.hint)}"] if error.hint else [])]


def warning(result: Result, report: Report) -> str | None:
    """Return the warning about a target that did not fail, or None."""
    if result.error or result.outcome is Outcome.IN_USE:
        return None
    if result.outcome is Outcome.NOT_FOUND:
        return None if is_unmatched(result, strict=report.strict) else no_match_line(result.target, report.command)
    if result.outcome is Outcome.NOT_IDLE:
        return not_idle(result.target)
    if result.outcome not in DONE:
        return None
    broken = broken_uses_warning(result, report) if result.target.failing_uses else None
    return broken or reason_line(result)


def reason_line(result: Result) -> str | None:
    """Return a line with the reason why a deployment that is stopped, or would be, had failed or made no progress.

    For a deployment whose model was deleted, there was a warning before the stop.
    """
    found = result.target.deployment
    if not found or not found.reason or found.is_orphan or result.outcome not in {Outcome.STOPPED, Outcome.WOULD_STOP}:
        return None
    return f"{clean(result.deployment_id)}: {clean(found.reason)}"


def no_ids(report: Report) -> str:
    """Return the line about a standard input that contains no IDs."""
    return f"No deployment ID was given on stdin; nothing to {report.command}."


def start_again(one: Deployment) -> str:
    """Return the request that starts a deployment again with the same settings, below a heading."""
    request = "\n".join(f"  {clean(line)}" for line in start_call(one).console.split("\n"))
    return f"To start {clean(one.deployment_id)} again:\n{request}"


def restore_instructions(report: Report, restore: Sequence[str], *, verbose: bool) -> list[str]:
    """Return how to start stopped deployments again: with --verbose each request, with a save file the command."""
    stopped = [one.target.deployment for one in report.results if one.outcome is Outcome.STOPPED]
    calls = [start_again(one) for one in stopped if one and not one.is_orphan] if verbose else []
    if not report.saved_to:
        return calls
    again = clean(command(*restore, report.saved_to))
    them = "what is not running" if report.command == "restart" else "them again"
    return [*calls, f"Saved to {clean(report.saved_to)}. To start {them}: {again}"]


def unmatched_error(result: Result, report: Report, options: Sequence[str] = ()) -> list[str]:
    """Return the lines about a name that should have matched a deployment; `options` are the options of this run."""
    target = result.target
    if not target.model_deployments:
        return [no_match_line(target, report.command)]
    what = clean((target.hint or "is a model").partition(";")[0])
    names = ", ".join(map(clean, target.model_deployments))
    model = clean(command("esml", report.command, "--model", target.deployment_id, *options))
    return [
        f"{clean(target.deployment_id)} {what}, not a deployment. Its deployments: {names}.",
        f"  To {report.command} them: {model}",
    ]


def no_match_line(target: Target, command: str) -> str:
    """Return the line about a name that matches nothing."""
    if command == "restore":
        return f"{clean(target.deployment_id)} is not in the file. {clean(target.hint or '')}".rstrip()
    name, hint = clean(target.deployment_id), clean(target.hint or "")
    if hint.startswith(("is ", "matches ")):
        return f"{name} {hint}."
    pattern = "*" in name or name == "_all"
    line = f"No deployment matches {name}." if pattern else f"Deployment {name} is not running."
    if hint:
        return f"{line} {hint[0].upper()}{hint[1:]}{'' if hint.endswith('?') else '.'}"
    return line if command == "list" else f"{line[:-1]}; nothing to {command}."


def not_idle(target: Target) -> str:
    """Return the line about a deployment that was given by ID, but has not been idle for long enough."""
    found, name = target.deployment, clean(target.deployment_id)
    if found and found.in_use_now:
        return f"{name} was skipped: it has pending requests, or had some in the last minute."
    if found is None or found.idle_since is None:
        return f"{name} was skipped: its last use is unknown."
    if found.last_access is None or found.last_access < found.idle_since:
        return f"{name} was skipped: nothing is known about its use before {rfc3339(found.idle_since)}."
    return f"{name} was skipped: it was last used at {rfc3339(found.last_access)}."


def needs_summary(report: Report, *, shown: bool) -> bool:
    """Return whether a closing sentence adds information; `shown` is True if the results are on a terminal."""
    if report.command == "list":
        return shown or not report.count(Outcome.LISTED)
    if not report.results and report.command != "restore":
        return report.cancelled  # an empty standard input was already reported
    if len(report.results) != 1 or report.cancelled:
        return True
    only = report.results[0]
    said = {Outcome.IN_USE, Outcome.NOT_FOUND, Outcome.NOT_IDLE}
    return only.error is None and only.outcome not in said


def summary(report: Report) -> str:
    """Return the closing sentence, which summarizes the changes."""
    verb = VERBS.get(report.command, report.command)
    if report.cancelled:
        return f"Cancelled; nothing was {verb}."
    if report.command == "list":
        return listing.summary(report)
    if not report.results:
        return f"Nothing to {report.command}."
    if len(report.results) == 1:
        sentence = single_result(report.results[0])
    else:
        counts = {outcome: number for outcome in ORDER if (number := report.count(outcome))}
        first, *others = (f"{number:,} {OUTCOMES[outcome]}" for outcome, number in counts.items())
        amount, _, word = first.partition(" ")
        noun = ("name" if word == "not found" else "deployment") + ("" if amount == "1" else "s")
        sentence = ", ".join([f"{amount} {noun} {word}", *others]) + "."
    return " ".join([sentence, *next_steps(report)])


VERBS = {"stop": "stopped", "restore": "started", "restart": "restarted"}
# Outcomes that are not problems come first, then problems, then names that match nothing.
ORDER = sorted(Outcome, key=lambda one: (one is Outcome.NOT_FOUND, one in PROBLEMS))


def single_result(result: Result) -> str:
    """Return the sentence about the only target."""
    took = (
        f" in {seconds(result.seconds)}"
        if result.outcome in {Outcome.STOPPED, Outcome.STARTED, Outcome.RESTARTED}
        else ""
    )
    return f"{clean(result.deployment_id)} {PHRASES.get(result.outcome, OUTCOMES[result.outcome])}{took}."


PHRASES = {
    Outcome.IN_USE: "is in use and was not stopped",
    Outcome.STOPPING: "is still stopping",
    Outcome.UNKNOWN: "may or may not have stopped",
    Outcome.NOT_ATTEMPTED: "was not attempted",
    Outcome.NOT_FOUND: "was not found",
    Outcome.NOT_IDLE: "was skipped: used recently",
    Outcome.ALREADY_RUNNING: "is already running",
    Outcome.DIFFERS: "is running with different settings",
    Outcome.STARTING: "is still starting",
}


def next_steps(report: Report) -> list[str]:
    """Return what to do next, unless another message says it."""
    if report.dry_run:
        return ["Nothing was changed."]
    if report.command == "restore" and report.count(Outcome.FAILED):
        return ["Run the restore again when the cause is fixed; deployments that are already running are not changed."]
    if not report.count(Outcome.NOT_ATTEMPTED):
        return []
    if report.strict and report.count(Outcome.NOT_FOUND):
        return ["Nothing was changed because not everything was found."]
    return ["Run the same command again for the deployments that were not attempted."]
