"""What Elasticsearch answers, turned into models; anything of another shape raises BadAnswer, never a guess."""

from collections.abc import Callable, Iterator, Mapping
from functools import wraps
from typing import Any, TypeVar

from esml_stop.errors import CHECK_URL, BadAnswer
from esml_stop.json_values import WrongShape, need, optional, required
from esml_stop.models import ClusterIdentity, Deployment, Endpoint, Listing, Model

T = TypeVar("T")

LAST_MOMENT = 253_402_300_799_999  # the end of the year 9999

# The services whose endpoints run on the cluster's own ML nodes.
LOCAL_SERVICES = {"elasticsearch", "elser"}


def checked(read: Callable[..., T]) -> Callable[..., T]:
    """Turn what an answer lacks into BadAnswer."""

    @wraps(read)
    def wrapped(body: Any, *more: Any) -> T:
        try:
            return read(body, *more)
        except WrongShape as wrong:
            raise BadAnswer(f"The answer is not what Elasticsearch sends here: {wrong}.", hint=CHECK_URL) from None

    return wrapped


@checked
def identity(body: Any, url: str) -> ClusterIdentity:
    """Return which cluster answered at a URL, from `GET /`."""
    return ClusterIdentity(url, optional(body, "cluster_name", str, None), optional(body, "cluster_uuid", str, None))


@checked
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
        deployment_id=identifier(optional(stats, "deployment_id", str, model_id)),
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
        model_bytes=optional(optional(entry, "model_size_stats", dict, {}), "model_size_bytes", int, None),
        pending=sum(optional(node, "number_of_pending_requests", int, 0) for node in nodes),
        inference_count=sum(optional(node, "inference_count", int, 0) for node in nodes),
        start_time=moment(stats, "start_time") or None,
        last_access=max((moment(node, "last_access") for node in nodes), default=0) or None,
        nodes=tuple(optional(node, "name", str, "?") for node in described),
        node_versions=tuple(optional(node, "version", str, "") for node in described),
    )


@checked
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


@checked
def pipeline_names(body: Any) -> dict[str, frozenset[str]]:
    """Return which names the inference processors of each pipeline use, from `GET _ingest/pipeline/<names>`."""
    return {name: frozenset(inference_names(pipeline)) for name, pipeline in need(body, dict).items()}


def inference_names(part: Any) -> Iterator[str]:
    """Yield the `model_id` of every inference processor, however deep it stands in other processors."""
    todo = [part]  # no recursion: a pipeline may be nested deeper than Python's stack
    while todo:
        value = todo.pop()
        if isinstance(value, Mapping):
            inference = value.get("inference")
            if isinstance(inference, Mapping) and isinstance(inference.get("model_id"), str):
                yield inference["model_id"]
            todo += value.values()
        elif isinstance(value, list):
            todo += value


@checked
def model(body: Any) -> Model | None:
    """Return the model of `GET _ml/trained_models/<name>`, whose ID is another one when the name is an alias."""
    configs = [need(config, dict) for config in optional(body, "trained_model_configs", list, [])]
    if not configs:
        return None
    return Model(required(configs[0], "model_id", str), optional(configs[0], "model_type", str, None))


def moment(part: Mapping[str, Any], key: str) -> int:
    """Return a time in epoch milliseconds, 0 when it is missing or beyond any calendar."""
    value = optional(part, key, int, 0)
    return int(value) if 0 < value <= LAST_MOMENT else 0


def identifier(text: str) -> str:
    """Return an ID that a request can name; no cluster has others."""
    try:
        possible = text not in {"", ".", ".."} and text.encode() is not None
    except UnicodeEncodeError:
        possible = False
    if not possible:
        raise WrongShape(f"it lists a deployment called {text!a}, which cannot be an ID")
    return text


@checked
def stopped(body: Any) -> None:
    """Accept the answer to `_stop` only when it says so."""
    if required(body, "stopped", bool) is not True:
        raise BadAnswer('The cluster answered the stop with "stopped": false.')


@checked
def started(body: Any) -> None:
    """Accept the answer to `_start` only when it holds an assignment."""
    required(body, "assignment", dict)
