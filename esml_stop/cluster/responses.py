"""What Elasticsearch answers, turned into models; anything of another shape raises BadAnswer, never a guess."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from esml_stop.errors import CHECK_URL, BadAnswer
from esml_stop.invocation import ClusterIdentity
from esml_stop.json_values import WrongShape, need, optional, required
from esml_stop.models import UNKNOWN_STATE, Deployment, Endpoint, Listing, Model, Pipeline, Pipelines
from esml_stop.plan.start_settings import SIZE

P = ParamSpec("P")
T = TypeVar("T")
Nodes = Sequence[Mapping[str, Any]]

LAST_MOMENT = 253_402_300_799_999  # the end of the year 9999

# How deep Elasticsearch looks for inference processors in other processors.
SEEN_DEPTH = 10

# The services whose endpoints run on the cluster's own ML nodes.
LOCAL_SERVICES = {"elasticsearch", "elser"}


def checked(read: Callable[P, T]) -> Callable[P, T]:
    """Turn what an answer lacks into BadAnswer."""

    @wraps(read)
    def wrapped(*args: P.args, **options: P.kwargs) -> T:
        try:
            return read(*args, **options)
        except WrongShape as wrong:
            raise BadAnswer(f"The answer is not what Elasticsearch sends here: {wrong}.", hint=CHECK_URL) from None

    return wrapped


@checked
def identity(body: Any, url: str) -> ClusterIdentity:
    """Return which cluster answered at a URL, from `GET /`."""
    version = optional(body, "version", dict, {})
    return ClusterIdentity(
        url,
        name=optional(body, "cluster_name", str, None),
        uuid=optional(body, "cluster_uuid", str, None),
        version=optional(version, "number", str, None),
        flavor=optional(version, "build_flavor", str, None),
    )


@checked
def listing(body: Any) -> tuple[int, Listing]:
    """Return the number of models that match, and one page of `GET _ml/trained_models/<expression>/_stats`."""
    count = required(body, "count", int)
    entries = [need(entry, dict) for entry in optional(body, "trained_model_stats", list, [])]
    models = frozenset(required(entry, "model_id", str) for entry in entries)
    return count, Listing(tuple(deployment(entry) for entry in entries if "deployment_stats" in entry), models)


def deployment(entry: Mapping[str, Any]) -> Deployment:
    """Return one entry that has `deployment_stats`; before 8.8 these name no deployment, it is the model's."""
    model_id = identifier(required(entry, "model_id", str), "model")
    stats = required(entry, "deployment_stats", dict)
    nodes = [need(node, dict) for node in optional(stats, "nodes", list, [])]
    described = [need(node, dict) for one in nodes for node in optional(one, "node", dict, {}).values()]
    sizes = optional(entry, "model_size_stats", dict, {})
    allocation = allocated(stats, nodes)
    return Deployment(
        deployment_id=identifier(optional(stats, "deployment_id", str, model_id)),
        model_id=model_id,
        state=optional(stats, "state", str, None) or routed(nodes),
        pipelines=frozenset(optional(optional(entry, "ingest", dict, {}), "pipelines", dict, {})),
        allocations=optional(allocation, "allocation_count", int, 0),
        target_allocations=optional(allocation, "target_allocation_count", int, 0),
        number_of_allocations=either(stats, "number_of_allocations", "model_threads"),
        adaptive_allocations=optional(stats, "adaptive_allocations", dict, None),
        threads_per_allocation=either(stats, "threads_per_allocation", "inference_threads"),
        queue_capacity=optional(stats, "queue_capacity", int, None),
        priority=word(optional(stats, "priority", str, None)),
        cache_size=size(optional(stats, "cache_size", str, None)),
        model_bytes=optional(sizes, "model_size_bytes", int, None),
        pending=sum(optional(node, "number_of_pending_requests", int, 0) for node in nodes),
        inference_count=sum(optional(node, "inference_count", int, 0) for node in nodes),
        start_time=moment(stats, "start_time") or None,
        last_access=max((moment(node, "last_access") for node in nodes), default=0) or None,
        nodes=tuple(optional(node, "name", str, "?") for node in described),
        node_versions=tuple(optional(node, "version", str, "") for node in described),
        reason=why(stats, nodes),
        idle_since=idle_since(nodes, optional(allocation, "allocation_count", int, 0)),
        last_minute=sum(optional(node, "throughput_last_minute", int, 0) for node in nodes),
        memory_bytes=optional(sizes, "required_native_memory_bytes", int, None) or None,
        allocation_state=optional(allocation, "state", str, None),
    )


