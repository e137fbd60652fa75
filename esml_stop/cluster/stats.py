"""Converts responses of `GET _ml/trained_models/<expression>/_stats` to Deployment and Listing."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from sys import intern
from typing import Any, NamedTuple

from esml_stop.cluster.responses import raising_bad_answer
from esml_stop.json_values import WrongShape, of_type, optional, required
from esml_stop.models import UNKNOWN_STATE, Deployment, Listing
from esml_stop.plan.start_settings import OLD_NAMES, SIZE

Nodes = Sequence[Mapping[str, Any]]

NO_PIPELINES = frozenset[str]()

LAST_MOMENT = 253_402_300_799_999  # the end of the year 9999, in epoch milliseconds


@raising_bad_answer
def listing(body: Any) -> tuple[int, Listing]:
    """Return the number of matching models, and the models and deployments in this response."""
    count = required(body, "count", int)
    entries = list(map(parse_entry, optional(body, "trained_model_stats", list, [])))
    deployments = tuple(entry for entry in entries if isinstance(entry, Deployment))
    return count, Listing(deployments, frozenset(one.model_id for one in entries))


class ModelWithoutDeployments(NamedTuple):
    """A model without deployments; the rest of its entry is discarded."""

    model_id: str


def parse_entry(entry: Any) -> Deployment | ModelWithoutDeployments:
    """Return the deployment or, if the model has none, the model in an entry; each deployment has its own entry."""
    if isinstance(entry, Deployment | ModelWithoutDeployments):  # already converted while decoding
        return entry
    if "deployment_stats" in of_type(entry, dict):
        return deployment(entry)
    return ModelWithoutDeployments(required(entry, "model_id", str))


def shrunk(part: dict[str, Any]) -> Any:
    """Convert an entry while the response is being decoded, to save memory; return any other object unchanged.

    10,000 complete entries would need 36 MB.
    """
    if "deployment_stats" in part or "model_size_stats" in part:
        with suppress(WrongShape):  # listing() reports the error
            return parse_entry(part)
    return part


def deployment(entry: Mapping[str, Any]) -> Deployment:
    """Return the deployment of an entry with `deployment_stats`; before 8.8 its ID is that of the model."""
    model_id = identifier(required(entry, "model_id", str), "model")
    stats = required(entry, "deployment_stats", dict)
    nodes = [of_type(node, dict) for node in optional(stats, "nodes", list, [])]
    described = [of_type(node, dict) for one in nodes for node in optional(one, "node", dict, {}).values()]
    sizes = optional(entry, "model_size_stats", dict, {})
    pipelines = optional(optional(entry, "ingest", dict, {}), "pipelines", dict, {})
    allocation = allocation_status(stats, nodes)
    found = Deployment(
        deployment_id=identifier(optional(stats, "deployment_id", str, model_id)),
        model_id=model_id,
        state=interned(optional(stats, "state", str, None)) or state_from_routes(nodes),
        pipelines=frozenset(pipelines) if pipelines else NO_PIPELINES,
        allocations=optional(allocation, "allocation_count", int, 0),
        target_allocations=optional(allocation, "target_allocation_count", int, 0),
        number_of_allocations=renamed_field(stats, "number_of_allocations"),
        adaptive_allocations=optional(stats, "adaptive_allocations", dict, None),
        threads_per_allocation=renamed_field(stats, "threads_per_allocation"),
        queue_capacity=optional(stats, "queue_capacity", int, None),
        priority=interned(valid_text(optional(stats, "priority", str, None))),
        cache_size=interned(size(optional(stats, "cache_size", str, None))),
        model_bytes=optional(sizes, "model_size_bytes", int, None),
        pending=sum(optional(node, "number_of_pending_requests", int, 0) for node in nodes),
        inference_count=sum(optional(node, "inference_count", int, 0) for node in nodes),
        start_time=epoch_millis(stats, "start_time") or None,
        last_access=max((epoch_millis(node, "last_access") for node in nodes), default=0) or None,
        nodes=tuple(intern(optional(node, "name", str, "?")) for node in described),
        node_versions=tuple(intern(optional(node, "version", str, "")) for node in described),
        reason=failure_reason(stats, nodes),
        idle_since=idle_since(nodes, optional(allocation, "allocation_count", int, 0)),
        last_minute=sum(optional(node, "throughput_last_minute", int, 0) for node in nodes),
        memory_bytes=optional(sizes, "required_native_memory_bytes", int, None) or None,
        allocation_state=interned(optional(allocation, "state", str, None)),
        old_names=any(name in stats for name in OLD_NAMES.values()),
    )
    return found._replace(memory_bytes=0) if found.is_scaled_to_zero else found


def interned(text: str | None) -> str | None:
    """Return the interned text, so that equal texts of many deployments share one object."""
    return None if text is None else intern(text)


def renamed_field(stats: Mapping[str, Any], name: str) -> int | None:
    """Return the number in a field, or in the field with the name that it had in 8.0 to 8.2."""
    value: int | None = optional(stats, name, int, None)
    old: int | None = optional(stats, OLD_NAMES[name], int, None)
    return old if value is None else value


def allocation_status(stats: Mapping[str, Any], nodes: Nodes) -> dict[str, Any]:
    """Return `allocation_status`; on serverless, which omits it, derive it from the nodes.

    A started node that does not report its allocations counts as one allocation.
    """
    if "state" in stats or "allocation_status" in stats:
        shown: dict[str, Any] = optional(stats, "allocation_status", dict, {})
        return shown
    count = sum(optional(node, "number_of_allocations", int, 1) for node in nodes if node_state(node)[0] == "started")
    return {"allocation_count": count, "target_allocation_count": optional(stats, "number_of_allocations", int, count)}


def state_from_routes(nodes: Nodes) -> str:
    """Derive the deployment's state from its routing state on each node, for a response without `state`."""
    states = {node_state(node)[0] for node in nodes}
    return next((one for one in ("started", "starting", "stopping", "failed") if one in states), UNKNOWN_STATE)


