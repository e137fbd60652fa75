"""The response of `_stats`: the models and deployments that an expression matches, and the pipelines of each entry."""

import re
from collections.abc import Iterable
from typing import Any

from esml_stop.sandbox.problems import Problem, missing_model
from esml_stop.sandbox.state import MODEL_BYTES, Deployment, State

NODE = {
    "sandbox": {
        "name": "sandbox-0",
        "ephemeral_id": "sandbox",
        "transport_address": "127.0.0.1:9300",
        "external_id": "sandbox-0",
        "attributes": {},
        "roles": ["ml"],
        "version": "8.19.0",
    }
}


def stats(state: State, expression: str, start: int = 0, size: int = 100) -> dict[str, Any]:
    """Return the response of `GET _ml/trained_models/<expression>/_stats`."""
    if start + size > 10_000:
        raise Problem(
            400,
            "validation_exception",
            "Validation Failed: 1: The sum of parameters [from] and [size] cannot be higher than 10000.;",
        )
    matched = [one for one in state.deployments if matches(expression, one)]
    models = sorted(matching_models(state, expression, matched))
    page = models[start : start + size]
    wanted = {*matched, *(name for name, one in state.deployments.items() if matches(expression, one.model_id))}
    shown = Pipelines(state, {*matched, *page, *(alias for alias, model in state.aliases.items() if model in page)})
    groups: dict[str, list[Deployment]] = {}
    for _, one in sorted(state.deployments.items()):
        groups.setdefault(one.model_id, []).append(one)
    entries = [entry for model in page for entry in model_entries(model, groups.get(model, []), wanted, shown)]
    return {"count": len(models), "trained_model_stats": entries}


def matching_models(state: State, expression: str, matched: Iterable[str]) -> set[str]:
    """Return the models that an expression matches; raise a 404 if one of its exact names is unknown."""
    by_alias = {model for alias, model in state.aliases.items() if matches(expression, alias)}
    by_deployment = {state.deployments[name].model_id for name in matched}
    known = {*state.models, *state.aliases, *state.deployments}
    unknown = [part for part in expression.split(",") if "*" not in part and part != "_all" and part not in known]
    if expression not in {"_all", "*"}:  # the models of matched deployments are added by their exact IDs
        unknown += sorted({state.deployments[name].model_id for name in matched} - state.models.keys())
    if unknown:
        raise missing_model(",".join(unknown))
    wanted = {model for model in state.models if matches(expression, model)} | by_alias | by_deployment
    return wanted & state.models.keys()


class Pipelines:
    """The pipelines that reference a name; a reference to an alias counts for its model."""

    def __init__(self, state: State, asked: set[str]) -> None:
        self.by_name: dict[str, set[str]] = {}
        for pipeline, body in state.pipelines.items():
            for name in asked.intersection(state.names_in(body)):
                self.by_name.setdefault(state.aliases.get(name, name), set()).add(pipeline)

    def of(self, deployment_id: str | None, model_id: str) -> set[str]:
        """Return the pipelines of an entry: the deployment's own, or else its model's."""
        own = self.by_name.get(deployment_id) if deployment_id else None
        return own or self.by_name.get(model_id, set())


def model_entries(
    model: str, deployments: Iterable[Deployment], wanted: set[str], shown: Pipelines
) -> Iterable[dict[str, Any]]:
    """Yield one entry for each deployment of a model, or one without deployment_stats if the model has none."""
    if not deployments:
        yield entry(model, shown.of(None, model))
    for one in deployments:
        if not wanted or one.deployment_id in wanted:
            yield {**entry(model, shown.of(one.deployment_id, model)), "deployment_stats": deployment_stats(one)}


def entry(model: str, pipelines: set[str]) -> dict[str, Any]:
    """Return the fields that every entry has."""
    counts = {"count": 0, "time_in_millis": 0, "current": 0, "failed": 0}
    found: dict[str, Any] = {
        "model_id": model,
        "model_size_stats": {"model_size_bytes": MODEL_BYTES, "required_native_memory_bytes": 768_123_456},
        "pipeline_count": len(pipelines),
    }
    if pipelines:
        found["ingest"] = {
            "total": counts,
            "pipelines": {name: {**counts, "processors": []} for name in sorted(pipelines)},
        }
    return found


def deployment_stats(one: Deployment) -> dict[str, Any]:
    """Return the `deployment_stats` of an entry, without fields that are not set."""
    wanted = 0 if one.scaled_to_zero else one.number_of_allocations
    reached = wanted if one.state == "started" else 0
    status = {"allocation_count": reached, "target_allocation_count": wanted}
    found = {
        "deployment_id": one.deployment_id,
        "model_id": one.model_id,
        "threads_per_allocation": one.threads_per_allocation,
        "number_of_allocations": wanted,
        "adaptive_allocations": one.adaptive_allocations,
        "queue_capacity": one.queue_capacity,
        "state": one.state,
        "reason": one.reason,
        "allocation_status": allocation_status(one, status),
        "cache_size": one.cache_size,
        "priority": one.priority,
        "start_time": one.start_time,
        "peak_throughput_per_minute": 0,
        "nodes": [] if one.scaled_to_zero else [node_stats(one)],
    }
    return {name: value for name, value in found.items() if value is not None}


def allocation_status(one: Deployment, counts: dict[str, int]) -> dict[str, Any] | None:
    """Return the allocation status, or None for a deployment that is stopping."""
    if one.state == "stopping":
        return None
    return {**counts, "state": "fully_allocated" if one.state == "started" else "starting"}


def node_stats(one: Deployment) -> dict[str, Any]:
    """Return the statistics of a deployment on its node; only a few fields if it is not running."""
    if one.state != "started":
        route = {"routing_state": one.state, "reason": one.reason}
        shown = {name: value for name, value in route.items() if value is not None}
        return {"node": NODE, "routing_state": shown}
    found = {
        "node": NODE,
        "routing_state": {"routing_state": "started"},
        "inference_count": one.inference_count,
        "last_access": one.last_access,
        "number_of_pending_requests": one.pending_ms // 100,
        "start_time": one.process_start,
        "throughput_last_minute": 0,
        "threads_per_allocation": one.threads_per_allocation,
        "number_of_allocations": one.number_of_allocations,
    }
    return {name: value for name, value in found.items() if value is not None}


def matches(expression: str, name: str) -> bool:
    """Return whether one part of an expression matches a name: exactly, by `*`, or by `_all`."""
    parts = expression.split(",")
    return "_all" in parts or any(re.fullmatch(re.escape(part).replace(r"\*", ".*"), name) for part in parts)
