"""Explains why no complete response arrived, and whether the request may have been received anyway."""

from typing import Any

from elastic_transport import TlsError
from urllib3.exceptions import DecodeError, NameResolutionError, ProtocolError, ProxyError

from esml_stop.cluster.http.node import AnswerTooLarge
from esml_stop.cluster.http.proxies import proxy_error
from esml_stop.cluster.http.tls_errors import explain
from esml_stop.config.connection import Connection
from esml_stop.errors import CHECK_URL, BadAnswer, TlsFailed, Unreachable


def tls_error(error: TlsError, connection: Connection, *, sent: bool) -> TlsFailed:
    """Return the error for a failed TLS connection, with a hint that names the option to use."""
    text, hint = explain(cause_chain(error), connection)
    return TlsFailed(text, hint=hint, sent=sent)


def connection_error(error: Exception, connection: Connection, *, sent: bool) -> Unreachable:
    """Return the error for a host that sent no complete response, or for a proxy that could not be used."""
    where, causes = connection.label, cause_chain(error)
    if any(isinstance(one, AnswerTooLarge) for one in causes):
        return BadAnswer(f"{where} sent a response larger than 64 MB.", hint=CHECK_URL)
    proxy = connection.proxies.get(where)
    if proxy and (any(isinstance(one, ProxyError) for one in causes) or (where.startswith("http:") and not sent)):
        return proxy_error(causes, where, proxy)
    if any(isinstance(one, NameResolutionError) for one in causes):
        return Unreachable(f"Could not resolve the host name in {where}.", hint=CHECK_NAME, sent=sent)
    if any(isinstance(one, ConnectionRefusedError) for one in causes):
        text = f"Connection refused: nothing is listening at {where}."
        return Unreachable(text, hint=CHECK_PORT, transient=True, sent=sent)
    if any(isinstance(one, ProtocolError | ConnectionError) for one in causes):
        text = f"{where} closed the connection before the response was complete."
        return Unreachable(text, hint=CHECK_HTTPS if "http://" in where else None, transient=True, sent=sent)
    text = f"Could not connect to {where}: {reason_of(error)}."
    return Unreachable(text, hint=CHECK_PORT, transient=True, sent=sent)


CHECK_NAME = "Check the URL for a typo, and check the network."
CHECK_PORT = "Check the host and port, and that the cluster is running. Elasticsearch usually listens on port 9200."
CHECK_HTTPS = "If the cluster uses TLS, use https:// in the URL."


def reason_of(error: Exception) -> str:
    """Return a short reason why a connection could not be made."""
    root = root_cause(error)
    return getattr(root, "strerror", None) or type(root).__name__


def is_decode_error(error: Exception) -> bool:
    """Return whether the response body could not be decompressed."""
    return any(isinstance(one, DecodeError) for one in cause_chain(error))


def cause_chain(error: BaseException) -> list[BaseException]:
    """Return an error and all its causes, outermost first."""
    found: list[BaseException] = []
    todo: list[Any] = [error]
    while todo:
        one = todo.pop(0)
        if isinstance(one, BaseException) and one not in found:
            found.append(one)
            todo += [
                *getattr(one, "errors", ()),
                getattr(one, "reason", None),
                one.__cause__,
                one.__context__,
                *one.args,
            ]
    return found


def root_cause(error: BaseException) -> BaseException:
    """Return the innermost cause of an error."""
    return cause_chain(error)[-1]
