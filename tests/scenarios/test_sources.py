"""Connects to a cluster through every source of settings, as the intended user."""

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
    """A cluster with all kinds of credentials for it."""

    url: str
    username: str
    password: str
    key_id: str
    key: str
    ca_certs: str
    folder: Path

    @property
    def encoded(self) -> str:
        """Return the API key as it is sent."""
        return base64.b64encode(f"{self.key_id}:{self.key}".encode()).decode()

    def write(self, name: str, text: str) -> str:
        """Write a file that only its owner can read, and return its path."""
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o600)
        return str(path)


@pytest.fixture(scope="module")
def key(kept: RawCluster) -> dict[str, str]:
    """Return an API key for the tests of this module; a practice cluster accepts any key."""
    made: dict[str, str] = api_key(kept) if kept.secured else {"id": "an-id", "api_key": "a-key"}
    return made


@pytest.fixture
def access(kept: RawCluster, key: dict[str, str], tmp_path: Path) -> Access:
    """Return the cluster with its credentials."""
    login = (kept.username or "user", kept.password or "pass-word")
    return Access(kept.url, *login, key["id"], key["api_key"], kept.ca_certs or "", tmp_path)


def ask(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *options: str, **names: str) -> Any:
    """Return the report of `esml config --check` with these variables only; it must succeed without warnings."""
    with monkeypatch.context() as patch:
        for name, value in names.items():
            patch.setenv(name, value)
        status = main.run(["config", "--check", "-o", "json", *options])
    out, err = capsys.readouterr()
    assert (status, err) == (0, "")
    return checked(json.loads(out))


def elasticrc(access: Access, auth: str) -> str:
    """Return an Elastic CLI configuration file in which the cluster is one of two contexts."""
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


def curator(access: Access, **other: object) -> str:
    """Return an es_client configuration file with these other_settings."""
    client = {
        "hosts": [access.url],
        "request_timeout": 30,
        **({"ca_certs": access.ca_certs} if access.ca_certs else {}),
    }
    return json.dumps({"elasticsearch": {"client": client, "other_settings": other}, "logging": {"loglevel": "INFO"}})


def named(prefix: str, names: str, **more: str) -> Callable[[Access], dict[str, str]]:
    """Return a function that sets variables with a prefix from the fields of Access: `URL=url API_KEY=encoded`."""
    pairs = [pair.split("=") for pair in names.split()]
    return lambda one: {**{prefix + name: getattr(one, field) for name, field in pairs}, **more}


LOGIN = "USERNAME=username PASSWORD=password"
VARIABLES: dict[str, Callable[[Access], dict[str, str]]] = {
    "ESML_URL": named("ESML_", f"URL=url {LOGIN}"),
    "ESML_URL and ESML_API_KEY": named("ESML_", "URL=url API_KEY=encoded"),
    "ELASTICSEARCH_URL": named("ELASTICSEARCH_", f"URL=url {LOGIN}"),
    "ELASTICSEARCH_URL and _API_KEY": named("ELASTICSEARCH_", "URL=url API_KEY=encoded"),
    "ELASTICSEARCH_ENDPOINTS": named("ELASTICSEARCH_", f"ENDPOINTS=url {LOGIN}"),
    "ELASTIC_ES_URL": named("ELASTIC_ES_", f"URL=url {LOGIN}"),
    "ELASTIC_ES_URL and _API_KEY": named("ELASTIC_ES_", "URL=url API_KEY=encoded"),
    "ES_URL": named("ES_", f"URL=url {LOGIN} CA_CERT=ca_certs"),
    "ES_URL and ES_API_KEY": named("ES_", "URL=url API_KEY=encoded"),
    "ES_LOCAL_URL": named("ES_LOCAL_", "URL=url PASSWORD=password"),
    "ES_LOCAL_URL and _API_KEY": named("ES_LOCAL_", "URL=url API_KEY=encoded", ES_LOCAL_PASSWORD="unused"),
    "ESCLI_URL": named("ESCLI_", f"URL=url {LOGIN}"),
    "ESCLI_URL and _API_KEY": named("ESCLI_", "URL=url API_KEY=encoded"),
    "ESCLIENT_HOSTS": named("ESCLIENT_", f"HOSTS=url {LOGIN} CA_CERTS=ca_certs"),
    "ESCLIENT_HOSTS and _API_TOKEN": named("ESCLIENT_", "HOSTS=url API_TOKEN=encoded"),
    "ESCLIENT_HOSTS and _ID": named("ESCLIENT_", "HOSTS=url ID=key_id API_KEY=key"),
}


