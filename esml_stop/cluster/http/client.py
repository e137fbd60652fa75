"""One request at a time over the official client."""

import re
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from elasticsearch import ApiError, Elasticsearch, ElasticsearchWarning, TransportError, UnsupportedProductError

from esml_stop import __version__
from esml_stop.cluster.http.node import Node
from esml_stop.config.connection import Connection
from esml_stop.errors import ConfigError
from esml_stop.runtime.background import GRACE_SECONDS, within


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
        headers = {"accept": "application/json"} | ({"content-type": "application/json"} if body else {})
        limit = max(timeout, 0.001)
        client = self._client.options(request_timeout=limit)
        began, result, warning = time.monotonic(), "", None
        try:
            answer = within(
                limit + GRACE_SECONDS,
                lambda: client.perform_request(method, path, params=query, headers=headers, body=body),
            )
            result, warning = str(answer.meta.status), answer.meta.headers.get("warning")
        except (ApiError, TransportError, UnsupportedProductError, RecursionError, TimeoutError) as error:
            from esml_stop.cluster.http import status_errors
            from esml_stop.cluster.http.redaction import printable

            result = status_errors.summary(error)
            raise status_errors.meaning(error, self.connection) from printable(error, self.connection)
        else:
            return answer.body
        finally:
            texts = self._texts(warning) if warning else ()
            self._on_request(Request(method, path, result, time.monotonic() - began, texts))

    def _texts(self, warning: str) -> tuple[str, ...]:
        """Return the texts of a Warning header, without code, agent and date."""
        from esml_stop.cluster.http.redaction import redacted

        shown = redacted(warning, self.connection)
        return tuple(re.findall(r'"((?:[^"\\]|\\.)*)"(?: "[^"]*")?', shown)) or (shown,)


def connect(connection: Connection, parallel: int) -> Elasticsearch:
    """Return the official client, with its own retries off and nothing of it on stderr."""
    # The server's Warning headers reach people through on_request, cleaned.
    warnings.simplefilter("ignore", ElasticsearchWarning)
    options: dict[str, Any] = {
        "api_key": connection.api_key,
        "bearer_auth": connection.bearer_token,
        "basic_auth": (connection.username, connection.password or "") if connection.username else None,
    }
    if any(host.startswith("https:") for host in connection.hosts):
        options |= tls_options(connection)
    try:
        return Elasticsearch(
            list(connection.hosts),
            **{name: value for name, value in options.items() if value is not None},
            node_class=Node,
            connections_per_node=parallel + 4,
            max_retries=0,
            http_compress=False,
            headers={"user-agent": f"esml/{__version__}"},
        )
    except (ValueError, OSError) as error:
        raise ConfigError(
            "The connection settings do not fit together, or a certificate file cannot be used.",
            hint="Check --url, --cloud-id, --ca-certs, --client-cert and --client-key.",
        ) from error


def tls_options(connection: Connection) -> dict[str, Any]:
    """Return the client's names for the TLS settings."""
    return {
        "ca_certs": connection.ca_certs,
        "ssl_assert_fingerprint": connection.ssl_fingerprint,
        "client_cert": connection.client_cert,
        "client_key": connection.client_key,
        "verify_certs": connection.verify_certs,
        "ssl_show_warn": False,
    }
