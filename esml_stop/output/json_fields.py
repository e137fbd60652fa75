"""Deployments, uses and missing checks as JSON values."""

from typing import Any

from esml_stop.models import Deployment, NotChecked, Reference
from esml_stop.plan.start_settings import start_call
from esml_stop.text import rfc3339

Json = dict[str, Any]


def deployment_fields(one: Deployment) -> Json:
    """Return the fields that describe a deployment as the cluster lists it."""
    values = (
        one.model_id,
        one.reason,
        {"reached": one.allocations, "wanted": one.target_allocations},
        one.adaptive_allocations,
        one.priority,
        one.threads_per_allocation,
        one.memory_bytes,
        list(one.nodes),
        one.pending,
        one.inference_count,
        one.start_time and rfc3339(one.start_time),
        one.last_access and rfc3339(one.last_access),
        one.idle_since and rfc3339(one.idle_since),
        None if one.is_orphan else start_call(one).console,
    )
    return dict(zip(DEPLOYMENT_FIELDS, values, strict=True))


DEPLOYMENT_FIELDS = (
    "model_id",
    "reason",
    "allocations",
    "adaptive_allocations",
    "priority",
    "threads_per_allocation",
    "memory_bytes",
    "nodes",
    "pending_requests",
    "inference_count",
    "start_time",
    "last_access",
    "idle_since",
    "start_call",
)


def reference(one: Reference) -> Json:
    """Return one use of a deployment as JSON values."""
    return {"kind": one.kind.value, "id": one.id, "through": one.through.value, "alias": one.alias}


def not_checked(one: NotChecked) -> Json:
    """Return a check that could not be made, and the reason."""
    return {"what": one.what, "reason": one.reason}
