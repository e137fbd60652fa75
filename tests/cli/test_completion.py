import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import BashComplete

from esml_stop.cli import completion
from esml_stop.cli.main import esml as group
from esml_stop.cluster.api import Cluster
from esml_stop.errors import EsmlError
from esml_stop.sandbox import serve
from tests.cli.test_imports import SLOW_MODULES, run_and_list_imports
from tests.support.command import Ended, esml, run_script

SHELLS = {
    "bash": "source <(esml completion bash); COMP_WORDS=({0}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); "
    '_esml_completion esml; printf "%s\\n" "${{COMPREPLY[@]}}"',
    "fish": 'esml completion fish | source; complete -C "{0}"',
}


def complete(program: Path, line: str, **environment: str) -> Ended:
    """Return the completions of the last word of a command line, requested as bash does."""
    words = {"COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1), "_ESML_COMPLETE": "bash_complete"}
    return run_script(str(program), environment={**words, **environment}, folder=program.parent)


def completions(line: str, wait: float = 30, **environment: str) -> list[str]:
    """Return the completions of a command line, computed in this process and with a time limit of `wait` seconds."""
    _, *words, incomplete = line.split(" ")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(completion, "LONGEST_WAIT", wait)
        for name, value in environment.items():
            patch.setenv(name, value)
        items = BashComplete(group, {}, "esml", "_ESML_COMPLETE").get_completions(words, incomplete)
    return [item.value if item.type == "plain" else item.type for item in items]


PROGRAM_WITH_LONG_WAIT = """from esml_stop.cli import completion
completion.LONGEST_WAIT = 30
from esml_stop.__main__ import main
main()"""


def esml_with_long_wait(folder: Path) -> Path:
    """Create an `esml` that waits up to 30 seconds for the cluster, and return its path."""
    (folder / "long_wait.py").write_text(PROGRAM_WITH_LONG_WAIT)
    program = folder / "esml"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{folder}/long_wait.py" "$@"\n')
    program.chmod(0o755)
    return program


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("esml s", ["stop", "sandbox", "schema"]),
        ("esml stop --f", ["--force", "--finish-pending-work"]),
        ("esml stop -o j", ["json", "jsonl"]),
        ("esml completion ", ["bash", "zsh", "fish"]),
        ("esml completion z", ["zsh"]),
    ],
)
def test_commands_options_and_their_values_are_completed(line: str, words: list[str]) -> None:
    """Commands, options and fixed values are completed without a cluster."""
    assert completions(line) == words


def test_profiles_are_completed_from_their_file(tmp_path: Path) -> None:
    """Profiles without special characters come from ~/.elasticrc.yml or --config-file; an invalid file yields none."""
    home, other = tmp_path / ".elasticrc.yml", tmp_path / "other.yml"
    home.write_text("contexts: {prod: {}, preview: {}, dev: {}, 'odd name': {}}")
    other.write_text("contexts: {elsewhere: {}}")
    assert completions("esml stop --profile p") == ["prod", "preview"]
    assert completions("esml config --profile ") == ["prod", "preview", "dev"]
    assert completions(f"esml list --config-file {other} --profile ") == ["elsewhere"]
    home.write_text("contexts: {")
    assert completions("esml stop --profile ") == []


def test_completion_of_options_imports_no_client() -> None:
    """Completing an option imports neither the HTTP client nor any other slow module."""
    words = {"COMP_WORDS": "esml stop --f", "COMP_CWORD": "2", "_ESML_COMPLETE": "bash_complete"}
    status, modules = run_and_list_imports(**words)
    assert status == 0
    assert not SLOW_MODULES & modules


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("esml stop my", ["my-elser", "my_model_for_search"]),
        ("esml stop questions_a q", ["questions_b"]),
        ("esml stop questions_a,q", ["questions_a,questions_b"]),
        ("esml stop nothing", []),
        ("esml stop q*", []),
        ("esml list large", ["large_model"]),
        ("esml stop --model q", ["questions"]),
        ("esml stop --model fa", ["faq"]),
    ],
)
def test_ids_are_completed_from_the_cluster(line: str, words: list[str]) -> None:
    """Deployment IDs not typed yet are completed, also after a comma; --model completes models and model aliases."""
    with serve() as sandbox:
        assert completions(line, ESML_URL=sandbox.url) == words


def test_command_line_options_select_the_cluster() -> None:
    """Connection options on the command line take precedence over the environment."""
    with serve() as sandbox:
        line = f"esml stop --url {sandbox.url} my_"
        assert completions(line, ESML_URL="http://127.0.0.1:1") == ["my_model_for_search"]


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"ESML_URL": "http://127.0.0.1:1"},
        {"ESML_URL": "no url"},
        {"ESML_URL": "http://127.0.0.1:1", "ESML_USERNAME": "asked-for-a-password"},
        {"ESML_URL": "https://127.0.0.1:1", "ESML_CA_CERTS": "/no/such/file"},
    ],
)
def test_failed_completion_is_silent(environment: dict[str, str], capfd: pytest.CaptureFixture[str]) -> None:
    """Missing or wrong settings, an unreachable cluster and a required password yield no completions and no output."""
    assert completions("esml stop my", 30, **environment) == []
    assert capfd.readouterr() == ("", "")


