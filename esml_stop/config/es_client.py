"""Configuration files of es_client, which curator uses, too; esml reads only the connection from them.

Format: https://es-client.readthedocs.io/en/latest/
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from esml_stop.config.documents import text_of
from esml_stop.config.expressions import with_default
from esml_stop.config.settings import TRUTH, Settings, normalized, unwrapped

CLIENT = {
    "hosts": "hosts",
    "cloud_id": "cloud_id",
    "bearer_auth": "bearer_token",
    "verify_certs": "verify_certs",
    "ca_certs": "ca_certs",
    "client_cert": "client_cert",
    "client_key": "client_key",
    "ssl_assert_fingerprint": "ssl_fingerprint",
}
OTHER = {"username": "username", "password": "password"}
KEY = {"token": "api_key", "id": "api_key_id", "api_key": "api_key_secret"}
FILES = ("ca_certs", "client_cert", "client_key")

# Settings that change where or how requests are sent and that esml does not support; all others only tune the client.
LEFT_OUT = {"client": ("headers", "ssl_assert_hostname"), "other_settings": ("master_only",)}


def is_es_client_file(data: Mapping[str, Any]) -> bool:
    """Return whether a configuration file has this format."""
    return isinstance(data.get("elasticsearch"), dict)


def settings(data: Mapping[str, Any], path: Path, what: str, environment: Mapping[str, str]) -> Settings:
    """Return the settings in the file at a path; relative paths in it are relative to its folder."""
    client, other = part(data["elasticsearch"], "client"), part(data["elasticsearch"], "other_settings")
    blocks = ((client, CLIENT), (other, OTHER), (part(other, "api_key"), KEY))
    found = {name: joined_values(block.get(key)) for block, names in blocks for key, name in names.items()}
    values = {
        name: unwrapped(with_default(text, f"{name} in {what}", environment))
        for name, text in found.items()
        if text is not None
    }
    values |= {name: str(path.parent / Path(values[name]).expanduser()) for name in FILES if name in values}
    return normalized(Settings(values, dict.fromkeys(values, what), tuple(left_out(data["elasticsearch"], what))))


def part(block: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return a block of the file, empty if it is missing."""
    found = block.get(name)
    return found if isinstance(found, dict) else {}


def joined_values(value: Any) -> str | None:
    """Return a value as text; the values of a list are separated by commas."""
    if isinstance(value, list):
        return ",".join(filter(None, map(text_of, value))) or None
    return text_of(value)


def left_out(block: Mapping[str, Any], what: str) -> list[str]:
    """Return a warning for each setting in the file that esml ignores."""
    found = [f"{name}.{key}" for name, keys in LEFT_OUT.items() for key in keys if is_set(part(block, name).get(key))]
    return [f"{what}: elasticsearch.{name} is ignored; esml has no equivalent." for name in found]


def is_set(value: Any) -> bool:
    """Return whether a setting differs from its default."""
    return bool(value) and TRUTH.get(str(value).lower(), True)
