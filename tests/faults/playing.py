"""Runs a case of cases.py: the real command against a server with faults."""

import time
from dataclasses import dataclass

from esml_stop.sandbox.state import State
from tests.faults.cases import Case
from tests.support.command import Ended, esml
from tests.support.faulty_server import deployments, misbehaving


@dataclass(frozen=True)
class CaseResult:
    """The command's result and duration in seconds, the requests of each phase, and the deployments that still run."""

    ended: Ended
    seconds: float
    requests: dict[str, int]
    running: list[str]


def run_case(case: Case) -> CaseResult:
    """Run `esml stop d` against a server with the faults of a case, and return the result."""
    state = State()
    deployments(state, "d", stop_ms=case.stop_ms)
    with misbehaving(state) as server:
        for phase, responses in case.script.items():
            server.on(phase, *responses, forever=case.forever)
        began = time.monotonic()
        ended = esml("stop", "d", *case.options, environment={"ESML_URL": server.url})
        seconds = time.monotonic() - began
        counts = {phase: len(server.lines(phase)) for phase in ("resolve", "endpoints", "stop", "look")}
        return CaseResult(ended, seconds, counts, sorted(state.deployments))
