"""Tests connections through every source of settings, and that each connects as the intended user."""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from esml_stop.cli import main
from tests.support.command import checked
from tests.support.logins import api_key
from tests.support.raw_cluster import RawCluster

pytestmark = pytest.mark.scenario


@dataclass(frozen=True)
class Access:
    """The address of a cluster, and each kind of credentials for it."""

    url: str
    username: str
    password: str
    key_id: str
    key: str
    ca_certs: str
    folder: Path

    @property
    def encoded(self) -> str:
        """Return the API key in Base64, as it is sent."""
        return base64.b64encode(f"{self.key_id}:{self.key}".encode()).decode()

    def write(self, name: str, text: str) -> str:
        """Write a file that only its owner can access, and return its path."""
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o600)
        return str(path)


@pytest.fixture(scope="module")
def key(kept: RawCluster) -> dict[str, str]:
    """Return an API key for the tests of a module; a practice cluster accepts any key."""
    created: dict[str, str] = api_key(kept) if kept.secured else {"id": "an-id", "api_key": "a-key"}
    return created


@pytest.fixture
def access(kept: RawCluster, key: dict[str, str], tmp_path: Path) -> Access:
    """Return the address and the credentials of the cluster."""
    login = (kept.username or "user", kept.password or "pass-word")
    return Access(kept.url, *login, key["id"], key["api_key"], kept.ca_certs or "", tmp_path)


def config_report(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *options: str, **variables: str
) -> Any:
    """Return the report of `esml config --check` with these variables, after checking that it had no warnings."""
    with monkeypatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        status = main.run(["config", "--check", "-o", "json", *options])
    out, err = capsys.readouterr()
    assert (status, err) == (0, "")
    return checked(json.loads(out))


def elastic_cli_file(access: Access, auth: str) -> str:
    """Return an Elastic CLI configuration file with these credentials; the cluster is one of its two contexts."""
    return f"""
current_context: here
contexts:
  elsewhere:
    elasticsearch: {{url: "https://elsewhere.invalid", auth: {{api_key: "$(cmd:false)"}}}}
  here:
    elasticsearch:
      url: {access.url}
      auth: {auth}
"""


def es_client_file(access: Access, **other: object) -> str:
    """Return an es_client configuration file with these other_settings."""
    client = {
        "hosts": [access.url],
        "request_timeout": 30,
        **({"ca_certs": access.ca_certs} if access.ca_certs else {}),
    }
    return json.dumps({"elasticsearch": {"client": client, "other_settings": other}, "logging": {"loglevel": "INFO"}})


def prefixed_variables(prefix: str, variables: str, **constants: str) -> Callable[[Access], dict[str, str]]:
    """Return a function that maps prefixed variables to the fields of Access in `URL=url API_KEY=encoded`."""
    pairs = [pair.split("=") for pair in variables.split()]
    return lambda one: {**{prefix + name: getattr(one, field) for name, field in pairs}, **constants}


