"""Prints a Markdown table of all faults and their current results: `python -m tests.faults`."""

import os
import tempfile
from concurrent.futures import ThreadPoolExecutor

from tests.faults.cases import CASES
from tests.faults.playing import run_case

os.environ["HOME"] = tempfile.mkdtemp()
print("| Fault, phase | Outcome | What esml says | Exit | Seconds |")
print("| --- | --- | --- | --- | --- |")
with ThreadPoolExecutor(2) as pool:
    for case, result in zip(CASES, pool.map(run_case, CASES), strict=True):
        outcome = result.ended.outcomes.get("d", "-")
        message = " ".join(result.ended.err.split()).removeprefix("esml: ").replace("|", "\\|")
        print(f"| {case} | {outcome} | {message} | {result.ended.status} | {result.seconds:.1f} |")