def test_only_completions_are_printed(tmp_path: Path) -> None:
    """Completions, if any, are printed to stdout in the shell's format; the exit code is 0 and stderr is empty."""
    program = esml_with_long_wait(tmp_path)
    with serve() as sandbox:
        ended = complete(program, "esml stop questions", ESML_URL=sandbox.url)
    assert ended == Ended(0, "plain,questions_a\nplain,questions_b\n", "")
    ended = complete(program, "esml stop my", ESML_URL="http://127.0.0.1:1")
    assert (ended.status, ended.out.strip(), ended.err) == (0, "", "")


def test_a_cluster_that_does_not_respond_does_not_delay_completion() -> None:
    """Completion yields nothing if the cluster does not respond within the time limit, which is under a second."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        assert completions("esml stop my", 0.1, ESML_URL=url) == []
    assert completion.LONGEST_WAIT < 1


def test_models_are_completed_without_unreadable_aliases(monkeypatch: pytest.MonkeyPatch) -> None:
    """Models are completed without their aliases if the aliases cannot be read."""
    with serve() as sandbox:
        assert completions("esml stop --model ", ESML_URL=sandbox.url).count("faq") == 1
        monkeypatch.setattr(Cluster, "model_configs", raise_not_allowed)
        names = completions("esml stop --model ", ESML_URL=sandbox.url)
    assert ("faq" in names, "questions" in names) == (False, True)


def raise_not_allowed(*_: object) -> None:
    """Raise the error for a missing privilege."""
    raise EsmlError("not allowed")


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_completes_ids_in_a_real_shell(shell: str, tmp_path: Path) -> None:
    """The printed script completes deployment IDs in a real shell."""
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed")
    esml_with_long_wait(tmp_path)

    def shell_completions(url: str) -> list[str]:
        ended = subprocess.run(
            [shell, "-c", SHELLS[shell].format("esml stop questions")],
            env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "ESML_URL": url},
            capture_output=True,
            text=True,
            check=True,
        )
        return [line.split("\t")[0] for line in ended.stdout.splitlines()]

    with serve() as sandbox:
        assert shell_completions(sandbox.url) == ["questions_a", "questions_b"]


COMPARE_VARIABLES = """
source <(esml completion bash)
COMP_WORDS=(esml stop questions) COMP_CWORD=2 COMPREPLY=()
compgen -v > before
_esml_completion esml
compgen -v > after
diff before after && echo "${COMPREPLY[*]}"
"""


def test_a_completion_defines_no_variables_in_bash(tmp_path: Path) -> None:
    """A completion adds no variables to the bash session and removes none."""
    esml_with_long_wait(tmp_path)
    with serve() as sandbox:
        environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "ESML_URL": sandbox.url}
        ended = run_script(f"exec bash -c '{COMPARE_VARIABLES}'", environment=environment, folder=tmp_path)
    assert ended == Ended(0, "questions_a questions_b\n", "")


@pytest.mark.skipif(not shutil.which("fish"), reason="fish is not installed")
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("esml stop questions_a", "questions_a\tstarted, model questions\n"),
        ("esml stop questions_a,questions", "questions_a,questions_b\tstarted, model questions\n"),
        ("esml stop --model fa", "faq\talias of questions\n"),
        ("esml comp", "completion\tPrint the shell completion script for commands, options and deployment IDs.\n"),
    ],
)
def test_fish_shows_complete_words_and_descriptions(line: str, expected: str, tmp_path: Path) -> None:
    """In fish, completions are shown as whole words, including those with commas, and with their full descriptions."""
    esml_with_long_wait(tmp_path)
    with serve() as sandbox:
        environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "ESML_URL": sandbox.url, "HOME": str(tmp_path)}
        script = f"exec fish -c 'esml completion fish | source; complete -C \"{line}\"'"
        assert run_script(script, environment=environment, folder=tmp_path) == Ended(0, expected, "")


def test_the_zsh_script_starts_with_its_directive() -> None:
    """The first line of the zsh script is the #compdef directive, which zsh requires in a completion file."""
    assert esml("completion", "zsh").out.startswith("#compdef esml\n# Completion of esml for zsh")


def test_profiles_come_from_the_configuration_file(tmp_path: Path) -> None:
    """--profile completes the contexts of ~/.elasticrc.yml or of the file of --config-file."""
    context = "{elasticsearch: {url: 'http://127.0.0.1:1'}}"
    (tmp_path / ".elasticrc.yml").write_text(f"contexts: {{prod: {context}, preview: {context}, test: {context}}}\n")
    assert completions("esml stop --profile pr") == ["prod", "preview"]
    other = tmp_path / "other.yml"
    other.write_text(f"contexts: {{production: {context}}}\n")
    assert completions(f"esml stop --config-file {other} --profile pr") == ["production"]
    other.write_text("no: [yaml")
    assert completions(f"esml stop --config-file {other} --profile pr") == []


def test_file_names_are_completed_by_the_shell() -> None:
    """For an option with a file name, esml tells the shell to complete file names."""
    assert completions("esml stop --ca-certs ") == ["file"]


def test_restore_completes_the_ids_in_the_save_file(tmp_path: Path) -> None:
    """`esml restore FILE` completes each ID in the save file that was not typed yet, and none if it cannot be read."""
    file = tmp_path / "saved.json"
    with serve() as sandbox:
        command = ("stop", "questions_a", "large_model", "--force", "--save", str(file))
        assert esml(*command, environment={"ESML_URL": sandbox.url}).status == 0
    assert completions(f"esml restore {file} ") == ["questions_a", "large_model"]
    assert completions(f"esml restore {file} questions_a ") == ["large_model"]
    assert completions(f"esml restore {tmp_path / 'nope'} ") == []
