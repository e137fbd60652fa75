"""Provides a clock, a cluster and errors that tests control."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from esml_stop.cluster.api import Cluster
from esml_stop.errors import EsmlError, Refused, Unreachable
from esml_stop.invocation import ClusterIdentity
from esml_stop.models import Deployment, Endpoint, Flags, Listing, Model, Pipelines
from esml_stop.plan.start_settings import StartCall
from tests.support.builders import deployment

T = TypeVar("T")


@dataclass
class FakeClock:
    """A clock that advances only when its `sleep` is called."""

    time: float = 1000.0
    slept: list[float] = field(default_factory=list)

    def now(self) -> float:
        """Return the current time in seconds."""
        return self.time

    def sleep(self, seconds: float) -> None:
        """Record the pause, and advance the clock by it."""
        self.slept.append(seconds)
        self.time += seconds


Answer = EsmlError | Callable[[], None] | None


@dataclass
class FakeCluster(Cluster):
    """Responds to each call with the next item of a list, and repeats the last one.

    `stops` and `starts` contain what each call raises or does; `looks` contains the successive listings, as deployment
    IDs with states, or an error to raise. `asked` records the stops, starts, listings and model look-ups, in order.
    """

    stops: list[Answer] = field(default_factory=lambda: [None])
    starts: list[Answer] = field(default_factory=lambda: [None])
    looks: list[Mapping[str, str] | EsmlError] = field(default_factory=lambda: [{}])
    asked: list[str] = field(default_factory=list)
    label: str = "fake"
    models: dict[str, str] = field(default_factory=dict)
    versions: tuple[str, ...] = ("8.19.0",)
    upgrading: bool = False
    version: str | None = "8.19.0"

    def identity(self, timeout: float) -> ClusterIdentity:
        """Return the identity of the cluster."""
        return ClusterIdentity(self.label, "fake", "fake-uuid", self.version)

    def stop(self, deployment_id: str, *, flags: Flags, timeout: float) -> None:
        """Record a stop, and raise or call the next item of `stops`."""
        assert timeout > 0
        self.asked.append(f"stop {deployment_id}")
        given(following(self.stops))

    def deployments(self, expression: str, timeout: float) -> Listing:
        """Record a listing, and return or raise the next item of `looks`."""
        assert timeout > 0
        self.asked.append(f"look {expression}")
        answer = following(self.looks)
        if isinstance(answer, EsmlError):
            raise answer
        return Listing(tuple(self.listed(name, state) for name, state in answer.items()), frozenset({"m"}))

    def listed(self, name: str, state: str) -> Deployment:
        """Return a deployment for a listing."""
        return deployment(name, state=state, start_time=1)

    def endpoints(self, timeout: float) -> tuple[Endpoint, ...]:
        """Return no inference endpoints."""
        return ()

    def pipelines(self, timeout: float) -> Pipelines:
        """Return no pipelines."""
        return Pipelines()

    def model(self, name: str, timeout: float) -> Model | None:
        """Record the look-up, and return the model with a name or alias, or None."""
        self.asked.append(f"model {name}")
        return Model(self.models[name], "pytorch") if name in self.models else None

    def node_versions(self, timeout: float) -> tuple[str, ...]:
        """Return the versions of all nodes."""
        return self.versions

    def upgrade_mode(self, timeout: float) -> bool:
        """Return whether upgrade mode is enabled."""
        return self.upgrading

    def model_configs(self, names: str, timeout: float) -> tuple[Model, ...]:
        """Return no model configurations."""
        return ()

    def start(self, call: StartCall, *, wait_for: str, timeout: float) -> None:
        """Record a start, and raise or call the next item of `starts`."""
        assert timeout > 0
        name = call.query.get("deployment_id") or call.path.split("/")[3]
        self.asked.append(f"start {name} {wait_for}")
        given(following(self.starts))


def given(answer: Answer) -> None:
    """Raise an error or call a function; do nothing for None."""
    if isinstance(answer, EsmlError):
        raise answer
    if answer:
        answer()


def following(answers: list[T]) -> T:
    """Remove and return the first item; return the last one without removing it."""
    return answers.pop(0) if len(answers) > 1 else answers[0]


BUSY = Unreachable("It is busy.", transient=True)
RESET = Unreachable("It was reset.", transient=True)
SILENT = Unreachable("It did not answer.")
REFUSED = Unreachable("Nothing listens.", transient=True, sent=False)


def refusal(status: int, kind: str = "status_exception", reason: str = "no") -> Refused:
    """Return the error for a response of Elasticsearch; it is transient if its reason contains "stop again"."""
    again = "stop again" in reason
    return Refused(f"HTTP {status}: {reason}", http_status=status, type=kind, reason=reason, transient=again)


MISSING = refusal(404, "resource_not_found_exception")