LOGIN = "USERNAME=username PASSWORD=password"
VARIABLES: dict[str, Callable[[Access], dict[str, str]]] = {
    "ESML_URL": prefixed_variables("ESML_", f"URL=url {LOGIN}"),
    "ESML_URL and ESML_API_KEY": prefixed_variables("ESML_", "URL=url API_KEY=encoded"),
    "ELASTICSEARCH_URL": prefixed_variables("ELASTICSEARCH_", f"URL=url {LOGIN}"),
    "ELASTICSEARCH_URL and _API_KEY": prefixed_variables("ELASTICSEARCH_", "URL=url API_KEY=encoded"),
    "ELASTICSEARCH_ENDPOINTS": prefixed_variables("ELASTICSEARCH_", f"ENDPOINTS=url {LOGIN}"),
    "ELASTIC_ES_URL": prefixed_variables("ELASTIC_ES_", f"URL=url {LOGIN}"),
    "ELASTIC_ES_URL and _API_KEY": prefixed_variables("ELASTIC_ES_", "URL=url API_KEY=encoded"),
    "ES_URL": prefixed_variables("ES_", f"URL=url {LOGIN} CA_CERT=ca_certs"),
    "ES_URL and ES_API_KEY": prefixed_variables("ES_", "URL=url API_KEY=encoded"),
    "ES_LOCAL_URL": prefixed_variables("ES_LOCAL_", "URL=url PASSWORD=password"),
    "ES_LOCAL_URL and _API_KEY": prefixed_variables("ES_LOCAL_", "URL=url API_KEY=encoded", ES_LOCAL_PASSWORD="unused"),
    "ESCLI_URL": prefixed_variables("ESCLI_", f"URL=url {LOGIN}"),
    "ESCLI_URL and _API_KEY": prefixed_variables("ESCLI_", "URL=url API_KEY=encoded"),
    "ESCLIENT_HOSTS": prefixed_variables("ESCLIENT_", f"HOSTS=url {LOGIN} CA_CERTS=ca_certs"),
    "ESCLIENT_HOSTS and _API_TOKEN": prefixed_variables("ESCLIENT_", "HOSTS=url API_TOKEN=encoded"),
    "ESCLIENT_HOSTS and _ID": prefixed_variables("ESCLIENT_", "HOSTS=url ID=key_id API_KEY=key"),
}


