"""Runs each command in README and docs unchanged, on a practice cluster with an empty home directory."""

import json
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from esml_stop.outcomes import Outcome
from esml_stop.sandbox import serve
from tests.support.command import Ended, run_script
from tests.support.markdown import TOP, Block, all_blocks

LANGUAGES = {"sh", "yaml", "groovy", "json", "text"}
# Programs that the pages use besides esml, and that stand-ins replace.
STAND_INS = ("python3", "pip", "pipx", "uv", "elastic", "run-tests")
VARIABLES = {"BUILD_ID": "7", "MY_API_KEY": "aWQ6a2V5"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return an empty folder whose `bin` contains esml and stand-ins for other programs."""
    tools = tmp_path / "bin"
    tools.mkdir()
    write_script(tools / "esml", f'exec "{sys.executable}" -m esml_stop "$@"')
    for name in STAND_INS:
        write_script(tools / name, f'echo "{name} $*" >> "{tmp_path}/calls"')
    write_script(tools / "python3", f'mkdir -p "$3/bin" && cp "{tools}/pip" "$3/bin/pip"')
    return tmp_path


def write_script(path: Path, script: str) -> None:
    """Write an executable shell script."""
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)


def run(script: str, folder: Path) -> Ended:
    """Run a script on a new practice cluster."""
    home = folder / "home"
    home.mkdir(exist_ok=True)
    with serve() as server:
        paths = {"HOME": str(home), "PATH": f"{folder / 'bin'}:/usr/bin:/bin"}
        return run_script(script, environment={"ESML_URL": server.url, **VARIABLES, **paths}, folder=folder)


def cases() -> Iterator[tuple[str, str, int]]:
    """Yield the position, the script and the expected exit code of each test case."""
    for block in all_blocks("sh"):
        if block.mark == "each line":
            yield from ((f"{block}: {line}", line, exit_code(line)) for line in block.text.splitlines() if line.strip())
        else:
            yield str(block), block.text, exit_code(block.mark or "")


def exit_code(text: str) -> int:
    """Return the exit code that a comment or a line specifies, 0 by default."""
    found = re.search(r"exit (\d+)", text)
    return int(found[1]) if found else 0


@pytest.mark.parametrize(("script", "status"), [case[1:] for case in cases()], ids=[case[0] for case in cases()])
def test_every_command_ends_with_the_documented_exit_code(script: str, status: int, folder: Path) -> None:
    """Each command exits with 0, or with the exit code that the page specifies."""
    if "jq " in script and not shutil.which("jq"):
        pytest.skip("jq is not installed")
    ended = run(script, folder)
    assert ended.status == status, ended.out + ended.err


def test_every_outcome_is_explained() -> None:
    """The table in docs/output.md has a row for each outcome, and no other."""
    table = (TOP / "docs/output.md").read_text(encoding="utf-8").partition("| Outcome |")[2]
    assert {
        name
        for line in table.splitlines()
        for name in re.findall(r"`(\w+)`", line.split("|")[1] if "|" in line else "")
    } == {outcome.value for outcome in Outcome}


@pytest.mark.parametrize("block", all_blocks("json"), ids=str)
def test_every_request_is_json(block: Block) -> None:
    """The body of each request, and each block of JSON, is valid JSON."""
    assert json.loads(block.text.partition("\n")[2] if re.match("[A-Z]+ ", block.text) else block.text)


def test_every_block_has_a_language_that_is_tested() -> None:
    """Each code block has a language, and none that is untested, such as bash or console."""
    known = {str(block) for block in all_blocks(*LANGUAGES)}
    assert {str(block) for block in all_blocks(*LANGUAGES, "", "bash", "shell", "http", "console")} == known


def test_ci_steps_pin_a_commit() -> None:
    """The CI recipes pin a commit, so that a change of esml does not change a pipeline."""
    texts = [block.text for block in all_blocks("yaml", "groovy")]
    pins = [re.findall(r'"git\+.*ESML_REPOSITORY.*?@(.*?)"', text) for text in texts]
    assert pins == [["${{ vars.ESML_COMMIT }}"], ["$ESML_COMMIT"], ["$ESML_COMMIT"]]
