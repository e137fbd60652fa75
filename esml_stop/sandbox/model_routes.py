"""The machine learning API calls of the practice cluster."""

import time
from typing import Any

from esml_stop.sandbox.problems import Problem, missing_model
from esml_stop.sandbox.routing import Query, route
from esml_stop.sandbox.state import Deployment, State, shown_size
from esml_stop.sandbox.stats import matches, stats

STOP_FIELDS = {"model_id", "allow_no_match", "force", "finish_pending_work"}


@route("POST", "/_ml/trained_models/{}/deployment/_stop")
def stop(state: State, query: Query, body: Any, name: str) -> Any:
    """Stop a deployment and respond when it is gone; only an exact ID matches."""
    flags = stop_flags(name, query, body)
    with state.lock:
        deployment = state.begin_stop(name, flags)
    if deployment:
        time.sleep((deployment.stop_ms + (deployment.pending_ms if flags["finish_pending_work"] else 0)) / 1000)
        with state.lock:
            if state.deployments.get(name) is deployment:
                del state.deployments[name]
    return {"stopped": True}


def stop_flags(name: str, query: Query, body: Any) -> dict[str, bool]:
    """Return the flags of a stop: those in the body if there is one, else those in the query."""
    given: dict[str, Any] = dict(body) if body is not None else {key: value == "true" for key, value in query.items()}
    if body is not None and query:
        raise unrecognized(f"/_ml/trained_models/{name}/deployment/_stop", next(iter(query)))
    for field in given.keys() - STOP_FIELDS:
        if body is None:
            raise unrecognized(f"/_ml/trained_models/{name}/deployment/_stop", field)
        text = f"[1:2] [cluster:admin/xpack/ml/trained_models/deployment/stop] unknown field [{field}]"
        raise Problem(400, "x_content_parse_exception", text)
    if given.get("model_id", name) != name:
        body_says = f"Inconsistent model_id; '{given['model_id']}' specified in the body"
        text = f"{body_says} differs from '{name}' specified as a URL argument"
        raise Problem(400, "illegal_argument_exception", text)
    return {"allow_no_match": True, "force": False, "finish_pending_work": False} | given


def unrecognized(path: str, parameter: str) -> Problem:
    """Return a 400 for an unknown query parameter."""
    return Problem(
        400, "illegal_argument_exception", f"request [{path}] contains unrecognized parameter: [{parameter}]"
    )


@route("GET", "/_ml/trained_models/_stats")
def all_stats(state: State, query: Query, body: Any) -> Any:
    """Return the statistics of all models."""
    return some_stats(state, query, body, "_all")


@route("GET", "/_ml/trained_models/{}/_stats")
def some_stats(state: State, query: Query, _: Any, expression: str) -> Any:
    """Return the statistics of the models and deployments that an expression matches."""
    with state.lock:
        return stats(state, expression, int(query.get("from", 0)), int(query.get("size", 100)))


@route("POST", "/_ml/trained_models/{}/deployment/_start")
def start(state: State, query: Query, body: Any, model: str) -> Any:
    """Start a deployment."""
    given: dict[str, Any] = {**query, **(body or {})}
    numbers = ("number_of_allocations", "threads_per_allocation", "queue_capacity")
    parameters: dict[str, Any] = {name: int(given[name]) for name in numbers if name in given}
    parameters |= {name: given[name] for name in ("priority", "adaptive_allocations") if name in given}
    if "cache_size" in given:
        parameters["cache_size"] = shown_size(given["cache_size"])
    with state.lock:
        started = state.start(model, given.get("deployment_id", model), **parameters)
    return {"assignment": {"task_parameters": task(started), "assignment_state": "started"}}


def task(one: Deployment) -> dict[str, Any]:
    """Return the parameters of a deployment as in the response of `_start`."""
    return {
        "model_id": one.model_id,
        "deployment_id": one.deployment_id,
        "threads_per_allocation": one.threads_per_allocation,
        "number_of_allocations": one.number_of_allocations,
        "queue_capacity": one.queue_capacity,
        "priority": one.priority,
    }


@route("GET", "/_ml/trained_models/{}")
def get_model(state: State, _: Query, __: Any, expression: str) -> Any:
    """Return the models whose ID or alias an expression matches."""
    with state.lock:
        aliased = {model for alias, model in state.aliases.items() if matches(expression, alias)}
        found = [name for name in sorted(state.models) if name in aliased or matches(expression, name)]
        known = {*state.models, *state.aliases, "_all"}
        if unknown := [name for name in expression.split(",") if "*" not in name and name not in known]:
            raise missing_model(",".join(unknown))
        configs = [config(state, name) for name in found]
    return {"count": len(configs), "trained_model_configs": configs}


def config(state: State, name: str) -> dict[str, Any]:
    """Return the configuration of a model, with only the fields that the practice cluster has."""
    aliases = sorted(alias for alias, model in state.aliases.items() if model == name)
    shown = {"metadata": {"model_aliases": aliases}} if aliases else {}
    return {"model_id": name, "model_type": state.models[name], "tags": [], **shown}


@route("PUT", "/_ml/trained_models/{}")
def put_model(state: State, _: Query, body: Any, name: str) -> Any:
    """Create a model; no definition is required."""
    if name in state.aliases:
        text = f"requested model_id [{name}] is the same as an existing model_alias"
        raise Problem(400, "status_exception", f"{text}. Model model_aliases and ids must be unique")
    state.models[name] = (body or {}).get("model_type", "pytorch")
    return {"model_id": name, "model_type": state.models[name]}


@route("DELETE", "/_ml/trained_models/{}")
def delete_model(state: State, query: Query, __: Any, name: str) -> Any:
    """Delete a model without deployments; with force, also the deployment that has the ID of the model."""
    with state.lock:
        if name not in state.models:
            raise missing_model(name)
        if query.get("force") == "true":
            state.deployments.pop(name, None)
        elif any(one.model_id == name for one in state.deployments.values()):
            raise Problem(409, "status_exception", f"Cannot delete model [{name}] as it is currently deployed")
        del state.models[name]
        for alias in [alias for alias, model in state.aliases.items() if model == name]:
            del state.aliases[alias]
    return {"acknowledged": True}
