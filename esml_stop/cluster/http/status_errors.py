"""Converts the transport's exceptions and error statuses to EsmlError, with a message and a hint for the user."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from elastic_transport import (
    ApiError,
    ConnectionTimeout,
    SerializationError,
    TlsError,
    TransportApiResponse,
    TransportError,
)

from esml_stop.cluster.http.connection_errors import CHECK_PORT, connection_error, is_decode_error, tls_error
from esml_stop.cluster.http.product import not_elasticsearch, wrong_path
from esml_stop.config.connection import Connection, redacted
from esml_stop.config.urls import Proxy
from esml_stop.errors import (
    CHECK_URL,
    BadAnswer,
    EsmlError,
    NotAllowed,
    NotAuthenticated,
    Refused,
    Unreachable,
)
from esml_stop.runtime.deadline import retry_after
from esml_stop.text import seconds

GATEWAY_STATUSES = {429, 502, 503, 504}
# The error types while a node or the master leaves the cluster; a retry succeeds once another node has taken over.
# Source: docs/elasticsearch.md, "Stopping"
FAIL_OVER = {
    "not_master_exception",
    "master_not_discovered_exception",
    "failed_to_commit_cluster_state_exception",
    "node_closed_exception",
    "node_disconnected_exception",
    "node_not_connected_exception",
}
# Parts of the reason of a 429 that is not retried: no capacity, too many deployments, or upgrade mode.
LASTING = ("Could not start", "while upgrade mode is enabled")

# Parts of the reason of a 403 that is not caused by a missing privilege.
FORBIDDEN_TO_ALL = ("license is non-compliant", "while cluster upgrade is in progress")

# Matches a path with its query string in an error of Elasticsearch; the query string is removed because it makes the
# message too long.
QUERY = re.compile(r"(?<=uri \[)(/[^\]?\s]*)\?[^\]\s]*(?=\])")
UNAUTHORIZED = re.compile(r"action \[(?P<action>.+?)\] is unauthorized for (?P<who>.+?)(?: with effective roles|,|$)")
GRANTED_BY = re.compile(r"granted by the cluster privileges \[(?P<privileges>.+?)\]")


class OtherProduct(Exception):
    """The response is not from Elasticsearch."""

    def __init__(self, answer: TransportApiResponse) -> None:
        super().__init__(str(answer.meta.status))
        self.answer = answer


def is_genuine(answer: TransportApiResponse) -> bool:
    """Return whether a response is from Elasticsearch: by its header, or for a 401 or 403 by the form of its error."""
    if answer.meta.headers.get("x-elastic-product") == "Elasticsearch":
        return True
    body = answer.body
    if answer.meta.status not in {401, 403} or not isinstance(body, Mapping):
        return False
    error, status = body.get("error"), body.get("status")
    return status == answer.meta.status and isinstance(error, Mapping) and isinstance(error.get("type"), str)


# The exceptions of a request: error status, no response, another product, an undecodable response, or a timeout.
FAILURES = (ApiError, TransportError, OtherProduct, RecursionError, TimeoutError)


def raise_for_status(answer: TransportApiResponse) -> None:
    """Raise ApiError for an error status, and OtherProduct for a response that is not from Elasticsearch.

    Redirects, 407 and the statuses in GATEWAY_STATUSES raise ApiError, because a proxy or load balancer may send them.
    """
    status = answer.meta.status
    if status not in {*GATEWAY_STATUSES, 407} and not 300 <= status < 400 and not is_genuine(answer):
        raise OtherProduct(answer)
    if not 200 <= status < 300:
        raise ApiError(str(status), answer.meta, answer.body)


def to_esml_error(error: Exception, connection: Connection, *, sent: bool = True) -> EsmlError:
    """Return the EsmlError for an exception of the transport or for a request that timed out.

    `sent` is whether any part of the request was sent.
    """
    where = connection.label
    if isinstance(error, OtherProduct):
        return not_elasticsearch(error.answer, where, proxy_of(connection))
    if isinstance(error, ApiError):
        return error_for_status(error, connection)
    if isinstance(error, TlsError):
        return tls_error(error, connection, sent=sent)
    if isinstance(error, ConnectionTimeout | TimeoutError):
        text = f"{where} did not respond in time." if sent else f"Could not connect to {where} in time."
        return Unreachable(text, hint=CHECK_TIME if sent else CHECK_PORT, transient=not sent, sent=sent)
    if isinstance(error, SerializationError | RecursionError) or is_decode_error(error):
        return BadAnswer(f"{where} sent a response that cannot be read.", hint=CHECK_URL)
    return connection_error(error, connection, sent=sent)


def proxy_of(connection: Connection) -> Proxy | None:
    """Return the proxy for an http host, which may have responded itself; None for https, which uses a tunnel."""
    return next((proxy for url, proxy in connection.proxies.items() if url in connection.hosts and is_plain(url)), None)


def is_plain(url: str) -> bool:
    """Return whether the traffic to a URL is unencrypted."""
    return url.startswith("http:")


CHECK_TIME = "Check that the cluster is healthy. Allow more time with --timeout."


def summary(error: Exception) -> str:
    """Return the HTTP status or the class of the exception of a failed request, for a log line."""
    return str(error.meta.status) if isinstance(error, ApiError) else type(error).__name__


def error_for_status(error: ApiError, connection: Connection) -> EsmlError:
    """Return the EsmlError for an error status; type and reason come only from Elasticsearch's own JSON."""
    where, status = connection.label, error.meta.status
    kind, reason = (text and redacted(text, connection) for text in error_type_and_reason(error.body))
    is_away = status in GATEWAY_STATUSES or kind in FAIL_OVER
    if is_away and not any(words in (reason or "") for words in LASTING):
        pause = retry_after(error.meta.headers.get("retry-after"))
        text = f"{where} is not available now (HTTP {status}{f': {reason}' if reason else ''})."
        wish = f" It asks to wait {seconds(pause)}." if pause else ""
        away = Unreachable(text + wish, transient=True, retry_after=pause)
        return away.replace(http_status=status, type=kind, reason=reason)
    if status == 407:
        text = "The proxy requires a login (HTTP 407); the cluster was not reached."
        return Unreachable(text, hint=CHECK_PROXY)
    if 300 <= status < 400:
        text = f"{where} returned a redirect (HTTP {status}), which esml does not follow."
        return BadAnswer(text, hint=CHECK_URL)
    if reason is None and status == 404 and error.body == {}:  # no objects of this kind, e.g. no pipelines
        return Refused(f"{where} returned HTTP 404.", http_status=404)
    if reason is None:
        return BadAnswer(f"{where} answered HTTP {status} without a reason.", hint=CHECK_URL)
    misplaced = wrong_path(reason, where) if urlsplit(where).path else None
    return misplaced or refused_error(status, kind, QUERY.sub(r"\1", reason), connection)


