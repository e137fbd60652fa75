"""Sends requests over the official Elasticsearch transport, with fail-over between the hosts of a cluster."""

import json
import re
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

import elastic_transport
from elastic_transport.client_utils import url_to_node_config

from esml_stop import __version__
from esml_stop.cluster.http import status_errors
from esml_stop.cluster.http.node import Attempt, Node, current
from esml_stop.config.connection import Connection, redacted, without_secrets
from esml_stop.errors import ConfigError, Unreachable
from esml_stop.runtime.background import GRACE_SECONDS, begin, run_limited, wait_for_result

Response = elastic_transport.TransportApiResponse

# All servers from version 8 on, and serverless, support the response format of version 8.
JSON = "application/vnd.elasticsearch+json"
VERSIONED_JSON = f"{JSON}; compatible-with=8"


class RequestRecord(NamedTuple):
    """A completed or failed request, for `on_request`; `result` is the HTTP status or the class of the exception.

    `warnings` are the texts of the Warning headers in the response.
    """

    method: str
    path: str
    result: str
    seconds: float
    warnings: tuple[str, ...] = ()


class Request(NamedTuple):
    """A request to send; `target` is the path with the query string."""

    method: str
    target: str
    body: Mapping[str, object] | None = None

    @property
    def is_read(self) -> bool:
        """Return whether the request changes nothing, so that it can always be sent to another host."""
        return self.method == "GET"


class Transport:
    """The connections to one cluster; can be shared between threads."""

    def __init__(
        self,
        connection: Connection,
        *,
        parallel: int,
        on_request: Callable[[RequestRecord], None],
        shrunk: Callable[[dict[str, Any]], Any] | None = None,
    ) -> None:
        self.connection = connection
        self._on_request = on_request
        self._hosts = [Host(connection, url, parallel, Decoder(shrunk)) for url in connection.hosts]
        self._last_good = 0

    def close(self) -> None:
        """Close all connections."""
        for host in self._hosts:
            host.client.close()

    def ask(
        self,
        method: str,
        path: str,
        timeout: float,
        query: Mapping[str, object] | None = None,
        body: Mapping[str, object] | None = None,
    ) -> Any:
        """Make one request within a time limit in seconds, without retries; return the decoded response.

        Raises EsmlError. The host of the last successful request is tried first. A GET request is sent to the next
        host if a host gives no usable response within half of the remaining time. Any other request is sent to the next
        host only if no part of it was sent.
        """
        call = Request(method, f"{path}?{urlencode(query, quote_via=quote, safe=',*')}" if query else path, body)
        ends = time.monotonic() + timeout
        failed: list[Unreachable] = []
        for number, host in self._in_order():
            left = max(ends - time.monotonic(), 0.001)
            has_next = len(failed) + 1 < len(self._hosts)
            try:
                answer = self._ask(host, call, left / 2 if has_next and call.is_read else left)
            except Unreachable as error:
                failed.append(error)
                if error.sent and not call.is_read:
                    break
            else:
                self._last_good = number
                return answer
        raise combined_error(failed)

    def _in_order(self) -> Iterator[tuple[int, "Host"]]:
        """Yield all hosts with their indexes, starting with the host of the last successful request."""
        first = self._last_good
        numbers = [*range(first, len(self._hosts)), *range(first)]
        return ((number, self._hosts[number]) for number in numbers)

    def _ask(self, host: "Host", call: Request, timeout: float) -> Any:
        """Make a request to one host, report it to `on_request`, and return the decoded response; raise EsmlError."""
        began, result, warning, attempt = time.monotonic(), "", None, Attempt()
        try:
            answer = self._limited(timeout + GRACE_SECONDS, lambda: host.send(call, timeout, attempt))
            result, warning = str(answer.meta.status), answer.meta.headers.get("warning")
            status_errors.raise_for_status(answer)
        except status_errors.FAILURES as error:
            result = status_errors.summary(error)
            found = status_errors.to_esml_error(error, host.connection, sent=attempt.sent)
            raise found from without_secrets(error, self.connection)
        else:
            return answer.body
        finally:
            shown = f"{host.url}{call.target}" if len(self._hosts) > 1 else call.target
            texts = self._texts(warning) if warning else ()
            self._on_request(RequestRecord(call.method, shown, result, time.monotonic() - began, texts))

    def _limited(self, seconds: float, send: Callable[[], Response]) -> Response:
        """Return the response to a request; raise TimeoutError after this many seconds.

        With a single host, no limit is added if this thread already runs with one. With several hosts, the limit always
        applies, because each host has its own.
        """
        return run_limited(seconds, send) if len(self._hosts) == 1 else wait_for_result(seconds, begin(send))

    def _texts(self, warning: str) -> tuple[str, ...]:
        """Return the texts in a Warning header, without code, agent and date, and with secrets masked."""
        shown = redacted(warning, self.connection)
        return tuple(re.findall(r'"((?:[^"\\]|\\.)*)"(?: "[^"]*")?', shown)) or (shown,)


