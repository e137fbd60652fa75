"""Reads hints for deployment IDs without a match: a model, a model alias, an endpoint or a similar ID."""

from collections.abc import Iterable
from contextlib import suppress

from esml_stop.cluster.api import Cluster
from esml_stop.errors import EsmlError
from esml_stop.models import Endpoint
from esml_stop.plan.hints import Hint, alike, of_endpoint, of_model
from esml_stop.plan.patterns import ALL
from esml_stop.runtime.background import BackgroundCall
from esml_stop.runtime.deadline import Deadline

# The time limit for looking up hints, in seconds.
HINT_SECONDS = 3.0

Endpoints = BackgroundCall[tuple[Endpoint, ...]]


def read_hints(names: list[str], cluster: Cluster, deadline: Deadline, endpoints: Endpoints | None) -> dict[str, Hint]:
    """Return hints for names that match no deployment, as far as they can be read within HINT_SECONDS."""
    limit, hints = deadline.at_most(min(HINT_SECONDS, deadline.remaining / 4)), {}
    with suppress(EsmlError, TimeoutError):
        found: Iterable[Endpoint] = endpoints(1, timeout=limit.left) if endpoints else ()
        for name in names:
            model = cluster.model(name, limit.left)
            running = cluster.deployments(model.model_id, limit.left).deployments if model else ()
            if hint := of_model(name, model, running) if model else of_endpoint(name, found):
                hints[name] = hint
        if left := [name for name in names if name not in hints]:
            near = [one.deployment_id for one in cluster.deployments(ALL, limit.left).deployments]
            hints |= {name: hint for name in left if (hint := alike(name, near))}
    return hints
