"""Plays the cases: a server that misbehaves, and the real command against it."""

import time
from dataclasses import dataclass

from esml_stop.sandbox.state import State
from tests.faults.cases import Case
from tests.support.command import Ended, esml
from tests.support.faulty_server import deployments, misbehaving


@dataclass(frozen=True)
class Played:
    """How a case ended: the command's own ending, its seconds, the requests of each phase, and what still runs."""

    ended: Ended
    seconds: float
    requests: dict[str, int]
    running: list[str]


def play(case: Case) -> Played:
    """Run `esml stop d` against a server that misbehaves as the case says."""
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
