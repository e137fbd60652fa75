import base64
import io
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest

from esml_stop.cli import main
from esml_stop.sandbox.state import State
from tests.support import faults
from tests.support.command import esml
from tests.support.faulty_server import ENDPOINTS, LOOK, RESOLVE, STOP, Fault, FaultyServer, deployments
from tests.support.terminal import on_terminal

CANARY = "c4n4ry+Secret/of=esml"
KEY = base64.b64encode(f"key-id:{CANARY}".encode()).decode()
# All forms in which a secret can appear.
FORMS = {
    CANARY,
    quote(CANARY, safe=""),
    quote(CANARY),
    KEY,
    quote(KEY, safe=""),
    base64.b64encode(f"someone:{CANARY}".encode()).decode(),
    base64.b64encode(CANARY.encode()).decode(),
}
WRONG = ["http://127.0.0.1:9", "https://127.0.0.1:9", "http://127.0.0.1:99999", "http://127.0.0.1:9/?q", "ftp://x"]


def found(text: str) -> set[str]:
    """Return the forms of the secrets that a text contains."""
    return {form for form in FORMS if form in text}


Place = Callable[[str, Path, pytest.MonkeyPatch], list[str]]
PLACES: dict[str, Place] = {}


def place(function: Place) -> Place:
    """Register a place for a secret."""
    PLACES[function.__name__] = function
    return function


def with_login(url: str) -> str:
    """Return a URL with the secret as its password."""
    return url.replace("://", f"://someone:{quote(CANARY, safe='')}@")


@place
def url_option(url: str, _: Path, __: pytest.MonkeyPatch) -> list[str]:
    """Put the secret into --url."""
    return ["--url", with_login(url)]


