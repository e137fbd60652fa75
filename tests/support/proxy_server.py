"""An HTTP proxy for tests: CONNECT for https, complete URLs for http, and optionally a login."""

import base64
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urlsplit

from tests.support.certificates import Pair
from tests.support.tls_server import encrypt, in_thread


class Proxy(ThreadingHTTPServer):
    """A proxy on a free port; `seen` records method and target of each request.

    `login` is the required `name:password`; `refuses` is the status with which the proxy rejects every request.
    """

    daemon_threads = True

    def __init__(self, login: str | None, refuses: int | None) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.login = login
        self.refuses = refuses
        self.seen: list[str] = []
        self.scheme = "http"

    def url(self, login: str = "") -> str:
        """Return the URL of the proxy, optionally with a login."""
        return f"{self.scheme}://{f'{login}@' if login else ''}localhost:{self.server_address[1]}"

    def handle_error(self, *_: object) -> None:
        """Print no tracebacks."""


class Handler(BaseHTTPRequestHandler):
    """One connection of a client to the proxy."""

    protocol_version = "HTTP/1.1"
    server: Proxy

    def do_CONNECT(self) -> None:
        """Connect to a host and copy data in both directions."""
        if not self.welcome():
            return
        host, _, port = self.path.rpartition(":")
        with socket.create_connection((host.strip("[]"), int(port)), 5) as upstream:
            self.send_response(200)
            self.end_headers()
            back = Thread(target=pump, args=(upstream, self.connection), daemon=True)
            back.start()
            pump(self.connection, upstream)
            back.join(5)
        self.close_connection = True

    def do_GET(self) -> None:
        """Forward a request with a complete URL."""
        if not self.welcome():
            return
        parts = urlsplit(self.path)
        data = self.rfile.read(int(self.headers.get("content-length") or 0))
        upstream = HTTPConnection(parts.hostname or "", parts.port, timeout=5)
        headers = {name: value for name, value in self.headers.items() if not name.lower().startswith("proxy-")}
        upstream.request(self.command, f"{parts.path}{f'?{parts.query}' if parts.query else ''}", data, headers)
        with closing(upstream), upstream.getresponse() as answer:
            self.reply(answer.status, answer.read(), dict(answer.getheaders()))

    do_POST = do_GET  # noqa: N815 - name required by http.server

    def welcome(self) -> bool:
        """Return whether the client may use the proxy; if not, respond with 407 or the status of `refuses`."""
        self.server.seen.append(f"{self.command} {self.path}")
        wanted = self.server.login and "Basic " + base64.b64encode(self.server.login.encode()).decode()
        if wanted and self.headers.get("proxy-authorization") != wanted:
            self.reply(407, b"<html>who are you?</html>", {"Proxy-Authenticate": "Basic"})
            return False
        if self.server.refuses:
            self.reply(self.server.refuses, b"<html>no</html>", {})
            return False
        return True

    def reply(self, status: int, data: bytes, headers: dict[str, str]) -> None:
        """Send a response."""
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() not in {"content-length", "transfer-encoding", "connection"}:
                self.send_header(name, value)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


def pump(source: socket.socket, target: socket.socket) -> None:
    """Copy data from one socket to another until the first one ends."""
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return


@contextmanager
def proxying(login: str | None = None, pair: Pair | None = None, refuses: int | None = None) -> Iterator[Proxy]:
    """Yield a proxy that serves from a thread, with TLS if a certificate is given."""
    with Proxy(login, refuses) as server:
        if pair:
            encrypt(server, pair)
            server.scheme = "https"
        with in_thread(server):
            yield server
