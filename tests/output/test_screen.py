import re
import socket
from collections.abc import Iterator
from itertools import takewhile
from threading import Event

import pytest

from esml_stop.sandbox import SandboxServer, serve
from tests.support import faults
from tests.support.faulty_server import STOP, deployments, misbehaving
from tests.support.screen import Shown, on_terminal

REFUSAL = [
    "esml: reviews_for_ingest is in use and was not stopped:",
    "  ingest pipeline reviews-pipeline references this deployment",
    "  To stop it anyway: esml stop reviews_for_ingest --force",
]
LONG = "a-deployment-with-a-name-that-is-much-too-long-for-any-column-of-any-narrow-table-0123456789"


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    """Yield a practice cluster."""
    with serve() as server:
        yield server


def stop(
    sandbox: SandboxServer, *arguments: str, environment: dict[str, str] | None = None, **streams: object
) -> Shown:
    """Run `esml stop` on a terminal."""
    settings = {"ESML_URL": sandbox.url, **(environment or {})}
    return on_terminal("stop", *arguments, environment=settings, **streams)  # type: ignore[arg-type]


def test_a_line_is_shown_before_the_cluster_responds() -> None:
    """A line appears before the cluster responds, and disappears at the end."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        screen = on_terminal("stop", "d", "--timeout", "300ms", environment={"ESML_URL": url})
    assert screen.chunks[0][1].startswith(b"\r\x1b[KConnecting ...")
    assert screen.status == 6
    assert "Connecting" not in screen.text
    assert screen.lines[0].startswith("esml: ")


@pytest.mark.parametrize("columns", [80, 200])
def test_a_refusal_follows_the_table_on_separate_lines(sandbox: SandboxServer, columns: int) -> None:
    """After the table, a refusal shows target, reason, uses and command on separate lines."""
    screen = stop(sandbox, "my_model_for_search", "reviews_for_ingest", columns=columns)
    assert screen.status == 5
    assert screen.written[-4:] == [*REFUSAL, "esml: 1 deployment stopped, 1 in use."]
    assert re.search(r"my_model_for_search +stopped in \d+(\.\d)? s", "\n".join(screen.lines))
    assert re.search(r"reviews_for_ingest +in use", "\n".join(screen.lines))


def test_sentences_wrap_between_words_and_commands_do_not_wrap(sandbox: SandboxServer) -> None:
    """Sentences wrap between words; commands do not wrap, so that they can be copied."""
    screen = stop(sandbox, "reviews_for_ingest", "--timeout", "12m", columns=50)
    assert screen.written == [
        REFUSAL[0].rpartition(" ")[0],
        "  stopped:",
        "  ingest pipeline reviews-pipeline references this",
        "    deployment",
        f"{REFUSAL[2]} --timeout 12m",
    ]


@pytest.mark.parametrize("columns", [40, 120])
def test_no_id_is_truncated(sandbox: SandboxServer, columns: int) -> None:
    """A long ID is written without line breaks or truncation."""
    sandbox.state.start("my_model", LONG)
    screen = stop(sandbox, LONG, "my_model_for_search", columns=columns)
    assert screen.status == 0
    assert any(line.startswith(LONG) for line in screen.written)


@pytest.mark.parametrize(
    ("output_format", "rows"), [((), 0), (("-o", "table"), 2), (("-o", "wide"), 2), (("-o", "tsv"), 1)]
)
def test_one_deployment_is_reported_without_a_table(
    sandbox: SandboxServer, output_format: tuple[str, ...], rows: int
) -> None:
    """For one deployment a sentence replaces the table, unless a format is requested."""
    screen = stop(sandbox, "my_model_for_search", *output_format)
    *results, sentence = screen.lines
    assert len(results) == rows
    assert re.fullmatch(r"esml: my_model_for_search stopped in \d\.\d s\.", sentence)


def test_two_hundred_targets_have_a_row_each(sandbox: SandboxServer) -> None:
    """A table of 200 targets is complete and in order, and no progress remains on the screen."""
    names = [f"many-{number:03d}" for number in range(200)]
    for name in names:
        sandbox.state.start("my_model", name)
    screen = stop(sandbox, "many-*", "--yes", "--parallel", "16")
    assert screen.status == 0
    assert [line.split()[0] for line in screen.lines if "stopped in" in line] == names
    assert screen.lines[-1] == "esml: 200 deployments stopped."
    assert len(screen.lines) == 200 + 2


WAITING = r"waiting [1-9]\d* s for large_model"


def test_progress_is_shown_during_a_long_stop() -> None:
    """Progress is shown during a long stop and disappears afterwards; the cursor is visible."""
    seen = Event()

    def watch(text: str) -> None:
        if "Stopping: 1 of 2 done" in text and re.search(WAITING, text):
            seen.set()

    with misbehaving() as server:
        deployments(server.state, "quick", "large_model")
        server.on(STOP, faults.after(0), faults.when(seen))
        environment = {"ESML_URL": server.url}
        screen = on_terminal("stop", "quick", "large_model", "--parallel", "1", environment=environment, watch=watch)
    assert screen.status == 0
    assert "Stopping: 1 of 2 done" in screen.raw
    assert re.search(WAITING, screen.raw)
    assert "waiting" not in screen.text
    assert screen.raw.rfind("\x1b[?25h") > screen.raw.rfind("\x1b[?25l")


def test_the_prompt_for_a_pattern_shows_the_plan(sandbox: SandboxServer) -> None:
    """The prompt for a pattern shows the plan and the cluster; answering no exits with 1, and answering yes with 0."""
    screen = stop(sandbox, "my*", answer="n\n")
    assert screen.status == 1
    assert "my_model_for_search would be stopped my_model" in screen.text
    assert "my-elser in use, will be skipped elser endpoint my-elser" in screen.text
    assert f'Stop 1 deployment on "esml-sandbox" ({sandbox.url})? [y/N]' in screen.text
    narrow = stop(sandbox, "my*", answer="n\n", columns=50)
    assert any(line.startswith(f"({sandbox.url})? [y/N]") for line in narrow.lines), "an address is not broken"
    assert stop(sandbox, "my_*", answer="y\n").status == 0


@pytest.mark.parametrize(
    ("environment", "has_colors"),
    [
        ({}, True),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
        ({"FORCE_COLOR": "0"}, False),
        ({"TERM": "dumb", "CLICOLOR_FORCE": "1"}, True),
    ],
)
def test_environment_variables_control_colors(
    sandbox: SandboxServer, environment: dict[str, str], has_colors: bool
) -> None:
    """NO_COLOR and FORCE_COLOR=0 disable colors, and CLICOLOR_FORCE enables them, even on a dumb terminal."""
    screen = stop(sandbox, "reviews_for_ingest", environment=environment)
    assert ("31" in screen.colours) is has_colors
    assert bool(screen.colours) is has_colors


def test_an_option_disables_colors(sandbox: SandboxServer) -> None:
    """--no-color disables colors for one command."""
    assert not stop(sandbox, "reviews_for_ingest", "--no-color").colours


def test_a_dumb_terminal_gets_plain_lines(sandbox: SandboxServer) -> None:
    """On a dumb terminal each step is a line, without escape sequences."""
    screen = stop(sandbox, "my_model_for_search", environment={"TERM": "dumb"})
    assert "\x1b" not in screen.raw
    assert screen.lines[:3] == [
        "esml: Connecting ...",
        "esml: Looking up deployments and what uses them ...",
        "esml: Stopping ...",
    ]


def test_a_piped_stdout_is_plain_if_stderr_is_a_terminal(sandbox: SandboxServer) -> None:
    """A piped stdout is tab-separated and without colors, even if stderr is a terminal."""
    screen = stop(sandbox, "my_model_for_search", LONG, stdout=False, environment={"FORCE_COLOR": "1"})
    first, second = screen.piped.decode().splitlines()
    assert first.split("\t")[:4] == ["my_model_for_search", "stopped", "my_model", "started"]
    assert second.split("\t")[:2] == [LONG, "not_found"]
    assert b"\x1b" not in screen.piped
    assert "Connecting" in screen.raw


def test_a_piped_stderr_has_no_escape_sequences(sandbox: SandboxServer) -> None:
    """A piped stderr gets a line per finished target, without escape sequences; the table is on the terminal."""
    screen = stop(sandbox, "my_model_for_search", "questions_a", stderr=False)
    assert b"\x1b" not in screen.piped
    assert b"\r" not in screen.piped
    _, *finished, closing = screen.piped.decode().splitlines()
    assert len(finished) == 2
    assert closing == "esml: 2 deployments stopped."
    assert [line.split()[0] for line in screen.lines] == ["DEPLOYMENT", "my_model_for_search", "questions_a"]


def test_columns_overrides_the_width(sandbox: SandboxServer) -> None:
    """COLUMNS overrides the width of the terminal."""
    screen = stop(sandbox, "questions_a", "nope", columns=200, environment={"COLUMNS": "40"})
    table = list(takewhile(lambda line: not line.startswith("esml: "), screen.lines))
    assert len(table) == 4
    assert max(map(len, table)) <= 40


def test_config_shows_a_table_of_settings_with_their_sources(sandbox: SandboxServer) -> None:
    """`esml config --check` shows settings with their sources, the conclusion, and no secret."""
    login = {"ESML_URL": sandbox.url, "ESML_USERNAME": "me", "ESML_PASSWORD": "canary-password"}
    screen = on_terminal("config", "--check", environment=login)
    rows = [line.split() for line in screen.lines]
    assert screen.status == 0
    assert ["url", sandbox.url, "ESML_URL"] in rows
    assert ["password", "********", "ESML_PASSWORD"] in rows
    assert ["may", "stop", "deployments", "yes"] in [row[:4] for row in rows]
    assert screen.lines[-1] == "This connection works, and you may stop deployments."
    assert "canary" not in screen.raw


@pytest.mark.parametrize(
    ("arguments", "url", "closing"),
    [
        ((), "http://es:9200", "The cluster was not contacted; use --check to test the connection."),
        (("--check", "--timeout", "200ms"), "http://127.0.0.1:1", "This connection does not work."),
    ],
)
def test_config_ends_with_a_sentence_about_the_connection(arguments: tuple[str, ...], url: str, closing: str) -> None:
    """The closing sentence says that the connection was not tested, or that it does not work."""
    screen = on_terminal("config", *arguments, environment={"ESML_URL": url})
    assert closing in screen.lines