@place
def url_variable(url: str, _: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Put the secret into ESML_URL."""
    monkeypatch.setenv("ESML_URL", with_login(url))
    return []


@place
def key_variable(url: str, _: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Put an encoded key into ESML_API_KEY."""
    monkeypatch.setenv("ESML_API_KEY", KEY)
    return ["--url", url]


@place
def plain_key_variable(url: str, _: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Put a key as id:key into ESML_API_KEY."""
    monkeypatch.setenv("ESML_API_KEY", f"key-id:{CANARY}")
    return ["--url", url]


@place
def key_file(url: str, folder: Path, _: pytest.MonkeyPatch) -> list[str]:
    """Put a key into a file."""
    (folder / "key").write_text(KEY)
    return ["--url", url, "--api-key-file", str(folder / "key")]


@place
def key_input(url: str, _: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Send a key through standard input."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(KEY))
    return ["--url", url, "--api-key-file", "-"]


@place
def password_variable(url: str, _: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Put a password into ESML_PASSWORD."""
    monkeypatch.setenv("ESML_PASSWORD", CANARY)
    return ["--url", url, "--username", "someone"]


@place
def password_file(url: str, folder: Path, _: pytest.MonkeyPatch) -> list[str]:
    """Put a password into a file."""
    (folder / "password").write_text(CANARY)
    return ["--url", url, "--username", "someone", "--password-file", str(folder / "password")]


@place
def other_family(url: str, _: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Put the secret into a variable of another tool."""
    monkeypatch.setenv("ES_URL", url)
    monkeypatch.setenv("ES_API_KEY", KEY)
    return []


@place
def elastic_cli(url: str, folder: Path, _: pytest.MonkeyPatch) -> list[str]:
    """Use a profile of the Elastic CLI."""
    text = f"current_context: c\ncontexts: {{c: {{elasticsearch: {{url: '{url}', auth: {{api_key: '{KEY}'}}}}}}}}\n"
    (folder / ".elasticrc.yml").write_text(text)
    (folder / ".elasticrc.yml").chmod(0o600)
    return []


ECHOES: dict[str, dict[str, Fault]] = {
    "401": {RESOLVE: faults.echo(401)},
    "403": {RESOLVE: faults.echo(403)},
    "400": {RESOLVE: faults.echo(400)},
    "500": {STOP: faults.echo(500)},
    "409": {STOP: faults.echo(409)},
    "404": {STOP: faults.echo(404)},
    "429": {STOP: faults.echo(429)},
    "the endpoints": {ENDPOINTS: faults.echo(400)},
    "the last look": {LOOK: faults.echo(403)},
    "a warning": {RESOLVE: faults.warn_with_authorization},
    "no JSON": {RESOLVE: faults.echo_page},
}


@pytest.mark.parametrize("echo", ECHOES)
@pytest.mark.parametrize("name", PLACES)
def test_a_secret_that_the_server_repeats_is_never_shown(
    name: str,
    echo: str,
    server: FaultyServer,
    state: State,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """No output contains a secret that a response repeats, whatever the secret's source, not even with --debug."""
    deployments(state, "d")
    for phase, fault in ECHOES[echo].items():
        server.on(phase, fault, forever=True)
    monkeypatch.setattr("time.sleep", lambda _: None)
    options = PLACES[name](server.url, tmp_path, monkeypatch)
    main.run(["stop", "d", "--debug", "-v", "-o", "json", *options])
    assert any(one.authorization for one in server.received), "the secret was sent"
    out, err = capsys.readouterr()
    assert not found(out + err)


@pytest.mark.parametrize("name", PLACES)
@pytest.mark.parametrize("url", WRONG)
def test_a_connection_that_fails_shows_no_secret(
    name: str, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A refused connection, an invalid port and an invalid URL show no secret, not even with --debug."""
    options = PLACES[name](url, tmp_path, monkeypatch)
    status = main.run(["stop", "d", "--debug", "--timeout", "300ms", *options])
    out, err = capsys.readouterr()
    assert status in {2, 6}
    assert not found(out + err)


@pytest.mark.parametrize("url", ["http://someone:{}@", "someone:{}@host", "http://someone:{}@h:x", "http://a b:{}@h"])
def test_the_error_for_an_invalid_url_shows_no_secret(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The error for an invalid URL does not contain the URL's password, not even with --debug."""
    assert main.run(["stop", "d", "--debug", "--url", url.format(CANARY)]) == 2
    out, err = capsys.readouterr()
    assert not found(out + err)


def test_a_typed_password_is_not_shown(server: FaultyServer) -> None:
    """A typed password is shown neither at the prompt nor in the error of a server that repeats it."""
    server.on(RESOLVE, faults.echo(400), forever=True)
    environment = {"ESML_URL": server.url}
    with on_terminal("stop", "d", "--username", "someone", "--debug", "-v", environment=environment) as terminal:
        terminal.read_until("Password of someone:")
        terminal.type(f"{CANARY}\n")
        terminal.ended()
    assert server.received[0].authorization
    assert "Traceback" in terminal.seen
    assert not found(terminal.seen)


def test_no_child_process_gets_a_secret(tmp_path: Path) -> None:
    """The command that `esml sandbox` starts gets no secret in its arguments or environment."""
    show = "import os, sys; print(sys.argv, dict(os.environ), open('/proc/self/cmdline').read())"
    environment = {"ESML_API_KEY": KEY, "ES_PASSWORD": CANARY, "ELASTIC_PASSWORD": CANARY}
    ended = esml("sandbox", "--", sys.executable, "-c", show, environment=environment)
    assert ended.status == 0
    assert not found(ended.out + ended.err)


def test_the_cassettes_contain_no_credentials() -> None:
    """The recorded cassettes contain no Authorization header."""
    folder = Path(__file__).parent.parent.parent / "cassettes"
    texts = [path.read_text() for path in folder.rglob("*.yaml")]
    assert texts
    assert not any("authorization" in text.lower() for text in texts)


def test_the_search_finds_each_form_of_a_secret(capsys: pytest.CaptureFixture[str]) -> None:
    """The search finds a secret in an encoded login."""
    sys.stderr.write(f"Basic {base64.b64encode(f'someone:{CANARY}'.encode()).decode()}\n")
    assert found(capsys.readouterr().err)
