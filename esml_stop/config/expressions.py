"""The `$(KIND:...)` expressions of the Elastic CLI's configuration, and es_client's `${NAME:default}`."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from esml_stop.config import credential_stores
from esml_stop.config.files import LARGEST_SECRET, read
from esml_stop.errors import ConfigError

EXPRESSION = re.compile(r"\$\(([a-z_][a-z0-9_]*):([^)]+)\)")
VARIABLE = re.compile(r"\$\{([^:}]*)(?::([^}]*))?\}")


class Reader(NamedTuple):
    """How expressions are resolved.

    Without `run`, no program is run: expressions that require one are kept, except for the text of commands. `trusted`
    is True if only the current user or root can write to the file, so that nobody else can add a command.
    """

    environment: Mapping[str, str]
    run: bool = True
    trusted: bool = True

    def is_left(self, text: str) -> bool:
        """Return whether a value keeps an expression because no program is run."""
        return not self.run and any(kind in credential_stores.KINDS for kind, _ in EXPRESSION.findall(text))

    def resolved(self, text: str, where: str) -> str:
        """Return a value with each `$(...)` in it resolved; `where` is the name of the value in errors.

        Results are not searched for expressions again. Raises ConfigError, which never contains a result.
        """
        return EXPRESSION.sub(lambda found: self.resolve_one(found[1], found[2], where), text)

    def resolve_one(self, kind: str, what: str, where: str) -> str:
        """Return the value of one expression."""
        if kind == "env":
            if not self.environment.get(what):
                raise ConfigError(f"{where} is $(env:{what}), but {what} is not set.")
            return self.environment[what]
        if kind == "file":
            return from_file(what, where)
        if kind not in credential_stores.KINDS:
            known = ", ".join(["env", "file", *credential_stores.KINDS])
            raise ConfigError(
                f"{where} contains $({kind}:...), which esml does not support.", hint=f"Supported: {known}."
            )
        if not self.run:
            return credential_stores.label_of(kind, what)
        if kind == "cmd" and not self.trusted:
            text = f"{where} is $(cmd:...), but other users can write to the file; the command was not run."
            raise ConfigError(text, hint="Remove their permission to write: chmod 600 FILE")
        return credential_stores.lookup(kind, what, where, self.environment)


def from_file(name: str, where: str) -> str:
    """Return the text of a file without trailing whitespace; its path must be absolute or begin with ~."""
    path = Path(name).expanduser()
    if not path.is_absolute():
        raise ConfigError(f"{where} is $(file:{name}); the path must begin with / or ~.")
    text, _ = read(path, f"{where}: {name}", LARGEST_SECRET)
    return text.rstrip()


def with_default(text: str, where: str, environment: Mapping[str, str]) -> str:
    """Return a value of es_client, resolved if the whole value is `${NAME}` or `${NAME:default}`."""
    found = VARIABLE.fullmatch(text)
    if not found:
        return text
    value = environment.get(found[1], found[2])
    if value is None:
        raise ConfigError(f"{where} is {text}, but {found[1]} is not set.")
    return value
