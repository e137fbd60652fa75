"""Runs commands alternately and compares each with the first one."""

import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from statistics import median

Command = Sequence[str]


def in_turns(
    commands: Mapping[str, Command], runs: int, environment: Mapping[str, str], before: Callable[[], None]
) -> dict[str, list[float]]:
    """Return the seconds of each run of each command; the order rotates, and the first round is not counted."""
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    for number in range(runs + 1):
        for name in list(commands)[:: 1 if number % 2 else -1]:
            before()
            seconds[name] += [once(commands[name], environment)] if number else []
    return seconds


def once(command: Command, environment: Mapping[str, str]) -> float:
    """Run a command to its end and return the seconds it took."""
    # Without its bytecode on disk, every run would compile esml again, but not the installed packages.
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    began = time.perf_counter()
    subprocess.run(command, env={**inherited, **environment}, capture_output=True, check=False)
    return time.perf_counter() - began


def show(title: str, seconds: Mapping[str, Sequence[float]]) -> None:
    """Print the median and the minimum of each command, and their ratios to the first command."""
    base = next(iter(seconds.values()))
    print(f"\n{title}")
    for name, times in seconds.items():
        ratios = f"{median(times) / median(base):6.2f} x {min(times) / min(base):6.2f} x"
        print(f"  {name:42} median {median(times) * 1000:6.0f} ms   best {min(times) * 1000:6.0f} ms {ratios}")
