"""The sentences people read about targets; no I/O, and every foreign value cleaned."""

import re
from collections.abc import Sequence
from itertools import islice

from esml_stop.errors import EsmlError
from esml_stop.invocation import ClusterIdentity
from esml_stop.models import LAST_LOOK, PIPELINES, Deployment, Kind, NotChecked, Reference, Through
from esml_stop.outcomes import DONE, PROBLEMS, Outcome, Report, Result, Target, is_missed
from esml_stop.plan.references import names_one
from esml_stop.plan.start_settings import start_call
from esml_stop.text import clean, command, counted, rfc3339, seconds, size

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

# How the first line about a target begins that did not end as it should.
PROBLEM_VERBS = {
    Outcome.STOPPING: "is still stopping",
    Outcome.UNKNOWN: "is in an unknown state",
    Outcome.FAILED: "failed",
    Outcome.NOT_ATTEMPTED: "was not attempted",
    Outcome.DIFFERS: "is running with different settings",
    Outcome.STARTING: "is still starting",
    Outcome.NOT_FOUND: "was not found",
}


MOST_NAMES = 5


def use(reference: Reference) -> str:
    """Return one use of a deployment in words."""
    name = clean(reference.id)
    if reference.kind is Kind.PIPELINE:
        if reference.alias:
            return f"ingest pipeline {name} references model alias {clean(reference.alias)}"
        what = "its model" if reference.needs_model else "this deployment"
        return f"ingest pipeline {name} references {what}"
    if reference.through is not Through.ENDPOINT:
        return f"inference endpoint {name} uses this deployment"
    # The server's own default endpoints, whose IDs begin with a dot, start their deployment by themselves.
    again = " and starts it again when the endpoint is used" if name.startswith(".") else ""
    return f"inference endpoint {name} created this deployment{again}"


def use_in_brief(reference: Reference) -> str:
    """Return one use of a deployment in a few words; what names the deployment itself is the usual case."""
    if reference.kind is Kind.PIPELINE:
        return f"pipeline {clean(reference.id)}{' (model)' if reference.needs_model else ''}"
    return f"endpoint {clean(reference.id)}"


def unread(report: Report, *, verbose: bool) -> list[str]:
    """Return what was not checked, where nothing else would say it.

    A server that checks by itself refuses a stop without --force; it is silent with it, in a dry run, and when it is
    older than that check.
    """
    look_only = report.dry_run or report.command == "list"
    chosen = [result.target for result in report.results if verbose or is_blind(result, look_only=look_only)]
    found = dict.fromkeys(one for target in chosen for one in target.not_checked if is_said(one, verbose=verbose))
    unseen = dict.fromkeys(
        one for result in report.results for one in result.target.not_checked if one.what == LAST_LOOK
    )
    return [
        *(f"{clean(one.what)} not checked ({clean(one.reason)})." for one in found),
        *(
            f"stopped is what Elasticsearch answered; nobody could look again ({clean(one.reason.rstrip('.'))})."
            for one in unseen
        ),
    ]


def is_said(unread: NotChecked, *, verbose: bool) -> bool:
    """Tell whether something unread is worth a warning here: what only rare pipelines do is not."""
    return unread.what != LAST_LOOK and (verbose or unread.what != PIPELINES)


def is_blind(result: Result, *, look_only: bool) -> bool:
    """Tell whether a stop would go unrefused although something unseen may use the deployment."""
    versions = result.target.deployment.node_versions if result.target.deployment else ()
    return look_only or result.forced or not all(map(checks_endpoints, versions or ("0",)))


def checks_endpoints(version: str) -> bool:
    """Tell whether a server of this version refuses to stop what an inference endpoint uses (docs/elasticsearch.md)."""
    numbers = tuple(int(part) for part in re.findall(r"\d+", version)[:3])
    return (8, 18, 3) <= numbers < (9,) or numbers >= (9, 0, 3)


def failure(result: Result) -> list[str]:
    """Return the lines about a target that failed or is not known to be stopped.

    A message that begins with "It" says by itself what became of the deployment.
    """
    error, name = result.error or EsmlError(""), clean(result.deployment_id)
    message = clean(error.message)
    if message.startswith("It "):
        first = f"{name}{message[2:]}"
    else:
        first = f"{name} {PROBLEM_VERBS.get(result.outcome, 'failed')}: {message}"
    return [first, *([f"  {clean(error.hint)}"] if error.hint else [])]


def refusal(result: Result, report: Report, options: Sequence[str]) -> list[str]:
    """Return the lines about a deployment that is in use; the last one is the command that stops it anyway.

    `options` are those that the command was given.
    """
    verb = "would not be" if report.dry_run else "was not"
    done = "restarted" if report.command == "restart" else "stopped"
    lines = [
        f"{clean(result.deployment_id)} is in use and {verb} {done}:",
        *(f"  {use(one)}" for one in result.target.breaks or result.used_by),
    ]
    if result.error and result.error.reason:
        lines.append(f"  Elasticsearch says: {clean(result.error.reason)}")
    lines += last_of_model(result, report)
    again = clean(command("esml", report.command, result.deployment_id, "--force", *options))
    return [*lines, f"  To {report.command} it anyway: {again}"]


