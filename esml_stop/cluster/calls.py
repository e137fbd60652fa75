"""What esml asks a cluster, as a type: the client's side of it is cluster.py, tests bring their own."""

from typing import TYPE_CHECKING, Protocol

from esml_stop.models import ClusterIdentity, Endpoint, Flags, Listing, Model

if TYPE_CHECKING:
    from esml_stop.plan.start_settings import StartCall


class Calls(Protocol):
    """One method per API call; each takes the seconds it may last and raises EsmlError."""

    @property
    def label(self) -> str:
        """Return what to call the cluster."""

    def identity(self, timeout: float) -> ClusterIdentity:
        """Return which cluster it is."""

    def deployments(self, expression: str, timeout: float) -> Listing:
        """Return every deployment and model that a `_stats` expression matches."""

    def endpoints(self, timeout: float) -> tuple[Endpoint, ...]:
        """Return the inference endpoints that run on the cluster's own ML nodes."""

    def pipeline_names(self, pipelines: str, timeout: float) -> dict[str, frozenset[str]]:
        """Return the names that the inference processors of some pipelines use."""

    def model(self, name: str, timeout: float) -> Model | None:
        """Return the model that a model ID or a model alias means, or None."""

    def node_versions(self, timeout: float) -> tuple[str, ...]:
        """Return the version of each node."""

    def upgrade_mode(self, timeout: float) -> bool:
        """Tell whether machine learning upgrade mode is enabled."""

    def stop(self, deployment_id: str, *, flags: Flags, timeout: float) -> None:
        """Stop one deployment and return when it is gone."""

    def start(self, call: "StartCall", *, wait_for: str, timeout: float) -> None:
        """Start one deployment and return when the server says that it is as far as `wait_for`."""
