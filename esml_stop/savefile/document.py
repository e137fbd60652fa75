"""What a save file holds, and the deployments that it describes; pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from esml_stop import __version__
from esml_stop.json_values import WrongShape, need, optional, required
from esml_stop.models import Deployment
from esml_stop.outcomes import Outcome, Result
from esml_stop.plan.patterns import check_exact
from esml_stop.plan.start_settings import SIZE, parameters, start_call

VERSION = 1


def document(results: Iterable[Result], cluster: str) -> dict[str, Any]:
    """Return the content of a file: what this run stops, or would stop, and what became of it as far as it is known."""
    chosen = (one for one in results if one.target.decision is Outcome.WOULD_STOP)
    return {
        "save_version": VERSION,
        "esml_version": __version__,
        "cluster": cluster,
        "deployments": [entry(one, one.target.deployment) for one in chosen if one.target.deployment],
    }


def entry(result: Result, one: Deployment) -> dict[str, Any]:
    """Return what is kept of one deployment."""
    return {
        "deployment_id": one.deployment_id,
        "model_id": one.model_id,
        "parameters": parameters(one),
        "state": one.state,
        "used_by": [{"kind": use.kind.value, "id": use.id, "through": use.through.value} for use in result.used_by],
        "start_call": start_call(one).console,
        "outcome": None if result.outcome.is_plan else result.outcome.value,
    }


def deployments(body: Any) -> tuple[Deployment, ...]:
    """Return the deployments that the content of a file describes; raise WrongShape or InputError."""
    version = required(body, "save_version", int)
    if version != VERSION:
        raise WrongShape(f"its save_version is {version}, this esml reads {VERSION}")
    found = [deployment(need(one, dict)) for one in required(body, "deployments", list)]
    return tuple({one.deployment_id: one for one in found}.values())


def deployment(body: Mapping[str, Any]) -> Deployment:
    """Return one saved deployment; IDs are checked as if they had been typed."""
    given = required(body, "parameters", dict)
    return Deployment(
        deployment_id=check_exact(required(body, "deployment_id", str)),
        model_id=check_exact(required(body, "model_id", str)),
        state="stopped",
        number_of_allocations=optional(given, "number_of_allocations", int, None),
        adaptive_allocations=optional(given, "adaptive_allocations", dict, None),
        threads_per_allocation=optional(given, "threads_per_allocation", int, None),
        queue_capacity=optional(given, "queue_capacity", int, None),
        priority=optional(given, "priority", str, None),
        cache_size=size(optional(given, "cache_size", str, None)),
    )


def size(text: str | None) -> str | None:
    """Return a cache size as Elasticsearch shows it, if it is one."""
    if text is not None and not SIZE.fullmatch(text):
        raise WrongShape(f"it holds {text!r} where a size such as 253.3mb belongs")
    return text
