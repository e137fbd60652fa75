"""Tests that no output contains a secret, for every source that a connection can come from."""

import base64
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from esml_stop.cli import main

CANARY = "esml-canary-4711"
KEY = f"id:{CANARY}"
UNREACHABLE = "http://127.0.0.1:1"
FORMS = (CANARY, base64.b64encode(KEY.encode()).decode(), base64.b64encode(f"user:{CANARY}".encode()).decode())


def elasticrc(url: str, auth: object) -> str:
    """Return an Elastic CLI configuration file with one context, as JSON."""
    return json.dumps({"current_context": "c", "contexts": {"c": {"elasticsearch": {"url": url, "auth": auth}}}})


def write(folder: Path, name: str, text: str) -> str:
    """Write a file and return its path."""
    (folder / name).write_text(text)
    return str(folder / name)


def credential_store(folder: Path, script: str) -> dict[str, str]:
    """Return the environment for a profile whose API key comes from pass, which a script replaces."""
    program = folder / "pass"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o700)
    file = write(folder, "c", elasticrc(UNREACHABLE, {"api_key": "$(pass:elastic/key)"}))
    return {"ESML_CONFIG_FILE": file, "PATH": f"{folder}:{os.environ['PATH']}"}


PLACES: dict[str, Callable[[Path], dict[str, str]]] = {
    "password": lambda _: {"ESML_URL": UNREACHABLE, "ESML_USERNAME": "user", "ESML_PASSWORD": CANARY},
    "key": lambda _: {"ESML_URL": UNREACHABLE, "ESML_API_KEY": KEY},
    "key that is none": lambda _: {"ESML_URL": UNREACHABLE, "ESML_API_KEY": f"{CANARY} {CANARY}"},
    "key file": lambda folder: {"ESML_URL": UNREACHABLE, "ESML_API_KEY_FILE": write(folder, "k", KEY)},
    "password file": lambda folder: {
        "ESML_URL": UNREACHABLE,
        "ESML_USERNAME": "user",
        "ESML_PASSWORD_FILE": write(folder, "p", CANARY),
    },
    "url": lambda _: {"ESML_URL": f"http://user:{CANARY}@127.0.0.1:1"},
    "broken url": lambda _: {"ELASTICSEARCH_URL": f"http://user:{CANARY}@127.0.0.1:port"},
    "token": lambda _: {"ELASTICSEARCH_URL": UNREACHABLE, "ELASTICSEARCH_BEARER_TOKEN": CANARY},
    "both": lambda _: {"ES_URL": UNREACHABLE, "ES_API_KEY": KEY, "ES_USERNAME": "user", "ES_PASSWORD": CANARY},
    "stray": lambda _: {"ES_URL": UNREACHABLE, "ESML_API_KEY": KEY},
    "alone": lambda _: {"ES_API_KEY": KEY, "ELASTIC_PASSWORD": CANARY},
    "profile": lambda folder: {"ESML_CONFIG_FILE": write(folder, "c", elasticrc(UNREACHABLE, {"api_key": KEY}))},
    "profile's url": lambda folder: {
        "ESML_CONFIG_FILE": write(folder, "c", elasticrc(f"http://user:{CANARY}@127.0.0.1:port", None))
    },
    "expression": lambda folder: {
        "ESML_CONFIG_FILE": write(folder, "c", elasticrc(UNREACHABLE, {"api_key": "$(env:SOME_KEY)"})),
        "SOME_KEY": KEY,
    },
    "command": lambda folder: {
        "ESML_CONFIG_FILE": write(folder, "c", elasticrc(UNREACHABLE, {"api_key": f"$(cmd:echo {CANARY})"}))
    },
    "broken file": lambda folder: {"ESML_CONFIG_FILE": write(folder, "c", f"password: *{CANARY}")},
    "broken json": lambda folder: {"ESML_CONFIG_FILE": write(folder, "c.json", f'{{"password": {CANARY}}}')},
    "es_client": lambda folder: {
        "ESML_CONFIG_FILE": write(
            folder,
            "c",
            json.dumps(
                {
                    "elasticsearch": {
                        "client": {"hosts": UNREACHABLE},
                        "other_settings": {"username": "user", "password": CANARY},
                    }
                }
            ),
        )
    },
    "quoted key": lambda _: {"ESML_URL": UNREACHABLE, "ESML_API_KEY": f' "{KEY}"\n'},
    "key twice": lambda _: {"ESML_URL": UNREACHABLE, "ESML_API_KEY": base64.b64encode(FORMS[1].encode()).decode()},
    "half a key": lambda _: {"ESML_URL": UNREACHABLE, "ESML_API_KEY": f"{CANARY}:"},
    "answer": lambda folder: {
        "ESML_URL": UNREACHABLE,
        "ESML_API_KEY_FILE": write(folder, "k", json.dumps({"id": "id", "api_key": CANARY}, indent=2)),
    },
    "broken answer": lambda _: {"ESML_URL": UNREACHABLE, "ESML_API_KEY": f'{{"api_key": "{CANARY}"'},
    "unescaped url": lambda _: {"ESML_URL": f"http://user:2024/{CANARY}@127.0.0.1:1"},
    "unescaped url of another": lambda _: {"ES_URL": f"http://user:2024/{CANARY}@127.0.0.1:1"},
    "unescaped hosts": lambda _: {"ESCLIENT_HOSTS": f"{UNREACHABLE} http://user:2024/{CANARY}@127.0.0.1:1"},
    "unescaped comma": lambda _: {"ESML_URL": f"http://user:2024,{CANARY}@127.0.0.1:1"},
    "unescaped profile": lambda folder: {
        "ESML_CONFIG_FILE": write(folder, "c", elasticrc(f"http://user:2024/{CANARY}@127.0.0.1:1", None))
    },
    "unescaped proxy": lambda _: {"ESML_URL": UNREACHABLE, "HTTP_PROXY": f"http://user:2024/{CANARY}@127.0.0.1:1"},
    "unescaped all proxy": lambda _: {"ESML_URL": UNREACHABLE, "ALL_PROXY": f"user:2024/{CANARY}@127.0.0.1:1"},
    "store": lambda folder: credential_store(folder, f"echo {KEY}"),
    "store that fails": lambda folder: credential_store(folder, f"echo {KEY}; echo {CANARY} >&2; exit 1"),
    "store with a wrong key": lambda folder: credential_store(folder, f"echo {CANARY} {CANARY}"),
    "command that fails": lambda folder: {
        "ESML_CONFIG_FILE": write(folder, "c", elasticrc(UNREACHABLE, {"api_key": f"$(cmd:echo {CANARY} >&2; exit 3)"}))
    },
    "old es_client": lambda folder: {
        "ESML_CONFIG_FILE": write(folder, "c", json.dumps({"client": {"http_auth": f"user:{CANARY}"}}))
    },
    "proxy": lambda _: {"ESML_URL": UNREACHABLE, "HTTP_PROXY": f"http://user:{CANARY}@127.0.0.1:1"},
    "broken proxy": lambda _: {"ESML_URL": UNREACHABLE, "HTTP_PROXY": f"http://user:{CANARY}@127.0.0.1:port"},
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    "command", [["config"], ["config", "--check"], ["config", "--check", "-o", "json"], ["stop", "x"]]
)
def test_no_output_contains_a_secret(
    place: str,
    command: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """No output contains the secret, including JSON and tracebacks; only `config` without --check may succeed."""
    monkeypatch.setattr("esml_stop.runtime.deadline.SystemClock.sleep", lambda *_: None)
    for name, value in PLACES[place](tmp_path).items():
        monkeypatch.setenv(name, value)
    status = main.run([*command, "--debug", "-v"])
    out, err = capfd.readouterr()
    assert status != 0 or command == ["config"]
    assert out or err
    assert not any(form in out + err for form in FORMS), (out, err)
