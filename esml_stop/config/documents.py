"""Reads configuration files in YAML or JSON as plain data; of YAML, only text, lists and maps are supported."""

import json
import os
from pathlib import Path
from typing import Any

from esml_stop.config.files import read
from esml_stop.errors import ConfigError

LARGEST = 128 * 1024
MOST_VALUES = 100_000
SECRET_KEYS = {"api_key", "password", "token", "bearer_auth", "basic_auth"}
PLAIN_TAGS = {f"tag:yaml.org,2002:{kind}" for kind in ("str", "seq", "map")}
NULL = {"", "~", "null", "Null", "NULL"}


def document(path: Path, what: str) -> tuple[dict[str, Any], os.stat_result]:
    """Return the data in a configuration file and its file status; `what` is the name of the file in errors."""
    text, found = read(path, what, LARGEST)
    try:
        data = from_json(text, what) if path.suffix == ".json" else from_yaml(text, what)
    except RecursionError:
        raise ConfigError(f"{what} is nested too deeply.") from None
    if data is None:
        raise ConfigError(f"{what} is empty.")
    if not isinstance(data, dict):
        raise ConfigError(f"{what} contains no settings, only {'a list' if isinstance(data, list) else 'text'}.")
    return data, found


def from_json(text: str, what: str) -> Any:
    """Return the data of JSON; an error contains the position, but never the text, which may be a secret."""
    if not text.strip():
        return None
    try:
        return json.loads(text)
    except ValueError as error:
        place = f" (line {error.lineno}, column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
        raise ConfigError(f"{what} is not valid JSON{place}.") from None


def from_yaml(text: str, what: str) -> Any:
    """Return the data of YAML; an error contains the position, but never the text, which may be a secret."""
    import yaml  # takes as long as the rest of this package; many connections need no file

    try:
        node = yaml.compose(text, Loader=yaml.BaseLoader)
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        raise ConfigError(f"{what} is not valid YAML{place}.", hint=QUOTES) from None
    return Plain(what).data(node) if node else None


QUOTES = "A value that begins with * & ! % @ ` or contains a colon and a space must be quoted."


class Plain:
    """Converts YAML nodes to data; all values stay text, e.g. the password 0123 or a context with the name no."""

    def __init__(self, what: str) -> None:
        self.what = what
        self.left = MOST_VALUES

    def data(self, node: Any) -> Any:
        """Return a node as text, list, map or None; raise ConfigError if its aliases expand to too many values."""
        self.left -= 1
        if self.left < 0:
            raise ConfigError(f"{self.what} expands to too many values through its anchors (&) and aliases (*).")
        if node.tag not in PLAIN_TAGS:
            line = node.start_mark.line + 1
            text = f"{self.what} has a YAML tag (!...) in line {line}; esml reads plain values only."
            raise ConfigError(text, hint=QUOTES)
        if node.id == "sequence":
            return [self.data(part) for part in node.value]
        if node.id == "mapping":
            return {self.key(key): self.data(value) for key, value in node.value}
        return None if node.style is None and node.value in NULL else node.value

    def key(self, node: Any) -> str:
        """Return a key of a map; raise ConfigError if it is not text."""
        found = self.data(node)
        if isinstance(found, dict | list):
            place = f"line {node.start_mark.line + 1}, column {node.start_mark.column + 1}"
            raise ConfigError(f"{self.what} is not valid YAML ({place}).", hint=QUOTES)
        return found or ""


def text_of(value: Any) -> str | None:
    """Return a single value as text, or None if there is none."""
    if value is None or value == "" or isinstance(value, dict | list):
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)


def has_secret(part: Any) -> bool:
    """Return whether the data contains a secret itself, as opposed to an expression for it."""
    if isinstance(part, list):
        return any(map(has_secret, part))
    if not isinstance(part, dict):
        return False
    return any(has_secret(value) or is_secret(key, value) for key, value in part.items())


def is_secret(key: str, value: Any) -> bool:
    """Return whether a value has the key of a secret or is a URL with credentials, and contains no expression."""
    text = text_of(value) or ""
    return bool(text) and "$(" not in text and "${" not in text and (key in SECRET_KEYS or is_login_url(text))


def is_login_url(text: str) -> bool:
    """Return whether a text is a URL with credentials, even if they contain a / that is not escaped."""
    host, _, path = text.partition("://")[2].partition("/")
    return text.startswith(("http://", "https://")) and ("@" in host or (":" in host and "@" in path))
