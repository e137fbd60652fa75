"""Prints the table of all faults with their current results: `python -m tests.faults`."""

import os
import tempfile
from concurrent.futures import ThreadPoolExecutor

from tests.faults.cases import CASES
from tests.faults.playing import play

os.environ["HOME"] = tempfile.mkdtemp()
print("| Fault, phase | Outcome | What esml says | Exit | Seconds |")
print("| --- | --- | --- | --- | --- |")
with ThreadPoolExecutor(2) as pool:
    for case, played in zip(CASES, pool.map(play, CASES), strict=True):
        outcome = played.ended.outcomes.get("d", "-")
        said = " ".join(played.ended.err.split()).removeprefix("esml: ").replace("|", "\\|")
        print(f"| {case} | {outcome} | {said} | {played.ended.status} | {played.seconds:.1f} |")
