from pathlib import Path
from typing import Any

import pytest

from esml_stop.cli import main
from esml_stop.config.command_policy import blocked
from esml_stop.config.connection import Connection
from esml_stop.config.settings import Block
from esml_stop.errors import ConfigError
from tests.support.faulty_server import FaultyServer, deployments, misbehaving

STOP = "stack.es.ml.stop-trained-model-deployment"
START = "stack.es.ml.start-trained-model-deployment"
BOTH, NEITHER = {"stop", "start"}, set[str]()


@pytest.mark.parametrize(
    ("policy", "changes"),
    [
        (None, NEITHER),
        ({}, NEITHER),
        ({"blocked": [STOP]}, {"stop"}),
        ({"blocked": [START]}, {"start"}),
        ({"blocked": ["stack.es.ml.*"]}, BOTH),
        ({"blocked": ["stack.es.*"]}, BOTH),
        ({"blocked": ["stack.*"]}, BOTH),
        ({"blocked": "stack.*"}, BOTH),
        ({"blocked": ["stack.es.ml"]}, NEITHER),
        ({"blocked": ["stack.es.m.*"]}, NEITHER),
        ({"blocked": ["stack.kb.*", "cloud.*"]}, NEITHER),
        ({"allowed": [STOP]}, {"start"}),
        ({"allowed": ["stack.es.*"]}, NEITHER),
        ({"allowed": ["stack.es.search", "config.*"]}, BOTH),
        ({"allowed": []}, BOTH),
        ({"profile": "serverless"}, NEITHER),
        ({"profile": "default", "blocked": ["stack.es.ml.*"]}, BOTH),
        ("text", NEITHER),
    ],
)
def test_a_policy_blocks_by_name_or_namespace(policy: Any, changes: set[str]) -> None:
    """A policy of a file or profile blocks commands and namespaces in `blocked`, and those missing from `allowed`."""
    assert blocked({}, {"commands": policy}, "p", "FILE").keys() == changes
    assert blocked({"commands": policy}, {}, "p", "FILE").keys() == changes


def test_the_policy_of_a_profile_replaces_that_of_the_file() -> None:
    """A profile's policy replaces that of the file, even if it has no rules; the error names the policy and rule."""
    file = {"commands": {"blocked": ["stack.es.ml.*"]}}
    assert blocked(file, {"commands": {"profile": "stack"}}, "p", "FILE") == {}
    assert blocked(file, {}, "p", "FILE")["stop"].sentence == (
        f"The command policy of FILE (for all profiles) does not allow {STOP} (blocked: stack.es.ml.*)."
    )
    own = {"commands": {"allowed": ["config.*"]}}
    assert blocked(file, own, "p", "FILE")["start"].sentence == (
        f"The command policy of profile p in FILE does not allow {START} (it is not in the list `allowed`)."
    )


def test_a_connection_rejects_blocked_changes() -> None:
    """A connection allows changes that no policy blocks, and raises an error with exit code 2 for a blocked one."""
    connection = Connection(("http://h:1",), blocked={"start": Block("FILE", START, "blocked: x")})
    connection.check_allowed("stop")
    with pytest.raises(ConfigError, match="The command policy of FILE does not allow") as raised:
        connection.check_allowed("stop", "start")
    assert raised.value.exit_status == 2


@pytest.fixture
def server(tmp_path: Path) -> Any:
    """Yield a server with one deployment, and write a profile that blocks all changes and one that allows them."""
    with misbehaving() as server:
        deployments(server.state, "d")
        text = f"""
current_context: here
commands: {{blocked: [stack.es.ml.*]}}
contexts:
  here: {{elasticsearch: {{url: "{server.url}"}}}}
  own: {{elasticsearch: {{url: "{server.url}"}}, commands: {{profile: stack}}}}
"""
        (tmp_path / ".elasticrc.yml").write_text(text)
        yield server


def test_a_blocked_stop_exits_with_2_before_any_request(
    server: FaultyServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """A blocked stop exits with 2 before any request and names the policy.

    Dry runs, `list`, `config` and other profiles work; `config --check` exits with 4.
    """
    assert main.run(["stop", "d"]) == 2
    err = capsys.readouterr().err
    assert (
        f"The command policy of ~/.elasticrc.yml (for all profiles) does not allow {STOP} (blocked: stack.es.ml.*)."
        in err
    )
    assert server.received == []
    for command in (["stop", "d", "--dry-run"], ["list"], ["config"]):
        assert main.run(command) == 0
    assert (
        "policy_stop\tnot allowed (blocked: stack.es.ml.*)\t~/.elasticrc.yml (for all profiles)"
        in capsys.readouterr().out
    )
    assert main.run(["config", "--check"]) == 4
    assert main.run(["stop", "d", "--profile", "own"]) == 0


def test_a_blocked_restore_exits_with_2(
    server: FaultyServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A restore exits with 2 if the policy blocks starts; its dry run and other profiles work."""
    file = str(tmp_path / "saved.json")
    assert main.run(["stop", "d", "--profile", "own", "--save", file]) == 0
    assert main.run(["restore", file]) == 2
    assert f"does not allow {START} (blocked: stack.es.ml.*)." in capsys.readouterr().err
    assert main.run(["restore", file, "--dry-run"]) == 0
    assert main.run(["restore", file, "--profile", "own"]) == 0
