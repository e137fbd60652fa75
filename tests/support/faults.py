"""Faults of single responses, for FaultyServer."""

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
    """Respond with a status and a body (bytes unchanged, anything else as JSON), without doing the work."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    extra = {name.replace("_", "-"): value for name, value in headers.items()}

    def fault(handler: FaultyHandler) -> None:
        handler.read_request()
        handler.send(head(status, len(data), media=media, product=product, **extra) + data)

    return fault


def head(status: int, length: int | None, *, media: str | None = JSON, product: bool = True, **headers: str) -> bytes:
    """Return the bytes of a response's head."""
    lines = [f"HTTP/1.1 {status} Whatever"]
    lines += [f"content-length: {length}"] if length is not None else []
    lines += [f"content-type: {media}"] if media else []
    lines += ["X-elastic-product: Elasticsearch"] if product else []
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1", "surrogateescape")


def error(status: int, kind: str = "status_exception", reason: str = "no", retry_after: str = "") -> Fault:
    """Respond with an error in Elasticsearch's form."""
    body = {"error": {"type": kind, "reason": reason}, "status": status}
    return answer(body, status, retry_after=retry_after) if retry_after else answer(body, status)


def page(status: int = 200, text: str = "<html><h1>Welcome</h1></html>") -> Fault:
    """Respond with a web page, as a proxy or another server would."""
    return answer(text.encode(), status, media="text/html", product=False)


def silence(handler: FaultyHandler) -> None:
    """Never respond."""
    handler.server.wait(120)
    hang_up(handler)


def hang_up(handler: FaultyHandler) -> None:
    """Close the connection without a response."""
    handler.close_connection = True
    handler.connection.shutdown(socket.SHUT_RDWR)


def reset(handler: FaultyHandler) -> None:
    """Reset the connection before the work is done."""
    handler.close_connection = True
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()


def reset_after(handler: FaultyHandler) -> None:
    """Do the work and reset the connection instead of responding."""
    handler.perform()
    reset(handler)


def work_then(other: Fault) -> Fault:
    """Do the work, and respond with another fault."""

    def fault(handler: FaultyHandler) -> None:
        handler.perform()
        handler.headers.replace_header("content-length", "0")
        other(handler)

    return fault


def master_lost(status: int, kind: str) -> Fault:
    """Fail during a stop: the deployments stay stopping until another stop is sent."""

    def fault(handler: FaultyHandler) -> None:
        with handler.server.state.lock:
            for one in handler.server.state.deployments.values():
                one.state = "stopping"
        error(status, kind)(handler)

    return fault


def after(seconds: float) -> Fault:
    """Respond correctly after a delay."""

    def fault(handler: FaultyHandler) -> None:
        handler.server.wait(seconds)
        handler.write(*handler.perform())

    return fault


def when(happened: Event) -> Fault:
    """Respond correctly after an event."""

    def fault(handler: FaultyHandler) -> None:
        assert happened.wait(60), "what the answer waits for did not happen"
        handler.write(*handler.perform())

    return fault


def closing(handler: FaultyHandler) -> None:
    """Respond correctly, then close the connection although the response keeps it open."""
    handler.write(*handler.perform())
    hang_up(handler)


def drip(*, from_head: bool = False, every: float = 1.0) -> Fault:
    """Respond with single bytes, endlessly; the head at once, unless `from_head`."""

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
    """Yield some bytes and then spaces, endlessly."""
    yield from start
    while True:
        yield 32


def raw(data: bytes) -> Fault:
    """Write bytes that need not be HTTP, and close the connection."""

    def fault(handler: FaultyHandler) -> None:
        handler.read_request()
        handler.send(data)
        hang_up(handler)

    return fault


def truncated(handler: FaultyHandler) -> None:
    """Announce more bytes than are sent."""
    raw(head(200, 5_000) + b'{"count": 1, "trained_')(handler)


def huge(megabytes: int) -> Fault:
    """Respond with this many megabytes of JSON."""

    def fault(handler: FaultyHandler) -> None:
        handler.read_request()
        handler.send(head(200, megabytes * MB))
        for _ in range(megabytes):
            handler.send(b" " * MB)
        hang_up(handler)

    return fault


def bomb(encoding: str, megabytes: int) -> Fault:
    """Respond with compressed JSON of this many megabytes."""

    def fault(handler: FaultyHandler) -> None:
        answer(packed(encoding, megabytes), content_encoding=encoding)(handler)

    return fault


def packed_as(encoding: str, data: bytes) -> bytes:
    """Return data compressed with one encoding."""
    return gzip.compress(data, 1) if encoding == "gzip" else zlib.compress(data, 1)


@cache
def packed(encoding: str, megabytes: int) -> bytes:
    """Return this much JSON, compressed with each of the encodings."""
    data = b'{"x": "' + b"0" * (megabytes * MB) + b'"}'
    for one in encoding.split(", "):
        data = packed_as(one, data)
    return data


def echo(status: int) -> Fault:
    """Respond with an error that repeats the Authorization header, encoded and decoded."""

    def fault(handler: FaultyHandler) -> None:
        sent = handler.headers.get("authorization") or ""
        decoded = base64.b64decode(sent.partition(" ")[2] + "==").decode("utf-8", "replace")
        kind = f"odd [{sent}]"
        error(status, kind, f"bad header [{sent}] for [{decoded}]")(handler)

    return fault


def warning(*texts: str) -> Fault:
    """Respond correctly, with Warning headers."""

    def fault(handler: FaultyHandler) -> None:
        status, body = handler.perform()
        data = json.dumps(body).encode()
        start = head(status, len(data))[:-2]
        lines = "".join(f"Warning: {text}\r\n" for text in texts)
        handler.send(start + lines.encode("utf-8", "surrogateescape") + b"\r\n" + data)

    return fault


def warn_with_authorization(handler: FaultyHandler) -> None:
    """Respond correctly, with a Warning header that repeats the Authorization header."""
    warning(f'299 Elasticsearch-8.19.0 "odd [{handler.headers.get("authorization")}]"')(handler)


def echo_page(handler: FaultyHandler) -> None:
    """Respond with a page that repeats the Authorization header."""
    page(418, f"<p>{handler.headers.get('authorization')}</p>")(handler)
