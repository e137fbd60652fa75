"""Messages about what uses deployments: refusals, warnings, and the confirmation prompt."""

import re
from collections.abc import Sequence
from itertools import islice

from esml_stop.invocation import ClusterIdentity
from esml_stop.models import FINAL_CHECK, PIPELINES, Deployment, Kind, NotChecked, Reference, Through
from esml_stop.outcomes import Outcome, Report, Result, Target
from esml_stop.plan.references import references_deployment
from esml_stop.text import clean, command, counted

MOST_NAMES = 5


def use(reference: Reference) -> str:
    """Return a clause that describes one use of a deployment."""
    name = clean(reference.id)
    if reference.kind is Kind.PIPELINE:
        if reference.alias:
            return f"ingest pipeline {name} references model alias {clean(reference.alias)}"
        what = "its model" if reference.needs_model else "this deployment"
        return f"ingest pipeline {name} references {what}"
    if reference.through is not Through.ENDPOINT:
        return f"inference endpoint {name} uses this deployment"
    # Elasticsearch's default endpoints, whose IDs begin with a dot, start their deployment on demand.
    again = " and starts it again when the endpoint is used" if name.startswith(".") else ""
    return f"inference endpoint {name} created this deployment{again}"


def use_in_brief(reference: Reference) -> str:
    """Return a short description of one use of a deployment; "(model)" marks references to its model."""
    if reference.kind is Kind.PIPELINE:
        return f"pipeline {clean(reference.id)}{' (model)' if reference.needs_model else ''}"
    return f"endpoint {clean(reference.id)}"


def missing_checks(report: Report, *, verbose: bool) -> list[str]:
    """Return the lines about checks that could not be made and that no other message mentions.

    They matter where Elasticsearch's own usage check refuses no stop: in a dry run, with --force, or in old versions.
    """
    look_only = report.dry_run or report.command == "list"
    chosen = [result.target for result in report.results if verbose or lacks_server_check(result, look_only=look_only)]
    found = dict.fromkeys(
        one for target in chosen for one in target.not_checked if is_worth_warning(one, verbose=verbose)
    )
    unseen = dict.fromkeys(
        one for result in report.results for one in result.target.not_checked if one.what == FINAL_CHECK
    )
    return [
        *(f"Not checked ({clean(one.reason.rstrip('.'))}): {clean(one.what)}." for one in found),
        *(
            f"stopped, according to Elasticsearch; a final check was not possible ({clean(one.reason.rstrip('.'))})."
            for one in unseen
        ),
    ]


def is_worth_warning(check: NotChecked, *, verbose: bool) -> bool:
    """Return whether to warn about a missing check; PIPELINES, which concerns few pipelines, only with --verbose."""
    return check.what != FINAL_CHECK and (verbose or check.what != PIPELINES)


def lacks_server_check(result: Result, *, look_only: bool) -> bool:
    """Return whether Elasticsearch would not refuse the stop even if an endpoint uses the deployment."""
    versions = result.target.deployment.node_versions if result.target.deployment else ()
    return look_only or result.forced or not all(map(checks_endpoints, versions or ("0",)))


def checks_endpoints(version: str) -> bool:
    """Return whether this version refuses to stop a deployment that an endpoint uses (docs/elasticsearch.md)."""
    numbers = tuple(int(part) for part in re.findall(r"\d+", version)[:3])
    return (8, 18, 3) <= numbers < (9,) or numbers >= (9, 0, 3)


def in_use_lines(result: Result, report: Report, options: Sequence[str]) -> list[str]:
    """Return the lines about a deployment that is in use; the last one is the command that stops it anyway.

    `options` are the options of this run, which the command repeats.
    """
    verb = "would not be" if report.dry_run else "was not"
    done = "restarted" if report.command == "restart" else "stopped"
    lines = [
        f"{clean(result.deployment_id)} is in use and {verb} {done}:",
        *(f"  {use(one)}" for one in result.target.failing_uses or result.used_by),
    ]
    if result.error and result.error.reason:
        lines.append(f"  Elasticsearch says: {clean(result.error.reason)}")
    lines += last_of_model(result, report)
    again = clean(command("esml", report.command, result.deployment_id, "--force", *options))
    return [*lines, f"  To {report.command} it anyway: {again}"]


def last_of_model(result: Result, report: Report) -> list[str]:
    """Return the lines for a refusal because no deployment of a referenced model would be left, or none."""
    found = result.target.deployment
    if not found or not any(one.needs_model for one in result.target.failing_uses):
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
    """Return whether a running deployment of the model was refused only because all of them would be stopped."""
    found = result.target.deployment
    is_running = found is not None and found.is_running and found.model_id == other.model_id
    return is_running and result.outcome is Outcome.IN_USE and not references_deployment(result.target.failing_uses)


def broken_uses_warning(result: Result, report: Report) -> str | None:
    """Return the warning about uses that fail because a deployment is stopped or restarted; None if there are none."""
    broken = [one for one in result.target.failing_uses if not one.needs_model or not is_still_served(result, report)]
    if not broken:
        return None
    tense, effect = ("is", "would") if report.dry_run else ("was", "will")
    uses = "; ".join(map(use, broken))
    if report.command == "restart":
        during = "would fail while it restarts" if report.dry_run else "failed while it was restarted"
        return f"{clean(result.deployment_id)} {tense} in use: {uses}. Requests through these {during}."
    return f"{clean(result.deployment_id)} {tense} in use: {uses}. These {effect} fail until it is restarted."


def is_still_served(result: Result, report: Report) -> bool:
    """Return whether a deployment of the same model was requested, but not stopped."""
    model = result.target.deployment and result.target.deployment.model_id
    siblings = (one for one in report.results if one.target.deployment and one.target.deployment.model_id == model)
    return any(one.outcome in {Outcome.FAILED, Outcome.NOT_ATTEMPTED, Outcome.IN_USE} for one in siblings)


def question(targets: Sequence[Target], cluster: ClusterIdentity) -> str:
    """Return the confirmation prompt: how many deployments are stopped or restarted, where, and what will fail."""
    chosen = [one for one in targets if one.decision.is_planned_change]
    verb = "Restart" if any(one.decision is Outcome.WOULD_RESTART for one in chosen) else "Stop"
    text = f"{verb} {counted(len(chosen), 'deployment')} on {clean(cluster.label)}?"
    broken = sum(bool(one.failing_uses) for one in chosen)
    if broken:
        return f"{text} {broken:,} {'is' if broken == 1 else 'are'} in use: {effect(chosen, verb)}"
    if any(one.not_checked for one in chosen):
        return f"{text} Not everything that may use them could be checked."
    return text


def effect(targets: Sequence[Target], verb: str) -> str:
    """Return a sentence about the kinds of uses that will fail."""
    kinds = {use.kind for one in targets for use in one.failing_uses}
    names = {Kind.PIPELINE: "pipelines", Kind.ENDPOINT: "inference endpoints"}
    what = " and ".join(text for kind, text in names.items() if kind in kinds)
    return f"{what} will fail{' until they run again' if verb == 'Restart' else ''}."


def short(reference: Reference) -> str:
    """Return a use as `pipeline:ID` or `endpoint:ID`."""
    return f"{'pipeline' if reference.kind is Kind.PIPELINE else 'endpoint'}:{reference.id}"
