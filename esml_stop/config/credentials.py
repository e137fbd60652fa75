"""Who asks: an API key, a token, or a user name with a password."""

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TextIO

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

    def __bool__(self) -> bool:
        return bool(self.api_key or self.bearer_token or self.username)


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
        text = f"{settings.sources[one]} and {settings.sources[other]} exclude each other; give one of them."
        raise ConfigError(text)


def read_key(settings: Settings, stdin: TextIO | None) -> str:
    """Return the API key as it is sent: base64, made from `id:key` where it comes like that."""
    refuse_both(settings, "api_key", "api_key_file")
    if "api_key_file" in settings.values:
        source = settings.sources["api_key_file"]
        key = secret(settings.values["api_key_file"], source, stdin)
    else:
        key, source = settings.values["api_key"], settings.sources["api_key"]
    key = header_safe(key, source)
    return base64.b64encode(key.encode()).decode() if ":" in key else encoded(key, source)


KEY_FORM = "Give it as Elasticsearch returned it: the value of `encoded`, or `id:api_key`."


def header_safe(key: str, source: str) -> str:
    """Return a key or token without the white space around it; raise ConfigError when it cannot be one."""
    if not re.fullmatch(r"[!-~]+", key.strip()):
        raise ConfigError(f"What {source} holds has spaces or characters that no key or token has.", hint=KEY_FORM)
    return key.strip()


def encoded(key: str, source: str) -> str:
    """Return a key that is base64 already; raise ConfigError when it is not."""
    try:
        decoded = base64.b64decode(key + "=" * (-len(key) % 4), validate=True)
    except (binascii.Error, ValueError):
        decoded = b""
    # Keys of a serverless project are no id:key pair, but longer than any typing error.
    if b":" not in decoded and len(key) < 20:
        raise ConfigError(f"What {source} holds is not an API key.", hint=KEY_FORM)
    return key


def key_id(key: str) -> str | None:
    """Return the ID in an encoded API key, which is no secret; None when it has none."""
    try:
        decoded = base64.b64decode(key + "=" * (-len(key) % 4), validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        return None
    before, colon, _ = decoded.partition(":")
    return before if colon and before.isprintable() else None


def read_password(settings: Settings, stdin: TextIO | None, prompt: Prompt | None) -> str:
    """Return the password from where it is given, else ask for it."""
    refuse_both(settings, "password", "password_file")
    if "password" in settings.values:
        return settings.values["password"]
    if "password_file" in settings.values:
        return secret(settings.values["password_file"], settings.sources["password_file"], stdin)
    if prompt is None:
        raise ConfigError("The password is missing, and nobody can be asked for it.", hint=HOW_TO_GIVE)
    return prompt(f"Password of {settings.values['username']}: ")


HOW_TO_GIVE = "Give it with --password-file FILE or ESML_PASSWORD."
