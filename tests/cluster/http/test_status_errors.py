import ssl
from typing import Any

import pytest
from elastic_transport import (
    ApiError,
    ApiResponseMeta,
    ConnectionTimeout,
    HttpHeaders,
    NodeConfig,
    SerializationError,
    TlsError,
)
from elastic_transport import ConnectionError as TransportConnectionError
from urllib3.exceptions import DecodeError, NameResolutionError, NewConnectionError, ProtocolError, ProxyError

from esml_stop.cluster.http.node import AnswerTooLarge
from esml_stop.cluster.http.status_errors import FAIL_OVER, to_esml_error
from esml_stop.config.connection import Connection
from esml_stop.config.urls import Proxy
from esml_stop.errors import BadAnswer, EsmlError, NotAllowed, NotAuthenticated, Refused, TlsFailed, Unreachable

URL = "http://es.example:9200"
CONNECTION = Connection((URL,))


def response_meta(status: int, **headers: str) -> ApiResponseMeta:
    """Return the metadata of a response."""
    fields = HttpHeaders({name.replace("_", "-"): value for name, value in headers.items()})
    return ApiResponseMeta(status, "1.1", fields, 0.1, NodeConfig("http", "es.example", 9200))


def error_for_status(status: int, body: Any = None, **headers: str) -> EsmlError:
    """Return the error for a response with an error status."""
    return to_esml_error(ApiError("x", response_meta(status, **headers), body), CONNECTION)


def error_body(text: str, kind: str = "x_exception") -> dict[str, Any]:
    """Return the body of an error in Elasticsearch's form."""
    return {"error": {"type": kind, "reason": text}}


def connection_error(*causes: BaseException) -> TransportConnectionError:
    """Return the transport's error for a connection that failed with the given causes."""
    return TransportConnectionError("x", errors=causes)  # type: ignore[arg-type]


def name_resolution_error() -> NameResolutionError:
    """Return urllib3's error for an unknown host name."""
    return NameResolutionError("es.example", None, OSError("no"))  # type: ignore[arg-type]


def new_connection_error(cause: BaseException) -> NewConnectionError:
    """Return urllib3's error for a connection that failed with the given cause."""
    error = NewConnectionError(None, "x")  # type: ignore[arg-type]
    error.__cause__ = cause
    return error


@pytest.mark.parametrize("status", [429, 502, 503, 504])
@pytest.mark.parametrize("body", [None, "<html>", error_body("no master"), []])
def test_an_unavailable_cluster_is_a_transient_error(status: int, body: Any) -> None:
    """An unavailable cluster is a transient error with any body; Retry-After and Elasticsearch's reason are shown."""
    error = error_for_status(status, body, retry_after="7")
    assert isinstance(error, Unreachable)
    assert (error.transient, error.sent, error.retry_after) == (True, True, 7)
    assert ("no master" in error.message) == (body == error_body("no master"))
    assert error.message.endswith("It asks to wait 7.0 s.")


@pytest.mark.parametrize(
    ("status", "body", "kind", "expected"),
    [
        (302, None, BadAnswer, "redirect"),
        (407, None, Unreachable, "proxy"),
        (404, {}, Refused, "HTTP 404"),
        (404, {"found": False}, BadAnswer, "without a reason"),
        (400, {"error": "no handler found"}, Refused, "no handler found"),
        (400, error_body("bad"), Refused, "HTTP 400: bad"),
        (401, error_body("who"), NotAuthenticated, "requires authentication"),
        (403, error_body("no"), NotAllowed, "does not allow"),
        (409, error_body("used"), Refused, "used"),
        (500, {"error": {"type": "x"}}, Refused, "x"),
    ],
)
def test_each_error_status_has_its_class_and_message(
    status: int, body: Any, kind: type[EsmlError], expected: str
) -> None:
    """Each error status has its error class and message, and is not transient."""
    error = error_for_status(status, body)
    assert type(error) is kind
    assert expected in error.message
    assert not error.transient


def test_a_stop_that_collides_with_another_is_transient() -> None:
    """A stop that collided with another stop is a transient error, because the server asks for a retry."""
    assert error_for_status(500, error_body("Attempt to stop again")).transient