def node_state(node: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Return the state of a deployment on one node, and the reason for this state."""
    found = optional(node, "routing_state", dict, {})
    return optional(found, "routing_state", str, None), optional(found, "reason", str, None)


def failure_reason(stats: Mapping[str, Any], nodes: Nodes) -> str | None:
    """Return why a deployment failed or makes no progress: its own reason, then those of its nodes."""
    reasons = [optional(stats, "reason", str, None), *(node_state(node)[1] for node in nodes)]
    return "; ".join(dict.fromkeys(filter(None, reasons))) or None


def idle_since(nodes: Nodes, allocations: int) -> int | None:
    """Return the latest time of use on any node, in epoch milliseconds; None if it is unknown for any of them.

    The process on each node keeps its own counters. They do not cover the time before it started, so without
    `last_access` its start counts as use. The counters of a node that did not respond are missing.
    """
    shares = [optional(node, "number_of_allocations", int, None) for node in nodes]
    if None not in shares and sum(filter(None, shares)) < allocations:
        return None
    times = [epoch_millis(node, "last_access") or epoch_millis(node, "start_time") for node in nodes]
    return max(times) if times and all(times) else None


def epoch_millis(part: Mapping[str, Any], key: str) -> int:
    """Return a time in epoch milliseconds; 0 if it is missing or after the year 9999."""
    value = optional(part, key, int, 0)
    return int(value) if 0 < value <= LAST_MOMENT else 0


def identifier(text: str, what: str = "deployment") -> str:
    """Return an ID; raise WrongShape for text that cannot be an ID, because no request can contain it."""
    if text in {"", ".", ".."} or not is_unicode(text):
        raise WrongShape(f"it lists a {what} called {text!a}, which cannot be an ID")
    return text


def valid_text(text: str | None) -> str | None:
    """Return a text; raise WrongShape if it is not valid Unicode, because a request cannot contain it."""
    if text is not None and not is_unicode(text):
        raise WrongShape(f"it holds {text!a}, which is not valid Unicode")
    return text


def size(text: str | None) -> str | None:
    """Return a size in Elasticsearch's notation, such as 253.3mb; raise WrongShape for any other text."""
    if text is not None and not SIZE.fullmatch(text):
        raise WrongShape(f"it holds {text!a} where a size such as 253.3mb belongs")
    return text


def is_unicode(text: str) -> bool:
    """Return whether text can be encoded as UTF-8; JSON can contain an unpaired surrogate."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
