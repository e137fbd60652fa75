"""The machine learning API of a cluster, as typed calls."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import quote

from esml_stop.cluster import responses
from esml_stop.cluster.http.client import Request, Transport
from esml_stop.config.connection import Connection
from esml_stop.errors import BadAnswer, Refused
from esml_stop.models import ClusterIdentity, Deployment, Endpoint, Flags, Listing, Model

if TYPE_CHECKING:
    from esml_stop.plan.start_settings import StartCall

PAGE = 1_000
LAST_PAGE_ENDS_AT = 10_000

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


class Cluster:
    """One cluster; every call takes the seconds it may last and raises EsmlError. Safe to share between threads."""

    def __init__(
        self, connection: Connection, *, parallel: int = 4, on_request: Callable[[Request], None] = lambda _: None
    ) -> None:
        self.transport = Transport(connection, parallel=parallel, on_request=on_request)

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
        """Return every deployment and model that an expression matches, page by page.

        Source: https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-ml-get-trained-models-stats
        """
        path, start, ends = f"/_ml/trained_models/{segment(expression, ',*')}/_stats", 0, time.monotonic() + timeout
        found: dict[str, Deployment] = {}
        models: frozenset[str] = frozenset()
        while True:
            query = {"from": start, "size": PAGE, "filter_path": STATS_FIELDS}
            count, page = responses.listing(self.transport.ask("GET", path, ends - time.monotonic(), query))
            found.update((one.deployment_id, one) for one in page.deployments)
            models |= page.models
            start += PAGE
            if start >= count:
                return Listing(tuple(found.values()), models)
            if start >= LAST_PAGE_ENDS_AT:
                raise BadAnswer(
                    f"{count} models match {expression!r}; Elasticsearch lists no more than {LAST_PAGE_ENDS_AT}.",
                    hint="Use a narrower pattern.",
                )

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

    def start(self, call: "StartCall", *, wait_for: str, timeout: float) -> None:
        """Start one deployment and return when it is as far as `wait_for`; the server gives up a second before us.

        Source: https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-ml-start-trained-model-deployment
        """
        query = {**call.query, "wait_for": wait_for, "timeout": f"{max(1, int(timeout) - 1)}s"}
        responses.started(self.transport.ask("POST", call.path, timeout, query, call.body))

    def endpoints(self, timeout: float) -> tuple[Endpoint, ...]:
        """Return the inference endpoints that run on the cluster's own ML nodes; needs `monitor_inference`.

        Source: https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-inference-get
        """
        return responses.endpoints(self.transport.ask("GET", "/_inference/_all", timeout))

    def pipeline_names(self, pipelines: str, timeout: float) -> dict[str, frozenset[str]]:
        """Return the names that the inference processors of some pipelines use; needs `read_pipeline`.

        Source: https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-ingest-get-pipeline
        """
        return responses.pipeline_names(
            self.transport.ask("GET", f"/_ingest/pipeline/{segment(pipelines, ',')}", timeout)
        )

    def clock(self, timeout: float) -> int:
        """Return the server's time in epoch milliseconds; requires `monitor`.

        Source: https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-cat-health
        """
        return responses.clock(self.transport.ask("GET", "/_cat/health", timeout, {"h": "epoch", "format": "json"}))

    def model(self, name: str, timeout: float) -> Model | None:
        """Return the model that a model ID or a model alias means, or None.

        Source: https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-ml-get-trained-models
        """
        fields = "trained_model_configs.model_id,trained_model_configs.model_type"
        try:
            body = self.transport.ask("GET", f"/_ml/trained_models/{segment(name)}", timeout, {"filter_path": fields})
        except Refused as refused:
            if refused.http_status == 404:
                return None
            raise
        return responses.model(body)

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
