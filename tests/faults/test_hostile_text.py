import re

import pytest

from esml_stop.sandbox.state import State
from tests.support import faults
from tests.support.command import Ended, esml
from tests.support.faulty_server import ENDPOINTS, RESOLVE, STOP, Fault, FaultyServer, deployments
from tests.support.terminal import on_terminal

# Colors, a screen clear, a link, a C1 control code, a forged line, reversed text, and the markup of rich.
HOSTILE_NAME = "e\x1b[31m\x1b[2J\x1b]8;;http://x\x07\x9b1A\rstopped\n\u202e[bold red]:boom:[/]\t\\"
ESCAPED_NAME = "e\\x1b[31m\\x1b[2J\\x1b]8;;http://x\\x07\\x9b1A\\rstopped\\n\\u202e[bold red]:boom:[/]\\t"
CONTROL_CHARACTERS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f]")


@pytest.fixture
def url(server: FaultyServer, state: State) -> str:
    """Return the URL of a cluster in which every name contains control characters."""
    deployments(state, HOSTILE_NAME, model=HOSTILE_NAME)
    state.pipelines[HOSTILE_NAME] = {"processors": [{"inference": {"model_id": HOSTILE_NAME}}]}
    state.endpoints[HOSTILE_NAME] = {
        "inference_id": HOSTILE_NAME,
        "service": "elser",
        "service_settings": {"deployment_id": HOSTILE_NAME},
    }
    return server.url


def escaped_output(ended: Ended) -> str:
    """Return both streams of a command, after checking that they contain no control characters."""
    text = ended.out + ended.err
    assert not CONTROL_CHARACTERS.search(text), ascii(text)
    return text


@pytest.mark.parametrize(
    "arguments", [["stop", "_all", "--yes"], ["stop", "_all", "--yes", "--force"], ["list"]], ids=" ".join
)
def test_piped_lines_cannot_be_forged(url: str, arguments: list[str]) -> None:
    """In a pipe, each deployment is one line of stdout, and names are escaped there, in messages and with -v."""
    ended = esml(*arguments, "-v", environment={"ESML_URL": url})
    assert ESCAPED_NAME in escaped_output(ended)
    assert len(ended.out.splitlines()) == 1


def test_ids_are_one_line_each(url: str) -> None:
    """`-o ids` prints each ID on one line, even if the ID contains line breaks."""
    ended = esml("stop", "_all", "--dry-run", "--force", "-o", "ids", environment={"ESML_URL": url})
    assert escaped_output(ended)
    assert len(ended.out.splitlines()) == 1


def test_json_contains_the_exact_values(url: str) -> None:
    """The JSON report contains the exact values of the server, with control characters escaped."""
    ended = esml("stop", "_all", "--yes", "-o", "json", environment={"ESML_URL": url})
    assert escaped_output(ended)
    row = ended.json["deployments"][0]
    assert (row["deployment_id"], row["model_id"], {use["id"] for use in row["used_by"]}) == (
        HOSTILE_NAME,
        HOSTILE_NAME,
        {HOSTILE_NAME},
    )


@pytest.mark.parametrize(
    "arguments", [["stop", "_all", "--dry-run"], ["stop", "_all", "--yes"], ["list"]], ids=" ".join
)
def test_names_on_a_terminal_are_escaped(url: str, arguments: list[str]) -> None:
    """On a terminal, tables, refusals and progress show names as escaped text, without colors, links or markup."""
    with on_terminal(*arguments, environment={"ESML_URL": url, "COLUMNS": "400"}) as terminal:
        terminal.ended()
    output = terminal.seen.replace("\r\n", "\n")
    assert not CONTROL_CHARACTERS.search(output), ascii(output)
    assert ESCAPED_NAME in output


REASONS: dict[str, tuple[str, Fault]] = {
    "an error of the stop": (STOP, faults.error(500, "x", HOSTILE_NAME)),
    "a conflict": (STOP, faults.error(409, "x", HOSTILE_NAME)),
    "an error of the look-up": (RESOLVE, faults.error(400, "x", HOSTILE_NAME)),
    "a missing privilege": (
        RESOLVE,
        faults.error(403, "x", f"action [{HOSTILE_NAME}] is unauthorized for user [{HOSTILE_NAME}]"),
    ),
    "no endpoints": (ENDPOINTS, faults.error(400, "x", HOSTILE_NAME)),
    "a warning": (RESOLVE, faults.warning(f'299 Elasticsearch "{HOSTILE_NAME}"'.replace("\r", "").replace("\n", ""))),
}


@pytest.mark.parametrize("name", REASONS)
def test_text_of_the_server_is_escaped(server: FaultyServer, url: str, name: str) -> None:
    """On a terminal, the server's text in errors and warnings is escaped, also in the traceback of --debug."""
    phase, fault = REASONS[name]
    server.on(phase, fault, forever=True)
    with on_terminal(
        "stop", "_all", "--yes", "--force", "--debug", "-v", environment={"ESML_URL": url, "COLUMNS": "400"}
    ) as terminal:
        terminal.ended()
    output = terminal.seen.replace("\r\n", "\n")
    assert "\\x1b[2J" in output
    assert not CONTROL_CHARACTERS.search(output), ascii(output)
    assert "ElasticsearchWarning" not in output
    assert not any(line.startswith("stopped") for line in output.splitlines())


def test_arguments_are_escaped(url: str) -> None:
    """Invalid arguments exit with 2, and their control characters are escaped in the output."""
    for arguments in (
        ["stop", HOSTILE_NAME],
        ["stop", f"--{HOSTILE_NAME}"],
        [HOSTILE_NAME],
        ["stop", "-o", HOSTILE_NAME],
        ["stop", "a", "--timeout", HOSTILE_NAME],
    ):
        ended = esml(*arguments, environment={"ESML_URL": url})
        assert ended.status == 2
        assert escaped_output(ended)
