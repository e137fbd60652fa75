"""The connection that options, environment variables and profiles make.

One family of settings makes the whole connection: the first that says where the cluster is. A URL of one family and a
key of another are never put together; only what is to be trusted (TLS) may be added to any of them.
"""

import re
from collections.abc import Mapping
from typing import TextIO

from esml_stop.config.build import build
from esml_stop.config.connection import Connection
from esml_stop.config.credentials import Prompt
from esml_stop.config.environment import other_settings, own_settings, variables_set
from esml_stop.config.profiles import default, located, named
from esml_stop.config.settings import ADDRESS, FILE, KEY, LOGIN, TLS, ConnectionOptions, Settings, from_options
from esml_stop.errors import ConfigError


def resolve(
    options: ConnectionOptions,
    environment: Mapping[str, str],
    *,
    stdin: TextIO | None = None,
    prompt: Prompt | None = None,
    run: bool = True,
) -> Connection:
    """Return the connection that the settings describe, with the source of each setting.

    `prompt` asks for a password without showing it; None when nobody can be asked. Without `run` no program of a
    credential store is run, and the connection can only be shown. Raises ConfigError.
    """
    own = from_options(options).over(own_settings(environment))
    return build(chosen(own, environment, run=run), stdin=stdin, prompt=prompt)


def chosen(own: Settings, environment: Mapping[str, str], *, run: bool = True) -> Settings:
    """Return the one family that is used; `own` are the options and ESML_*."""
    if own.has(FILE):
        refuse_beside_file(own)
        return own.only(TLS).over(named(own, environment, run=run))
    if own.names_cluster:
        return own
    family = other_settings(environment) or default(environment, run=run)
    if family is None:
        raise nothing_found(own, environment)
    refuse_strays(own, family)
    return own.only(TLS).over(family)


def refuse_beside_file(own: Settings) -> None:
    """Raise when an address or credentials are given beside a profile, which is a whole connection."""
    other = next((name for name in (*ADDRESS, *KEY, *LOGIN) if name in own.values), None)
    if other:
        file = next(own.sources[name] for name in FILE if name in own.values)
        raise ConfigError(
            f"{own.sources[other]} and {file} cannot be used together.",
            hint="A profile brings its own address and credentials.",
        )


def refuse_strays(own: Settings, family: Settings) -> None:
    """Raise when options or ESML_* hold credentials, but the address comes from another family."""
    stray = next((name for name in (*KEY, *LOGIN) if name in own.values), None)
    if stray:
        where, other = own.sources[stray], family.sources.get("url") or family.sources["cloud_id"]
        raise ConfigError(
            f"{where} is given, but the cluster's address only comes from {other}; these are not mixed.",
            hint="Give the address with --url or ESML_URL too.",
        )


def not_used(connection: Connection, environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return what else is there, a variable or a file, that could have said something and did not."""
    sources = " ".join(connection.sources.values())
    used, file = set(re.findall(r"[^\s:]+", sources)), located(environment)
    files = [file[1]] if file and file[1] not in sources else []
    return (*(name for name in variables_set(environment) if name not in used), *files)


def nothing_found(own: Settings, environment: Mapping[str, str]) -> ConfigError:
    """Return the error that says how to say where the cluster is."""
    there = next(iter([*own.sources.values(), *variables_set(environment)]), None)
    return ConfigError(
        f"No cluster is configured{f': {there} is set, but no URL' if there else ''}.",
        hint="Give --url https://HOST:9200, or set ESML_URL (with ESML_API_KEY), or try it without a cluster: "
        "esml sandbox -- esml stop my_model_for_search",
    )
