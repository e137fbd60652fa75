"""Who asks: an API key, a token, or a user name with a password."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TextIO

from esml_stop.config.api_key import as_sent, header_safe
from esml_stop.config.files import secret
from esml_stop.config.settings import Settings
from esml_stop.config.urls import Address
from esml_stop.errors import ConfigError

Prompt = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who asks, or nobody."""

    api_key: str | None = field(default=None, repr=False)
    bearer_token: str | None = field(default=None, repr=False)
    username: str | None = None
    password: str | None = field(default=None, repr=False)


def credentials(
    settings: Settings, hosts: tuple[Address, ...], stdin: TextIO | None, prompt: Prompt | None
) -> Credentials:
    """Return who asks; credentials in the URL count when no others are given."""
    values = settings.values
    for one in ("api_key", "api_key_file", "bearer_token"):
        refuse_both(settings, one, "username")
    refuse_both(settings, "api_key", "bearer_token")
    if settings.has(("api_key", "api_key_file")):
        return Credentials(api_key=read_key(settings, stdin))
    if "bearer_token" in values:
        return Credentials(bearer_token=header_safe(values["bearer_token"], settings.sources["bearer_token"]))
    if "username" in values:
        return Credentials(username=values["username"], password=read_password(settings, stdin, prompt))
    if settings.has(("password", "password_file")):
        source = settings.sources.get("password") or settings.sources["password_file"]
        raise ConfigError(f"{source} is given without a user name.", hint="Add --username NAME or ESML_USERNAME.")
    found = next((host for host in hosts if host.username), None)
    return Credentials(username=found.username, password=found.password or "") if found else Credentials()


def refuse_both(settings: Settings, one: str, other: str) -> None:
    """Raise when two settings are given that exclude each other."""
    if {one, other} <= settings.values.keys():
        raise ConfigError(f"{settings.sources[one]} and {settings.sources[other]} cannot be used together.")


def read_key(settings: Settings, stdin: TextIO | None) -> str:
    """Return the API key as it is sent, or the expression whose program was not run."""
    refuse_both(settings, "api_key", "api_key_file")
    if "api_key" in settings.unread:
        return settings.values["api_key"]
    if "api_key" in settings.values:
        return as_sent(settings.values["api_key"], settings.sources["api_key"])
    source = settings.sources["api_key_file"]
    return as_sent(secret(settings.values["api_key_file"], source, stdin), source)


def read_password(settings: Settings, stdin: TextIO | None, prompt: Prompt | None) -> str:
    """Return the password from where it is given, else ask for it."""
    refuse_both(settings, "password", "password_file")
    if "password" in settings.values:
        return settings.values["password"]
    if "password_file" in settings.values:
        return secret(settings.values["password_file"], settings.sources["password_file"], stdin)
    if prompt is None:
        raise ConfigError("The password is missing, and there is no terminal to ask for it.", hint=HOW_TO_GIVE)
    return prompt(f"Password of {settings.values['username']}: ")


HOW_TO_GIVE = "Give it with --password-file FILE or ESML_PASSWORD."
