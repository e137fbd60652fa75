"""Each command in README and docs is run as it stands there: on the practice cluster, in an empty home."""

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
# What the pages use that is not esml; each of these only notes how it was called.
STAND_INS = ("python3", "pip", "pipx", "uv", "elastic", "run-tests")
VARIABLES = {"BUILD_ID": "7", "MY_API_KEY": "aWQ6a2V5"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return an empty folder whose `bin` has esml and the stand-ins."""
    tools = tmp_path / "bin"
    tools.mkdir()
    program(tools / "esml", f'exec "{sys.executable}" -m esml_stop "$@"')
    for name in STAND_INS:
        program(tools / name, f'echo "{name} $*" >> "{tmp_path}/calls"')
    program(tools / "python3", f'mkdir -p "$3/bin" && cp "{tools}/pip" "$3/bin/pip"')
    return tmp_path


def program(path: Path, script: str) -> None:
    """Write a shell script that can be run."""
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)


def run(script: str, folder: Path) -> Ended:
    """Run a script on a practice cluster of its own."""
    home = folder / "home"
    home.mkdir(exist_ok=True)
    with serve() as server:
        paths = {"HOME": str(home), "PATH": f"{folder / 'bin'}:/usr/bin:/bin"}
        return run_script(script, environment={"ESML_URL": server.url, **VARIABLES, **paths}, folder=folder)


def cases() -> Iterator[tuple[str, str, int]]:
    """Yield each script with its place and the exit code that it must have."""
    for block in all_blocks("sh"):
        if block.mark == "each line":
            yield from ((f"{block}: {line}", line, exit_code(line)) for line in block.text.splitlines() if line.strip())
        else:
            yield str(block), block.text, exit_code(block.mark or "")


def exit_code(text: str) -> int:
    """Return the exit code that a comment announces."""
    found = re.search(r"exit (\d+)", text)
    return int(found[1]) if found else 0


@pytest.mark.parametrize(("script", "status"), [case[1:] for case in cases()], ids=[case[0] for case in cases()])
def test_every_command_does_what_the_page_says(script: str, status: int, folder: Path) -> None:
    """Exit code 0, or the one that the page names."""
    if "jq " in script and not shutil.which("jq"):
        pytest.skip("jq is not installed")
    ended = run(script, folder)
    assert ended.status == status, ended.out + ended.err


def test_every_outcome_is_explained() -> None:
    """docs/output.md has a row for each."""
    table = (TOP / "docs/output.md").read_text(encoding="utf-8").partition("| Outcome |")[2]
    assert {
        name
        for line in table.splitlines()
        for name in re.findall(r"`(\w+)`", line.split("|")[1] if "|" in line else "")
    } == {outcome.value for outcome in Outcome}


@pytest.mark.parametrize("block", all_blocks("json"), ids=str)
def test_every_request_is_json(block: Block) -> None:
    """The body after the first line of a request, or the whole block, can be parsed."""
    assert json.loads(block.text.partition("\n")[2] if re.match("[A-Z]+ ", block.text) else block.text)


def test_every_block_has_a_language_that_is_tested() -> None:
    """No block escapes its test by having no language."""
    known = {str(block) for block in all_blocks(*LANGUAGES)}
    assert {str(block) for block in all_blocks(*LANGUAGES, "", "bash", "shell", "http", "console")} == known


def test_ci_steps_pin_a_commit() -> None:
    """An upgrade of esml does not change a pipeline that follows README; there is no release to pin yet."""
    texts = [block.text for block in all_blocks("yaml", "groovy")]
    pins = [re.findall(r'"git\+.*ESML_REPOSITORY.*?@(.*?)"', text) for text in texts]
    assert pins == [["${{ vars.ESML_COMMIT }}"], ["$ESML_COMMIT"], ["$ESML_COMMIT"]]
