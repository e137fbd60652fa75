"""The settings of a deployment, as `_stats` shows them, and the `_start` call with the same settings. Pure."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from esml_stop.models import Deployment

UNITS = {"b": 0, "kb": 1, "mb": 2, "gb": 3, "tb": 4, "pb": 5}
# For these settings a missing value means the default; for all others it means unknown.
LEFT_OUT_BY_DEFAULT = ("cache_size", "adaptive_allocations")
# What 8.0 to 8.2 call these settings, in `_stats` and in `_start`; later servers take these names too.
OLD_NAMES = {"number_of_allocations": "model_threads", "threads_per_allocation": "inference_threads"}
SIZE = re.compile(r"(\d+(?:\.\d+)?)([kmgtp]?b)")


@dataclass(frozen=True, slots=True)
class StartCall:
    """One `_start` request.

    Source: https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-ml-start-trained-model-deployment
    """

    path: str
    query: Mapping[str, str]
    body: Mapping[str, Any] | None = None

    @property
    def console(self) -> str:
        """Return the request in the format of Kibana's Dev Console."""
        line = f"POST {self.path[1:]}{'?' if self.query else ''}{urlencode(self.query, quote_via=quote)}"
        return f"{line}\n{json.dumps(self.body)}" if self.body else line


def start_call(one: Deployment) -> StartCall:
    """Return the call that starts a deployment again with the same settings.

    The deployment ID (unknown to servers before 8.8) and the cache size are only sent if they differ from the server's
    defaults. The number of allocations is not sent with adaptive allocations, nor if it is 0, which the server rejects.
    A deployment started through a model alias has the alias as its ID and can only be started at the alias's path.
    """
    given = settings(one)
    adaptive = given.pop("adaptive_allocations", None)
    if one.number_of_allocations == 0:
        given.pop("number_of_allocations", None)
    if one.deployment_id != one.model_id and not one.through_alias:
        given = {"deployment_id": one.deployment_id, **given}
    if "cache_size" in given:
        given["cache_size"] = f"{size_in_bytes(given['cache_size'])}b"
    started = one.deployment_id if one.through_alias else one.model_id
    path = f"/_ml/trained_models/{quote(started, safe='')}/deployment/_start"
    names = OLD_NAMES if one.old_names else {}
    query = {names.get(name, name): str(value) for name, value in given.items()}
    return StartCall(path, query, {"adaptive_allocations": adaptive} if adaptive else None)


def settings(one: Deployment) -> dict[str, Any]:
    """Return the settings to send with `_start`, without those that are unknown or the default."""
    values = {
        "number_of_allocations": None if is_adaptive(one) else one.number_of_allocations,
        "adaptive_allocations": one.adaptive_allocations,
        "threads_per_allocation": one.threads_per_allocation,
        "queue_capacity": one.queue_capacity,
        "priority": one.priority,
        "cache_size": None if one.model_bytes and one.cache_size == format_size(one.model_bytes) else one.cache_size,
    }
    return {name: value for name, value in values.items() if value is not None}


def not_shown(one: Deployment) -> tuple[str, ...]:
    """Return the names of settings that the cluster did not show; a failed deployment may lack some."""
    required = ("number_of_allocations", "threads_per_allocation", "queue_capacity")
    needed = required[1:] if is_adaptive(one) else required
    return tuple(name for name in needed if getattr(one, name) is None)


def is_adaptive(one: Deployment) -> bool:
    """Return whether adaptive allocations are enabled, so that the server chooses the number."""
    return bool(one.adaptive_allocations and one.adaptive_allocations.get("enabled"))


def differences(saved: Deployment, running: Deployment) -> Iterator[str]:
    """Yield a description of each difference between a running deployment and the saved one; its model first."""
    if saved.model_id != running.model_id:
        yield f"its model is {running.model_id}, not {saved.model_id}"
    before, now = settings(saved), settings(running)
    if before.get("number_of_allocations") == 0:  # it could only be started with 1
        del before["number_of_allocations"]
    for name in dict.fromkeys((*before, *LEFT_OUT_BY_DEFAULT)):
        if before.get(name) != now.get(name):
            yield f"{name} is {now.get(name, 'the default')}, not {before.get(name, 'the default')}"


def format_size(size: int) -> str:
    """Return a number of bytes in Elasticsearch's format: in the largest unit, truncated to one decimal."""
    name, power = [(name, power) for name, power in UNITS.items() if power == 0 or size >= 1024**power][-1]
    whole, tenth = divmod(size * 10 // 1024**power, 10)
    return f"{whole}.{tenth}{name}" if tenth else f"{whole}{name}"


def size_in_bytes(text: str) -> int:
    """Return the smallest number of bytes that Elasticsearch shows as this text; it rejects decimals in requests."""
    found = SIZE.fullmatch(text)
    if not found:
        raise ValueError(text)
    tenths, unit = round(float(found[1]) * 10), UNITS[found[2]]
    return -(-tenths * (1 << 10 * unit) // 10)
