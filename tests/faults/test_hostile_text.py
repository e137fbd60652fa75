import re

import pytest

from esml_stop.sandbox.state import State
from tests.support import faults
from tests.support.command import Ended, esml
from tests.support.faulty_server import ENDPOINTS, RESOLVE, STOP, Fault, FaultyServer, deployments
from tests.support.terminal import on_terminal

# Colors, cursor movement, a link, a window title, a forged line, reordering, and rich's markup.
EVIL = "e\x1b[31m\x1b[2J\x1b]8;;http://x\x07\x9b1A\rstopped\n\u202e[bold red]:boom:[/]\t\\"
SHOWN = "e\\x1b[31m\\x1b[2J\\x1b]8;;http://x\\x07\\x9b1A\\rstopped\\n\\u202e[bold red]:boom:[/]\\t"
ACTIVE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f]")


@pytest.fixture
def url(server: FaultyServer, state: State) -> str:
    """Return the URL of a cluster in which every name contains control characters."""
    deployments(state, EVIL, model=EVIL)
    state.pipelines[EVIL] = {"processors": [{"inference": {"model_id": EVIL}}]}
    state.endpoints[EVIL] = {"inference_id": EVIL, "service": "elser", "service_settings": {"deployment_id": EVIL}}
    return server.url


def calm(ended: Ended) -> str:
    """Return both streams of a command, after checking that they contain no control characters."""
    text = ended.out + ended.err
    assert not ACTIVE.search(text), ascii(text)
    return text


@pytest.mark.parametrize(
    "arguments", [["stop", "_all", "--yes"], ["stop", "_all", "--yes", "--force"], ["list"]], ids=" ".join
)
def test_piped_lines_cannot_be_forged(url: str, arguments: list[str]) -> None:
    """In a pipe there is one line per deployment with its name escaped; messages and -v are escaped, too."""
    ended = esml(*arguments, "-v", environment={"ESML_URL": url})
    assert SHOWN in calm(ended)
    assert len(ended.out.splitlines()) == 1


def test_ids_are_one_line_each(url: str) -> None:
    """-o ids prints each ID on one line."""
    ended = esml("stop", "_all", "--dry-run", "--force", "-o", "ids", environment={"ESML_URL": url})
    assert calm(ended)
    assert len(ended.out.splitlines()) == 1


def test_json_contains_the_exact_values(url: str) -> None:
    """JSON contains the exact values of the server, in escaped form."""
    ended = esml("stop", "_all", "--yes", "-o", "json", environment={"ESML_URL": url})
    assert calm(ended)
    row = ended.json["deployments"][0]
    assert (row["deployment_id"], row["model_id"], {use["id"] for use in row["used_by"]}) == (EVIL, EVIL, {EVIL})


@pytest.mark.parametrize(
    "arguments", [["stop", "_all", "--dry-run"], ["stop", "_all", "--yes"], ["list"]], ids=" ".join
)
def test_names_on_a_terminal_are_escaped(url: str, arguments: list[str]) -> None:
    """Table, refusal and progress show names as text, without colors, links, markup or additional lines."""
    with on_terminal(*arguments, environment={"ESML_URL": url, "COLUMNS": "400"}) as terminal:
        terminal.ended()
    shown = terminal.seen.replace("\r\n", "\n")
    assert not ACTIVE.search(shown), ascii(shown)
    assert SHOWN in shown


REASONS: dict[str, tuple[str, Fault]] = {
    "an error of the stop": (STOP, faults.error(500, "x", EVIL)),
    "a conflict": (STOP, faults.error(409, "x", EVIL)),
    "an error of the look-up": (RESOLVE, faults.error(400, "x", EVIL)),
    "a missing privilege": (RESOLVE, faults.error(403, "x", f"action [{EVIL}] is unauthorized for user [{EVIL}]")),
    "no endpoints": (ENDPOINTS, faults.error(400, "x", EVIL)),
    "a warning": (RESOLVE, faults.warning(f'299 Elasticsearch "{EVIL}"'.replace("\r", "").replace("\n", ""))),
}


@pytest.mark.parametrize("name", REASONS)
def test_text_of_the_server_is_escaped(server: FaultyServer, url: str, name: str) -> None:
    """The server's text in errors, conflicts and warnings is escaped, also in a traceback."""
    phase, fault = REASONS[name]
    server.on(phase, fault, forever=True)
    with on_terminal(
        "stop", "_all", "--yes", "--force", "--debug", "-v", environment={"ESML_URL": url, "COLUMNS": "400"}
    ) as terminal:
        terminal.ended()
    shown = terminal.seen.replace("\r\n", "\n")
    assert "\\x1b[2J" in shown
    assert not ACTIVE.search(shown), ascii(shown)
    assert "ElasticsearchWarning" not in shown
    assert not any(line.startswith("stopped") for line in shown.splitlines())


def test_arguments_are_escaped(url: str) -> None:
    """Control characters in arguments are escaped in the output."""
    for arguments in (
        ["stop", EVIL],
        ["stop", f"--{EVIL}"],
        [EVIL],
        ["stop", "-o", EVIL],
        ["stop", "a", "--timeout", EVIL],
    ):
        ended = esml(*arguments, environment={"ESML_URL": url})
        assert ended.status == 2
        assert calm(ended)