@pytest.mark.parametrize("source", VARIABLES)
def test_variables(
    access: Access, source: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each family of variables connects as its user or API key."""
    names = VARIABLES[source](access)
    own_ca = access.ca_certs in names.values() and access.ca_certs
    found = ask(monkeypatch, capsys, **names, **({} if own_ca else {"ESML_CA_CERTS": access.ca_certs}))
    verify(found, access, source.split(maxsplit=1)[0], keyed="API" in source or "_ID" in source)


def verify(found: Any, access: Access, source: str, *, keyed: bool) -> None:
    """Check the source of the address and the user that the cluster reports."""
    url = next(one for one in found["settings"] if one["name"] == "url")
    assert url["source"] == source
    assert urlsplit(url["value"]).port == urlsplit(access.url).port
    if found["check"]["security"]:
        assert (found["check"]["api_key"] or "").endswith("-key") is keyed
        assert found["check"]["user"] == access.username


FILES: dict[str, Callable[[Access], tuple[str, str]]] = {
    "api_key": lambda one: (".elasticrc.yml", elasticrc(one, f"{{api_key: {one.encoded}}}")),
    "login": lambda one: (".elasticrc.yaml", elasticrc(one, f"{{username: {one.username}, password: {one.password}}}")),
    "env": lambda one: (".elasticrc", elasticrc(one, "{api_key: $(env:SOME_KEY)}")),
    "file": lambda one: (".elasticrc.yml", elasticrc(one, f"{{api_key: $(file:{one.write('key', one.encoded)})}}")),
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


@pytest.mark.parametrize("how", FILES)
def test_profiles_at_home(
    access: Access, how: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The Elastic CLI's configuration file is sufficient, with the secret in it or elsewhere."""
    name, text = FILES[how](access)
    access.write(name, text)
    found = ask(monkeypatch, capsys, SOME_KEY=access.encoded, ESML_CA_CERTS=access.ca_certs)
    verify(found, access, f"profile here in ~/{name}", keyed=how != "login")


def test_profiles_elsewhere(
    access: Access, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A profile is found by --config-file, by the CLI's variable, and by --profile."""
    text = elasticrc(access, f"{{api_key: {access.encoded}}}").replace(
        "current_context: here", "current_context: elsewhere"
    )
    path = access.write("other.yml", text)
    ca = {"ESML_CA_CERTS": access.ca_certs}
    for options, names, file in (
        (("--config-file", path, "--profile", "here"), {}, f"--config-file: {path}"),
        ((), {"ESML_CONFIG_FILE": path, "ESML_PROFILE": "here"}, f"ESML_CONFIG_FILE: {path}"),
        (("--profile", "here"), {"ELASTIC_CLI_CONFIG_FILE": path}, f"ELASTIC_CLI_CONFIG_FILE: {path}"),
    ):
        found = ask(monkeypatch, capsys, *options, **names, **ca)
        verify(found, access, f"profile here in {file}", keyed=True)


@pytest.mark.parametrize("how", ["login", "token", "id"])
def test_a_file_of_es_client(
    access: Access, how: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An es_client file is sufficient, including its CA."""
    kinds: dict[str, dict[str, object]] = {
        "login": {"username": access.username, "password": "${SOME_PASSWORD}"},
        "token": {"api_key": {"token": access.encoded}},
        "id": {"api_key": {"id": access.key_id, "api_key": access.key}},
    }
    path = access.write("curator.yml", curator(access, **kinds[how]))
    found = ask(monkeypatch, capsys, "--config-file", path, SOME_PASSWORD=access.password)
    verify(found, access, f"--config-file: {path}", keyed=how != "login")


@pytest.mark.parametrize(
    "family", ["ESML", "CLOUD_ID and ES_API_KEY", "CLOUD_ID and ELASTIC_API_KEY", "CLOUD_ID and ELASTIC_PASSWORD"]
)
def test_cloud_ids(
    access: Access, family: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A cloud ID connects to its https host, which is this machine in the test."""
    if not access.ca_certs:
        pytest.skip("a cloud ID always means https")
    port = urlsplit(access.url).port
    cloud_id = "mine:" + base64.b64encode(f"0.0.1:{port}$127$".encode()).decode()
    names = {
        "ESML": {"ESML_CLOUD_ID": cloud_id, "ESML_API_KEY": access.encoded},
        "CLOUD_ID and ES_API_KEY": {"CLOUD_ID": cloud_id, "ES_API_KEY": access.encoded},
        "CLOUD_ID and ELASTIC_API_KEY": {"CLOUD_ID": cloud_id, "ELASTIC_API_KEY": access.encoded},
        "CLOUD_ID and ELASTIC_PASSWORD": {"CLOUD_ID": cloud_id, "ELASTIC_PASSWORD": access.password},
    }[family]
    found = ask(monkeypatch, capsys, **names, ESML_CA_CERTS=access.ca_certs)
    verify(found, access, "ESML_CLOUD_ID" if family == "ESML" else "CLOUD_ID", keyed="PASSWORD" not in family)


@pytest.mark.parametrize("how", ["ELASTICSEARCH_BEARER_TOKEN", "ESCLIENT_BEARER_AUTH", "bearer_auth"])
def test_tokens(
    cluster: RawCluster, access: Access, how: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A bearer token, here of a service account, connects through each variable for it."""
    path = f"/_security/service/elastic/kibana/credential/token/{cluster.full(uuid4().hex)}"
    token = cluster.need("POST", path)["token"]["value"] if cluster.username else "some-token"
    client = {"hosts": [access.url], "bearer_auth": token}
    names = {
        "ELASTICSEARCH_BEARER_TOKEN": {"ELASTICSEARCH_URL": access.url, how: token},
        "ESCLIENT_BEARER_AUTH": {"ESCLIENT_HOSTS": access.url, how: token},
        "bearer_auth": {"ESML_CONFIG_FILE": access.write("c.yml", json.dumps({"elasticsearch": {"client": client}}))},
    }[how]
    for name, value in (names | {"ESML_CA_CERTS": access.ca_certs}).items():
        monkeypatch.setenv(name, value)
    main.run(["config", "--check", "-o", "json"])
    found = checked(json.loads(capsys.readouterr().out))
    assert found["errors"] == []
    assert found["check"]["user"] == ("elastic/kibana" if cluster.username else None)
    assert token not in json.dumps(found)


def test_options(access: Access, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Options connect with the secret in a file, and ESML_URL connects with a login in the URL."""
    key, password = access.write("k", f"{access.encoded}\n"), access.write("p", f"{access.password}\n")
    ca = ("--ca-certs", access.ca_certs) if access.ca_certs else ()
    for options, keyed in (
        (("--api-key-file", key), True),
        (("--username", access.username, "--password-file", password), False),
    ):
        verify(ask(monkeypatch, capsys, "--url", access.url, *ca, *options), access, "--url", keyed=keyed)
    with_login = access.url.replace("://", f"://{access.username}:{access.password}@")
    verify(ask(monkeypatch, capsys, *ca, ESML_URL=with_login), access, "ESML_URL", keyed=False)


def run(command: list[str], environment: dict[str, str], cwd: Path) -> Any:
    """Return the JSON that a command prints in its own environment."""
    ended = subprocess.run(command, env=environment, cwd=cwd, capture_output=True, text=True, timeout=30, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    return checked(json.loads(ended.stdout))


def test_the_env_file_of_start_local(access: Access, tmp_path: Path) -> None:
    """The .env file of start-local works after a shell has read it."""
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
    outer = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "ESML_CA_CERTS": access.ca_certs}
    found = run(["sh", "-c", script, sys.executable], outer, tmp_path)
    verify(found, access, "ES_LOCAL_URL", keyed=True)


def test_as_an_extension_of_the_elastic_cli(access: Access, tmp_path: Path) -> None:
    """The command works under the name and in the environment of an Elastic CLI extension."""
    link = tmp_path / "elastic-esml"
    link.symlink_to(Path(sys.executable).parent / "esml")
    outer = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "TERM": "dumb", "LANG": "C.UTF-8"}
    if access.ca_certs:
        outer["SSL_CERT_FILE"] = access.ca_certs
    handed = {"ELASTIC_ES_URL": access.url, "ELASTIC_ES_API_KEY": access.encoded, "ELASTIC_KIBANA_URL": "http://k"}
    found = run([str(link), "config", "--check", "-o", "json"], {**outer, **handed}, tmp_path)
    verify(found, access, "ELASTIC_ES_URL", keyed=True)
