"""Provides a practice cluster with TLS for tests of certificates."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socketserver import TCPServer
from threading import Thread
from typing import Any

from esml_stop.sandbox.server import SandboxServer
from esml_stop.sandbox.state import State
from tests.support.certificates import Pair


class CountingServer(SandboxServer):
    """A practice cluster that counts the connections to it."""

    connections = 0
    scheme = "http"

    def get_request(self) -> tuple[Any, Any]:
        """Accept and count the next connection."""
        self.connections += 1
        return super().get_request()

    def handle_error(self, *_: Any) -> None:
        """Print no tracebacks, because tests expect failed connections."""

    def at(self, host: str = "localhost") -> str:
        """Return the URL of the server with a host name."""
        return f"{self.scheme}://{host}:{self.server_address[1]}"


@contextmanager
def serving(pair: Pair | None = None, *, client_ca: Path | None = None) -> Iterator[CountingServer]:
    """Yield an empty practice cluster, with TLS if a certificate is given; `client_ca` requires client certificates."""
    with CountingServer(0, State()) as server:
        if pair:
            encrypt(server, pair, client_ca)
            server.scheme = "https"
        with in_thread(server):
            yield server


def encrypt(server: TCPServer, pair: Pair, client_ca: Path | None = None) -> None:
    """Enable TLS on a server; with `client_ca` it requires a client certificate of this CA."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.cert, pair.key)
    if client_ca:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(client_ca)
    server.socket = context.wrap_socket(server.socket, server_side=True)


@contextmanager
def in_thread(server: TCPServer) -> Iterator[None]:
    """Serve from a thread for the duration of a `with` block."""
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
