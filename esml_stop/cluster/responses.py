"""Converts responses to models (stats.py does so for `_stats`); raises BadAnswer for an unexpected form."""

from collections.abc import Callable, Iterator, Mapping
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from esml_stop.errors import CHECK_URL, BadAnswer
from esml_stop.invocation import ClusterIdentity
from esml_stop.json_values import WrongShape, of_type, optional, required
from esml_stop.models import Endpoint, Model, Pipeline, Pipelines

P = ParamSpec("P")
T = TypeVar("T")

# The depth of nested processors to which Elasticsearch's own check searches for inference processors.
SEEN_DEPTH = 10

# The services whose endpoints run on the cluster's own ML nodes.
LOCAL_SERVICES = {"elasticsearch", "elser"}


def raising_bad_answer(read: Callable[P, T]) -> Callable[P, T]:
    """Decorate a function so that a missing or wrong value in a response raises BadAnswer."""

    @wraps(read)
    def wrapped(*args: P.args, **options: P.kwargs) -> T:
        try:
            return read(*args, **options)
        except WrongShape as wrong:
            raise BadAnswer(f"The response is not what Elasticsearch returns here: {wrong}.", hint=CHECK_URL) from None

    return wrapped


@raising_bad_answer
def identity(body: Any, url: str) -> ClusterIdentity:
    """Return the identity of the cluster at a URL, from `GET /`."""
    version = optional(body, "version", dict, {})
    return ClusterIdentity(
        url,
        name=optional(body, "cluster_name", str, None),
        uuid=optional(body, "cluster_uuid", str, None),
        version=optional(version, "number", str, None),
        flavor=optional(version, "build_flavor", str, None),
    )


@raising_bad_answer
def endpoints(body: Any) -> tuple[Endpoint, ...]:
    """Return the endpoints in `GET _inference/_all` that run on the cluster's own ML nodes.

    Up to 8.14 the list is called `models`, and the ID of an endpoint `model_id`.
    """
    kind = "models" if "models" in of_type(body, dict) and "endpoints" not in body else "endpoints"
    found = [of_type(one, dict) for one in required(body, kind, list)]
    return tuple(
        Endpoint(
            required(one, "inference_id" if "inference_id" in one else "model_id", str),
            optional(optional(one, "service_settings", dict, {}), "deployment_id", str, None),
        )
        for one in found
        if required(one, "service", str) in LOCAL_SERVICES
    )


@raising_bad_answer
def pipelines(body: Any) -> Pipelines:
    """Return the pipelines with an inference processor, from `GET _ingest/pipeline?filter_path=...`."""
    found = {name: pipeline(of_type(one, dict)) for name, one in of_type(body, dict).items()}
    return Pipelines({name: one for name, one in found.items() if one.names})


def pipeline(body: Mapping[str, Any]) -> Pipeline:
    """Return the names that a pipeline references, and the subset that Elasticsearch's own check does not find."""
    references = [(name, seen) for name, seen in inference_names(body) if isinstance(name, str)]
    seen = {name for name, is_seen in references if is_seen}
    return Pipeline(frozenset(name for name, _ in references), frozenset(name for name, _ in references) - seen)


def inference_names(body: Mapping[str, Any]) -> Iterator[tuple[Any, bool]]:
    """Yield the `model_id` of every inference processor, and whether Elasticsearch's own check finds it.

    The check searches the pipeline's processors, those in `foreach`, and those in the `on_failure` of a processor, down
    to SEEN_DEPTH. It does not search the `on_failure` of the pipeline itself, of `foreach` and of `inference`.
    Source: docs/elasticsearch.md
    """
    todo = [(one, 0) for one in processors_in(body, "processors")] + [
        (one, SEEN_DEPTH) for one in processors_in(body, "on_failure")
    ]
    while todo:  # no recursion: pipelines can be nested more deeply than Python's stack allows
        processor, depth = todo.pop()
        for kind, settings in processor.items():
            if not isinstance(settings, Mapping):
                continue
            if kind == "inference":
                yield settings.get("model_id"), depth < SEEN_DEPTH
            if kind == "foreach" and isinstance(inner := settings.get("processor"), Mapping):
                todo.append((inner, depth + 1))
            below = SEEN_DEPTH if kind in {"foreach", "inference"} else depth + 1
            todo += [(one, below) for one in processors_in(settings, "on_failure")]


def processors_in(part: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    """Return the processors in the list under a key, without items that are not objects; empty if it is not a list."""
    found = part.get(key)
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []


@raising_bad_answer
def models(body: Any) -> tuple[Model, ...]:
    """Return the models in `GET _ml/trained_models/<names>`, each with its model ID, even if requested by alias."""
    return tuple(
        Model(
            required(config, "model_id", str),
            optional(config, "model_type", str, None),
            frozenset(map(str, optional(optional(config, "metadata", dict, {}), "model_aliases", list, []))),
        )
        for config in (of_type(one, dict) for one in optional(body, "trained_model_configs", list, []))
    )


@raising_bad_answer
def server_time(body: Any) -> int:
    """Return the server's time in epoch milliseconds, to the second, from `GET _cat/health?h=epoch&format=json`."""
    rows = of_type(body, list)
    epoch = required(rows[0] if rows else {}, "epoch", str)
    if not epoch.isdecimal():
        raise WrongShape(f"it holds {epoch!r} where a time belongs")
    return int(epoch) * 1000


@raising_bad_answer
def check_stopped(body: Any) -> None:
    """Raise BadAnswer unless the response to `_stop` confirms the stop."""
    if required(body, "stopped", bool) is not True:
        raise BadAnswer('The cluster returned "stopped": false for the stop.')


@raising_bad_answer
def check_started(body: Any) -> None:
    """Raise BadAnswer unless the response to `_start` contains an assignment (an allocation in 8.0 to 8.2)."""
    required(body, "allocation" if "allocation" in of_type(body, dict) else "assignment", dict)


@raising_bad_answer
def node_versions(body: Any) -> tuple[str, ...]:
    """Return the version of each node, from `GET _nodes/_all/none`."""
    nodes = optional(body, "nodes", dict, {})
    return tuple(optional(node, "version", str, "") for node in nodes.values())


@raising_bad_answer
def upgrade_mode(body: Any) -> bool:
    """Return whether upgrade mode is enabled, from `GET _ml/info`."""
    return bool(optional(body, "upgrade_mode", bool, default=False))