@pytest.mark.parametrize("kind", sorted(FAIL_OVER))
@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_fail_over_error_is_transient(status: int, kind: str) -> None:
    """A fail-over error is transient with HTTP 500, 502 and 503, and keeps the server's type and reason."""
    error = error_for_status(status, {"error": {"type": kind, "reason": "gone"}, "status": status})
    assert (error.transient, error.sent, error.http_status, error.type, error.reason) == (
        True,
        True,
        status,
        kind,
        "gone",
    )


def test_a_missing_privilege_is_named() -> None:
    """The error names the user, the action and the sufficient privileges."""
    text = (
        "action [cluster:admin/xpack/ml/trained_models/deployment/stop] is unauthorized for user [u] "
        "with effective roles [r], this action is granted by the cluster privileges [manage_ml,manage,all]"
    )
    error = error_for_status(403, error_body(text))
    assert error.message == "Not allowed: user u may not stop deployments."
    assert "manage_ml, manage, all" in str(error.hint)


def untrusted() -> ssl.SSLCertVerificationError:
    """Return the error for an untrusted certificate."""
    error = ssl.SSLCertVerificationError("x")
    error.verify_code, error.verify_message = 20, "unable to get local issuer certificate"
    return error


CASES: list[tuple[Exception, type[EsmlError], bool, str]] = [
    (SerializationError("x"), BadAnswer, False, "cannot be read"),
    (RecursionError(), BadAnswer, False, "cannot be read"),
    (connection_error(DecodeError("x")), BadAnswer, False, "cannot be read"),
    (connection_error(AnswerTooLarge("x")), BadAnswer, False, "larger than 64 MB"),
    (ConnectionTimeout("x"), Unreachable, False, "did not respond in time"),
    (TimeoutError(), Unreachable, False, "did not respond in time"),
    (connection_error(name_resolution_error()), Unreachable, False, "Could not resolve"),
    (connection_error(new_connection_error(ConnectionRefusedError())), Unreachable, True, "Connection refused"),
    (connection_error(new_connection_error(OSError(113, "No route to host"))), Unreachable, True, "No route to host"),
    (
        connection_error(ProtocolError("x", ConnectionResetError())),
        Unreachable,
        True,
        "before the response was complete",
    ),
    (TlsError("x", errors=(untrusted(),)), TlsFailed, False, "certificate"),
]


@pytest.mark.parametrize("sent", [True, False])
@pytest.mark.parametrize(
    ("error", "kind", "transient", "expected"), CASES, ids=[f"{type(case[0]).__name__}: {case[3]}" for case in CASES]
)
def test_each_connection_error_has_its_class_and_message(
    error: Exception, kind: type, transient: bool, expected: str, sent: bool
) -> None:
    """Each connection error has its class and message, and records whether the request was sent and may be retried."""
    found = to_esml_error(error, CONNECTION, sent=sent)
    assert type(found) is kind
    assert isinstance(found, Unreachable)
    if isinstance(error, ConnectionTimeout | TimeoutError) and not sent:
        assert (found.transient, found.sent) == (True, False)
        assert "Could not connect" in found.message
    elif kind is not BadAnswer:
        assert (found.transient, found.sent) == (transient, sent)
        assert expected in found.message
    else:
        assert (found.transient, found.sent) == (False, True)
        assert expected in found.message


def test_a_proxy_that_failed_is_named() -> None:
    """The error for a failed proxy names its URL and variable, without its credentials."""
    connection = Connection((URL,), proxies={URL: Proxy("http://p:1", "me:canary", "HTTP_PROXY")})
    for error in (
        connection_error(ProxyError("x", OSError("no"))),
        connection_error(new_connection_error(ConnectionRefusedError())),
    ):
        found = to_esml_error(error, connection, sent=False)
        assert isinstance(found, Unreachable)
        assert (found.transient, found.sent) == (True, False)
        assert found.message == "Could not connect to the proxy http://p:1 (HTTP_PROXY)."


def test_a_secret_that_the_server_repeats_is_masked() -> None:
    """A secret that the server repeats is masked in the message and in the fields of a JSON error."""
    connection = Connection((URL,), username="u", password="p4ssw0rd")
    error = to_esml_error(
        ApiError("x", response_meta(400), error_body("got p4ssw0rd and dTpwNHNzdzByZA==", "p4ssw0rd")), connection
    )
    assert isinstance(error, Refused)
    assert (error.reason, error.type) == ("got *** and ***", "***")
    assert "p4ssw0rd" not in error.message
