"""The practice cluster: an HTTP server that answers esml's API calls like Elasticsearch, without running any model."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

from esml_stop.sandbox.scene import practice
from esml_stop.sandbox.server import SandboxServer
from esml_stop.sandbox.state import State

__all__ = ["SandboxServer", "serve"]


@contextmanager
def serve(*, port: int = 0, empty: bool = False) -> Iterator[SandboxServer]:
    """Yield a practice cluster that serves from a thread, with the example deployments or empty."""
    state = State()
    if not empty:
        practice(state)
    with SandboxServer(port, state) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()
