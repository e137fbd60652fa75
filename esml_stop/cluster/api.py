"""The machine learning API of a cluster, as typed calls."""

import time
from collections.abc import Callable
from urllib.parse import quote

from esml_stop.cluster import responses, stats
from esml_stop.cluster.http.client import Request, Transport
from esml_stop.cluster.listing import MOST_MODELS, find
from esml_stop.config.connection import Connection
from esml_stop.errors import BadAnswer, Refused
from esml_stop.invocation import ClusterIdentity
from esml_stop.models import Endpoint, Flags, Listing, Model, Pipelines
from esml_stop.plan.start_settings import StartCall

# What of `_stats` is read; the rest is most of an answer's size.
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

# How a server says that it has no such call.
NO_HANDLER = "no handler found"


class Cluster:
    """One cluster; every call takes the seconds it may last and raises EsmlError. Safe to share between threads."""

    def __init__(
        self, connection: Connection, *, parallel: int = 4, on_request: Callable[[Request], None] = lambda _: None
    ) -> None:
        self.transport = Transport(connection, parallel=parallel, on_request=on_request, shrunk=stats.shrunk)

    @property
    def label(self) -> str:
        """Return what to call the cluster: its hosts or its cloud ID, without credentials."""
        return self.transport.connection.label

    def identity(self, timeout: float) -> ClusterIdentity:
        """Return name and UUID of the cluster; needs `monitor`.

        Source: https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-info
        """
        return responses.identity(self.transport.ask("GET", "/", timeout), self.label)

    def deployments(self, expression: str, timeout: float) -> Listing:
        """Return every deployment and model that an expression matches; raise BadAnswer when there are too many.

        Source: https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-ml-get-trained-models-stats
        """
        ends = time.monotonic() + timeout

        def ask(names: str) -> tuple[int, Listing]:
            path = f"/_ml/trained_models/{segment(names, ',*')}/_stats"
            query = {"size": MOST_MODELS, "filter_path": STATS_FIELDS}
            return stats.listing(self.transport.ask("GET", path, ends - time.monotonic(), query))

        return find(expression, ask, lambda names: self.model_configs(names, ends - time.monotonic()))

    def stop(self, deployment_id: str, *, flags: Flags, timeout: float) -> None:
        """Stop one deployment and return when it is gone from every node.

        The server is always asked to answer 404 for a deployment it does not know: otherwise it would say "stopped".
        Source: https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-ml-stop-trained-model-deployment
        """
        body = {"allow_no_match": False, "force": flags.force}
        if flags.finish_pending_work:  # unknown to servers before 8.11
            body["finish_pending_work"] = True
        path = f"/_ml/trained_models/{segment(deployment_id)}/deployment/_stop"
        responses.stopped(self.transport.ask("POST", path, timeout, body=body))

    def start(self, call: StartCall, *, wait_for: str, timeout: float) -> None:
        """Start one deployment and return when it is as far as `wait_for`; the server gives up a second before us.

        Source: https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-ml-start-trained-model-deployment
        """
        query = {**call.query, "wait_for": wait_for, "timeout": f"{max(1, int(timeout) - 1)}s"}
        responses.started(self.transport.ask("POST", call.path, timeout, query, call.body))

    def endpoints(self, timeout: float) -> tuple[Endpoint, ...]:
        """Return the inference endpoints that run on the cluster's own ML nodes; requires `monitor_inference`.

        A server before 8.12 has no such call, and no endpoints.

        Source: https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-inference-get
        """
        try:
            return responses.endpoints(self.transport.ask("GET", "/_inference/_all", timeout))
        except Refused as refused:
            if refused.http_status == 405 or NO_HANDLER in (refused.reason or ""):
                return ()
            raise

    def pipelines(self, timeout: float) -> Pipelines:
        """Return the pipelines with an inference processor and the names in it; requires `read_pipeline`.

        Source: https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-ingest-get-pipeline
        """
        query = {"filter_path": "**.inference.model_id"}
        try:
            return responses.pipelines(self.transport.ask("GET", "/_ingest/pipeline", timeout, query))
        except Refused as refused:
            if refused.http_status == 404:  # there are no pipelines at all
                return Pipelines()
            raise

    def server_time(self, timeout: float) -> int:
        """Return the server's time in epoch milliseconds; requires `monitor`.

        Source: https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-cat-health
        """
        return responses.clock(self.transport.ask("GET", "/_cat/health", timeout, {"h": "epoch", "format": "json"}))

    def model_configs(self, names: str, timeout: float) -> tuple[Model, ...]:
        """Return the models that a comma list of model IDs, aliases and patterns means; none when one is unknown.

        Source: https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-ml-get-trained-models
        """
        query = {"size": MOST_MODELS, "filter_path": MODEL_FIELDS}
        try:
            body = self.transport.ask("GET", f"/_ml/trained_models/{segment(names, ',*')}", timeout, query)
        except Refused as refused:
            if refused.http_status == 404:
                return ()
            raise
        return responses.models(body)

    def model(self, name: str, timeout: float) -> Model | None:
        """Return the model that a model ID or a model alias means, or None."""
        return next(iter(self.model_configs(name, timeout)), None)

    def node_versions(self, timeout: float) -> tuple[str, ...]:
        """Return the version of each node; requires `monitor`.

        Source: https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-nodes-info
        """
        query = {"filter_path": "nodes.*.version"}
        return responses.node_versions(self.transport.ask("GET", "/_nodes/_all/none", timeout, query))

    def upgrade_mode(self, timeout: float) -> bool:
        """Tell whether machine learning upgrade mode is enabled; requires `monitor_ml`.

        Source: https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-ml-info
        """
        return responses.upgrade_mode(self.transport.ask("GET", "/_ml/info", timeout))

    def close(self) -> None:
        """Close all connections."""
        self.transport.close()


def segment(text: str, bare: str = "") -> str:
    """Return text percent-encoded as exactly one path segment, but for the characters that may stay bare.

    Raises BadAnswer for what can be none: IDs that people type were refused long before, this one was an answer's.
    """
    try:
        if text not in {"", ".", ".."}:
            return quote(text, safe=bare)
    except UnicodeEncodeError:  # half of a character
        pass
    raise BadAnswer(f"The cluster lists something called {text!a}, which cannot be an ID.")
