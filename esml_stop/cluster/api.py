"""The machine learning API of a cluster, as typed calls."""

import time
from collections.abc import Callable
from urllib.parse import quote

from esml_stop.cluster import responses, stats
from esml_stop.cluster.http.client import RequestRecord, Transport
from esml_stop.cluster.listing import MAX_MODELS, list_matching
from esml_stop.config.connection import Connection
from esml_stop.errors import BadAnswer, Refused
from esml_stop.invocation import ClusterIdentity
from esml_stop.models import Endpoint, Flags, Listing, Model, Pipelines
from esml_stop.plan.start_settings import StartCall

# The fields of `deployment_stats` to request; a complete response is much larger.
DEPLOYMENT_FIELDS = [
    "deployment_id",
    "state",
    "reason",
    "start_time",
    "allocation_status",
    "number_of_allocations",
    "adaptive_allocations",
    "threads_per_allocation",
    "model_threads",
    "inference_threads",
    "queue_capacity",
    "priority",
    "cache_size",
    "nodes.node.*.name",
    "nodes.node.*.version",
    "nodes.routing_state",
    "nodes.number_of_allocations",
    "nodes.number_of_pending_requests",
    "nodes.inference_count",
    "nodes.throughput_last_minute",
    "nodes.last_access",
    "nodes.start_time",
]
STATS_FIELDS = ",".join(
    [
        "count",
        "*.model_id",
        "*.model_size_stats.model_size_bytes",
        "*.model_size_stats.required_native_memory_bytes",
        "*.ingest.pipelines.*.count",
        *(f"*.deployment_stats.{field}" for field in DEPLOYMENT_FIELDS),
    ]
)
MODEL_FIELDS = ",".join(f"*.{field}" for field in ("model_id", "model_type", "metadata.model_aliases"))

# Part of the reason in the error response of a server that does not have the requested API.
NO_HANDLER = "no handler found"


class Cluster:
    """A client for one cluster; can be shared between threads.

    Each request has a time limit in seconds and raises EsmlError.
    """

    def __init__(
        self, connection: Connection, *, parallel: int = 4, on_request: Callable[[RequestRecord], None] = lambda _: None
    ) -> None:
        self.transport = Transport(connection, parallel=parallel, on_request=on_request, shrunk=stats.shrunk)

    @property
    def label(self) -> str:
        """Return the URLs of the cluster for messages, without credentials."""
        return self.transport.connection.label

    def identity(self, timeout: float) -> ClusterIdentity:
        """Return the name and UUID of the cluster; requires `monitor`.

        Source: https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-info
        """
        return responses.identity(self.transport.ask("GET", "/", timeout), self.label)

    def deployments(self, expression: str, timeout: float) -> Listing:
        """Return the deployments and models that match an expression; raise BadAnswer if they cannot all be listed.

        The result may contain others, too: see `list_matching` in listing.py.

        Source: https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-ml-get-trained-models-stats
        """
        ends = time.monotonic() + timeout

        def ask(names: str) -> tuple[int, Listing]:
            path = f"/_ml/trained_models/{segment(names, ',*')}/_stats"
            query = {"size": MAX_MODELS, "filter_path": STATS_FIELDS}
            return stats.listing(self.transport.ask("GET", path, ends - time.monotonic(), query))

        return list_matching(expression, ask, lambda names: self.model_configs(names, ends - time.monotonic()))

    def stop(self, deployment_id: str, *, flags: Flags, timeout: float) -> None:
        """Stop one deployment and return when it is gone from every node.

        The request sets `allow_no_match` to false, so that an unknown deployment is a 404. By default, the server
        responds that it stopped the deployment.

        Source: https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-ml-stop-trained-model-deployment
        """
        body = {"allow_no_match": False, "force": flags.force}
        if flags.finish_pending_work:  # unknown to servers before 8.11
            body["finish_pending_work"] = True
        path = f"/_ml/trained_models/{segment(deployment_id)}/deployment/_stop"
        responses.check_stopped(self.transport.ask("POST", path, timeout, body=body))

    def start(self, call: StartCall, *, wait_for: str, timeout: float) -> None:
        """Start one deployment and return when it reaches the allocation status `wait_for`.

        The timeout sent to the server is 1 to 2 s shorter than `timeout`, but at least 1 s.

        Source: https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-ml-start-trained-model-deployment
        """
        query = {**call.query, "wait_for": wait_for, "timeout": f"{max(1, int(timeout) - 1)}s"}
        responses.check_started(self.transport.ask("POST", call.path, timeout, query, call.body))

    def endpoints(self, timeout: float) -> tuple[Endpoint, ...]:
        """Return the inference endpoints that run on the cluster's own ML nodes; requires `monitor_inference`.

        Servers before 8.12 do not have this API; the result is then empty.

        Source: https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-inference-get
        """
        try:
            return responses.endpoints(self.transport.ask("GET", "/_inference/_all", timeout))
        except Refused as refused:
            if refused.http_status == 405 or NO_HANDLER in (refused.reason or ""):
                return ()
            raise

    def pipelines(self, timeout: float) -> Pipelines:
        """Return the pipelines with inference processors, and the names that these reference; requires `read_pipeline`.

        Source: https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-ingest-get-pipeline
        """
        query = {"filter_path": "**.inference.model_id"}
        try:
            return responses.pipelines(self.transport.ask("GET", "/_ingest/pipeline", timeout, query))
        except Refused as refused:
            if refused.http_status == 404:  # the cluster has no pipelines
                return Pipelines()
            raise

    def server_time(self, timeout: float) -> int:
        """Return the server's time in epoch milliseconds; requires `monitor`.

        Source: https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-cat-health
        """
        return responses.server_time(
            self.transport.ask("GET", "/_cat/health", timeout, {"h": "epoch", "format": "json"})
        )

    def model_configs(self, names: str, timeout: float) -> tuple[Model, ...]:
        """Return the models for comma-separated model IDs, aliases and patterns; empty if an ID or alias is unknown.

        Source: https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-ml-get-trained-models
        """
        query = {"size": MAX_MODELS, "filter_path": MODEL_FIELDS}
        try:
            body = self.transport.ask("GET", f"/_ml/trained_models/{segment(names, ',*')}", timeout, query)
        except Refused as refused:
            if refused.http_status == 404:
                return ()
            raise
        return responses.models(body)

    def model(self, name: str, timeout: float) -> Model | None:
        """Return the model for a model ID or a model alias, or None."""
        return next(iter(self.model_configs(name, timeout)), None)

    def node_versions(self, timeout: float) -> tuple[str, ...]:
        """Return the version of each node; requires `monitor`.

        Source: https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-nodes-info
        """
        query = {"filter_path": "nodes.*.version"}
        return responses.node_versions(self.transport.ask("GET", "/_nodes/_all/none", timeout, query))

    def upgrade_mode(self, timeout: float) -> bool:
        """Return whether machine learning upgrade mode is enabled; requires `monitor_ml`.

        Source: https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-ml-info
        """
        return responses.upgrade_mode(self.transport.ask("GET", "/_ml/info", timeout))

    def close(self) -> None:
        """Close all connections."""
        self.transport.close()


def segment(text: str, bare: str = "") -> str:
    """Return text percent-encoded as a single path segment; the characters in `bare` are not encoded.

    Raises BadAnswer for text that cannot be a path segment. It comes from a response, because IDs from the command line
    are checked earlier.
    """
    try:
        if text not in {"", ".", ".."}:
            return quote(text, safe=bare)
    except UnicodeEncodeError:  # an unpaired surrogate
        pass
    raise BadAnswer(f"The cluster lists something called {text!a}, which cannot be an ID.")