def last_of_model(result: Result, report: Report) -> list[str]:
    """Return the line about a model of which no deployment would be left to serve the pipelines that reference it."""
    found = result.target.deployment
    if not found or not any(one.needs_model for one in result.target.breaks):
        return []
    model = clean(found.model_id)
    needed = (one.deployment_id for one in report.results if one is not result and is_needed(one, found))
    together = list(islice(needed, MOST_NAMES + 1))
    if not together:
        return [f"  This is the last running deployment of model {model}."]
    others = ", ".join([*map(clean, together[:MOST_NAMES]), *(["more"] if len(together) > MOST_NAMES else [])])
    doing = "Restarting" if report.command == "restart" else "Stopping"
    return [
        f"  {doing} it together with {others} would leave no deployment of model {model}.",
        "  To keep the model available, leave at least one of them running.",
    ]


def is_needed(result: Result, other: Deployment) -> bool:
    """Tell whether a deployment runs and was refused only because another one of its model was to be stopped, too."""
    found = result.target.deployment
    alive = found is not None and found.alive and found.model_id == other.model_id
    return alive and result.outcome is Outcome.IN_USE and not names_one(result.target.breaks)


def forced(result: Result, report: Report) -> str | None:
    """Return the warning about a deployment that is stopped although that breaks something; None if it does not."""
    broken = [one for one in result.target.breaks if not one.needs_model or not serves_on(result, report)]
    if not broken:
        return None
    tense, effect = ("is", "would") if report.dry_run else ("was", "will")
    uses = "; ".join(map(use, broken))
    if report.command == "restart":
        during = "would fail while it restarts" if report.dry_run else "failed while it was restarted"
        return f"{clean(result.deployment_id)} {tense} in use: {uses}. Requests through these {during}."
    return f"{clean(result.deployment_id)} {tense} in use: {uses}. These {effect} fail until it is restarted."


def warning(result: Result, report: Report) -> str | None:
    """Return what to warn of about a target that did not fail."""
    if result.error or result.outcome is Outcome.IN_USE:
        return None
    if result.outcome is Outcome.NOT_FOUND:
        return None if is_missed(result, strict=report.strict) else missing(result.target, report.command)
    if result.outcome is Outcome.NOT_IDLE:
        return not_idle(result.target)
    return (forced(result, report) or why(result)) if result.outcome in DONE else None


def why(result: Result) -> str | None:
    """Return what was wrong with a deployment that is stopped or would be, such as that its model was deleted."""
    found = result.target.deployment
    if not found or not found.reason or result.outcome not in {Outcome.STOPPED, Outcome.WOULD_STOP}:
        return None
    return f"{clean(result.deployment_id)}: {clean(found.reason)}"


def no_ids(report: Report) -> str:
    """Return the line about a standard input that named nothing."""
    return f"No deployment ID was given on stdin; nothing to {report.command}."


def serves_on(result: Result, report: Report) -> bool:
    """Tell whether a deployment of the same model that was to be stopped too still runs."""
    model = result.target.deployment and result.target.deployment.model_id
    siblings = (one for one in report.results if one.target.deployment and one.target.deployment.model_id == model)
    return any(one.outcome in {Outcome.FAILED, Outcome.NOT_ATTEMPTED, Outcome.IN_USE} for one in siblings)


def start_again(one: Deployment) -> str:
    """Return the request that starts a deployment again with the same settings, marked as such."""
    request = "\n".join(f"  {clean(line)}" for line in start_call(one).console.split("\n"))
    return f"To start {clean(one.deployment_id)} again:\n{request}"


def way_back(report: Report, restore: Sequence[str], *, verbose: bool) -> list[str]:
    """Return how to start again what was stopped: the file of --save, and with --verbose each request."""
    stopped = [one.target.deployment for one in report.results if one.outcome is Outcome.STOPPED]
    calls = [start_again(one) for one in stopped if one] if verbose else []
    if not report.saved_to:
        return calls
    again = clean(command(*restore, report.saved_to))
    them = "what is not running" if report.command == "restart" else "them again"
    return [*calls, f"Saved to {clean(report.saved_to)}. To start {them}: {again}"]


def question(targets: Sequence[Target], cluster: ClusterIdentity) -> str:
    """Return the question before deployments are stopped or restarted: how many, on which cluster, with what danger."""
    chosen = [one for one in targets if one.decision.is_plan]
    verb = "Restart" if any(one.decision is Outcome.WOULD_RESTART for one in chosen) else "Stop"
    text = f"{verb} {counted(len(chosen), 'deployment')} on {clean(cluster.label)}?"
    broken = sum(bool(one.breaks) for one in chosen)
    if broken:
        return f"{text} {broken:,} {'is' if broken == 1 else 'are'} in use: {effect(chosen, verb)}"
    if any(one.not_checked for one in chosen):
        return f"{text} Their usage could not be checked completely."
    return text


