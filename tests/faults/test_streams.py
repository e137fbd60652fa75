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


def shell(line: str, url: str) -> tuple[int, str]:
    """Run a shell command line in which `esml` can be used; return its exit code and its output."""
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


def status(line: str, url: str) -> int:
    """Return the exit code of `esml` on the left side of a pipe."""
    return int(shell(f"{line}; echo ${{PIPESTATUS[0]}}", url)[1].splitlines()[-1])


NAMES = tuple(f"d{number}" for number in range(40))


@pytest.fixture
def url(server: FaultyServer, state: State) -> str:
    """Return the URL of a cluster with forty deployments."""
    deployments(state, *NAMES)
    return server.url


@pytest.mark.parametrize("form", ["table", "json", *(pytest.param(one, marks=THOROUGH) for one in ("jsonl", "ids"))])
def test_a_closed_pipe_does_not_prevent_the_stops(url: str, state: State, form: str) -> None:
    """If the reader of the pipe is gone, every stop is completed and the exit code is 141."""
    assert status(f"esml stop '*' --yes -o {form} | true", url) == 141
    assert not state.deployments


def test_a_closed_pipe_for_both_streams_does_not_prevent_the_stops(url: str, state: State) -> None:
    """With `2>&1 | head -1` every stop is completed, and the exit code is 141."""
    assert status("esml stop '*' --yes -v 2>&1 | head -1", url) == 141
    assert not state.deployments


def test_a_closed_stderr_changes_nothing(url: str, state: State) -> None:
    """With a closed stderr the work is completed, and the exit code is unchanged."""
    assert shell("esml stop d1 d2 2>&-", url) == (0, "d1\tstopped\tm\tstarted\t\t\nd2\tstopped\tm\tstarted\t\t\n")
    assert shell("esml stop '*' --yes 2> >(true) >/dev/null", url)[0] == 0
    assert not state.deployments


@pytest.mark.parametrize("form", ["table", *(pytest.param(one, marks=THOROUGH) for one in ("json", "ids"))])
def test_a_closed_stdout_is_reported_with_the_results(url: str, state: State, form: str) -> None:
    """With a closed stdout the exit code is 1, and stderr contains the error and the results."""
    code, said = shell(f"esml stop d1 -o {form} >&-", url)
    assert code == 1
    assert said == (
        f"esml: Stopping d1 on {url}\n"
        "esml: The results cannot be written: standard output is closed.\n"
        "esml: d1 stopped in 0.0 s.\n"
    )
    assert "d1" not in state.deployments


@needs_full
def test_a_full_disk_is_reported_with_the_results(url: str, state: State) -> None:
    """With a full disk the exit code is 1 and stderr shows error and results; a refused target keeps its exit code."""
    code, said = shell("esml stop d1 d2 >/dev/full", url)
    assert code == 1
    assert "esml: The results cannot be written: no space left on device." in said
    assert said.rstrip().endswith("esml: 2 deployments stopped.")
    state.pipelines["p"] = {"processors": [{"inference": {"model_id": "d3"}}]}
    assert shell("esml stop d3 >/dev/full", url)[0] == 5
    assert shell("esml stop d4 2>/dev/full", url) == (0, "d4\tstopped\tm\tstarted\t\t\n")


@needs_full
@pytest.mark.parametrize(
    "words", ["--help", "schema", *(pytest.param(one, marks=THOROUGH) for one in ("--version", "completion bash"))]
)
def test_a_failed_write_of_help_is_not_a_bug(url: str, words: str) -> None:
    """Help, versions, schemas and completion scripts exit with 1 and a one-line message on a full disk."""
    code, said = shell(f"esml {words} >/dev/full", url)
    assert (code, said.count("\n")) == (1, 1)
    assert "cannot be written: no space" in said


@pytest.mark.parametrize("source", ["</dev/null", "<&-", "< <(true)"])
def test_commands_work_without_standard_input(url: str, state: State, source: str) -> None:
    """With a closed or empty stdin an exact ID works, `-` reads no IDs, and a pattern cannot be confirmed."""
    assert shell(f"esml stop d1 {source}", url)[0] == 0
    assert shell(f"esml stop - {source}", url) == (
        0,
        "esml: warning: No deployment ID was given on stdin; nothing to stop.\n",
    )
    code, said = shell(f"esml stop 'd*' {source}", url)
    assert (code, "--yes" in said) == (2, True)
    assert sorted(state.deployments) == sorted({*NAMES} - {"d1"})


@pytest.mark.parametrize("source", ["< <(printf '\\xff\\xfe\\n')", "< <(printf 'a\\0b\\n')", "< <(printf '..\\n')"])
def test_input_without_valid_ids_is_a_usage_error(server: FaultyServer, url: str, source: str) -> None:
    """Bytes that are not text, and lines that cannot be IDs, exit with 2 before any look-up."""
    assert shell(f"esml stop - {source}", url)[0] == 2
    assert not server.lines(RESOLVE)


def test_with_all_streams_closed_the_stop_is_completed(url: str, state: State) -> None:
    """With all streams closed the stop is completed, and the exit code is 1."""
    assert shell("esml stop d1 <&- >&- 2>&-", url)[0] == 1
    assert "d1" not in state.deployments


def test_characters_that_stdout_cannot_encode_are_escaped(url: str, state: State) -> None:
    """An ID that stdout's encoding cannot represent is escaped, and the exit code is unchanged."""
    deployments(state, "größe")
    code, said = shell("PYTHONIOENCODING=ascii esml stop 'g*' --yes 2>/dev/null", url)
    assert (code, said.split("\t")[0]) == (0, "gr\\xf6\\xdfe")
