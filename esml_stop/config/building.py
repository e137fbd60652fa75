"""From settings that belong together to a checked connection."""

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TextIO

from esml_stop.config.files import must_exist, secret
from esml_stop.config.settings import Settings
from esml_stop.config.urls import Address, addresses, is_local
from esml_stop.connection import Connection
from esml_stop.errors import ConfigError

Prompt = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who asks: an API key, or a user name with a password, or nobody."""

    api_key: str | None = None
    username: str | None = None
    password: str | None = None


def build(settings: Settings, *, stdin: TextIO | None, prompt: Prompt | None) -> Connection:
    """Return the connection that one family of settings describes; raises ConfigError."""
    values, sources = settings.values, dict(settings.sources)
    refuse_both(settings, "url", "cloud_id")
    if "client_key" in values and "client_cert" not in values:
        raise ConfigError(
            f"{sources['client_key']} is given without a client certificate.", hint="Add --client-cert FILE."
        )
    hosts = addresses(values["url"], sources["url"]) if "url" in values else ()
    who = credentials(settings, hosts, stdin, prompt)
    return Connection(
        hosts=tuple(host.url for host in hosts),
        cloud_id=values.get("cloud_id"),
        api_key=who.api_key,
        username=who.username,
        password=who.password,
        ca_certs=must_exist(values.get("ca_certs"), sources.get("ca_certs")),
        ssl_fingerprint=fingerprint(values.get("ssl_fingerprint"), sources.get("ssl_fingerprint")),
        client_cert=must_exist(values.get("client_cert"), sources.get("client_cert")),
        client_key=must_exist(values.get("client_key"), sources.get("client_key")),
        verify_certs="insecure" not in values,
        sources=sources,
        warnings=tuple(warnings(settings, hosts, who)),
    )


def refuse_both(settings: Settings, one: str, other: str) -> None:
    """Raise when two settings are given that exclude each other."""
    if {one, other} <= settings.values.keys():
        raise ConfigError(
            f"{settings.sources[one]} and {settings.sources[other]} exclude each other; give one of them."
        )


def credentials(
    settings: Settings, hosts: tuple[Address, ...], stdin: TextIO | None, prompt: Prompt | None
) -> Credentials:
    """Return who asks; credentials in the URL count when no others are given."""
    values, sources = settings.values, settings.sources
    for one in ("api_key", "api_key_file"):
        refuse_both(settings, one, "username")
    if "api_key" in values or "api_key_file" in values:
        return Credentials(api_key=read_key(settings, stdin))
    if "username" in values:
        return Credentials(username=values["username"], password=read_password(settings, stdin, prompt))
    if "password" in values or "password_file" in values:
        source = sources.get("password") or sources["password_file"]
        raise ConfigError(f"{source} is given without a user name.", hint="Add --username NAME or ESML_USERNAME.")
    with_login = next((host for host in hosts if host.username), None)
    return (
        Credentials(username=with_login.username, password=with_login.password or "") if with_login else Credentials()
    )


def read_key(settings: Settings, stdin: TextIO | None) -> str:
    """Return the API key as it is sent: base64, made from `id:key` where it comes like that."""
    refuse_both(settings, "api_key", "api_key_file")
    if "api_key_file" in settings.values:
        source = settings.sources["api_key_file"]
        key = secret(settings.values["api_key_file"], source, stdin)
    else:
        key, source = settings.values["api_key"], settings.sources["api_key"]
    key = key.strip()
    if not re.fullmatch(r"[!-~]+", key):
        raise ConfigError(f"The API key in {source} holds spaces or characters that no API key has.", hint=KEY_FORM)
    return base64.b64encode(key.encode()).decode() if ":" in key else encoded(key, source)


KEY_FORM = "Give it as Elasticsearch returned it: the value of `encoded`, or `id:api_key`."


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


def fingerprint(text: str | None, source: str | None) -> str | None:
    """Return a certificate's SHA-256 fingerprint as bare hex digits."""
    if text is None:
        return None
    digits = text.replace(":", "").strip().lower()
    if not re.fullmatch(r"[0-9a-f]{64}", digits):
        raise ConfigError(f"{source} is not a SHA-256 fingerprint of 64 hexadecimal digits.")
    return digits


def warnings(settings: Settings, hosts: tuple[Address, ...], who: Credentials) -> list[str]:
    """Return what is allowed but should not go unnoticed."""
    lines = []
    if "insecure" in settings.values:
        lines.append(f"{settings.sources['insecure']}: the cluster's certificate is not verified.")
    remote = [host.url for host in hosts if host.url.startswith("http:") and not is_local(host.url)]
    if remote and (who.api_key or who.username):
        lines.append(f"Credentials are sent without encryption to {remote[0]}; use https://.")
    return lines
