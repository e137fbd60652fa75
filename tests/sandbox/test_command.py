import os
import shlex
import signal
import subprocess
import sys
import urllib.request
from fnmatch import fnmatch
from pathlib import Path

import pytest

from esml_stop.cli.commands.sandbox import introduce
from esml_stop.exit_status import ExitStatus
from esml_stop.sandbox import serve
from esml_stop.sandbox.scene import TRY, practice
from esml_stop.sandbox.state import State
from tests.support.command import esml


def test_one_command_runs_against_a_fresh_sandbox() -> None:
    """README's first command stops the deployment, and stdout is the command's own."""
    ended = esml("sandbox", "--", "esml", "stop", "my_model_for_search", "--force")
    assert (ended.status, ended.outcomes) == (0, {"my_model_for_search": "stopped"})


def test_the_exit_code_is_the_commands() -> None:
    """The exit code is that of the command, or 127 if there is no such command."""
    assert esml("sandbox", "--", "esml", "stop", "reviews_for_ingest").status == 5
    assert esml("sandbox", "--", sys.executable, "-c", "raise SystemExit(42)").status == 42
    assert esml("sandbox", "--", sys.executable, "-c", "import os; os.kill(os.getpid(), 9)").status == 137
    missing = esml("sandbox", "--", "no-such-command-here")
    assert (missing.status, missing.err) == (127, "esml: no-such-command-here: command not found\n")


def test_the_command_cannot_reach_another_cluster() -> None:
    """The command's environment contains no settings of another cluster."""
    outer = {"ESML_API_KEY": "x", "ES_URL": "http://elsewhere:1", "ELASTIC_PASSWORD": "y", "http_proxy": "http://p:1"}
    show = "import os; print(*(k for k in os.environ if k.startswith(('ES', 'ELASTIC')) or k == 'http_proxy'))"
    ended = esml("sandbox", "--", sys.executable, "-c", show, environment=outer)
    assert ended.out == "ESML_URL\n"


def test_no_file_at_home_and_no_variable_leads_elsewhere(tmp_path: Path) -> None:
    """The Elastic CLI's configuration file does not override the practice cluster's URL."""
    text = '{"current_context": "c", "contexts": {"c": {"elasticsearch": {"url": "http://elsewhere.invalid:1"}}}}'
    for name in (".elasticrc.yml", "other.json"):
        (tmp_path / name).write_text(text)
    outer = {"HOME": str(tmp_path), "ELASTIC_CLI_CONFIG_FILE": str(tmp_path / "other.json"), "ESML_PROFILE": "c"}
    ended = esml("sandbox", "--", sys.executable, "-m", "esml_stop", "config", "--check", environment=outer)
    assert (ended.status, ended.lines[0][2]) == (0, "ESML_URL")
    assert ended.lines[0][1].startswith("http://127.0.0.1:")
    assert "ELASTIC_CLI_CONFIG_FILE" not in ended.out


def test_it_runs_until_it_is_interrupted() -> None:
    """The printed URL leads to a cluster, and Ctrl-C exits with 0 and a sentence."""
    command = [sys.executable, "-m", "esml_stop", "sandbox"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ
    ) as process:
        assert process.stdout
        assert process.stderr
        line = process.stdout.readline()
        url = line.removeprefix("export ESML_URL=").strip()
        with urllib.request.urlopen(url, timeout=5) as answer:
            assert answer.headers["X-elastic-product"] == "Elasticsearch"
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=5) == 0
        assert process.stderr.read().splitlines()[-1] == "Practice cluster stopped. Everything in it is gone."


def test_it_prints_what_to_try_within_80_columns(capfd: pytest.CaptureFixture[str]) -> None:
    """It prints the URL and a line for each case, at most 80 columns wide."""
    introduce("http://127.0.0.1:9200")
    out, err = capfd.readouterr()
    assert out == "export ESML_URL=http://127.0.0.1:9200\n"
    assert [line.partition(" #")[0].strip() for line in err.splitlines()[-len(TRY) :]] == list(TRY)
    assert max(map(len, err.splitlines())) <= 80


ENDS = {"refused": ExitStatus.IN_USE, "exit 3": ExitStatus.NO_MATCH, "exit 4": ExitStatus.AUTH}


@pytest.mark.parametrize("command", TRY)
def test_each_case_ends_as_its_note_says(command: str) -> None:
    """Each printed command exits as its note says."""
    settings, _, words = command.partition("esml ")
    with serve() as server:
        given = dict(one.split("=") for one in settings.split())
        ended = esml(*shlex.split(words), environment={"ESML_URL": server.url, **given})
    status = next((code for text, code in ENDS.items() if text in TRY[command]), ExitStatus.OK)
    assert ended.status == status, ended.err


@pytest.mark.parametrize("login", [{"ESML_API_KEY": "viewer:any"}, {"ESML_USERNAME": "viewer", "ESML_PASSWORD": "x"}])
def test_who_may_only_read_sees_so_in_the_settings(login: dict[str, str]) -> None:
    """`esml config --check` shows the privileges of the user viewer, by API key and by password."""
    with serve() as server:
        ended = esml("config", "--check", environment={"ESML_URL": server.url, **login})
    shown = {line[0]: line[1] for line in ended.lines}
    assert (shown["user"], shown["may stop deployments"]) == ("viewer (machine_learning_user)", "no")


def test_each_deployment_of_the_scene_is_in_a_case() -> None:
    """Each deployment of the practice cluster is used in a printed command."""
    state = State()
    practice(state)
    commands = [words[-1] for words in map(shlex.split, (one.removesuffix(" --dry-run") for one in TRY))]
    assert [name for name in state.deployments if not any(fnmatch(name, command) for command in commands)] == []


def test_a_port_that_is_taken_is_said_to_be() -> None:
    """A port that is in use is reported in one line as a usage error."""
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ended = esml("sandbox", "--port", str(taken.getsockname()[1]), "--", "true")
    assert ended.status == 2
    assert "Cannot listen on port" in ended.err