CHECK_PROXY = "Put the login into the proxy's URL, or name the cluster in NO_PROXY."


def refused_error(status: int, kind: str | None, reason: str, connection: Connection) -> Refused:
    """Return the EsmlError for an error that Elasticsearch returned, with its type and reason."""
    if status == 401:
        return unauthenticated(kind, reason, connection)
    if status == 403 and not any(words in reason for words in FORBIDDEN_TO_ALL):
        return unauthorized(kind, reason, connection)
    again = status == 500 and "attempt to stop again" in reason.lower()
    text = f"Elasticsearch returned HTTP {status}: {reason}"
    return Refused(text, http_status=status, type=kind, reason=reason, transient=again)


def unauthenticated(kind: str | None, reason: str, connection: Connection) -> NotAuthenticated:
    """Return the error for a 401: no credentials were sent, or they were rejected."""
    nobody = not connection.has_credentials
    text = "requires authentication, but no credentials were given" if nobody else "rejected the credentials (HTTP 401)"
    hint = "Pass an API key with ESML_API_KEY or --api-key-file, or a user with --username."
    return NotAuthenticated(
        f"{connection.label} {text}.", http_status=401, type=kind, reason=reason, hint=hint if nobody else CHECK_LOGIN
    )


CHECK_LOGIN = "Check that they belong to this cluster and have not expired; `esml config` shows where they come from."


def unauthorized(kind: str | None, reason: str, connection: Connection) -> NotAllowed:
    """Return the error for a 403, with the user, the action and the privileges that allow it, if known."""
    found, granted = UNAUTHORIZED.search(reason), GRANTED_BY.search(reason)
    if not found:
        return NotAllowed(
            f"{connection.label} does not allow this: {reason}", http_status=403, type=kind, reason=reason
        )
    what = "stop deployments" if found["action"].endswith("deployment/stop") else f"do this ({found['action']})"
    needs = f"It requires one of the cluster privileges {granted['privileges'].replace(',', ', ')}. " if granted else ""
    return NotAllowed(
        f"Not allowed: {found['who'].replace('[', '').replace(']', '')} may not {what}.",
        http_status=403,
        type=kind,
        reason=reason,
        hint=f"{needs}manage_ml is sufficient; the role machine_learning_admin has it.",
    )


def error_type_and_reason(body: Any) -> tuple[str | None, str | None]:
    """Return the type and reason in Elasticsearch's error JSON, None if missing; both None for any other body."""
    error = body.get("error") if isinstance(body, Mapping) else None
    if isinstance(error, str):
        return None, error
    if not isinstance(error, Mapping) or not isinstance(error.get("type"), str):
        return None, None
    reason = error.get("reason")
    return error["type"], reason if isinstance(reason, str) else error["type"]
