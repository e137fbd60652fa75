"""Finds what uses the deployments that the server refused to stop."""

from collections.abc import Sequence
from dataclasses import replace

from esml_stop.cluster.reader import Reader
from esml_stop.errors import EsmlError
from esml_stop.models import Kind, Reference, Through
from esml_stop.outcomes import Outcome, Result, having_outcome
from esml_stop.plan.patterns import Selection
from esml_stop.plan.references import references_deployment, uses


def with_conflicting_uses(results: Sequence[Result], reader: Reader) -> list[Result]:
    """Return the results, with what uses the deployments that the server refused to stop.

    The server's 409 names no pipeline. If the usage check was skipped, or did not find the use, it is read now.
    """
    refused = [
        one for one in having_outcome(results, Outcome.IN_USE) if one.error and not references_deployment(one.used_by)
    ]
    if not refused:
        return list(results)
    try:
        snapshot = reader.read(Selection(tuple(one.deployment_id for one in refused)))
    except EsmlError:
        return list(results)
    found = {one.deployment_id: uses(one, snapshot) for one in snapshot.deployments}
    return [
        replace(one, used_by=corrected_by_conflict(found[one.deployment_id], one.error))
        if one in refused and one.deployment_id in found
        else one
        for one in results
    ]


def corrected_by_conflict(references: tuple[Reference, ...], error: EsmlError | None) -> tuple[Reference, ...]:
    """Return the uses, corrected by the server's 409, which it returns only for references to the deployment itself.

    If `_stats` did not show whether pipelines reference the deployment or its model, at least one references the
    deployment.
    """
    by_name = any(one.kind is Kind.PIPELINE and one.through is Through.DEPLOYMENT for one in references)
    if by_name or not error or "ingest processors" not in (error.reason or ""):
        return references
    return tuple(
        Reference(one.kind, one.id, Through.DEPLOYMENT) if one.kind is Kind.PIPELINE else one for one in references
    )
