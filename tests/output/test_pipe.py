import subprocess
from collections.abc import Iterator

import pytest

from esml_stop.sandbox import SandboxServer, serve
from tests.support.command import Ended, esml

LONG = "a-deployment-with-a-name-that-is-longer-than-any-terminal-is-wide-" + "0123456789" * 5
NARROW = {"COLUMNS": "20", "TERM": "xterm"}


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    """Yield a practice cluster with a deployment that has a long ID."""
    with serve() as server:
        server.state.start("my_model", LONG)
        yield server


def run(sandbox: SandboxServer, *arguments: str, **environment: str) -> Ended:
    """Run the command with stdout and stderr in pipes."""
    return esml(*arguments, environment={"ESML_URL": sandbox.url, **NARROW, **environment})


@pytest.mark.parametrize("output_format", [[], ["-o", "ids"], ["-o", "json"], ["-o", "jsonl"]])
def test_results_in_a_pipe_have_complete_ids_and_no_colors(sandbox: SandboxServer, output_format: list[str]) -> None:
    """Results in a pipe have complete IDs and no colors, even with a narrow COLUMNS and with FORCE_COLOR."""
    ended = run(sandbox, "stop", LONG, "my_model_for_search", *output_format, FORCE_COLOR="1")
    assert ended.status == 0
    assert LONG in ended.out
    assert "\x1b" not in ended.out


def test_each_target_is_one_tab_separated_line(sandbox: SandboxServer) -> None:
    """Each target is one line of six tab-separated values, in the requested order, without a header."""
    ended = run(sandbox, "stop", LONG, "reviews_for_ingest", "nope")
    assert [line[:2] for line in ended.lines] == [
        [LONG, "stopped"],
        ["reviews_for_ingest", "in_use"],
        ["nope", "not_found"],
    ]
    assert {len(line) for line in ended.lines} == {6}
    assert ended.lines[1][4] == "pipeline:reviews-pipeline"


def test_ids_can_be_piped_to_xargs(sandbox: SandboxServer) -> None:
    """-o ids prints the stopped deployments only, one per line."""
    ended = run(sandbox, "stop", LONG, "reviews_for_ingest", "nope", "my_model_for_search", "-o", "ids")
    assert ended.out == f"{LONG}\nmy_model_for_search\n"
    counted = subprocess.run(["xargs", "-n1", "echo"], input=ended.out, capture_output=True, text=True, check=True)
    assert counted.stdout == ended.out


def test_a_log_gets_a_line_for_each_finished_target(sandbox: SandboxServer) -> None:
    """A log has a line for each of several finished targets, but not for a single one, and is empty with -q."""
    first, *finished, closing = run(sandbox, "stop", LONG, "my_model_for_search").err.splitlines()
    assert first == f"esml: Stopping {LONG}, my_model_for_search on {sandbox.url}"
    assert sorted(line.split(" stopped after ")[0] for line in finished) == [
        f"esml: {LONG}:",
        "esml: my_model_for_search:",
    ]
    assert closing == "esml: 2 deployments stopped."
    assert len(run(sandbox, "stop", "questions_a").err.splitlines()) == 2
    assert run(sandbox, "stop", "questions_b", "-q", "--force").err == ""


@pytest.mark.parametrize("output_format", ["table", "wide"])
def test_a_table_in_a_pipe_has_its_natural_width(sandbox: SandboxServer, output_format: str) -> None:
    """-o table in a pipe has its natural width, regardless of COLUMNS, and shows the uses of a refused deployment."""
    out = run(sandbox, "stop", LONG, "reviews_for_ingest", "-o", output_format).out
    head, first, second = out.splitlines()
    assert head.split() == ["DEPLOYMENT", "OUTCOME", "MODEL", "USED", "BY"]
    assert first.split()[0] == LONG
    assert second.split() == ["reviews_for_ingest", "in", "use", "reviews", "pipeline", "reviews-pipeline"]


def test_every_row_of_a_list_is_a_deployment(sandbox: SandboxServer) -> None:
    """Each row of a list is a deployment with the same number of values; an unmatched name is a warning."""
    ended = run(sandbox, "list", "my*", "zz*")
    assert {len(line) for line in ended.lines} == {12}
    assert [line[0] for line in ended.lines] == ["my-elser", "my_model_for_search"]
    assert ended.err == "esml: warning: No deployment matches zz*.\n"


def test_an_empty_list_prints_a_message_to_stderr(sandbox: SandboxServer) -> None:
    """An empty list prints a message to stderr."""
    for name in list(sandbox.state.deployments):
        sandbox.state.deployments.pop(name)
    ended = run(sandbox, "list")
    assert (ended.status, ended.out, ended.err) == (0, "", "esml: No deployments are running.\n")


@pytest.mark.parametrize(("sort", "first"), [("id", "large_model"), ("last-used", "reviews_for_ingest")])
def test_a_list_can_be_sorted(sandbox: SandboxServer, sort: str, first: str) -> None:
    """A list can be sorted by ID, or by last use with the least recently used deployment first."""
    assert run(sandbox, "list", "reviews_for_ingest,large_model", "--sort", sort).lines[0][0] == first


def test_force_color_colors_stderr_in_a_pipe(sandbox: SandboxServer) -> None:
    """FORCE_COLOR=1 colors stderr in a pipe, unless NO_COLOR is set; FORCE_COLOR=0 does not."""
    assert "\x1b[1;31mesml:\x1b[0m" in run(sandbox, "stop", "reviews_for_ingest", FORCE_COLOR="1").err
    assert "\x1b" not in run(sandbox, "stop", "reviews_for_ingest", FORCE_COLOR="1", NO_COLOR="1").err
    assert "\x1b" not in run(sandbox, "stop", "reviews_for_ingest", FORCE_COLOR="0").err
