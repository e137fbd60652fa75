"""Tests connections with secrets from real credential stores, stored as the Elastic CLI stores them."""

import os
from typing import Any

import pytest

from esml_stop.cli import main
from tests.scenarios.test_sources import Access, access, check_report, config_report, elastic_cli_file, key  # noqa: F401 - fixtures
from tests.support.stores import password_store, secret_service

pytestmark = pytest.mark.scenario

ACCOUNT = "here:elasticsearch.auth.api_key"


def write_profile(access: Access, auth: str) -> None:  # noqa: F811 - the fixture
    """Write ~/.elasticrc.yml with a profile that uses these credentials."""
    access.write(".elasticrc.yml", elastic_cli_file(access, auth))


def test_an_api_key_in_pass(access: Access, monkeypatch: Any, capsys: Any) -> None:  # noqa: F811
    """A profile connects with an API key from the first line of a pass entry."""
    write_profile(access, '{api_key: "$(pass:elastic/key)"}')
    with password_store(**{"elastic/key": f"{access.encoded}\nurl: {access.url}\n"}) as store:
        report = config_report(
            monkeypatch, capsys, **store | {"HOME": os.environ["HOME"]}, ESML_CA_CERTS=access.ca_certs
        )
    check_report(report, access, "profile here in ~/.elasticrc.yml", with_api_key=True)


def test_a_password_in_pass(access: Access, monkeypatch: Any, capsys: Any) -> None:  # noqa: F811
    """A profile with a user name connects with a password from a pass entry."""
    write_profile(access, f'{{username: {access.username}, password: "$(pass:elastic)"}}')
    with password_store(elastic=access.password) as store:
        report = config_report(
            monkeypatch, capsys, **store | {"HOME": os.environ["HOME"]}, ESML_CA_CERTS=access.ca_certs
        )
    check_report(report, access, "profile here in ~/.elasticrc.yml", with_api_key=False)


def test_an_api_key_in_the_secret_service(access: Access, monkeypatch: Any, capsys: Any) -> None:  # noqa: F811
    """A profile connects with an API key that is stored in the Secret Service as by `elastic config context add`."""
    write_profile(access, f'{{api_key: "$(secret_service:elastic-cli/{ACCOUNT})"}}')
    with secret_service(**{ACCOUNT: access.encoded}) as store:
        environment = store | {"HOME": os.environ["HOME"]}
        report = config_report(monkeypatch, capsys, **environment, ESML_CA_CERTS=access.ca_certs)
    check_report(report, access, "profile here in ~/.elasticrc.yml", with_api_key=True)


def test_an_api_key_that_a_command_writes(access: Access, monkeypatch: Any, capsys: Any) -> None:  # noqa: F811
    """A profile connects with an API key from the output of a shell command."""
    write_profile(access, f'{{api_key: "$(cmd:cat {access.write("key", access.encoded)} | head -1)"}}')
    report = config_report(monkeypatch, capsys, ESML_CA_CERTS=access.ca_certs)
    check_report(report, access, "profile here in ~/.elasticrc.yml", with_api_key=True)


@pytest.mark.parametrize("expression", ["pass:no/such", f"secret_service:elastic-cli/{ACCOUNT}"])
def test_a_missing_entry_exits_with_2(
    access: Access,  # noqa: F811
    expression: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A missing entry exits with 2, and the message shows its expression and a command to try, but no secret."""
    write_profile(access, f'{{api_key: "$({expression})"}}')
    store = password_store(other="hidden") if expression.startswith("pass") else secret_service(other="hidden")
    with store as environment:
        for name, value in (environment | {"HOME": os.environ["HOME"]}).items():
            monkeypatch.setenv(name, value)
        assert main.run(["config", "--check"]) == 2
    out, err = capsys.readouterr()
    assert f"profile here in ~/.elasticrc.yml: api_key: $({expression}) cannot be read: " in err
    assert "Check that the entry exists and that the store is unlocked. To try it: " in err
    assert "hidden" not in out + err
