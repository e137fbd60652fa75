"""Where the connection comes from: options, environment, profiles; the only place that knows.

One family of settings makes the whole connection: the first that says where the cluster is. Never is a URL taken from
one family and a key from another.
"""

from collections.abc import Mapping
from typing import TextIO

from esml_stop.config.building import Prompt, build
from esml_stop.config.environment import OTHER_FAMILIES, from_environment, own_settings
from esml_stop.config.settings import ConnectionOptions, Settings, from_options
from esml_stop.connection import Connection
from esml_stop.errors import ConfigError

__all__ = ["ConnectionOptions", "resolve"]


def resolve(
    options: ConnectionOptions,
    environment: Mapping[str, str],
    *,
    stdin: TextIO | None = None,
    prompt: Prompt | None = None,
) -> Connection:
    """Return the connection that the settings describe, with the source of each setting.

    `prompt` asks for a password without showing it; None when nobody can be asked. Raises ConfigError.
    """
    settings = from_options(options).over(own_settings(environment))
    family = settings if settings.names_cluster else first_that_names_a_cluster(environment)
    if family is None:
        raise nothing_found(settings)
    if family is not settings:
        refuse_strays(settings, family)
    return build(family, stdin=stdin, prompt=prompt)


def first_that_names_a_cluster(environment: Mapping[str, str]) -> Settings | None:
    """Return the settings of the first other family of environment names that says where the cluster is."""
    families = (from_environment(names, environment) for names in OTHER_FAMILIES)
    return next((settings for settings in families if settings.names_cluster), None)


def refuse_strays(settings: Settings, family: Settings) -> None:
    """Raise when options or ESML_* hold credentials, but the address comes from another family."""
    stray = next(iter(settings.values), None)
    if stray:
        where, other = settings.sources[stray], family.sources.get("url") or family.sources["cloud_id"]
        raise ConfigError(
            f"{where} is given, but the cluster's address only comes from {other}; these are not mixed.",
            hint="Give the address with --url or ESML_URL too.",
        )


def nothing_found(settings: Settings) -> ConfigError:
    """Return the error that says how to say where the cluster is."""
    given = f" {next(iter(settings.sources.values()))} alone does not say it." if settings.values else ""
    return ConfigError(
        f"Which cluster? No setting says where it is.{given}",
        hint="Give --url https://HOST:9200, or set ESML_URL (with ESML_API_KEY), or try it without a cluster: "
        "esml sandbox -- esml list",
    )
