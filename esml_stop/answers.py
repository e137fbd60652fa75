"""What Elasticsearch answers, turned into models; anything of another shape raises BadAnswer, never a guess."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from esml_stop.errors import BadAnswer
from esml_stop.models import Deployment, Endpoint, Listing, Model

T = TypeVar("T")

# The services whose endpoints run on the cluster's own ML nodes.
LOCAL_SERVICES = {"elasticsearch", "elser"}


def listing(body: Any) -> tuple[int, Listing]:
    """Return the number of models that match, and one page of `GET _ml/trained_models/<expression>/_stats`."""
    count = required(body, "count", int)
    entries = [need(entry, dict) for entry in optional(body, "trained_model_stats", list, [])]
    models = frozenset(required(entry, "model_id", str) for entry in entries)
    return count, Listing(tuple(deployment(entry) for entry in entries if "deployment_stats" in entry), models)


def deployment(entry: Mapping[str, Any]) -> Deployment:
    """Return one entry that has `deployment_stats`; before 8.8 these name no deployment, it is the model's."""
    model_id = required(entry, "model_id", str)
    stats = required(entry, "deployment_stats", dict)
    allocation = optional(stats, "allocation_status", dict, {})
    nodes = [need(node, dict) for node in optional(stats, "nodes", list, [])]
    described = [need(node, dict) for one in nodes for node in optional(one, "node", dict, {}).values()]
    return Deployment(
        deployment_id=optional(stats, "deployment_id", str, model_id),
        model_id=model_id,
        state=optional(stats, "state", str, "unknown"),
        pipelines=frozenset(optional(optional(entry, "ingest", dict, {}), "pipelines", dict, {})),
        allocations=optional(allocation, "allocation_count", int, 0),
        target_allocations=optional(allocation, "target_allocation_count", int, 0),
        number_of_allocations=optional(stats, "number_of_allocations", int, None),
        adaptive_allocations=optional(stats, "adaptive_allocations", dict, None),
        threads_per_allocation=optional(stats, "threads_per_allocation", int, None),
        queue_capacity=optional(stats, "queue_capacity", int, None),
        priority=optional(stats, "priority", str, None),
        cache_size=optional(stats, "cache_size", str, None),
        pending=sum(optional(node, "number_of_pending_requests", int, 0) for node in nodes),
        inference_count=sum(optional(node, "inference_count", int, 0) for node in nodes),
        start_time=optional(stats, "start_time", int, None),
        last_access=max((optional(node, "last_access", int, 0) for node in nodes), default=0) or None,
        nodes=tuple(optional(node, "name", str, "?") for node in described),
        node_versions=tuple(optional(node, "version", str, "") for node in described),
    )


def endpoints(body: Any) -> tuple[Endpoint, ...]:
    """Return the endpoints of `GET _inference/_all` that run on the cluster's own ML nodes."""
    found = [need(one, dict) for one in required(body, "endpoints", list)]
    return tuple(
        Endpoint(
            required(one, "inference_id", str),
            optional(optional(one, "service_settings", dict, {}), "deployment_id", str, None),
        )
        for one in found
        if required(one, "service", str) in LOCAL_SERVICES
    )


def pipeline_names(body: Any) -> dict[str, frozenset[str]]:
    """Return which names the inference processors of each pipeline use, from `GET _ingest/pipeline/<names>`."""
    return {name: frozenset(inference_names(pipeline)) for name, pipeline in need(body, dict).items()}


def inference_names(part: Any) -> Iterator[str]:
    """Yield the `model_id` of every inference processor, however deep it stands in other processors."""
    if isinstance(part, Mapping):
        inference = part.get("inference")
        if isinstance(inference, Mapping) and isinstance(inference.get("model_id"), str):
            yield inference["model_id"]
        for value in part.values():
            yield from inference_names(value)
    elif isinstance(part, list):
        for value in part:
            yield from inference_names(value)


def model(body: Any) -> Model | None:
    """Return the model of `GET _ml/trained_models/<name>`, whose ID is another one when the name is an alias."""
    configs = [need(config, dict) for config in optional(body, "trained_model_configs", list, [])]
    if not configs:
        return None
    return Model(required(configs[0], "model_id", str), optional(configs[0], "model_type", str, None))


def stopped(body: Any) -> None:
    """Accept the answer to `_stop` only when it says so."""
    if required(body, "stopped", bool) is not True:
        raise BadAnswer('The cluster answered the stop with "stopped": false.')


def required(body: Any, key: str, kind: type[T]) -> T:
    """Return a value that must be there."""
    if key not in need(body, dict):
        raise BadAnswer(f"The answer has no {key!r}; this is not what Elasticsearch sends here.")
    return need(body[key], kind)


def optional(body: Any, key: str, kind: type[T], default: Any) -> Any:
    """Return a value that may be missing or null, but not of another type."""
    value = need(body, dict).get(key)
    return default if value is None else need(value, kind)


def need(value: Any, kind: type[T]) -> T:
    """Return the value when it is of the type; a bool is no number."""
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise BadAnswer(f"The answer holds {type(value).__name__} where Elasticsearch sends {kind.__name__}.")
    return value