def either(stats: Mapping[str, Any], name: str, old_name: str) -> int | None:
    """Return a number under its name, or the name it had in 8.0 to 8.2."""
    value: int | None = optional(stats, name, int, None)
    old: int | None = optional(stats, old_name, int, None)
    return old if value is None else value


def allocated(stats: Mapping[str, Any], nodes: Nodes) -> dict[str, Any]:
    """Return `allocation_status`; a serverless project sends none, and its nodes tell how many they have.

    A started node that does not say how many allocations it has, has at least one.
    """
    if "state" in stats or "allocation_status" in stats:
        shown: dict[str, Any] = optional(stats, "allocation_status", dict, {})
        return shown
    count = sum(optional(node, "number_of_allocations", int, 1) for node in nodes if route(node)[0] == "started")
    return {"allocation_count": count, "target_allocation_count": optional(stats, "number_of_allocations", int, count)}


def routed(nodes: Nodes) -> str:
    """Return the state that the nodes' routes make, for a server that does not show the deployment's own."""
    states = {route(node)[0] for node in nodes}
    return next((one for one in ("started", "starting", "stopping", "failed") if one in states), UNKNOWN_STATE)


def route(node: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Return the state of a deployment on one node, and why it is in that state."""
    found = optional(node, "routing_state", dict, {})
    return optional(found, "routing_state", str, None), optional(found, "reason", str, None)


def why(stats: Mapping[str, Any], nodes: Nodes) -> str | None:
    """Return why a deployment failed or does not get further: its own reason, then those of its nodes."""
    reasons = [optional(stats, "reason", str, None), *(route(node)[1] for node in nodes)]
    return "; ".join(dict.fromkeys(filter(None, reasons))) or None


def idle_since(nodes: Nodes, allocations: int) -> int | None:
    """Return the time after which no node was used; None when that is not known of every node.

    The counters are those of a process: nothing is known about the time before a node started it, and nothing of a
    node that is missing because it did not answer.
    """
    shares = [optional(node, "number_of_allocations", int, None) for node in nodes]
    if None not in shares and sum(filter(None, shares)) < allocations:
        return None
    times = [moment(node, "last_access") or moment(node, "start_time") for node in nodes]
    return max(times) if times and all(times) else None


@checked
def endpoints(body: Any) -> tuple[Endpoint, ...]:
    """Return the endpoints of `GET _inference/_all` that run on the cluster's own ML nodes.

    Up to 8.14 the list is called `models`, and the ID of an endpoint `model_id`.
    """
    kind = "models" if "models" in need(body, dict) and "endpoints" not in body else "endpoints"
    found = [need(one, dict) for one in required(body, kind, list)]
    return tuple(
        Endpoint(
            required(one, "inference_id" if "inference_id" in one else "model_id", str),
            optional(optional(one, "service_settings", dict, {}), "deployment_id", str, None),
        )
        for one in found
        if required(one, "service", str) in LOCAL_SERVICES
    )


@checked
def pipelines(body: Any) -> Pipelines:
    """Return the pipelines with an inference processor, from `GET _ingest/pipeline?filter_path=...`."""
    found = {name: pipeline(need(one, dict)) for name, one in need(body, dict).items()}
    return Pipelines({name: one for name, one in found.items() if one.names})


def pipeline(body: Mapping[str, Any]) -> Pipeline:
    """Return the names that a pipeline references, and those of them that the server does not see."""
    references = [(name, seen) for name, seen in inference_names(body) if isinstance(name, str)]
    seen = {name for name, is_seen in references if is_seen}
    return Pipeline(frozenset(name for name, _ in references), frozenset(name for name, _ in references) - seen)


def inference_names(body: Mapping[str, Any]) -> Iterator[tuple[Any, bool]]:
    """Yield the `model_id` of every inference processor, and whether Elasticsearch itself sees it.

    It sees the processors, those in `foreach`, and the `on_failure` handlers of other processors, to a certain depth;
    not the handlers of `foreach`, of `inference` and of the pipeline. Source: docs/elasticsearch.md
    """
    todo = [(one, 0) for one in steps(body, "processors")] + [(one, SEEN_DEPTH) for one in steps(body, "on_failure")]
    while todo:  # no recursion: a pipeline may be nested deeper than Python's stack
        processor, depth = todo.pop()
        for kind, settings in processor.items():
            if not isinstance(settings, Mapping):
                continue
            if kind == "inference":
                yield settings.get("model_id"), depth < SEEN_DEPTH
            if kind == "foreach" and isinstance(inner := settings.get("processor"), Mapping):
                todo.append((inner, depth + 1))
            below = SEEN_DEPTH if kind in {"foreach", "inference"} else depth + 1
            todo += [(one, below) for one in steps(settings, "on_failure")]


def steps(part: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    """Return the processors of a list, without what is none."""
    found = part.get(key)
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []


@checked
def models(body: Any) -> tuple[Model, ...]:
    """Return the models of `GET _ml/trained_models/<names>`, under their own IDs when they were asked for by alias."""
    return tuple(
        Model(
            required(config, "model_id", str),
            optional(config, "model_type", str, None),
            frozenset(map(str, optional(optional(config, "metadata", dict, {}), "model_aliases", list, []))),
        )
        for config in (need(one, dict) for one in optional(body, "trained_model_configs", list, []))
    )


@checked
def clock(body: Any) -> int:
    """Return the server's time in epoch milliseconds, cut to a second, from `GET _cat/health?h=epoch&format=json`."""
    rows = need(body, list)
    epoch = required(rows[0] if rows else {}, "epoch", str)
    if not epoch.isdecimal():
        raise WrongShape(f"it holds {epoch!r} where a time belongs")
    return int(epoch) * 1000


def moment(part: Mapping[str, Any], key: str) -> int:
    """Return a time in epoch milliseconds, 0 when it is missing or beyond any calendar."""
    value = optional(part, key, int, 0)
    return int(value) if 0 < value <= LAST_MOMENT else 0


def identifier(text: str, what: str = "deployment") -> str:
    """Return an ID that a request can name; no cluster has others."""
    if text in {"", ".", ".."} or not is_unicode(text):
        raise WrongShape(f"it lists a {what} called {text!a}, which cannot be an ID")
    return text


def word(text: str | None) -> str | None:
    """Return a text that a request can hold."""
    if text is not None and not is_unicode(text):
        raise WrongShape(f"it holds {text!a}, which is not valid Unicode")
    return text


def size(text: str | None) -> str | None:
    """Return a number of bytes as Elasticsearch shows it; a start that brings it back has to know how many it is."""
    if text is not None and not SIZE.fullmatch(text):
        raise WrongShape(f"it holds {text!a} where a size such as 253.3mb belongs")
    return text


def is_unicode(text: str) -> bool:
    """Tell whether text can be sent; JSON can hold half of a character."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


@checked
def stopped(body: Any) -> None:
    """Accept the answer to `_stop` only when it says so."""
    if required(body, "stopped", bool) is not True:
        raise BadAnswer('The cluster answered the stop with "stopped": false.')


@checked
def started(body: Any) -> None:
    """Accept the answer to `_start` only when it holds an assignment, which was an allocation in 8.0 to 8.2."""
    required(body, "allocation" if "allocation" in need(body, dict) else "assignment", dict)


@checked
def node_versions(body: Any) -> tuple[str, ...]:
    """Return the version of each node, from `GET _nodes/_all/none`."""
    nodes = optional(body, "nodes", dict, {})
    return tuple(optional(node, "version", str, "") for node in nodes.values())


@checked
def upgrade_mode(body: Any) -> bool:
    """Tell whether upgrade mode is enabled, from `GET _ml/info`."""
    return bool(optional(body, "upgrade_mode", bool, default=False))
