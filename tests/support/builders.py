"""Builds deployments, endpoints and snapshots for tests without a cluster."""

from typing import Any

from esml_stop.models import Deployment, Endpoint, NotChecked, Reference, Snapshot


def deployment(
    deployment_id: str, model_id: str = "m", *pipelines: str, state: str = "started", **more: Any
) -> Deployment:
    """Return a deployment whose `_stats` show these ingest pipelines."""
    return Deployment(deployment_id, model_id, state, frozenset(pipelines), **more)


def endpoint(inference_id: str, deployment_id: str | None = None) -> Endpoint:
    """Return an inference endpoint, by default without a deployment ID, as if it created its own deployment."""
    return Endpoint(inference_id, deployment_id)


def snapshot(*deployments: Deployment, models: dict[str, tuple[str, ...]] | None = None, **more: Any) -> Snapshot:
    """Return a snapshot in which `models` were requested by ID, with the pipelines that reference each of them."""
    by_model = {
        model: tuple(
            deployment(one.deployment_id, model, *pipelines, state=one.state)
            for one in deployments
            if one.model_id == model
        )
        for model, pipelines in (models or {}).items()
    }
    return Snapshot(deployments, by_model, **more)


def short(references: tuple[Reference, ...]) -> list[str]:
    """Return each reference as its ID and its type, e.g. `p model`."""
    return [f"{one.id} {one.through.value}" for one in references]


UNREAD = NotChecked("inference endpoints", "requires monitor_inference")