def effect(targets: Sequence[Target], verb: str) -> str:
    """Return what happens to the users of some deployments."""
    kinds = {use.kind for one in targets for use in one.breaks}
    names = {Kind.PIPELINE: "pipelines", Kind.ENDPOINT: "inference endpoints"}
    what = " and ".join(text for kind, text in names.items() if kind in kinds)
    return f"{what} will fail{' until they run again' if verb == 'Restart' else ''}."


def missed(result: Result, report: Report, options: Sequence[str] = ()) -> list[str]:
    """Return the lines about a name that should have matched; `options` are those that the command was given."""
    target = result.target
    if not target.meant:
        return [missing(target, report.command)]
    what = clean((target.hint or "is a model").partition(";")[0])
    names = ", ".join(map(clean, target.meant))
    model = clean(command("esml", report.command, "--model", target.deployment_id, *options))
    return [
        f"{clean(target.deployment_id)} {what}, not a deployment. Its deployments: {names}.",
        f"  To {report.command} them: {model}",
    ]


def missing(target: Target, command: str) -> str:
    """Return the line about a name that found nothing."""
    if command == "restore":
        return f"{clean(target.deployment_id)} is not in the file. {clean(target.hint or '')}".rstrip()
    name, hint = clean(target.deployment_id), clean(target.hint or "")
    if hint.startswith("is "):
        return f"{name} {hint}."
    pattern = "*" in name or name == "_all"
    line = f"No deployment matches {name}." if pattern else f"Deployment {name} is not running."
    if hint:
        return f"{line} {hint[0].upper()}{hint[1:]}{'' if hint.endswith('?') else '.'}"
    return line if command == "list" else f"{line[:-1]}; nothing to {command}."


def not_idle(target: Target) -> str:
    """Return the line about a deployment that was named but is not idle for long enough."""
    found, name = target.deployment, clean(target.deployment_id)
    if found and found.in_use_now:
        return f"{name} was skipped: it is in use now."
    if found is None or found.idle_since is None:
        return f"{name} was skipped: when it was last used is not known."
    if found.last_access is None or found.last_access < found.idle_since:
        return f"{name} was skipped: nothing is known about its use before {rfc3339(found.idle_since)}."
    return f"{name} was skipped: it was last used at {rfc3339(found.last_access)}."


def needs_closing(report: Report, *, shown: bool) -> bool:
    """Tell whether a closing sentence says something new; `shown`: the results are on a terminal."""
    if report.command == "list":
        return shown or not report.count(Outcome.LISTED)
    if not report.results and report.command != "restore":
        return report.cancelled  # an empty standard input has been reported
    if len(report.results) != 1 or report.cancelled:
        return True
    only = report.results[0]
    said = {Outcome.IN_USE, Outcome.NOT_FOUND, Outcome.NOT_IDLE}
    return only.error is None and only.outcome not in said


def closing(report: Report) -> str:
    """Return the one sentence that says what changed."""
    verb = VERBS.get(report.command, report.command)
    if report.cancelled:
        return f"Cancelled; nothing was {verb}."
    if report.command == "list":
        return listed(report)
    if not report.results:
        return f"Nothing to {report.command}."
    if len(report.results) == 1:
        sentence = single(report.results[0])
    else:
        counts = {outcome: number for outcome in ORDER if (number := report.count(outcome))}
        first, *others = (f"{number:,} {OUTCOMES[outcome]}" for outcome, number in counts.items())
        amount, _, word = first.partition(" ")
        noun = ("name" if word == "not found" else "deployment") + ("" if amount == "1" else "s")
        sentence = ", ".join([f"{amount} {noun} {word}", *others]) + "."
    return " ".join([sentence, *next_steps(report)])


VERBS = {"stop": "stopped", "restore": "started", "restart": "restarted"}
# What was done comes first, what was not found at all last.
ORDER = sorted(Outcome, key=lambda one: (one is Outcome.NOT_FOUND, one in PROBLEMS))


def listed(report: Report) -> str:
    """Return how many deployments there are and what memory they need, as far as that is known."""
    number = report.count(Outcome.LISTED)
    if not number:
        return "No deployments are running." if not report.results else "No deployments to list."
    needed = [one.target.deployment.memory_bytes for one in report.results if one.target.deployment]
    known = [one for one in needed if one is not None]
    memory = f", {'at least ' if len(known) < len(needed) else ''}{size(sum(known))} of memory" if known else ""
    return f"{counted(number, 'deployment')}{memory}."


def single(result: Result) -> str:
    """Return what became of the only target."""
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
    """Return what to do next, as far as nothing else says it."""
    if report.dry_run:
        return ["Nothing was changed."]
    if report.command == "restore" and report.count(Outcome.FAILED):
        return ["Restore again when the cause is fixed; what is already running is left as it is."]
    if not report.count(Outcome.NOT_ATTEMPTED):
        return []
    if report.strict and report.count(Outcome.NOT_FOUND):
        return ["Nothing was changed because not everything was found."]
    return ["Run the same command again for what was not attempted."]
