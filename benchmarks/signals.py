"""Sends signals to `esml stop` at random moments and checks its reports.

    python -m benchmarks.signals [--runs 500] [--seed 1] [--timeout]

Each run stops eight deployments of a practice cluster and gets Ctrl-C, SIGTERM or SIGHUP between its start and its end;
with `--timeout`, GNU `timeout` sends SIGTERM, which it does twice. Afterwards the report is held against what the
cluster received. Nothing may be lost: exit code 1 if it is.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from statistics import median

from esml_stop.sandbox.state import State
from tests.support.command import Ended
from tests.support.faulty_server import STOP, FaultyServer, deployments, misbehaving

NAMES = [f"d{number}" for number in range(8)]
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
COMMAND = [str(Path(sys.executable).with_name("esml")), "stop", ",".join(NAMES), "--parallel", "2", "-o", "json"]

# Time for a request that was in transit when the signal arrived to reach the server, also on a busy machine.
ON_ITS_WAY = 0.05


def main() -> int:
    """Make the runs, print the counts of their results, and return 1 if any report was wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--timeout", action="store_true", help="let GNU timeout send the signal")
    options = parser.parse_args()
    if options.timeout and not shutil.which("timeout"):
        parser.error("there is no GNU timeout on this machine")
    for number in SIGNALS:  # a shell ignores Ctrl-C for jobs in its background, and esml would respect that
        signal.signal(number, lambda *_: sys.exit(130))
    chance = random.Random(options.seed)
    longest = median(run(None, chance, by_timeout=False)[1] for _ in range(5))
    found: Counter[str] = Counter()
    for _ in range(options.runs):
        kind, _ = run(chance.uniform(0, longest), chance, by_timeout=options.timeout)
        found[kind] += 1
    print(f"{options.runs} runs, seed {options.seed}, a signal after 0 to {longest:.2f} s")
    for kind, count in sorted(found.items()):
        print(f"  {count:4}  {kind}")
    return int(any(kind.startswith("WRONG") for kind in found))


def run(moment: float | None, chance: random.Random, *, by_timeout: bool) -> tuple[str, float]:
    """Stop the deployments, send a signal at a moment, and return what became of it and the seconds that it took."""
    state = State()
    for name in NAMES:
        deployments(state, name, stop_ms=chance.randrange(150))
    number = signal.SIGTERM if by_timeout else chance.choice(SIGNALS)
    with misbehaving(state) as server:
        command = ["timeout", "--preserve-status", f"{moment:.3f}", *COMMAND] if by_timeout and moment else COMMAND
        began = time.monotonic()
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "ESML_URL": server.url}
        ) as process:
            sent = signalled(process, began, moment, number) if moment and not by_timeout else None
            out, err = process.communicate(timeout=60)
        seconds = time.monotonic() - began
        time.sleep(0.02)  # wait for requests in transit
        return judged(server, Ended(process.returncode, out.decode(), err.decode()), number, sent), seconds


def signalled(process: "subprocess.Popen[bytes]", began: float, moment: float, number: int) -> float:
    """Send a signal at a moment and return when it was sent."""
    time.sleep(max(0.0, moment - (time.monotonic() - began)))
    sent = time.monotonic()
    process.send_signal(number)
    return sent


def judged(server: FaultyServer, ended: Ended, number: int, sent: float | None) -> str:
    """Return in a few words what became of a run; WRONG when something was lost."""
    status, out, err = ended.status, ended.out, ended.err
    stops = [one for one in server.received if one.phase == STOP]
    asked = {one.line.split("/")[3] for one in stops}
    late = max((one.at - sent for one in stops), default=0.0) if sent else 0.0
    if late > ON_ITS_WAY:
        return f"WRONG: a stop was sent {late * 1000:.0f} ms after the signal"
    ours = "esml: " in err or "/esml_stop/" in err
    # A signal during the start of Python itself may cause a traceback and various exit codes; no program can avoid it.
    if status and not (server.received or out or ours):
        return "ended before esml began: Python itself was starting"
    if "Traceback" in err:
        return f"WRONG: a traceback: {err.strip()}"
    if status not in {0, 128 + number}:
        return f"WRONG: exit code {status}: {err.strip()}"
    if not stops and not reported(out):
        return (
            "interrupted before anything was changed" if "before anything" in err + out else f"WRONG: no word: {err!r}"
        )
    return compared(reported(out), asked, set(server.state.deployments), finished=status == 0)


def reported(out: str) -> dict[str, str]:
    """Return the outcomes in a report, or an empty mapping without a report."""
    try:
        return {one["deployment_id"]: one["outcome"] for one in json.loads(out)["deployments"]}
    except ValueError:
        return {}


def compared(told: dict[str, str], asked: set[str], left: set[str], *, finished: bool) -> str:
    """Return whether a report matches the requests that the cluster received."""
    if set(told) != set(NAMES):
        return f"WRONG: the report is lost after {len(asked)} stops: {told}"
    if wrong := {name for name, outcome in told.items() if (outcome == "not_attempted") == (name in asked)}:
        return f"WRONG: sent and said not to be, or the other way round: {sorted(wrong)}"
    if wrong := {name for name, outcome in told.items() if outcome == "stopped" and name in left}:
        return f"WRONG: said to have stopped: {sorted(wrong)}"
    if finished:
        return "finished before the signal"
    unknown = " with some unknown" if "unknown" in told.values() else ""
    return f"interrupted, with the whole report{unknown}"


if __name__ == "__main__":
    sys.exit(main())
