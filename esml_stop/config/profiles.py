"""Connections from configuration files: ~/.elasticrc or its variants, or --config-file; never in the working directory.

A file of es_client contains one connection, a file of the Elastic CLI one context for each profile.
"""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from esml_stop.config import elastic_cli, es_client
from esml_stop.config.documents import document, has_secret
from esml_stop.config.expressions import Reader
from esml_stop.config.files import is_open_to_others, is_writable_only_by_owner
from esml_stop.config.settings import Settings
from esml_stop.errors import ConfigError

HOME_NAMES = (".elasticrc", ".elasticrc.json", ".elasticrc.yaml", ".elasticrc.yml")
CLI_FILE = "ELASTIC_CLI_CONFIG_FILE"


def named(own: Settings, environment: Mapping[str, str], *, run: bool = True) -> Settings:
    """Return the settings selected by --profile and --config-file, or by their variables."""
    profile, file, reader = own.values.get("profile"), own.values.get("config_file"), Reader(environment, run)
    if file:
        return settings(Path(file).expanduser(), f"{own.sources['config_file']}: {file}", profile, reader)
    found = located(environment)
    if found is None:
        text = f"{own.sources['profile']} is given, but there is no configuration file."
        raise ConfigError(text, hint=f"Profiles are in ~/{HOME_NAMES[-1]} (the Elastic CLI's), or in --config-file.")
    return settings(*found, profile, reader)


def default(environment: Mapping[str, str], *, run: bool = True) -> Settings | None:
    """Return the settings of the current profile in the user's own file, or None if there is no file."""
    found = located(environment)
    return settings(*found, None, Reader(environment, run)) if found else None


def located(environment: Mapping[str, str]) -> tuple[Path, str] | None:
    """Return the user's own file (from ELASTIC_CLI_CONFIG_FILE or the home directory) and its name for messages."""
    if named := environment.get(CLI_FILE):
        return Path(named).expanduser(), f"{CLI_FILE}: {named}"
    home = Path(environment.get("HOME", ""))
    if not home.is_absolute():
        return None
    candidates = (home / name for name in HOME_NAMES)
    return next(
        ((path, f"~/{path.name}") for path in candidates if os.access(path, os.R_OK) or path.is_symlink()), None
    )


def settings(path: Path, what: str, profile: str | None, reader: Reader) -> Settings:
    """Return the settings of one connection in a file; `what` is the name of the file in messages."""
    data, found = document(path, what)
    read = from_data(data, path, what, profile, reader._replace(trusted=is_writable_only_by_owner(found)))
    if not (is_open_to_others(found) and has_secret(data)):
        return read
    warning = f"{path} contains a secret that other users can read; to prevent this: chmod 600 {path}"
    return replace(read, warnings=(warning, *read.warnings))


def from_data(data: dict[str, Any], path: Path, what: str, profile: str | None, reader: Reader) -> Settings:
    """Return the settings, according to the format of the file."""
    if "client" in data and "contexts" not in data and not es_client.is_es_client_file(data):
        raise ConfigError(f"{what} has the form of es_client before version 8 (client: at the top).", hint=NEW_FORM)
    if "contexts" in data or not es_client.is_es_client_file(data):
        return elastic_cli.settings(data, profile, what, reader)
    if profile:
        raise ConfigError(f"{what} is a file of es_client, which has no profiles.", hint="Leave out --profile.")
    found = es_client.settings(data, path, what, reader.environment)
    if not found.has_address:
        raise ConfigError(f"{what} has neither hosts nor cloud_id in elasticsearch.client.")
    return found


NEW_FORM = (
    "Put it below elasticsearch: (elasticsearch.client), write hosts as whole URLs such as https://HOST:9200, and move "
    "username, password and api_key to elasticsearch.other_settings."
)


def profile_names(environment: Mapping[str, str], config_file: str | None = None) -> tuple[str, ...]:
    """Return the names of all profiles for completion; none if the file cannot be read."""
    file = config_file or environment.get("ESML_CONFIG_FILE")
    found = (Path(file).expanduser(), file) if file else located(environment)
    try:
        return elastic_cli.names(document(*found)[0]) if found else ()
    except ConfigError:
        return ()
