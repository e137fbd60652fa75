"""Runs a command without access to the `_testnode` calls of the cluster under test.

ESML_TEST_URL=... python -m tests.support.without_testnode pytest -m scenario

The command gets the URL of a proxy that forwards every other request, and responds to `_testnode` with 404.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from tests.support.interrupts import ENDING
from tests.support.raw_cluster import RawCluster
from tests.support.target import node_from_environment

# Headers that the proxy does not forward, because they belong to one connection or it sets them itself.
KEPT_BACK = {"connection", "content-length", "host", "keep-alive", "transfer-encoding"}
HIDDEN = {"error": {"type": "hidden", "reason": "there is no _testnode here"}, "status": 404}


class Hiding(ThreadingHTTPServer):
    """A proxy for one cluster on a free port; `hidden` counts the rejected calls."""

    daemon_threads = True

    def __init__(self, cluster: RawCluster) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.cluster = cluster
        self.hidden = 0

    @property
    def url(self) -> str:
        """Return the URL of the proxy."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, *_: object) -> None:
        """Ignore clients that disconnect."""


class Handler(BaseHTTPRequestHandler):
    """One connection of a client to the proxy."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Hiding

    def hand_on(self) -> None:
        """Forward a request, or respond to a `_testnode` call with 404."""
        data = self.rfile.read(int(self.headers.get("content-length") or 0))
        if self.path.startswith("/_testnode"):
            self.server.hidden += 1
            self.answer(404, json.dumps(HIDDEN).encode(), {"content-type": "application/json"})
            return
        headers = {name: value for name, value in self.headers.items() if name.lower() not in KEPT_BACK}
        cluster = self.server.cluster
        got = cluster.pool.request(
            self.command, cluster.url + self.path, body=data or None, headers=headers, decode_content=False
        )
        self.answer(got.status, got.data, dict(got.headers))

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = hand_on  # noqa: N815 - names required by http.server

    def answer(self, status: int, data: bytes, headers: dict[str, str]) -> None:
        """Send a response."""
        self.send_response_only(status)
        for name, value in headers.items():
            if name.lower() not in KEPT_BACK:
                self.send_header(name, value)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


def main(command: list[str]) -> int:
    """Run a command with the proxy as its cluster, and return its exit code."""
    node = node_from_environment()
    if node is None or not command:
        sys.exit("usage: ESML_TEST_URL=... python -m tests.support.without_testnode COMMAND...")
    with Hiding(node) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        names = {name: value for name, value in os.environ.items() if name != "ESML_TEST_CA_CERTS"}
        status = forwarding_signals(command, {**names, "ESML_TEST_URL": server.url})
        print(f"behind the proxy: {server.hidden} calls of _testnode were answered 404")
        return status


def forwarding_signals(command: list[str], environment: Mapping[str, str]) -> int:
    """Run a command, pass signals on to it so that it can clean up, and return its exit code."""
    with subprocess.Popen(command, env=environment) as process:
        for number in ENDING:
            signal.signal(number, lambda number, _: process.send_signal(number))
        return process.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
