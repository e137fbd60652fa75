"""The other API calls of the practice cluster: cluster information, pipelines, inference endpoints and test faults."""

from typing import Any

from esml_stop.sandbox.routing import Query, route
from esml_stop.sandbox.state import State, now
from esml_stop.sandbox.stats import matches


@route("GET", "")
def info(state: State, __: Query, ___: Any) -> Any:
    """Return the name and version of the cluster."""
    version = {"number": "8.19.0", "build_flavor": "default"}
    names = {"name": "sandbox-0", "cluster_name": "esml-sandbox", "cluster_uuid": state.uuid}
    return {**names, "version": version, "tagline": "You Know, for Search"}


@route("GET", "/_cat/health")
def health(_: State, __: Query, ___: Any) -> Any:
    """Return the current time, in epoch seconds."""
    return [{"epoch": str(now() // 1000)}]


@route("GET", "/_inference(?:/_all)?")
def get_endpoints(state: State, _: Query, __: Any) -> Any:
    """Return all inference endpoints."""
    return {"endpoints": [state.endpoints[name] for name in sorted(state.endpoints)]}


@route("PUT", "/_inference/{}/{}")
def put_endpoint(state: State, _: Query, body: Any, kind: str, name: str) -> Any:
    """Create an inference endpoint."""
    with state.lock:
        return state.put_endpoint(name, kind, body or {})


@route("GET", "/_ingest/pipeline")
def all_pipelines(state: State, query: Query, body: Any) -> Any:
    """Return all ingest pipelines."""
    return get_pipelines(state, query, body, "*")


@route("GET", "/_ingest/pipeline/{}")
def get_pipelines(state: State, _: Query, __: Any, expression: str) -> Any:
    """Return the pipelines that an expression matches; if there are none, a 404 with an empty body."""
    return {name: body for name, body in state.pipelines.items() if matches(expression, name)} or None


@route("PUT", "/_ingest/pipeline/{}")
def put_pipeline(state: State, _: Query, body: Any, name: str) -> Any:
    """Create an ingest pipeline."""
    state.pipelines[name] = body
    return {"acknowledged": True}


@route("DELETE", "/_ingest/pipeline/{}")
def delete_pipeline(state: State, _: Query, __: Any, name: str) -> Any:
    """Delete an ingest pipeline."""
    del state.pipelines[name]
    return {"acknowledged": True}


@route("POST", "/_testnode/faults/{}")
def faults(state: State, _: Query, body: Any, name: str) -> Any:
    """Change the state of a deployment, or make its stop slow or fail."""
    deployment = state.deployments[name]
    deployment.failures = body.get("times", 0)
    for field in FAULT_FIELDS:
        if field in body:
            setattr(deployment, field, body[field])
    if body.get("node_restarted"):
        deployment.process_start, deployment.last_access, deployment.inference_count = now(), None, 0
    return {"acknowledged": True}


FAULT_FIELDS = (
    "stop_ms",
    "pending_ms",
    "status",
    "forever",
    "inference_count",
    "last_access",
    "scaled_to_zero",
    "state",
    "reason",
)


@route("POST", "/_testnode/reset")
def reset(state: State, _: Query, body: Any) -> Any:
    """Delete everything except the pipelines."""
    with state.lock:
        state.reset(endpoint_check=(body or {}).get("endpoint_check", True))
    return {"acknowledged": True}
