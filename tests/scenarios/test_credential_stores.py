"""Reads secrets from real credential stores, as the Elastic CLI stores them, and connects to a cluster."""

import os
from typing import Any

import pytest

from esml_stop.cli import main
from tests.scenarios.test_sources import Access, access, ask, elasticrc, key, verify  # noqa: F401 - fixtures
from tests.support.stores import password_store, secret_service

pytestmark = pytest.mark.scenario

ACCOUNT = "here:elasticsearch.auth.api_key"


def profile(access: Access, auth: str) -> None:  # noqa: F811 - the fixture
    """Write the configuration file in the home directory, with these credentials."""
    access.write(".elasticrc.yml", elasticrc(access, auth))


def test_an_api_key_in_pass(access: Access, monkeypatch: Any, capsys: Any) -> None:  # noqa: F811
    """The first line of a pass entry is the API key."""
    profile(access, '{api_key: "$(pass:elastic/key)"}')
    with password_store(**{"elastic/key": f"{access.encoded}\nurl: {access.url}\n"}) as store:
        found = ask(monkeypatch, capsys, **store | {"HOME": os.environ["HOME"]}, ESML_CA_CERTS=access.ca_certs)
    verify(found, access, "profile here in ~/.elasticrc.yml", keyed=True)


def test_a_password_in_pass(access: Access, monkeypatch: Any, capsys: Any) -> None:  # noqa: F811
    """The password is a pass entry, and the user name is in the file."""
    profile(access, f'{{username: {access.username}, password: "$(pass:elastic)"}}')
    with password_store(elastic=access.password) as store:
        found = ask(monkeypatch, capsys, **store | {"HOME": os.environ["HOME"]}, ESML_CA_CERTS=access.ca_certs)
    verify(found, access, "profile here in ~/.elasticrc.yml", keyed=False)


def test_an_api_key_in_the_secret_service(access: Access, monkeypatch: Any, capsys: Any) -> None:  # noqa: F811
    """An API key in the Secret Service works, stored as by `elastic config context add`."""
    profile(access, f'{{api_key: "$(secret_service:elastic-cli/{ACCOUNT})"}}')
    with secret_service(**{ACCOUNT: access.encoded}) as store:
        names = store | {"HOME": os.environ["HOME"]}
        found = ask(monkeypatch, capsys, **names, ESML_CA_CERTS=access.ca_certs)
    verify(found, access, "profile here in ~/.elasticrc.yml", keyed=True)


def test_an_api_key_that_a_command_writes(access: Access, monkeypatch: Any, capsys: Any) -> None:  # noqa: F811
    """The output of a shell command is the API key."""
    profile(access, f'{{api_key: "$(cmd:cat {access.write("key", access.encoded)} | head -1)"}}')
    found = ask(monkeypatch, capsys, ESML_CA_CERTS=access.ca_certs)
    verify(found, access, "profile here in ~/.elasticrc.yml", keyed=True)


@pytest.mark.parametrize("expression", ["pass:no/such", f"secret_service:elastic-cli/{ACCOUNT}"])
def test_a_missing_entry_exits_with_2(
    access: Access,  # noqa: F811
    expression: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A missing entry exits with 2, and the message shows the expression and the command to try, but no secret."""
    profile(access, f'{{api_key: "$({expression})"}}')
    store = password_store(other="hidden") if expression.startswith("pass") else secret_service(other="hidden")
    with store as names:
        for name, value in (names | {"HOME": os.environ["HOME"]}).items():
            monkeypatch.setenv(name, value)
        assert main.run(["config", "--check"]) == 2
    out, err = capsys.readouterr()
    assert f"profile here in ~/.elasticrc.yml: api_key: $({expression}) cannot be read: " in err
    assert "Check that the entry exists and that the store is unlocked. To try it: " in err
    assert "hidden" not in out + err
