"""A cluster that misbehaves on request: the sandbox, but for the answers that a test scripts."""

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
    """One request: what was asked, in which phase of a stop, and when."""

    phase: str
    line: str
    authorization: str | None
    at: float


class FaultyServer(SandboxServer):
    """A sandbox that answers each phase of a stop with the faults scripted for it, and then as it should.

    Phases: RESOLVE is every request before the first `_stop` but those for inference endpoints and for pipelines
    (ENDPOINTS), which are made beside the others; STOP is each `_stop`, LOOK is what is read afterwards.
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
        """Script the answers of a phase: one for each request, or the same ones again and again."""
        self._script[phase] = itertools.cycle(faults) if forever else iter(faults)

    def lines(self, phase: str) -> list[str]:
        """Return the requests of a phase."""
        return [one.line for one in self.received if one.phase == phase]

    def fault_for(self, handler: "FaultyHandler") -> Fault | None:
        """Note a request and return what was scripted for it."""
        with self.lock:
            phase = self.phase_of(handler)
            line = f"{handler.command} {handler.path}"
            self.received.append(Received(phase, line, handler.headers.get("authorization"), time.monotonic()))
            return next(self._script.get(phase, iter(())), None)

    def phase_of(self, handler: "FaultyHandler") -> str:
        """Return the phase that a request belongs to."""
        if handler.command == "POST":
            return STOP
        if handler.path.startswith(("/_inference", "/_ingest")):
            return ENDPOINTS
        return LOOK if any(one.phase == STOP for one in self.received) else RESOLVE

    @contextmanager
    def counted(self, handler: "FaultyHandler") -> Iterator[None]:
        """Count the stops that are answered at the same time."""
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
        """Let a handler wait, but not longer than the server lives."""
        self.closing.wait(seconds)


class FaultyHandler(SandboxHandler):
    """One connection to the server; a fault gets the handler and may do with its socket what it likes."""

    server: FaultyServer

    def answer(self) -> None:
        """Answer one request, as scripted or as the sandbox does."""
        fault = self.server.fault_for(self)
        with self.server.counted(self):
            if fault:
                fault(self)
            else:
                super().answer()

    do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815 - the names http.server calls

    def handle_one_request(self) -> None:
        """Answer one request; a client that went away is no news here."""
        try:
            super().handle_one_request()
        except OSError:
            self.close_connection = True

    def read_request(self) -> None:
        """Read the body, which the answer does not depend on."""
        self.rfile.read(int(self.headers.get("content-length") or 0))

    def send(self, data: bytes) -> None:
        """Write bytes to the client as they are."""
        self.wfile.write(data)
        self.wfile.flush()


@contextmanager
def misbehaving(state: State | None = None) -> Iterator[FaultyServer]:
    """Yield a server that has no deployments and no faults yet."""
    with FaultyServer(state or State()) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        try:
            yield server
        finally:
            server.closing.set()
            server.shutdown()


def deployments(state: State, *names: str, model: str = "m", **settings: Any) -> None:
    """Put deployments of one model into a state, quick to stop unless told otherwise."""
    state.models[model] = "pytorch"
    for name in names:
        started = state.start(model, name)
        for setting, value in ({"stop_ms": 0} | settings).items():
            setattr(started, setting, value)
