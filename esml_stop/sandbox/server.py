"""The HTTP server of the practice cluster: reads a request, calls its handler, and writes the response."""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from esml_stop.sandbox import alias_routes, model_routes, other_routes, privileges, set_up_routes  # noqa: F401 - they fill ROUTES
from esml_stop.sandbox.filtering import filtered
from esml_stop.sandbox.problems import Problem
from esml_stop.sandbox.routing import ROUTES
from esml_stop.sandbox.state import State

LONGEST_REQUEST_LINE = 4_096
FORBIDDEN = 403  # the only response without the header X-Elastic-Product
MEDIA_TYPE = "application/vnd.elasticsearch+json;compatible-with=8"


class SandboxServer(ThreadingHTTPServer):
    """A practice cluster on 127.0.0.1; port 0 selects a free port."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, state: State) -> None:
        super().__init__(("127.0.0.1", port), SandboxHandler)
        self.state = state

    @property
    def url(self) -> str:
        """Return the URL of the server."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that disconnected; print any other error, because it is a bug."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class SandboxHandler(BaseHTTPRequestHandler):
    """One connection, kept alive between requests."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: SandboxServer
    raw_requestline: bytes

    def answer(self) -> None:
        """Handle one request, of any method."""
        self.write(*self.perform())

    def perform(self) -> tuple[int, Any]:
        """Handle the request and return the HTTP status and the body of the response."""
        length = int(self.headers.get("content-length") or 0)
        data = self.rfile.read(length)
        if len(data) < length:  # the client disconnected; Elasticsearch ignores the request in this case, too
            raise ConnectionAbortedError
        try:
            return self.found(data)
        except Problem as problem:
            return problem.status, problem.body()

    do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815 - http.server calls these names

    def found(self, data: bytes) -> tuple[int, Any]:
        """Call the handler for the request and return its response."""
        if len(self.raw_requestline) > LONGEST_REQUEST_LINE:
            text = f"An HTTP line is larger than {LONGEST_REQUEST_LINE} bytes."
            raise Problem(400, "too_long_http_line_exception", text)
        parts = urlsplit(self.path)
        who = self.headers.get("authorization")
        privileges.check(self.command, parts.path, who)
        if invocation := privileges.invocation(self.command, parts.path, who, decoded(data)):
            return 200, invocation
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        paths = query.pop("filter_path", None)
        for method, pattern, handler in ROUTES:
            match = pattern.fullmatch(parts.path)
            if match and method == self.command:
                body = handler(self.server.state, query, decoded(data), *map(unquote, match.groups()))
                return (404, {}) if body is None else (200, filtered(body, paths))
        return self.no_handler(parts.path)

    def no_handler(self, path: str) -> tuple[int, Any]:
        """Return the error for an unknown API call; `_security/...` is unknown, as on a cluster without security."""
        where = f"for uri [{self.path}] and method [{self.command}]"
        if path.count("/") == 2 and self.command != "POST":
            return 405, {"error": f"Incorrect HTTP method {where}, allowed: [POST]", "status": 405}
        return 400, {"error": f"no handler found {where}"}

    def write(self, status: int, body: Any) -> None:
        """Write a response with Elasticsearch's headers."""
        data = json.dumps(body).encode()
        self.send_response(status)
        if status != FORBIDDEN:
            self.send_header("X-elastic-product", "Elasticsearch")
        self.send_header("content-type", MEDIA_TYPE)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        """Do not log requests."""


def decoded(data: bytes) -> Any:
    """Return the decoded JSON body of a request, or None without a body."""
    try:
        return json.loads(data) if data else None
    except ValueError:
        raise Problem(400, "x_content_parse_exception", "[1:1] the body is not JSON") from None
