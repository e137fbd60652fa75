from pathlib import Path
from typing import Any

import pytest

from esml_stop.config.es_client import settings

URL = "https://h:9200"


def values_from(client: dict[str, Any], other: dict[str, Any] | None = None, **environment: str) -> dict[str, str]:
    """Return the values of the settings in an es_client file with these blocks."""
    data = {"elasticsearch": {"client": client, "other_settings": other}, "logging": {"loglevel": "INFO"}}
    return dict(settings(data, Path("/etc/curator.yml"), "FILE", environment).values)


@pytest.mark.parametrize(
    ("client", "other", "values"),
    [
        ({"hosts": URL}, None, {"url": URL}),
        ({"hosts": [URL, "https://i:1"]}, None, {"url": f"{URL},https://i:1"}),
        ({"cloud_id": "c"}, {"username": "u", "password": "p"}, {"cloud_id": "c", "username": "u", "password": "p"}),
        ({"hosts": URL}, {"api_key": {"id": "i", "api_key": "k"}}, {"url": URL, "api_key": "i:k"}),
        ({"hosts": URL}, {"api_key": {"token": "t", "id": None}}, {"url": URL, "api_key": "t"}),
        ({"hosts": URL, "bearer_auth": "t"}, None, {"url": URL, "bearer_token": "t"}),
        ({"hosts": URL, "verify_certs": "false"}, None, {"url": URL, "insecure": "true"}),
        ({"hosts": URL, "verify_certs": False}, None, {"url": URL, "insecure": "true"}),
        ({"hosts": URL, "verify_certs": True, "cloud_id": None}, {"username": ""}, {"url": URL}),
        ({"hosts": URL, "ssl_assert_fingerprint": "f"}, None, {"url": URL, "ssl_fingerprint": "f"}),
        (
            {"hosts": URL, "request_timeout": 30, "max_retries": 5, "ca_certs": "/ca.crt"},
            None,
            {"url": URL, "ca_certs": "/ca.crt"},
        ),
    ],
)
def test_connection_settings_are_read_from_the_file(
    client: dict[str, Any], other: dict[str, Any] | None, values: dict[str, str]
) -> None:
    """Hosts, credentials and TLS settings are read; tuning options are not."""
    assert values_from(client, other) == values


def test_variables_are_replaced() -> None:
    """Variables are replaced by their values or their defaults, as in es_client."""
    found = values_from({"hosts": "${HOST:https://default:1}"}, {"username": "u", "password": "${PW}"}, PW="p")
    assert found == {"url": "https://default:1", "username": "u", "password": "p"}
    assert values_from({"hosts": "${HOST:x}"}, HOST=URL) == {"url": URL}


def test_relative_paths_start_at_the_folder_of_the_file() -> None:
    """Relative paths start at the folder of the file, not at the working directory."""
    found = values_from({"hosts": URL, "ca_certs": "ca.crt", "client_cert": "c/c.crt", "client_key": "/k"})
    assert (found["ca_certs"], found["client_cert"], found["client_key"]) == ("/etc/ca.crt", "/etc/c/c.crt", "/k")


def test_an_ignored_setting_causes_a_warning() -> None:
    """A setting that would change requests causes a warning if esml ignores it, unless it is empty or false."""
    parts: dict[str, Any] = {"client": {"hosts": URL, "headers": {"x": "y"}, "ssl_assert_hostname": None}}
    parts["other_settings"] = {"master_only": "true", "skip_version_test": "true"}
    assert settings({"elasticsearch": parts}, Path("/f"), "FILE", {}).warnings == (
        "FILE: elasticsearch.client.headers is ignored; esml has no equivalent.",
        "FILE: elasticsearch.other_settings.master_only is ignored; esml has no equivalent.",
    )
    parts["other_settings"]["master_only"] = "false"
    del parts["client"]["headers"]
    assert settings({"elasticsearch": parts}, Path("/f"), "FILE", {}).warnings == ()
