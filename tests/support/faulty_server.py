"""A practice cluster whose responses a test can replace by faults."""

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from esml_stop.sandbox.server import SandboxHandler, SandboxServer
from esml_stop.sandbox.state import State

Fault = Callable[["FaultyHandler"], None]
RESOLVE, ENDPOINTS, STOP, LOOK = "resolve", "endpoints", "stop", "look"


@dataclass(frozen=True)
class Received:
    """One received request: its phase of the stop, its line, its Authorization header, and its time in seconds."""

    phase: str
    line: str
    authorization: str | None
    at: float


class FaultyServer(SandboxServer):
    """A practice cluster that responds to the requests of each phase with the given faults, and then correctly.

    Phases: STOP contains each POST; ENDPOINTS the reads of endpoints and pipelines; RESOLVE all other reads before the
    first stop, and LOOK those after it.
    """

    def __init__(self, state: State) -> None:
        super().__init__(0, state)
        self.RequestHandlerClass = FaultyHandler
        self.received: list[Received] = []
        self.closing = threading.Event()
        self.lock = threading.Lock()
        self.in_flight = self.most_in_flight = 0
        self._script: dict[str, Iterator[Fault]] = {}

    def on(self, phase: str, *faults: Fault, forever: bool = False) -> None:
        """Set the faults of a phase: one for each request, in order, repeated without end if `forever`."""
        self._script[phase] = itertools.cycle(faults) if forever else iter(faults)

    def lines(self, phase: str) -> list[str]:
        """Return the method and path of each request of a phase."""
        return [one.line for one in self.received if one.phase == phase]

    def fault_for(self, handler: "FaultyHandler") -> Fault | None:
        """Record a request and return its fault, or None."""
        with self.lock:
            phase = self.phase_of(handler)
            line = f"{handler.command} {handler.path}"
            self.received.append(Received(phase, line, handler.headers.get("authorization"), time.monotonic()))
            return next(self._script.get(phase, iter(())), None)

    def phase_of(self, handler: "FaultyHandler") -> str:
        """Return the phase of a request."""
        if handler.command == "POST":
            return STOP
        if handler.path.startswith(("/_inference", "/_ingest")):
            return ENDPOINTS
        return LOOK if any(one.phase == STOP for one in self.received) else RESOLVE

    @contextmanager
    def counted(self, handler: "FaultyHandler") -> Iterator[None]:
        """Count the stop requests in progress, and record their maximum, while a request is handled."""
        one = int(handler.command == "POST")
        with self.lock:
            self.in_flight += one
            self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            yield
        finally:
            with self.lock:
                self.in_flight -= one

    def wait(self, seconds: float) -> None:
        """Wait for this many seconds, but at most until the server ends."""
        self.closing.wait(seconds)


class FaultyHandler(SandboxHandler):
    """One connection to the server; each fault gets the handler and can use its socket."""

    server: FaultyServer

    def answer(self) -> None:
        """Respond to a request with its fault, or correctly if it has none."""
        fault = self.server.fault_for(self)
        with self.server.counted(self):
            if fault:
                fault(self)
            else:
                super().answer()

    do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815 - names required by http.server

    def handle_one_request(self) -> None:
        """Handle one request, and ignore clients that disconnect."""
        try:
            super().handle_one_request()
        except OSError:
            self.close_connection = True

    def read_request(self) -> None:
        """Read and discard the body of the request."""
        self.rfile.read(int(self.headers.get("content-length") or 0))

    def send(self, data: bytes) -> None:
        """Write bytes to the client immediately."""
        self.wfile.write(data)
        self.wfile.flush()


@contextmanager
def misbehaving(state: State | None = None) -> Iterator[FaultyServer]:
    """Yield a running server with this state, by default an empty one, and without faults."""
    with FaultyServer(state or State()) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        try:
            yield server
        finally:
            server.closing.set()
            server.shutdown()


def deployments(state: State, *names: str, model: str = "m", **settings: Any) -> None:
    """Add started deployments of a model to a state; by default they stop at once."""
    state.models[model] = "pytorch"
    for name in names:
        started = state.start(model, name)
        for setting, value in ({"stop_ms": 0} | settings).items():
            setattr(started, setting, value)
