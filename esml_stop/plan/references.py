"""Finds the pipelines and endpoints that use a deployment in a snapshot of the cluster. Pure."""

from collections.abc import Iterable, Iterator

from esml_stop.models import Deployment, Endpoint, Kind, Reference, Snapshot, Through


def uses(deployment: Deployment, snapshot: Snapshot) -> tuple[Reference, ...]:
    """Return all uses of a deployment: by its ID, its model, a model alias or its endpoint; sorted."""
    references = {
        *pipeline_uses(deployment, snapshot),
        *endpoint_uses(deployment, snapshot.endpoints or ()),
    }
    return tuple(sorted(references, key=lambda one: (one.kind.value, one.through.value, one.id)))


def endpoint_uses(deployment: Deployment, endpoints: Iterable[Endpoint]) -> set[Reference]:
    """Return the inference endpoints that created the deployment (they have its ID) or were given its ID."""
    found = set()
    for endpoint in endpoints:
        if endpoint.inference_id == deployment.deployment_id:
            found.add(Reference(Kind.ENDPOINT, endpoint.inference_id, Through.ENDPOINT))
        elif endpoint.deployment_id == deployment.deployment_id:
            found.add(Reference(Kind.ENDPOINT, endpoint.inference_id, Through.DEPLOYMENT))
    return found


def pipeline_uses(deployment: Deployment, snapshot: Snapshot) -> Iterator[Reference]:
    """Yield the ingest pipelines that reference a deployment, each once, with its most direct reference.

    Pipeline definitions take precedence; `_stats` adds the pipelines whose definition was not read.
    """
    read = uses_in_definitions(deployment, snapshot)
    yield from read.values()
    by_deployment, by_model = pipelines_in_stats(deployment, snapshot)
    for pipeline in (by_deployment | by_model) - read.keys():
        through = Through.DEPLOYMENT if pipeline in by_deployment else Through.MODEL
        yield Reference(Kind.PIPELINE, pipeline, through)


def uses_in_definitions(deployment: Deployment, snapshot: Snapshot) -> dict[str, Reference]:
    """Return the references to a deployment in pipeline definitions, by pipeline ID; the most direct one counts."""
    by_name = snapshot.pipelines.by_name if snapshot.pipelines else {}
    found: dict[str, Reference] = {}
    for alias in sorted(snapshot.aliases.get(deployment.model_id, ()), reverse=True):
        for one in by_name.get(alias, ()):
            found[one] = Reference(Kind.PIPELINE, one, Through.ALIAS, alias)
    for name, through in ((deployment.model_id, Through.MODEL), (deployment.deployment_id, Through.DEPLOYMENT)):
        for one in by_name.get(name, ()):
            found[one] = Reference(Kind.PIPELINE, one, through)
    return found


def pipelines_in_stats(deployment: Deployment, snapshot: Snapshot) -> tuple[frozenset[str], frozenset[str]]:
    """Return the pipelines that reference the deployment, and those that reference its model, according to `_stats`.

    If `_stats` shows the same pipelines for both (docs/elasticsearch.md), they count as references to the model. If the
    deployment has the ID of its model, they count as references to the deployment.
    """
    asked_by_id, asked_by_model = deployment.pipelines, model_pipelines(deployment, snapshot)
    if asked_by_id == asked_by_model and deployment.deployment_id != deployment.model_id:
        return frozenset(), asked_by_model
    return asked_by_id, asked_by_model - asked_by_id


def is_ambiguous(deployment: Deployment, snapshot: Snapshot) -> bool:
    """Return whether it is unclear if the pipelines reference the deployment or its model."""
    return (
        snapshot.pipelines is None
        and bool(deployment.pipelines)
        and deployment.deployment_id != deployment.model_id
        and deployment.pipelines == model_pipelines(deployment, snapshot)
    )


def model_pipelines(deployment: Deployment, snapshot: Snapshot) -> frozenset[str]:
    """Return the pipelines that reference the deployment's model or an alias of it, as far as they were read."""
    siblings = snapshot.by_model.get(deployment.model_id, ())
    return frozenset(name for sibling in siblings for name in sibling.pipelines)


def server_refuses(reference: Reference, deployment: Deployment) -> bool:
    """Return whether a use makes Elasticsearch itself refuse to stop a deployment without force.

    It checks references to the deployment ID and, if the deployment has the ID of its model, to the model's aliases.
    """
    return not reference.needs_model or deployment.deployment_id == deployment.model_id


def references_deployment(references: Iterable[Reference]) -> bool:
    """Return whether one of the uses is by the deployment ID or by its endpoint."""
    return any(not one.needs_model for one in references)


def models_to_read(found: Iterable[Deployment], snapshot: Snapshot) -> frozenset[str]:
    """Return the models whose deployments and aliases must be read to find all uses of the given deployments.

    These are the models that a pipeline references or for whose deployments `_stats` shows pipelines. If a pipeline
    contains an unknown name that Elasticsearch itself does not see, it may be an alias of any model: then all of them.
    """
    pipelines = (snapshot.pipelines or {}).values()
    named = frozenset().union(*(one.names for one in pipelines))
    known = {name for one in snapshot.deployments for name in (one.deployment_id, one.model_id)}
    open_names = frozenset().union(*(one.hidden for one in pipelines)) - known
    return frozenset(one.model_id for one in found if one.pipelines or one.model_id in named or open_names)
