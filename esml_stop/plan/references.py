"""Who uses a deployment: pure functions over what was read from the cluster."""

from collections.abc import Iterable

from esml_stop.models import Deployment, Endpoint, Kind, Reference, Snapshot, Through


def uses(deployment: Deployment, snapshot: Snapshot) -> tuple[Reference, ...]:
    """Return everything that uses a deployment by its own name, its model's or its endpoint's, sorted."""
    by_deployment, by_model = pipelines_of(deployment, snapshot)
    references = {
        *(Reference(Kind.PIPELINE, name, Through.DEPLOYMENT) for name in by_deployment),
        *(Reference(Kind.PIPELINE, name, Through.MODEL) for name in by_model - by_deployment),
        *endpoint_uses(deployment, snapshot.endpoints or ()),
    }
    return tuple(sorted(references, key=lambda one: (one.kind.value, one.through.value, one.id)))


def endpoint_uses(deployment: Deployment, endpoints: Iterable[Endpoint]) -> set[Reference]:
    """Return the inference endpoints that own the deployment (they have its ID) or were given its ID."""
    found = set()
    for endpoint in endpoints:
        if endpoint.inference_id == deployment.deployment_id:
            found.add(Reference(Kind.ENDPOINT, endpoint.inference_id, Through.ENDPOINT))
        elif endpoint.deployment_id == deployment.deployment_id:
            found.add(Reference(Kind.ENDPOINT, endpoint.inference_id, Through.DEPLOYMENT))
    return found


def pipelines_of(deployment: Deployment, snapshot: Snapshot) -> tuple[frozenset[str], frozenset[str]]:
    """Return the pipelines that reference the deployment, and those that reference its model or a model alias.

    The two answers of `_stats` tell them apart unless they are equal (docs/elasticsearch.md): then either no pipeline
    names the deployment, or the same pipelines name both. What a pipeline was read to say decides that; without it
    they count as the model's.
    """
    asked_by_id, asked_by_model = deployment.pipelines, model_pipelines(deployment, snapshot)
    if deployment.deployment_id == deployment.model_id or asked_by_id != asked_by_model:
        return asked_by_id, asked_by_model
    naming = (name for name in asked_by_id if deployment.deployment_id in snapshot.named.get(name, ()))
    return frozenset(naming), asked_by_model


def names_one(references: Iterable[Reference]) -> bool:
    """Tell whether one of the uses is by the deployment's own name, or its endpoint's."""
    return any(not one.needs_model for one in references)


def is_doubtful(deployment: Deployment, snapshot: Snapshot) -> bool:
    """Tell whether `_stats` alone leaves open which name its pipelines use."""
    return (
        bool(deployment.pipelines)
        and deployment.deployment_id != deployment.model_id
        and deployment.pipelines == model_pipelines(deployment, snapshot)
    )


def model_pipelines(deployment: Deployment, snapshot: Snapshot) -> frozenset[str]:
    """Return the pipelines that reference the deployment's model or an alias, as far as they were read."""
    siblings = snapshot.by_model.get(deployment.model_id, ())
    return frozenset(name for sibling in siblings for name in sibling.pipelines)
