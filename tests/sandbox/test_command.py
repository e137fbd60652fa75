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
    """The first command of the README stops its deployment, and stdout contains only the output of that command."""
    ended = esml("sandbox", "--", "esml", "stop", "my_model_for_search", "--force")
    assert (ended.status, ended.outcomes) == (0, {"my_model_for_search": "stopped"})


def test_the_exit_code_is_that_of_the_command() -> None:
    """The exit code is that of the command, 128 plus the signal that killed it, or 127 if there is no such command."""
    assert esml("sandbox", "--", "esml", "stop", "reviews_for_ingest").status == 5
    assert esml("sandbox", "--", sys.executable, "-c", "raise SystemExit(42)").status == 42
    assert esml("sandbox", "--", sys.executable, "-c", "import os; os.kill(os.getpid(), 9)").status == 137
    missing = esml("sandbox", "--", "no-such-command-here")
    assert (missing.status, missing.err) == (127, "esml: no-such-command-here: command not found\n")


def test_the_command_has_no_settings_of_another_cluster() -> None:
    """The command's environment contains no settings of another cluster and no proxy."""
    outer = {"ESML_API_KEY": "x", "ES_URL": "http://elsewhere:1", "ELASTIC_PASSWORD": "y", "http_proxy": "http://p:1"}
    show = "import os; print(*(k for k in os.environ if k.startswith(('ES', 'ELASTIC')) or k == 'http_proxy'))"
    ended = esml("sandbox", "--", sys.executable, "-c", show, environment=outer)
    assert ended.out == "ESML_URL\n"


def test_configuration_files_do_not_override_the_practice_cluster(tmp_path: Path) -> None:
    """Neither configuration files of the Elastic CLI nor ESML_PROFILE override the practice cluster's URL."""
    text = '{"current_context": "c", "contexts": {"c": {"elasticsearch": {"url": "http://elsewhere.invalid:1"}}}}'
    for name in (".elasticrc.yml", "other.json"):
        (tmp_path / name).write_text(text)
    outer = {"HOME": str(tmp_path), "ELASTIC_CLI_CONFIG_FILE": str(tmp_path / "other.json"), "ESML_PROFILE": "c"}
    ended = esml("sandbox", "--", sys.executable, "-m", "esml_stop", "config", "--check", environment=outer)
    assert (ended.status, ended.lines[0][2]) == (0, "ESML_URL")
    assert ended.lines[0][1].startswith("http://127.0.0.1:")
    assert "ELASTIC_CLI_CONFIG_FILE" not in ended.out


def test_the_practice_cluster_runs_until_ctrl_c() -> None:
    """The practice cluster responds at the printed URL until Ctrl-C, and then exits with 0 and a closing sentence."""
    command = [sys.executable, "-m", "esml_stop", "sandbox"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ
    ) as process:
        assert process.stdout
        assert process.stderr
        line = process.stdout.readline()
        url = line.removeprefix("export ESML_URL=").strip()
        with urllib.request.urlopen(url, timeout=5) as response:
            assert response.headers["X-elastic-product"] == "Elasticsearch"
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=5) == 0
        assert process.stderr.read().splitlines()[-1] == "Practice cluster stopped. Everything in it is gone."


def test_the_sandbox_prints_its_url_and_commands_to_try(capfd: pytest.CaptureFixture[str]) -> None:
    """The sandbox prints its URL to stdout, and the commands to try to stderr in at most 80 columns."""
    introduce("http://127.0.0.1:9200")
    out, err = capfd.readouterr()
    assert out == "export ESML_URL=http://127.0.0.1:9200\n"
    assert [line.partition(" #")[0].strip() for line in err.splitlines()[-len(TRY) :]] == list(TRY)
    assert max(map(len, err.splitlines())) <= 80


EXIT_STATUS_OF_NOTES = {"refused": ExitStatus.IN_USE, "exit 3": ExitStatus.NO_MATCH, "exit 4": ExitStatus.AUTH}


@pytest.mark.parametrize("command", TRY)
def test_each_printed_command_exits_as_its_note_says(command: str) -> None:
    """Each printed command exits as its note says."""
    settings, _, words = command.partition("esml ")
    with serve() as server:
        given = dict(one.split("=") for one in settings.split())
        ended = esml(*shlex.split(words), environment={"ESML_URL": server.url, **given})
    status = next((code for text, code in EXIT_STATUS_OF_NOTES.items() if text in TRY[command]), ExitStatus.OK)
    assert ended.status == status, ended.err


@pytest.mark.parametrize("login", [{"ESML_API_KEY": "viewer:any"}, {"ESML_USERNAME": "viewer", "ESML_PASSWORD": "x"}])
def test_config_check_shows_the_privileges_of_viewer(login: dict[str, str]) -> None:
    """`esml config --check` shows the privileges of the user viewer, by API key and by password."""
    with serve() as server:
        ended = esml("config", "--check", environment={"ESML_URL": server.url, **login})
    rows = {line[0]: line[1] for line in ended.lines}
    assert (rows["user"], rows["may stop deployments"]) == ("viewer (machine_learning_user)", "no")


def test_each_deployment_is_used_in_a_printed_command() -> None:
    """Each deployment of the practice cluster is used in a printed command."""
    state = State()
    practice(state)
    commands = [words[-1] for words in map(shlex.split, (one.removesuffix(" --dry-run") for one in TRY))]
    assert [name for name in state.deployments if not any(fnmatch(name, command) for command in commands)] == []


def test_a_port_in_use_is_reported() -> None:
    """A port that is in use is reported as a usage error with exit code 2."""
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ended = esml("sandbox", "--port", str(taken.getsockname()[1]), "--", "true")
    assert ended.status == 2
    assert "Cannot listen on port" in ended.err
