"""The API calls that upload and use a model, and that delete an inference endpoint."""

import time
from typing import Any

from esml_stop.sandbox.problems import missing_deployment
from esml_stop.sandbox.routing import Query, route
from esml_stop.sandbox.state import State

ACKNOWLEDGED = {"acknowledged": True}


@route("PUT", "/_ml/trained_models/{}/definition/{}")
def put_definition(_: State, __: Query, ___: Any, *____: str) -> Any:
    """Accept a part of a model definition and discard it."""
    return ACKNOWLEDGED


@route("PUT", "/_ml/trained_models/{}/vocabulary")
def put_vocabulary(_: State, __: Query, ___: Any, ____: str) -> Any:
    """Accept a model's vocabulary."""
    return ACKNOWLEDGED


@route("POST", "/_ml/trained_models/{}/_infer")
def infer(state: State, _: Query, body: Any, name: str) -> Any:
    """Record a use of a deployment and return a fixed result for each document."""
    with state.lock:
        if name not in state.deployments:
            raise missing_deployment(name)
        deployment = state.deployments[name]
        deployment.inference_count += len(body["docs"])
        deployment.last_access = int(time.time() * 1000)
    return {"inference_results": [{"predicted_value": {"words": 1.0}} for _ in body["docs"]]}


@route("DELETE", "/_inference/{}")
def delete_endpoint(state: State, _: Query, __: Any, name: str) -> Any:
    """Delete an inference endpoint, and the deployment that it created."""
    with state.lock:
        endpoint = state.endpoints.pop(name, None)
        if endpoint is None:
            return None
        if "deployment_id" not in endpoint["service_settings"]:
            state.deployments.pop(name, None)
    return ACKNOWLEDGED
