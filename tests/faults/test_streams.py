import os
import subprocess
import sys
from pathlib import Path

import pytest

from esml_stop.sandbox.state import State
from tests.support.faulty_server import RESOLVE, FaultyServer, deployments

THOROUGH = pytest.mark.thorough
FULL = Path("/dev/full")
needs_full = pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")


def run_shell(line: str, url: str) -> tuple[int, str]:
    """Run a shell command line in which `esml` is defined, and return its exit code and its output."""
    script = f'esml() {{ "{sys.executable}" -m esml_stop "$@"; }}\n{line}'
    env = {**os.environ, "ESML_URL": url}
    ended = subprocess.run(
        ["bash", "-c", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=env,
        check=False,
        timeout=30,
    )
    assert "Traceback" not in ended.stdout, ended.stdout
    return ended.returncode, ended.stdout


def exit_code_in_pipe(line: str, url: str) -> int:
    """Return the exit code of `esml` on the left side of a pipe."""
    return int(run_shell(f"{line}; echo ${{PIPESTATUS[0]}}", url)[1].splitlines()[-1])


NAMES = tuple(f"d{number}" for number in range(40))


@pytest.fixture
def url(server: FaultyServer, state: State) -> str:
    """Return the URL of a cluster with 40 deployments."""
    deployments(state, *NAMES)
    return server.url


@pytest.mark.parametrize(
    "output_format", ["table", "json", *(pytest.param(one, marks=THOROUGH) for one in ("jsonl", "ids"))]
)
def test_a_closed_pipe_does_not_prevent_the_stops(url: str, state: State, output_format: str) -> None:
    """If the reader of stdout has exited, every deployment is stopped and the exit code is 141."""
    assert exit_code_in_pipe(f"esml stop '*' --yes -o {output_format} | true", url) == 141
    assert not state.deployments


def test_a_closed_pipe_for_both_streams_does_not_prevent_the_stops(url: str, state: State) -> None:
    """With `2>&1 | head -1` every deployment is stopped and the exit code is 141."""
    assert exit_code_in_pipe("esml stop '*' --yes -v 2>&1 | head -1", url) == 141
    assert not state.deployments


def test_a_closed_stderr_changes_nothing(url: str, state: State) -> None:
    """With a closed stderr the deployments are stopped, and stdout and the exit code are unchanged."""
    assert run_shell("esml stop d1 d2 2>&-", url) == (0, "d1\tstopped\tm\tstarted\t\t\nd2\tstopped\tm\tstarted\t\t\n")
    assert run_shell("esml stop '*' --yes 2> >(true) >/dev/null", url)[0] == 0
    assert not state.deployments


@pytest.mark.parametrize("output_format", ["table", *(pytest.param(one, marks=THOROUGH) for one in ("json", "ids"))])
def test_a_closed_stdout_is_reported_with_the_results(url: str, state: State, output_format: str) -> None:
    """With a closed stdout the exit code is 1, and stderr contains the error and the results."""
    exit_code, output = run_shell(f"esml stop d1 -o {output_format} >&-", url)
    assert exit_code == 1
    assert output == (
        f"esml: Stopping d1 on {url}\n"
        "esml: The results cannot be written: standard output is closed.\n"
        "esml: d1 stopped in 0.0 s.\n"
    )
    assert "d1" not in state.deployments


@needs_full
def test_a_full_disk_is_reported_with_the_results(url: str, state: State) -> None:
    """On a full disk, stderr contains the error and the results, and the exit code is 1 or that of a refusal."""
    exit_code, output = run_shell("esml stop d1 d2 >/dev/full", url)
    assert exit_code == 1
    assert "esml: The results cannot be written: no space left on device." in output
    assert output.rstrip().endswith("esml: 2 deployments stopped.")
    state.pipelines["p"] = {"processors": [{"inference": {"model_id": "d3"}}]}
    assert run_shell("esml stop d3 >/dev/full", url)[0] == 5
    assert run_shell("esml stop d4 2>/dev/full", url) == (0, "d4\tstopped\tm\tstarted\t\t\n")


@needs_full
@pytest.mark.parametrize(
    "words", ["--help", "schema", *(pytest.param(one, marks=THOROUGH) for one in ("--version", "completion bash"))]
)
def test_help_on_a_full_disk_exits_with_1_and_one_line(url: str, words: str) -> None:
    """On a full disk, help, versions, schemas and completion scripts exit with 1 and a message of one line."""
    exit_code, output = run_shell(f"esml {words} >/dev/full", url)
    assert (exit_code, output.count("\n")) == (1, 1)
    assert "cannot be written: no space" in output


@pytest.mark.parametrize("source", ["</dev/null", "<&-", "< <(true)"])
def test_commands_work_without_standard_input(url: str, state: State, source: str) -> None:
    """With a closed or empty stdin, an exact ID works, `-` reads no IDs, and a pattern cannot be confirmed."""
    assert run_shell(f"esml stop d1 {source}", url)[0] == 0
    assert run_shell(f"esml stop - {source}", url) == (
        0,
        "esml: warning: No deployment ID was given on stdin; nothing to stop.\n",
    )
    exit_code, output = run_shell(f"esml stop 'd*' {source}", url)
    assert (exit_code, "--yes" in output) == (2, True)
    assert sorted(state.deployments) == sorted({*NAMES} - {"d1"})


@pytest.mark.parametrize("source", ["< <(printf '\\xff\\xfe\\n')", "< <(printf 'a\\0b\\n')", "< <(printf '..\\n')"])
def test_input_without_valid_ids_is_a_usage_error(server: FaultyServer, url: str, source: str) -> None:
    """Bytes that are not text, and lines that cannot be IDs, exit with 2 before any look-up."""
    assert run_shell(f"esml stop - {source}", url)[0] == 2
    assert not server.lines(RESOLVE)


def test_with_all_streams_closed_the_stop_is_completed(url: str, state: State) -> None:
    """With all streams closed the deployment is stopped, and the exit code is 1."""
    assert run_shell("esml stop d1 <&- >&- 2>&-", url)[0] == 1
    assert "d1" not in state.deployments


def test_characters_that_stdout_cannot_encode_are_escaped(url: str, state: State) -> None:
    """An ID that the encoding of stdout cannot represent is escaped, and the exit code is unchanged."""
    deployments(state, "größe")
    exit_code, output = run_shell("PYTHONIOENCODING=ascii esml stop 'g*' --yes 2>/dev/null", url)
    assert (exit_code, output.split("\t")[0]) == (0, "gr\\xf6\\xdfe")
