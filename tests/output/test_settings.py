import base64
import json

import pytest

from esml_stop.config.connection import Connection
from esml_stop.config.report import settings_report
from esml_stop.config.urls import Proxy
from esml_stop.errors import NotAuthenticated
from esml_stop.invocation import Invocation
from esml_stop.output import settings as rendering
from esml_stop.settings_report import Inspection, SettingsReport

KEY = base64.b64encode(b"key-id:canary-key").decode()
SECRETS = ("canary", KEY)


def connection_with_secrets() -> Connection:
    """Return a connection with a secret in every setting that can contain one."""
    return Connection(
        ("https://h:9200",),
        api_key=KEY,
        bearer_token="canary-token",
        username="u",
        password="canary-password",
        ca_certs="/ca",
        client_cert="/cert",
        client_key="/key",
        ssl_fingerprint="ab",
        verify_certs=False,
        proxies={"https://h:9200": Proxy("http://p:1", "me:canary-proxy", "HTTPS_PROXY")},
        sources={"url": "ESML_URL", "api_key": "ESML_API_KEY"},
        warnings=("careful",),
    )


def report(**changes: object) -> SettingsReport:
    """Return the report on this connection through a proxy with a login."""
    found = settings_report(connection_with_secrets(), {"ES_URL": "x"})
    return SettingsReport(found.settings, found.not_used, found.warnings, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("output_format", ["table", "json", "jsonl"])
def test_no_format_shows_a_secret(output_format: str, capsys: pytest.CaptureFixture[str]) -> None:
    """No format shows a secret; an API key is shown by its ID."""
    rendering.show(report(), Invocation("config", output_format))
    out = capsys.readouterr().out
    assert not any(secret in out for secret in SECRETS)
    assert "key-id:********" in out
    assert "http://me:********@p:1" in out


def test_json_contains_the_whole_report(capsys: pytest.CaptureFixture[str]) -> None:
    """JSON contains settings, sources, unused settings and warnings, and null for a check that was not requested."""
    rendering.show(report(), Invocation("config", "json"))
    document = json.loads(capsys.readouterr().out)
    assert document["settings"][0] == {"name": "url", "value": "https://h:9200", "source": "ESML_URL"}
    assert (document["command"], document["status"], document["exit"]["code"]) == ("config", "success", 0)
    assert (document["not_used"], document["warnings"], document["check"]) == (["ES_URL"], ["careful"], None)


def test_json_contains_the_error(capsys: pytest.CaptureFixture[str]) -> None:
    """JSON contains the error with its HTTP status and exit code."""
    error = NotAuthenticated("No.", http_status=401)
    rendering.show(report(error=error), Invocation("config", "json"))
    document = json.loads(capsys.readouterr().out)
    assert (document["status"], document["exit"]["code"], document["errors"][0]["http_status"]) == ("error", 4, 401)


@pytest.mark.parametrize(
    ("privileges", "status"), [({"manage_ml": True}, 0), ({"manage_ml": False}, 4), ({"manage_ml": None}, 4), (None, 4)]
)
def test_the_exit_code_of_config_depends_on_the_privilege(
    privileges: dict[str, bool | None] | None, status: int
) -> None:
    """The exit code is 0 if the user has manage_ml, and 4 if not or if that is unknown."""
    assert report(inspection=Inspection("u", privileges=privileges)).exit_status == status


def test_names_from_the_server_are_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    """Control characters in the names of users, clusters and API keys are escaped."""
    name = "a\x1b[2J\nb\tc"
    rendering.show(
        report(inspection=Inspection(name, cluster_name=name, api_key=name, version=name)), Invocation("config", "tsv")
    )
    lines = capsys.readouterr().out.splitlines()
    assert all(line.count("\t") == 2 for line in lines)
    assert not any("\x1b" in line for line in lines)


def test_missing_credentials_are_reported() -> None:
    """A connection without credentials and proxy shows only its URL and that it has no credentials."""
    found = settings_report(Connection(("http://h:1",), sources={"url": "--url"}), {})
    assert [(one.name, one.value) for one in found.settings] == [("url", "http://h:1"), ("credentials", "none")]
