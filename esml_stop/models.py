"""Deployments, trained models, and the pipelines and endpoints that use them.

Named tuples, because defining a dataclass takes ten times as long and every command defines all of them.
"""

from collections.abc import Mapping
from enum import Enum
from functools import cached_property
from types import MappingProxyType
from typing import NamedTuple


class Deployment(NamedTuple):
    """One deployment as shown by `_stats`; times are epoch milliseconds by the server's clock.

    `pipelines` depends on the `_stats` request. A request by deployment ID or pattern returns the pipelines that
    reference the deployment or, if there are none, its model. A request by model ID returns those that reference the
    model.

    `reason` is the server's explanation if the deployment failed or cannot make progress. `idle_since` is the time
    since which it has certainly not been used, or None if that is unknown. `last_minute` is the number of requests in
    the last minute.

    `memory_bytes` is the native memory that Elasticsearch estimates for a deployment of the model on each node that it
    runs on (`model_size_stats.required_native_memory_bytes`): 0 if it is scaled to zero, None if it is not shown.
    `model_bytes` is the size of the model itself. `through_alias` is True if it was started through a model alias,
    which is then its deployment ID. `is_orphan` is True if its model was deleted: it can be stopped, but not started
    again. `old_names` is True if the server uses the setting names of 8.0 to 8.2 (plan/start_settings.py).
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
    def is_running(self) -> bool:
        """Return whether the deployment is running or starting; an unknown state counts as running."""
        return self.state in {"started", "starting", UNKNOWN_STATE}

    @property
    def is_scaled_to_zero(self) -> bool:
        """Return whether adaptive allocations have scaled it to zero: 0 allocations, fully allocated."""
        return self.target_allocations == 0 and self.allocation_state == FULLY_ALLOCATED

    @property
    def in_use_now(self) -> bool:
        """Return whether requests are pending or arrived within the last minute; does not depend on any clock."""
        return self.pending > 0 or self.last_minute > 0

    def is_idle(self, before: int | None) -> bool:
        """Return whether it is known to be idle since before a time (epoch milliseconds); True if that is None."""
        return before is None or (self.idle_since is not None and self.idle_since < before and not self.in_use_now)


# The allocation state of a deployment that has all of its target allocations.
FULLY_ALLOCATED = "fully_allocated"

# The state of a deployment if the server does not show it (Elastic Cloud Serverless).
UNKNOWN_STATE = "unknown"


class Listing(NamedTuple):
    """One complete `_stats` response: its deployments, and all of its models, deployed or not."""

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

    `hidden` are the names that Elasticsearch's own check does not find, such as those in the pipeline's `on_failure`.
    """

    names: frozenset[str]
    hidden: frozenset[str] = frozenset()


class Pipelines(dict[str, Pipeline]):
    """Ingest pipelines by ID; indexed by name, because both deployments and pipelines can number in the thousands."""

    @cached_property
    def by_name(self) -> Mapping[str, frozenset[str]]:
        """Return the IDs of the pipelines that reference each name."""
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
    """How a use refers to a deployment: by its ID, its model, a model alias, or as the endpoint that created it."""

    DEPLOYMENT = "deployment"
    MODEL = "model"
    ALIAS = "alias"
    ENDPOINT = "endpoint"


class Reference(NamedTuple):
    """One use of a deployment; `alias` is set if the use refers to a model alias."""

    kind: Kind
    id: str
    through: Through
    alias: str | None = None

    @property
    def needs_model(self) -> bool:
        """Return whether any deployment of the model can serve this use."""
        return self.through in {Through.MODEL, Through.ALIAS}


# The check that requires `read_pipeline`; `_stats` shows the references that Elasticsearch itself finds.
PIPELINES = "references that Elasticsearch itself does not see, such as in a pipeline's on_failure"

# The check that is missing if the cluster could not be read after it reported that a deployment is stopped.
FINAL_CHECK = "whether it is gone"


class NotChecked(NamedTuple):
    """Something that could not be read or checked, and the reason."""

    what: str
    reason: str


class Snapshot(NamedTuple):
    """All data read from the cluster for a plan, each part read once.

    `by_model` maps each model that was requested by its ID to its deployments, with the pipelines that reference the
    model. `endpoints` and `pipelines` are None if they were not read. `aliases` maps models to their aliases, for the
    models whose aliases were requested. `model_ids` maps each name given with --model to its model ID. `hints` has
    hints for names that match no deployment. `model_deployments` maps each model or model alias that was given as a
    deployment ID to its running deployments. `clock_ahead` is how far the server's clock is ahead of this machine's, in
    milliseconds.
    """

    deployments: tuple[Deployment, ...]
    by_model: Mapping[str, tuple[Deployment, ...]] = MappingProxyType({})
    endpoints: tuple[Endpoint, ...] | None = None
    pipelines: Pipelines | None = None
    aliases: Mapping[str, frozenset[str]] = MappingProxyType({})
    model_ids: Mapping[str, str] = MappingProxyType({})
    hints: Mapping[str, str] = MappingProxyType({})
    model_deployments: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    not_checked: tuple[NotChecked, ...] = ()
    clock_ahead: int = 0


class Flags(NamedTuple):
    """The options of a stop request; `allow_no_match` is not among them, because esml always sends false."""

    force: bool = False
    finish_pending_work: bool = False
