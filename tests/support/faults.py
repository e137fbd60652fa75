"""Faults for FaultyServer: each responds to a single request."""

import base64
import gzip
import json
import socket
import struct
import zlib
from collections.abc import Iterator
from functools import cache
from threading import Event

from tests.support.faulty_server import Fault, FaultyHandler

JSON = "application/vnd.elasticsearch+json;compatible-with=8"
MB = 1024 * 1024


def answer(
    body: object = b"",
    status: int = 200,
    *,
    media: str | None = JSON,
    product: bool = True,
    **headers: str,
) -> Fault:
    """Return a fault that sends a body (bytes, or anything else as JSON) without processing the request."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    extra = {name.replace("_", "-"): value for name, value in headers.items()}

    def fault(handler: FaultyHandler) -> None:
        handler.read_request()
        handler.send(head(status, len(data), media=media, product=product, **extra) + data)

    return fault


def head(status: int, length: int | None, *, media: str | None = JSON, product: bool = True, **headers: str) -> bytes:
    """Return the status line and the headers of a response, as bytes."""
    lines = [f"HTTP/1.1 {status} Whatever"]
    lines += [f"content-length: {length}"] if length is not None else []
    lines += [f"content-type: {media}"] if media else []
    lines += ["X-elastic-product: Elasticsearch"] if product else []
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1", "surrogateescape")


def error(status: int, kind: str = "status_exception", reason: str = "no", retry_after: str = "") -> Fault:
    """Return a fault that sends an error in Elasticsearch's form."""
    body = {"error": {"type": kind, "reason": reason}, "status": status}
    return answer(body, status, retry_after=retry_after) if retry_after else answer(body, status)


def page(status: int = 200, text: str = "<html><h1>Welcome</h1></html>") -> Fault:
    """Return a fault that sends a web page, as a proxy or another server would."""
    return answer(text.encode(), status, media="text/html", product=False)


def silence(handler: FaultyHandler) -> None:
    """Send nothing for 120 seconds, or until the server ends, and close the connection."""
    handler.server.wait(120)
    hang_up(handler)


def hang_up(handler: FaultyHandler) -> None:
    """Close the connection without a response."""
    handler.close_connection = True
    handler.connection.shutdown(socket.SHUT_RDWR)


def reset(handler: FaultyHandler) -> None:
    """Reset the connection without processing the request."""
    handler.close_connection = True
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()


def reset_after(handler: FaultyHandler) -> None:
    """Process the request and reset the connection instead of sending the response."""
    handler.perform()
    reset(handler)


def work_then(other: Fault) -> Fault:
    """Return a fault that processes the request and then continues with another fault."""

    def fault(handler: FaultyHandler) -> None:
        handler.perform()
        handler.headers.replace_header("content-length", "0")
        other(handler)

    return fault


def master_lost(status: int, kind: str) -> Fault:
    """Return a fault that leaves all deployments stopping, until another stop, and sends an error."""

    def fault(handler: FaultyHandler) -> None:
        with handler.server.state.lock:
            for one in handler.server.state.deployments.values():
                one.state = "stopping"
        error(status, kind)(handler)

    return fault


def after(seconds: float) -> Fault:
    """Return a fault that sends the correct response after a delay in seconds."""

    def fault(handler: FaultyHandler) -> None:
        handler.server.wait(seconds)
        handler.write(*handler.perform())

    return fault


def when(happened: Event) -> Fault:
    """Return a fault that sends the correct response after an event, for which it waits up to 60 seconds."""

    def fault(handler: FaultyHandler) -> None:
        assert happened.wait(60), "what the answer waits for did not happen"
        handler.write(*handler.perform())

    return fault


def closing(handler: FaultyHandler) -> None:
    """Send the correct response, then close the connection, although the headers keep it open."""
    handler.write(*handler.perform())
    hang_up(handler)


def drip(*, from_head: bool = False, every: float = 1.0) -> Fault:
    """Return a fault that endlessly sends a byte every `every` seconds, of the body or, if `from_head`, of the head."""

    def fault(handler: FaultyHandler) -> None:
        handler.read_request()
        handler.send(b"" if from_head else head(200, 100_000))
        for byte in endless(b"HTTP/1.1 200 OK\r\nx-slow: " if from_head else b'{"count": 1, "x": "'):
            handler.send(bytes([byte]))
            handler.server.closing.wait(every)
            if handler.server.closing.is_set():
                break
        hang_up(handler)

    return fault


def endless(start: bytes) -> Iterator[int]:
    """Yield some bytes, and then spaces without end."""
    yield from start
    while True:
        yield 32


def raw(data: bytes) -> Fault:
    """Return a fault that sends bytes, which need not be HTTP, and closes the connection."""

    def fault(handler: FaultyHandler) -> None:
        handler.read_request()
        handler.send(data)
        hang_up(handler)

    return fault


def truncated(handler: FaultyHandler) -> None:
    """Send fewer bytes than the headers announce, and close the connection."""
    raw(head(200, 5_000) + b'{"count": 1, "trained_')(handler)


def huge(megabytes: int) -> Fault:
    """Return a fault that sends a body of this many megabytes."""

    def fault(handler: FaultyHandler) -> None:
        handler.read_request()
        handler.send(head(200, megabytes * MB))
        for _ in range(megabytes):
            handler.send(b" " * MB)
        hang_up(handler)

    return fault


def bomb(encoding: str, megabytes: int) -> Fault:
    """Return a fault that sends JSON of this many megabytes, compressed."""

    def fault(handler: FaultyHandler) -> None:
        answer(packed(encoding, megabytes), content_encoding=encoding)(handler)

    return fault


def packed_as(encoding: str, data: bytes) -> bytes:
    """Return data in gzip format, or else in zlib format."""
    return gzip.compress(data, 1) if encoding == "gzip" else zlib.compress(data, 1)


@cache
def packed(encoding: str, megabytes: int) -> bytes:
    """Return JSON of this many megabytes, compressed with each of the comma-separated encodings."""
    data = b'{"x": "' + b"0" * (megabytes * MB) + b'"}'
    for one in encoding.split(", "):
        data = packed_as(one, data)
    return data


def echo(status: int) -> Fault:
    """Return a fault that sends an error with the Authorization header, as received and decoded."""

    def fault(handler: FaultyHandler) -> None:
        sent = handler.headers.get("authorization") or ""
        decoded = base64.b64decode(sent.partition(" ")[2] + "==").decode("utf-8", "replace")
        kind = f"odd [{sent}]"
        error(status, kind, f"bad header [{sent}] for [{decoded}]")(handler)

    return fault


def warning(*texts: str) -> Fault:
    """Return a fault that sends the correct response with Warning headers."""

    def fault(handler: FaultyHandler) -> None:
        status, body = handler.perform()
        data = json.dumps(body).encode()
        start = head(status, len(data))[:-2]
        lines = "".join(f"Warning: {text}\r\n" for text in texts)
        handler.send(start + lines.encode("utf-8", "surrogateescape") + b"\r\n" + data)

    return fault


def warn_with_authorization(handler: FaultyHandler) -> None:
    """Send the correct response with a Warning header that repeats the Authorization header."""
    warning(f'299 Elasticsearch-8.19.0 "odd [{handler.headers.get("authorization")}]"')(handler)


def echo_page(handler: FaultyHandler) -> None:
    """Send a web page that repeats the Authorization header."""
    page(418, f"<p>{handler.headers.get('authorization')}</p>")(handler)