@pytest.mark.parametrize("source", VARIABLES)
def test_the_variables_of_each_tool_connect(
    access: Access, source: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The environment variables of each tool are sufficient to connect as their user or with their API key."""
    variables = VARIABLES[source](access)
    own_ca = access.ca_certs in variables.values() and access.ca_certs
    report = config_report(monkeypatch, capsys, **variables, **({} if own_ca else {"ESML_CA_CERTS": access.ca_certs}))
    check_report(report, access, source.split(maxsplit=1)[0], with_api_key="API" in source or "_ID" in source)


def check_report(report: Any, access: Access, source: str, *, with_api_key: bool) -> None:
    """Check the source and the port of the URL, and the user that the cluster reports."""
    url = next(one for one in report["settings"] if one["name"] == "url")
    assert url["source"] == source
    assert urlsplit(url["value"]).port == urlsplit(access.url).port
    if report["check"]["security"]:
        assert (report["check"]["api_key"] or "").endswith("-key") is with_api_key
        assert report["check"]["user"] == access.username


FILES: dict[str, Callable[[Access], tuple[str, str]]] = {
    "api_key": lambda one: (".elasticrc.yml", elastic_cli_file(one, f"{{api_key: {one.encoded}}}")),
    "login": lambda one: (
        ".elasticrc.yaml",
        elastic_cli_file(one, f"{{username: {one.username}, password: {one.password}}}"),
    ),
    "env": lambda one: (".elasticrc", elastic_cli_file(one, "{api_key: $(env:SOME_KEY)}")),
    "file": lambda one: (
        ".elasticrc.yml",
        elastic_cli_file(one, f"{{api_key: $(file:{one.write('key', one.encoded)})}}"),
    ),
    "json": lambda one: (
        ".elasticrc.json",
        json.dumps(
            {
                "current_context": "here",
                "contexts": {"here": {"elasticsearch": {"url": one.url, "auth": {"api_key": one.encoded}}}},
            }
        ),
    ),
}


@pytest.mark.parametrize("kind", FILES)
def test_profiles_in_the_home_directory_connect(
    access: Access, kind: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The Elastic CLI's file in the home directory is sufficient, also if the secret is stored elsewhere."""
    name, text = FILES[kind](access)
    access.write(name, text)
    report = config_report(monkeypatch, capsys, SOME_KEY=access.encoded, ESML_CA_CERTS=access.ca_certs)
    check_report(report, access, f"profile here in ~/{name}", with_api_key=kind != "login")


def test_profiles_in_other_files_connect(
    access: Access, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """--config-file, ESML_CONFIG_FILE and ELASTIC_CLI_CONFIG_FILE select the file of a profile."""
    text = elastic_cli_file(access, f"{{api_key: {access.encoded}}}").replace(
        "current_context: here", "current_context: elsewhere"
    )
    path = access.write("other.yml", text)
    ca = {"ESML_CA_CERTS": access.ca_certs}
    for options, variables, file in (
        (("--config-file", path, "--profile", "here"), {}, f"--config-file: {path}"),
        ((), {"ESML_CONFIG_FILE": path, "ESML_PROFILE": "here"}, f"ESML_CONFIG_FILE: {path}"),
        (("--profile", "here"), {"ELASTIC_CLI_CONFIG_FILE": path}, f"ELASTIC_CLI_CONFIG_FILE: {path}"),
    ):
        report = config_report(monkeypatch, capsys, *options, **variables, **ca)
        check_report(report, access, f"profile here in {file}", with_api_key=True)


@pytest.mark.parametrize("kind", ["login", "token", "id"])
def test_an_es_client_file_connects(
    access: Access, kind: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An es_client file is sufficient to connect: with a login or an API key, and with its own CA."""
    kinds: dict[str, dict[str, object]] = {
        "login": {"username": access.username, "password": "${SOME_PASSWORD}"},
        "token": {"api_key": {"token": access.encoded}},
        "id": {"api_key": {"id": access.key_id, "api_key": access.key}},
    }
    path = access.write("curator.yml", es_client_file(access, **kinds[kind]))
    report = config_report(monkeypatch, capsys, "--config-file", path, SOME_PASSWORD=access.password)
    check_report(report, access, f"--config-file: {path}", with_api_key=kind != "login")


@pytest.mark.parametrize(
    "family", ["ESML", "CLOUD_ID and ES_API_KEY", "CLOUD_ID and ELASTIC_API_KEY", "CLOUD_ID and ELASTIC_PASSWORD"]
)
def test_a_cloud_id_connects_to_its_host(
    access: Access, family: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A cloud ID connects to its https host, which is this machine in the test."""
    if not access.ca_certs:
        pytest.skip("a cloud ID always means https")
    port = urlsplit(access.url).port
    cloud_id = "mine:" + base64.b64encode(f"0.0.1:{port}$127$".encode()).decode()
    variables = {
        "ESML": {"ESML_CLOUD_ID": cloud_id, "ESML_API_KEY": access.encoded},
        "CLOUD_ID and ES_API_KEY": {"CLOUD_ID": cloud_id, "ES_API_KEY": access.encoded},
        "CLOUD_ID and ELASTIC_API_KEY": {"CLOUD_ID": cloud_id, "ELASTIC_API_KEY": access.encoded},
        "CLOUD_ID and ELASTIC_PASSWORD": {"CLOUD_ID": cloud_id, "ELASTIC_PASSWORD": access.password},
    }[family]
    report = config_report(monkeypatch, capsys, **variables, ESML_CA_CERTS=access.ca_certs)
    check_report(
        report, access, "ESML_CLOUD_ID" if family == "ESML" else "CLOUD_ID", with_api_key="PASSWORD" not in family
    )


@pytest.mark.parametrize("kind", ["ELASTICSEARCH_BEARER_TOKEN", "ESCLIENT_BEARER_AUTH", "bearer_auth"])
def test_a_bearer_token_connects(
    cluster: RawCluster, access: Access, kind: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A bearer token in a variable or an es_client file connects as the service account that it belongs to."""
    path = f"/_security/service/elastic/kibana/credential/token/{cluster.full(uuid4().hex)}"
    token = cluster.need("POST", path)["token"]["value"] if cluster.username else "some-token"
    client = {"hosts": [access.url], "bearer_auth": token}
    variables = {
        "ELASTICSEARCH_BEARER_TOKEN": {"ELASTICSEARCH_URL": access.url, kind: token},
        "ESCLIENT_BEARER_AUTH": {"ESCLIENT_HOSTS": access.url, kind: token},
        "bearer_auth": {"ESML_CONFIG_FILE": access.write("c.yml", json.dumps({"elasticsearch": {"client": client}}))},
    }[kind]
    for name, value in (variables | {"ESML_CA_CERTS": access.ca_certs}).items():
        monkeypatch.setenv(name, value)
    main.run(["config", "--check", "-o", "json"])
    report = checked(json.loads(capsys.readouterr().out))
    assert report["errors"] == []
    assert report["check"]["user"] == ("elastic/kibana" if cluster.username else None)
    assert token not in json.dumps(report)


def test_options_and_a_login_in_the_url_connect(
    access: Access, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Options connect with the secret in a file, and ESML_URL connects with a login in the URL."""
    key, password = access.write("k", f"{access.encoded}\n"), access.write("p", f"{access.password}\n")
    ca = ("--ca-certs", access.ca_certs) if access.ca_certs else ()
    for options, with_api_key in (
        (("--api-key-file", key), True),
        (("--username", access.username, "--password-file", password), False),
    ):
        check_report(
            config_report(monkeypatch, capsys, "--url", access.url, *ca, *options),
            access,
            "--url",
            with_api_key=with_api_key,
        )
    url_with_login = access.url.replace("://", f"://{access.username}:{access.password}@")
    check_report(
        config_report(monkeypatch, capsys, *ca, ESML_URL=url_with_login), access, "ESML_URL", with_api_key=False
    )


def report_of_command(command: list[str], environment: dict[str, str], cwd: Path) -> Any:
    """Run a command with these variables only, and return the JSON that it prints."""
    ended = subprocess.run(command, env=environment, cwd=cwd, capture_output=True, text=True, timeout=30, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    return checked(json.loads(ended.stdout))


def test_the_env_file_of_start_local_connects(access: Access, tmp_path: Path) -> None:
    """The variables of start-local's .env file are sufficient to connect after a shell has read the file."""
    parts = urlsplit(access.url)
    text = f"""
ES_LOCAL_VERSION=9.1.0
ES_LOCAL_CONTAINER_NAME=es-local-dev
ES_LOCAL_PASSWORD={access.password}
ES_LOCAL_PORT={parts.port}
ES_LOCAL_URL={parts.scheme}://{parts.hostname}:${{ES_LOCAL_PORT}}
ES_LOCAL_JAVA_OPTS="-Xms128m -Xmx2g"
ES_LOCAL_API_KEY={access.encoded}
"""
    access.write(".env", text)
    script = 'set -a; . ./.env; set +a; cd /; exec "$0" -m esml_stop config --check -o json'
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "ESML_CA_CERTS": access.ca_certs}
    report = report_of_command(["sh", "-c", script, sys.executable], environment, tmp_path)
    check_report(report, access, "ES_LOCAL_URL", with_api_key=True)


def test_esml_works_as_an_extension_of_the_elastic_cli(access: Access, tmp_path: Path) -> None:
    """The command connects under the name and with the variables of an Elastic CLI extension."""
    link = tmp_path / "elastic-esml"
    link.symlink_to(Path(sys.executable).parent / "esml")
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "TERM": "dumb", "LANG": "C.UTF-8"}
    if access.ca_certs:
        environment["SSL_CERT_FILE"] = access.ca_certs
    cli_variables = {
        "ELASTIC_ES_URL": access.url,
        "ELASTIC_ES_API_KEY": access.encoded,
        "ELASTIC_KIBANA_URL": "http://k",
    }
    report = report_of_command(
        [str(link), "config", "--check", "-o", "json"], {**environment, **cli_variables}, tmp_path
    )
    check_report(report, access, "ELASTIC_ES_URL", with_api_key=True)
