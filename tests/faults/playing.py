"""Runs the cases: the real command against a server with faults."""

import time
from dataclasses import dataclass

from esml_stop.sandbox.state import State
from tests.faults.cases import Case
from tests.support.command import Ended, esml
from tests.support.faulty_server import deployments, misbehaving


@dataclass(frozen=True)
class Played:
    """The result of a case: the command's result, its duration, the requests of each phase, and what still runs."""

    ended: Ended
    seconds: float
    requests: dict[str, int]
    running: list[str]


def play(case: Case) -> Played:
    """Run `esml stop d` against a server with the faults of the case."""
    state = State()
    deployments(state, "d", stop_ms=case.stop_ms)
    with misbehaving(state) as server:
        for phase, answers in case.script.items():
            server.on(phase, *answers, forever=case.forever)
        began = time.monotonic()
        ended = esml("stop", "d", *case.options, environment={"ESML_URL": server.url})
        seconds = time.monotonic() - began
        counts = {phase: len(server.lines(phase)) for phase in ("resolve", "endpoints", "stop", "look")}
        return Played(ended, seconds, counts, sorted(state.deployments))
