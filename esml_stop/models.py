"""What esml talks about: deployments, models, and what uses them."""

from dataclasses import dataclass, field
from enum import Enum


@dataclass(frozen=True, slots=True)
class ClusterIdentity:
    """Which cluster it is: its URL as it was configured, and its name and UUID where they may be read."""

    url: str
    name: str | None = None
    uuid: str | None = None

    @property
    def label(self) -> str:
        """Return name and URL, as people tell clusters apart."""
        return f'"{self.name}" ({self.url})' if self.name else self.url

    def beside(self, other: "ClusterIdentity") -> str:
        """Return what tells this cluster apart from another: its label, with the UUID where the labels are the same."""
        return f"{self.label}, UUID {self.uuid or 'unknown'}" if self.label == other.label else self.label

    def is_same(self, other: "ClusterIdentity") -> bool | None:
        """Tell whether two are the same cluster; None when that is not known."""
        if self.uuid and other.uuid:
            return self.uuid == other.uuid
        return True if self.url == other.url else None


@dataclass(frozen=True, slots=True)
class Deployment:
    """One deployment as `_stats` shows it; times are epoch milliseconds.

    `pipelines` are those of the question it was found with: asked for by its own ID or a pattern, the pipelines that
    name the deployment or, if none does, its model; asked for by its model's ID, those that name the model.
    `through_alias` says that it was started through a model alias, which is then its deployment ID.
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

    @property
    def alive(self) -> bool:
        """Tell whether it serves, or is about to serve, its model."""
        return self.state in {"started", "starting"}

    @property
    def last_used(self) -> int | None:
        """Return when the last inference was or, without any, when it was started; None when that is not known."""
        return self.last_access or self.start_time

    def is_idle(self, before: int | None) -> bool:
        """Tell whether it was not used since; of what is not known that is never said."""
        return before is None or (self.last_used is not None and self.last_used < before)


@dataclass(frozen=True, slots=True)
class Listing:
    """One whole `_stats` answer: the deployments, and every model on it, deployed or not."""

    deployments: tuple[Deployment, ...]
    models: frozenset[str]


@dataclass(frozen=True, slots=True)
class Model:
    """A trained model; only those of type `pytorch` are deployed."""

    model_id: str
    model_type: str | None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An inference endpoint that runs on the cluster's own ML nodes."""

    inference_id: str
    deployment_id: str | None


class Kind(str, Enum):
    """What can use a deployment."""

    PIPELINE = "ingest_pipeline"
    ENDPOINT = "inference_endpoint"


class Through(str, Enum):
    """By which name a deployment is used: its own, its model's (or a model alias), or the endpoint that owns it."""

    DEPLOYMENT = "deployment"
    MODEL = "model"
    ENDPOINT = "endpoint"


@dataclass(frozen=True, slots=True)
class Reference:
    """One use of a deployment."""

    kind: Kind
    id: str
    through: Through


# What was not checked when the cluster could not be read again after it had said that a deployment is stopped.
LAST_LOOK = "whether it is gone"


@dataclass(frozen=True, slots=True)
class NotChecked:
    """Something that may use a deployment, or the last look at it, that could not be read, and why."""

    what: str
    reason: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that was read about the cluster before planning; nothing here is asked twice.

    `by_model` holds the models that were asked for by their ID: their deployments, with the pipelines that name the
    model. `endpoints` is None when they were not read; `named` has the names that a pipeline's inference processors
    use, for the pipelines that were read.
    """

    deployments: tuple[Deployment, ...]
    by_model: dict[str, tuple[Deployment, ...]] = field(default_factory=dict)
    endpoints: tuple[Endpoint, ...] | None = None
    named: dict[str, frozenset[str]] = field(default_factory=dict)
    aliased: dict[str, str] = field(default_factory=dict)
    hints: dict[str, str] = field(default_factory=dict)
    not_checked: tuple[NotChecked, ...] = ()


@dataclass(frozen=True, slots=True)
class Flags:
    """The parameters of the stop call; allow_no_match is not among them, as every ID is looked up before."""

    force: bool = False
    finish_pending_work: bool = False
