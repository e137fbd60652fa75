"""Runs the real command in a separate process."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

import esml_stop


@dataclass(frozen=True)
class Ended:
    """The exit code and the output of a command."""

    status: int
    out: str
    err: str

    @property
    def lines(self) -> list[list[str]]:
        """Return the tab-separated values of each line on stdout."""
        return [line.split("\t") for line in self.out.splitlines()]

    @property
    def json(self) -> Any:
        """Return stdout as JSON, after validating it with esml's schema."""
        return checked(json.loads(self.out))

    @property
    def outcomes(self) -> dict[str, str]:
        """Return the outcome of each target from the tab-separated lines."""
        return {line[0]: line[1] for line in self.lines}


SCHEMA = Draft202012Validator(json.loads((Path(esml_stop.__file__).parent / "schemas/report-1.json").read_text()))


def checked(document: Any) -> Any:
    """Return a document that esml printed, after validating it with esml's schema."""
    SCHEMA.validate(document)
    return document


def esml(*arguments: str, environment: Mapping[str, str] | None = None, stdin: str = "", timeout: float = 60) -> Ended:
    """Run `esml` with these additional variables and return the result; fail on a traceback or invalid JSON."""
    ended = subprocess.run(
        [sys.executable, "-m", "esml_stop", *arguments],
        input=stdin,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert "Traceback" not in ended.stderr, ended.stderr
    if forms := {"json", "jsonl"}.intersection(arguments):
        for document in [ended.stdout] if forms == {"json"} else ended.stdout.splitlines():
            checked(json.loads(document)) if document else None
    return Ended(ended.returncode, ended.stdout, ended.stderr)


def run_script(script: str, *, environment: Mapping[str, str], folder: Path) -> Ended:
    """Run a shell script in a folder, with `set -e` as CI systems do, and return the result."""
    ended = subprocess.run(
        ["bash", "-e", "-c", script],
        stdin=subprocess.DEVNULL,
        env={**os.environ, **environment},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return Ended(ended.returncode, ended.stdout, ended.stderr)
