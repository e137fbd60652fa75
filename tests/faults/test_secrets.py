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
# All encodings in which a secret can appear in the output.
FORMS = {
    CANARY,
    quote(CANARY, safe=""),
    quote(CANARY),
    KEY,
    quote(KEY, safe=""),
    base64.b64encode(f"someone:{CANARY}".encode()).decode(),
    base64.b64encode(CANARY.encode()).decode(),
}
FAILING_URLS = [
    "http://127.0.0.1:9",
    "https://127.0.0.1:9",
    "http://127.0.0.1:99999",
    "http://127.0.0.1:9/?q",
    "ftp://x",
]


def leaked_forms(text: str) -> set[str]:
    """Return the forms of the secrets that a text contains."""
    return {form for form in FORMS if form in text}


SecretSource = Callable[[str, Path, pytest.MonkeyPatch], list[str]]
SECRET_SOURCES: dict[str, SecretSource] = {}


def secret_source(function: SecretSource) -> SecretSource:
    """Register a function that passes a secret to esml and returns the command-line options."""
    SECRET_SOURCES[function.__name__] = function
    return function


def url_with_login(url: str) -> str:
    """Return a URL with the secret as its password."""
    return url.replace("://", f"://someone:{quote(CANARY, safe='')}@")


@secret_source
def url_option(url: str, _: Path, __: pytest.MonkeyPatch) -> list[str]:
    """Put the secret into the URL of --url."""
    return ["--url", url_with_login(url)]


@secret_source
def url_variable(url: str, _: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Put the secret into the URL in ESML_URL."""
    monkeypatch.setenv("ESML_URL", url_with_login(url))
    return []


@secret_source
def key_variable(url: str, _: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Put an encoded API key into ESML_API_KEY."""
    monkeypatch.setenv("ESML_API_KEY", KEY)
    return ["--url", url]


@secret_source
def plain_key_variable(url: str, _: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Put an API key in the form `id:key` into ESML_API_KEY."""
    monkeypatch.setenv("ESML_API_KEY", f"key-id:{CANARY}")
    return ["--url", url]


@secret_source
def key_file(url: str, folder: Path, _: pytest.MonkeyPatch) -> list[str]:
    """Put an API key into the file of --api-key-file."""
    (folder / "key").write_text(KEY)
    return ["--url", url, "--api-key-file", str(folder / "key")]


@secret_source
def key_input(url: str, _: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Provide an API key on standard input."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(KEY))
    return ["--url", url, "--api-key-file", "-"]


@secret_source
def password_variable(url: str, _: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Put a password into ESML_PASSWORD."""
    monkeypatch.setenv("ESML_PASSWORD", CANARY)
    return ["--url", url, "--username", "someone"]


@secret_source
def password_file(url: str, folder: Path, _: pytest.MonkeyPatch) -> list[str]:
    """Put a password into the file of --password-file."""
    (folder / "password").write_text(CANARY)
    return ["--url", url, "--username", "someone", "--password-file", str(folder / "password")]


@secret_source
def other_family(url: str, _: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Put an API key into the variable of another tool, ES_API_KEY."""
    monkeypatch.setenv("ES_URL", url)
    monkeypatch.setenv("ES_API_KEY", KEY)
    return []


@secret_source
def elastic_cli(url: str, folder: Path, _: pytest.MonkeyPatch) -> list[str]:
    """Put an API key into a profile of the Elastic CLI."""
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
@pytest.mark.parametrize("name", SECRET_SOURCES)
def test_a_secret_that_the_server_repeats_is_never_shown(
    name: str,
    echo: str,
    server: FaultyServer,
    state: State,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The output never contains a secret that a response repeats, whatever its source, not even with --debug."""
    deployments(state, "d")
    for phase, fault in ECHOES[echo].items():
        server.on(phase, fault, forever=True)
    monkeypatch.setattr("time.sleep", lambda _: None)
    options = SECRET_SOURCES[name](server.url, tmp_path, monkeypatch)
    main.run(["stop", "d", "--debug", "-v", "-o", "json", *options])
    assert any(one.authorization for one in server.received), "the secret was sent"
    out, err = capsys.readouterr()
    assert not leaked_forms(out + err)


@pytest.mark.parametrize("name", SECRET_SOURCES)
@pytest.mark.parametrize("url", FAILING_URLS)
def test_a_failed_connection_shows_no_secret(
    name: str, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The error of a refused connection, an invalid port or an invalid URL contains no secret, even with --debug."""
    options = SECRET_SOURCES[name](url, tmp_path, monkeypatch)
    status = main.run(["stop", "d", "--debug", "--timeout", "300ms", *options])
    out, err = capsys.readouterr()
    assert status in {2, 6}
    assert not leaked_forms(out + err)


@pytest.mark.parametrize("url", ["http://someone:{}@", "someone:{}@host", "http://someone:{}@h:x", "http://a b:{}@h"])
def test_the_error_for_an_invalid_url_shows_no_secret(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The error for an invalid URL does not contain its password, not even with --debug."""
    assert main.run(["stop", "d", "--debug", "--url", url.format(CANARY)]) == 2
    out, err = capsys.readouterr()
    assert not leaked_forms(out + err)


def test_a_typed_password_is_not_shown(server: FaultyServer) -> None:
    """A typed password appears neither at the prompt nor in the traceback of an error that repeats it."""
    server.on(RESOLVE, faults.echo(400), forever=True)
    environment = {"ESML_URL": server.url}
    with on_terminal("stop", "d", "--username", "someone", "--debug", "-v", environment=environment) as terminal:
        terminal.read_until("Password of someone:")
        terminal.type(f"{CANARY}\n")
        terminal.ended()
    assert server.received[0].authorization
    assert "Traceback" in terminal.seen
    assert not leaked_forms(terminal.seen)


def test_the_command_of_the_sandbox_gets_no_secret(tmp_path: Path) -> None:
    """The command that `esml sandbox` starts gets no secret in its arguments or environment."""
    script = "import os, sys; print(sys.argv, dict(os.environ), open('/proc/self/cmdline').read())"
    environment = {"ESML_API_KEY": KEY, "ES_PASSWORD": CANARY, "ELASTIC_PASSWORD": CANARY}
    ended = esml("sandbox", "--", sys.executable, "-c", script, environment=environment)
    assert ended.status == 0
    assert not leaked_forms(ended.out + ended.err)


def test_the_cassettes_contain_no_authorization_header() -> None:
    """The recorded cassettes do not contain the Authorization header."""
    folder = Path(__file__).parent.parent.parent / "cassettes"
    texts = [path.read_text() for path in folder.rglob("*.yaml")]
    assert texts
    assert not any("authorization" in text.lower() for text in texts)


def test_the_search_for_secrets_finds_an_encoded_login(capsys: pytest.CaptureFixture[str]) -> None:
    """The search for secrets finds the Base64 form of a login with the secret."""
    sys.stderr.write(f"Basic {base64.b64encode(f'someone:{CANARY}'.encode()).decode()}\n")
    assert leaked_forms(capsys.readouterr().err)
