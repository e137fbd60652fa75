"""Runs the jq examples in docs/output.md on a practice cluster and compares their output."""

import re
import shutil
import sys
from pathlib import Path

import pytest

from esml_stop.sandbox import serve
from esml_stop.sandbox.state import State
from tests.support.command import run_script
from tests.support.markdown import all_blocks

EXPECTED_OUTPUTS = (
    r"my_model_for_search\n",
    r"reviews_for_ingest: another\|pipeline, reviews-pipeline\n",
    r"in_use\nreviews_for_ingest is in use and was not stopped: .*another\|pipeline .*reviews-pipeline .*\n",
    r"true\n",
    r"\d+\.\d+\n",
    r"esml-sandbox http://127\.0\.0\.1:\d+\n",
    (
        r"POST _ml/trained_models/my_model/deployment/_start\?.*\n"
        r"POST _ml/trained_models/reviews/deployment/_start\?.*\n\{\"adaptive_allocations\": .*\}\n"
    ),
    (
        r"\| Deployment \| Outcome \| Error \|\n\| --- \| --- \| --- \|\n"
        r"\| my_model_for_search \| stopped \|  \|\n"
        r"\| reviews_for_ingest \| in_use \| .*in use and .*another\\\|pipeline .*reviews-pipeline .* \|\n"
    ),
)


@pytest.mark.skipif(not shutil.which("jq"), reason="jq is not installed")
def test_each_one_liner_prints_the_expected_output(tmp_path: Path) -> None:
    """The first line writes the report, and each other line prints the expected output to stdout."""
    (block,) = [one for one in all_blocks("sh") if "report.json" in one.text]
    writes, *reads = block.text.strip().splitlines()
    (tmp_path / "report.json").write_text(report_of(writes, tmp_path))
    for command, expected in zip(reads, EXPECTED_OUTPUTS, strict=True):
        ended = run_script(command, environment={}, folder=tmp_path)
        assert (ended.status, ended.err) == (0, ""), command
        assert re.fullmatch(expected, ended.out), command


def report_of(command: str, folder: Path) -> str:
    """Return the report that a command writes to report.json on a new practice cluster."""
    (folder / "esml").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m esml_stop "$@"\n')
    (folder / "esml").chmod(0o755)
    with serve() as server:
        change_reviews_for_ingest(server.state)
        paths = f"{folder}:/usr/bin:/bin"
        assert run_script(command, environment={"ESML_URL": server.url, "PATH": paths}, folder=folder).status == 0
    return (folder / "report.json").read_text()


def change_reviews_for_ingest(state: State) -> None:
    """Add a second pipeline, with a special character in its ID, and adaptive allocations to reviews_for_ingest.

    Its start call then has two lines.
    """
    state.pipelines["another|pipeline"] = state.pipelines["reviews-pipeline"]
    state.deployments["reviews_for_ingest"].adaptive_allocations = {"enabled": True, "max_number_of_allocations": 2}