class Host:
    """One host of a cluster; its `connection` contains no other host, so that error messages name the right one."""

    def __init__(self, connection: Connection, url: str, parallel: int, decoder: "Decoder") -> None:
        self.url = url
        self.connection = replace(connection, hosts=(url,))
        self.client = build_transport(self.connection, parallel, decoder)
        self.headers = request_headers(connection)

    def send(self, call: Request, timeout: float, attempt: Attempt) -> Response:
        """Send a request and return the response; `attempt.sent` becomes True as soon as sending begins."""
        current.attempt = attempt
        headers = self.headers | ({"content-type": VERSIONED_JSON} if call.body is not None else {})
        return self.client.perform_request(
            call.method, call.target, body=call.body, headers=headers, request_timeout=max(timeout, 0.001)
        )


class Decoder(elastic_transport.JsonSerializer):
    """Decodes JSON; `shrunk` is called for each object, innermost first, and returns its replacement."""

    def __init__(self, shrunk: Callable[[dict[str, Any]], Any] | None) -> None:
        self.shrunk = shrunk

    def json_loads(self, data: bytes) -> Any:
        """Return the decoded data."""
        return json.loads(data, object_hook=self.shrunk)


def combined_error(errors: list[Unreachable]) -> Unreachable:
    """Combine the errors of all hosts that were tried into one; return a single error unchanged."""
    if len(errors) == 1:
        return errors[0]
    text = f"None of the {len(errors)} hosts gave a usable response. {' '.join(one.message for one in errors)}"
    kinds = {type(one) for one in errors}
    kind = kinds.pop() if len(kinds) == 1 else Unreachable
    return kind(
        text,
        hint=errors[0].hint,
        transient=any(one.transient for one in errors),
        retry_after=max((one.retry_after for one in errors if one.retry_after is not None), default=None),
        sent=any(one.sent for one in errors),
    )


def build_transport(connection: Connection, parallel: int, decoder: "Decoder") -> elastic_transport.Transport:
    """Return a transport for one host, without its own retries; raise ConfigError if the settings cannot be used."""
    (host,) = connection.hosts
    options = tls_options(connection) if host.startswith("https:") else {}
    extras = {"proxy": connection.proxies.get(host)}
    try:
        node = url_to_node_config(host).replace(
            connections_per_node=parallel + 4, http_compress=False, _extras=extras, **options
        )
        serializers = {JSON: decoder}
        return elastic_transport.Transport(
            [node], node_class=Node, serializers=serializers, max_retries=0, meta_header=False
        )
    except (ValueError, OSError) as error:
        raise ConfigError(
            "The connection settings contradict each other, or a certificate file cannot be used.",
            hint="Check --url, --cloud-id, --ca-certs, --client-cert and --client-key.",
        ) from error


def request_headers(connection: Connection) -> dict[str, str]:
    """Return the headers of every request: the JSON media type, the user agent and the credentials, if any."""
    headers = {"accept": VERSIONED_JSON, "user-agent": f"esml/{__version__}"}
    if authorization := authorization_header(connection):
        headers["authorization"] = authorization
    return headers


def authorization_header(connection: Connection) -> str | None:
    """Return the Authorization header, or None without credentials."""
    if connection.api_key:
        return f"ApiKey {connection.api_key}"
    if connection.bearer_token:
        return f"Bearer {connection.bearer_token}"
    if connection.username is None:
        return None
    login = f"{connection.username}:{connection.password or ''}"
    return f"Basic {b64encode(login.encode()).decode()}"


def tls_options(connection: Connection) -> dict[str, Any]:
    """Return the TLS settings under the transport's names."""
    options = {
        "ca_certs": connection.ca_certs,
        "ssl_assert_fingerprint": connection.ssl_fingerprint,
        "client_cert": connection.client_cert,
        "client_key": connection.client_key,
        "verify_certs": connection.verify_certs,
        "ssl_show_warn": False,
    }
    return {name: value for name, value in options.items() if value is not None}
