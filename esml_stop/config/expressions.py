"""The `$(env:NAME)` and `$(file:PATH)` in a configuration file, and es_client's `${NAME:default}`."""

import re
from collections.abc import Mapping
from pathlib import Path

from esml_stop.config.files import LARGEST_SECRET, read
from esml_stop.errors import ConfigError

EXPRESSION = re.compile(r"\$\(([a-z_][a-z0-9_]*):([^)]+)\)")
VARIABLE = re.compile(r"\$\{([^:}]*)(?::([^}]*))?\}")


def resolved(text: str, where: str, environment: Mapping[str, str]) -> str:
    """Return a value with each `$(...)` in it replaced; `where` is what to call the value in errors.

    What it stands for is not looked through again. Nothing is run: other kinds raise ConfigError.
    """
    return EXPRESSION.sub(lambda found: followed(found[1], found[2], where, environment), text)


def followed(kind: str, what: str, where: str, environment: Mapping[str, str]) -> str:
    """Return what one expression stands for."""
    if kind == "env":
        if not environment.get(what):
            raise ConfigError(f"{where} is $(env:{what}), but {what} is not set.")
        return environment[what]
    if kind == "file":
        return from_file(what, where)
    raise ConfigError(f"{where} holds $({kind}:...), which esml does not follow: only env and file.", hint=INSTEAD)


INSTEAD = "Put the value into a variable and write $(env:NAME), or give the connection by ESML_* variables."


def from_file(name: str, where: str) -> str:
    """Return the text of a file without the white space at its end; its path must be whole."""
    path = Path(name).expanduser()
    if not path.is_absolute():
        raise ConfigError(f"{where} is $(file:{name}); the path must begin with / or ~.")
    text, _ = read(path, f"{where}: {name}", LARGEST_SECRET)
    return text.rstrip()


def substituted(text: str, where: str, environment: Mapping[str, str]) -> str:
    """Return a value of es_client: the whole of it may be `${NAME}` or `${NAME:default}`."""
    found = VARIABLE.fullmatch(text)
    if not found:
        return text
    value = environment.get(found[1], found[2])
    if value is None:
        raise ConfigError(f"{where} is {text}, but {found[1]} is not set.")
    return value
