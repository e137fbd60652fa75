"""One request at a time, over the transport of the official Elasticsearch clients."""

import re
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import elastic_transport
from elastic_transport.client_utils import url_to_node_config

from esml_stop import __version__
from esml_stop.cluster.http import redaction, status_errors
from esml_stop.cluster.http.node import Node
from esml_stop.config.connection import Connection
from esml_stop.errors import ConfigError
from esml_stop.runtime.background import GRACE_SECONDS, begin, within

# Servers of version 8 and later, serverless too, answer in the form of version 8.
JSON = "application/vnd.elasticsearch+json"
VERSIONED_JSON = f"{JSON}; compatible-with=8"


@dataclass(frozen=True, slots=True)
class Request:
    """One request that was made, for those who want to watch: `result` is a status, or what went wrong.

    `warnings` are the texts of the server's Warning header.
    """

    method: str
    path: str
    result: str
    seconds: float
    warnings: tuple[str, ...] = ()


class Transport:
    """The way to one cluster; safe to share between threads."""

    def __init__(self, connection: Connection, *, parallel: int, on_request: Callable[[Request], None]) -> None:
        self.connection = connection
        self._on_request = on_request
        self._client = connect(connection, parallel)
        self._headers = request_headers(connection)

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def ask(
        self,
        method: str,
        path: str,
        timeout: float,
        query: Mapping[str, object] | None = None,
        body: Mapping[str, object] | None = None,
    ) -> Any:
        """Make one request that may last so many seconds, no retries; return the decoded answer or raise EsmlError."""
        target = f"{path}?{urlencode(query, quote_via=quote, safe=',*')}" if query else path
        began, result, warning = time.monotonic(), "", None
        try:
            answer = within(timeout + GRACE_SECONDS, begin(lambda: self._send(method, target, body, timeout)))
            result, warning = str(answer.meta.status), answer.meta.headers.get("warning")
            status_errors.check(answer)
        except status_errors.FAILURES as error:
            result = status_errors.summary(error)
            raise status_errors.meaning(error, self.connection) from redaction.printable(error, self.connection)
        else:
            return answer.body
        finally:
            texts = self._texts(warning) if warning else ()
            self._on_request(Request(method, path, result, time.monotonic() - began, texts))

    def _send(
        self, method: str, target: str, body: Mapping[str, object] | None, timeout: float
    ) -> elastic_transport.TransportApiResponse:
        headers = self._headers | ({"content-type": VERSIONED_JSON} if body is not None else {})
        limit = max(timeout, 0.001)
        return self._client.perform_request(method, target, body=body, headers=headers, request_timeout=limit)

    def _texts(self, warning: str) -> tuple[str, ...]:
        """Return the texts of a Warning header, without code, agent and date."""
        shown = redaction.redacted(warning, self.connection)
        return tuple(re.findall(r'"((?:[^"\\]|\\.)*)"(?: "[^"]*")?', shown)) or (shown,)


def connect(connection: Connection, parallel: int) -> elastic_transport.Transport:
    """Return the transport to the cluster's hosts, with its own retries off."""
    options: dict[str, Any] = {"connections_per_node": parallel + 4, "http_compress": False}
    try:
        nodes = [
            url_to_node_config(host).replace(
                **options, **(tls_options(connection) if host.startswith("https:") else {})
            )
            for host in connection.hosts
        ]
        serializers = {JSON: elastic_transport.JsonSerializer()}
        return elastic_transport.Transport(
            nodes, node_class=Node, serializers=serializers, max_retries=0, meta_header=False
        )
    except (ValueError, OSError) as error:
        raise ConfigError(
            "The connection settings do not fit together, or a certificate file cannot be used.",
            hint="Check --url, --cloud-id, --ca-certs, --client-cert and --client-key.",
        ) from error


def node_config(host: str, connection: Connection, parallel: int) -> elastic_transport.NodeConfig:
    """Return the transport's settings for one host."""
    tls = tls_options(connection) if host.startswith("https:") else {}
    return url_to_node_config(host).replace(connections_per_node=parallel + 4, http_compress=False, **tls)


def request_headers(connection: Connection) -> dict[str, str]:
    """Return the headers of every request: who asks, and that JSON is wanted."""
    headers = {"accept": VERSIONED_JSON, "user-agent": f"esml/{__version__}"}
    if authorization := credentials(connection):
        headers["authorization"] = authorization
    return headers


def credentials(connection: Connection) -> str | None:
    """Return the Authorization header, None when nobody in particular asks."""
    if connection.api_key:
        return f"ApiKey {connection.api_key}"
    if connection.bearer_token:
        return f"Bearer {connection.bearer_token}"
    if connection.username is None:
        return None
    login = f"{connection.username}:{connection.password or ''}"
    return f"Basic {b64encode(login.encode()).decode()}"


def tls_options(connection: Connection) -> dict[str, Any]:
    """Return the transport's names for the TLS settings."""
    options = {
        "ca_certs": connection.ca_certs,
        "ssl_assert_fingerprint": connection.ssl_fingerprint,
        "client_cert": connection.client_cert,
        "client_key": connection.client_key,
        "verify_certs": connection.verify_certs,
        "ssl_show_warn": False,
    }
    return {name: value for name, value in options.items() if value is not None}
