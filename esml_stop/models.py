"""Deployments, models, and what uses them.

Named tuples, because defining a dataclass takes ten times as long and every command defines all of them.
"""

from collections.abc import Mapping
from enum import Enum
from functools import cached_property
from types import MappingProxyType
from typing import NamedTuple


class Deployment(NamedTuple):
    """One deployment as `_stats` shows it; times are epoch milliseconds by the server's clock.

    `pipelines` are those of the question it was found with: asked for by its own ID or a pattern, the pipelines that
    reference the deployment or, if none does, its model; asked for by its model's ID, those that reference the model.

    `reason` is why it failed or does not get further, in the server's words. `idle_since` is the time after which it
    certainly was not used; None when that is not known. `last_minute` counts the requests of the last minute.

    `memory_bytes` is the native memory that Elasticsearch estimates for a deployment of the model on each node that it
    runs on (`model_size_stats.required_native_memory_bytes`); 0 when it is scaled to zero, None when it is not shown.
    `model_bytes` is the size of the model itself. `through_alias` says that it was started through a model alias, which
    is then its deployment ID. `is_orphan` says that its model was deleted: it can be stopped, but not started again.
    `old_names` says that its server calls settings as 8.0 to 8.2 do (plan/start_settings.py).
    """

    deployment_id: str
    model_id: str
    state: str
    pipelines: frozenset[str] = frozenset()
    allocations: int = 0
    target_allocations: int = 0
    number_of_allocations: int | None = None
    adaptive_allocations: dict[str, object] | None = None
    threads_per_allocation: int | None = None
    queue_capacity: int | None = None
    priority: str | None = None
    cache_size: str | None = None
    model_bytes: int | None = None
    pending: int = 0
    inference_count: int = 0
    start_time: int | None = None
    last_access: int | None = None
    nodes: tuple[str, ...] = ()
    node_versions: tuple[str, ...] = ()
    through_alias: bool = False
    reason: str | None = None
    idle_since: int | None = None
    last_minute: int = 0
    memory_bytes: int | None = None
    allocation_state: str | None = None
    is_orphan: bool = False
    old_names: bool = False

    @property
    def alive(self) -> bool:
        """Tell whether it serves its model or is about to; a state that the server does not show counts as serving."""
        return self.state in {"started", "starting", UNKNOWN_STATE}

    @property
    def is_scaled_to_zero(self) -> bool:
        """Tell whether adaptive allocations have removed its last process: it has all of its 0 allocations."""
        return self.target_allocations == 0 and self.allocation_state == FULLY_ALLOCATED

    @property
    def in_use_now(self) -> bool:
        """Tell whether requests are in flight or arrived within the last minute, whatever the clocks say."""
        return self.pending > 0 or self.last_minute > 0

    def is_idle(self, before: int | None) -> bool:
        """Tell whether it is known that nothing used it since then; None asks for nothing."""
        return before is None or (self.idle_since is not None and self.idle_since < before and not self.in_use_now)


# The state of the allocations of a deployment that has all that it should have.
FULLY_ALLOCATED = "fully_allocated"

# The state of a deployment whose server does not show one (Elastic Cloud Serverless).
UNKNOWN_STATE = "unknown"


class Listing(NamedTuple):
    """One whole `_stats` answer: the deployments, and every model on it, deployed or not."""

    deployments: tuple[Deployment, ...]
    models: frozenset[str]


class Model(NamedTuple):
    """A trained model; only those of type `pytorch` are deployed."""

    model_id: str
    model_type: str | None
    aliases: frozenset[str] = frozenset()


class Endpoint(NamedTuple):
    """An inference endpoint that runs on the cluster's own ML nodes."""

    inference_id: str
    deployment_id: str | None


class Pipeline(NamedTuple):
    """The names that the inference processors of an ingest pipeline reference.

    `hidden` are those that Elasticsearch itself does not see, such as those in the pipeline's `on_failure`.
    """

    names: frozenset[str]
    hidden: frozenset[str] = frozenset()


class Pipelines(dict[str, Pipeline]):
    """Pipelines by their IDs; thousands of deployments are looked up in thousands of them."""

    @cached_property
    def by_name(self) -> Mapping[str, frozenset[str]]:
        """Return for each name the pipelines that reference it."""
        found: dict[str, set[str]] = {}
        for pipeline, held in self.items():
            for name in held.names:
                found.setdefault(name, set()).add(pipeline)
        return {name: frozenset(pipelines) for name, pipelines in found.items()}


class Kind(str, Enum):
    """The kinds of things that can use a deployment."""

    PIPELINE = "ingest_pipeline"
    ENDPOINT = "inference_endpoint"


class Through(str, Enum):
    """By which name a deployment is used: its own, its model's, a model alias, or the endpoint that created it."""

    DEPLOYMENT = "deployment"
    MODEL = "model"
    ALIAS = "alias"
    ENDPOINT = "endpoint"


class Reference(NamedTuple):
    """One use of a deployment; `alias` is the model alias when it is used through one."""

    kind: Kind
    id: str
    through: Through
    alias: str | None = None

    @property
    def needs_model(self) -> bool:
        """Return whether any deployment of the model can serve this use."""
        return self.through in {Through.MODEL, Through.ALIAS}


# What is not checked without `read_pipeline`; what Elasticsearch itself finds in pipelines, `_stats` shows.
PIPELINES = "references that Elasticsearch itself does not see, such as in a pipeline's on_failure"

# What was not checked when the cluster could not be read again after it had said that a deployment is stopped.
LAST_LOOK = "whether it is gone"


class NotChecked(NamedTuple):
    """Something that may use a deployment, or the last look at it, that could not be read, and why."""

    what: str
    reason: str


class Snapshot(NamedTuple):
    """Everything that was read about the cluster before planning, each part once.

    `by_model` holds the deployments of the models that were asked for by their ID, with the pipelines that reference
    the model. `endpoints` and `pipelines` are None when they were not read. `aliases` has the aliases of the models
    that were asked for them. `meant` has the running deployments of each model or alias that was given as a deployment
    ID. `clock_ahead` is by how much the server's clock is ahead of this machine's, in
    milliseconds.
    """

    deployments: tuple[Deployment, ...]
    by_model: Mapping[str, tuple[Deployment, ...]] = MappingProxyType({})
    endpoints: tuple[Endpoint, ...] | None = None
    pipelines: Pipelines | None = None
    aliases: Mapping[str, frozenset[str]] = MappingProxyType({})
    aliased: Mapping[str, str] = MappingProxyType({})
    hints: Mapping[str, str] = MappingProxyType({})
    meant: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    not_checked: tuple[NotChecked, ...] = ()
    clock_ahead: int = 0


class Flags(NamedTuple):
    """The parameters of the stop call; allow_no_match is not among them, as every ID is looked up before."""

    force: bool = False
    finish_pending_work: bool = False
