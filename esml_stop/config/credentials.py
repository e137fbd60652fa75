"""Credentials and certificates; files are read before the first request, so that an error names the file."""

import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TextIO

from esml_stop.config.api_key import encode, header_safe
from esml_stop.config.files import must_exist, secret
from esml_stop.config.settings import Settings
from esml_stop.config.urls import Address
from esml_stop.errors import ConfigError

Prompt = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Credentials:
    """The credentials of a connection, if any."""

    api_key: str | None = field(default=None, repr=False)
    bearer_token: str | None = field(default=None, repr=False)
    username: str | None = None
    password: str | None = field(default=None, repr=False)


def credentials(
    settings: Settings, hosts: tuple[Address, ...], stdin: TextIO | None, prompt: Prompt | None
) -> Credentials:
    """Return the credentials; those in the URL are used if no others are given."""
    values = settings.values
    for one in ("api_key", "api_key_file", "bearer_token"):
        refuse_both(settings, one, "username")
    refuse_both(settings, "api_key", "bearer_token")
    if settings.has_any(("api_key", "api_key_file")):
        return Credentials(api_key=read_key(settings, stdin))
    if "bearer_token" in values:
        return Credentials(bearer_token=header_safe(values["bearer_token"], settings.sources["bearer_token"]))
    if "username" in values:
        return Credentials(username=values["username"], password=read_password(settings, stdin, prompt))
    if settings.has_any(("password", "password_file")):
        source = settings.sources.get("password") or settings.sources["password_file"]
        raise ConfigError(f"{source} is given without a user name.", hint="Add --username NAME or ESML_USERNAME.")
    found = next((host for host in hosts if host.username), None)
    return Credentials(username=found.username, password=found.password or "") if found else Credentials()


def refuse_both(settings: Settings, one: str, other: str) -> None:
    """Raise ConfigError if two settings are given that cannot be used together."""
    if {one, other} <= settings.values.keys():
        raise ConfigError(f"{settings.sources[one]} and {settings.sources[other]} cannot be used together.")


def read_key(settings: Settings, stdin: TextIO | None) -> str:
    """Return the API key in the form that is sent, or the expression if its program was not run."""
    refuse_both(settings, "api_key", "api_key_file")
    if "api_key" in settings.unresolved:
        return settings.values["api_key"]
    if "api_key" in settings.values:
        return encode(settings.values["api_key"], settings.sources["api_key"])
    source = settings.sources["api_key_file"]
    return encode(secret(settings.values["api_key_file"], source, stdin), source)


def read_password(settings: Settings, stdin: TextIO | None, prompt: Prompt | None) -> str:
    """Return the password from its setting, or prompt for it."""
    refuse_both(settings, "password", "password_file")
    if "password" in settings.values:
        return settings.values["password"]
    if "password_file" in settings.values:
        return secret(settings.values["password_file"], settings.sources["password_file"], stdin)
    if prompt is None:
        raise ConfigError("The password is missing, and esml cannot prompt for it.", hint=HOW_TO_LOG_IN)
    return prompt(f"Password of {settings.values['username']}: ")


HOW_TO_LOG_IN = "Pass it with --password-file FILE or ESML_PASSWORD."


def ca_file(settings: Settings) -> str | None:
    """Return the path of the CA file, or None; raise ConfigError if it contains no certificate."""
    if "ca_certs" not in settings.values:
        return None
    source = settings.sources["ca_certs"]
    path = must_exist(settings.values["ca_certs"], source)
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=path)
    except (ssl.SSLError, OSError):
        raise ConfigError(f"{source}: {path} contains no certificate.", hint=PEM) from None
    return path


PEM = "It must be in PEM format, with BEGIN and END lines."


def client_certificate(settings: Settings) -> tuple[str | None, str | None]:
    """Return the paths of the client certificate and of its key; the key is None if one file contains both."""
    values, sources = settings.values, settings.sources
    if "client_cert" not in values:
        if "client_key" in values:
            text = f"{sources['client_key']} is given without a client certificate."
            raise ConfigError(text, hint="Add --client-cert FILE.")
        return None, None
    cert = must_exist(values["client_cert"], sources["client_cert"])
    key = must_exist(values["client_key"], sources["client_key"]) if "client_key" in values else None
    check_key_pair(cert, key, settings)
    return cert, key


def check_key_pair(cert: str, key: str | None, settings: Settings) -> None:
    """Raise ConfigError when a certificate and its key cannot be used together."""
    source, key_file = settings.sources.get("client_key") or settings.sources["client_cert"], key or cert
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(cert, key, password=refuse_password)
    except PasswordWanted:
        text = f"{source}: the key in {key_file} is encrypted; esml does not prompt for its password."
        raise ConfigError(text, hint=f"Use an unencrypted key: openssl pkey -in {key_file} -out PLAIN.key") from None
    except (ssl.SSLError, OSError) as error:
        if getattr(error, "reason", None) == "KEY_VALUES_MISMATCH":
            raise ConfigError(f"{source}: {key_file} is the key of a different certificate than {cert}.") from None
        hint = PEM if key else f"{PEM} Pass a key in a separate file with --client-key FILE."
        raise ConfigError(f"{source}: {cert} and its key cannot be read as certificate and key.", hint=hint) from None


class PasswordWanted(Exception):
    """A key is encrypted; OpenSSL would ask for the password on the terminal."""


def refuse_password() -> str:
    """Raise PasswordWanted when OpenSSL prompts for the password of a key."""
    raise PasswordWanted


def fingerprint(settings: Settings) -> str | None:
    """Return a certificate's SHA-256 fingerprint as hex digits without colons; also accepts openssl's output line."""
    if "ssl_fingerprint" not in settings.values:
        return None
    text = re.sub(r"(?i)^sha-?256( fingerprint)?\s*[=:]", "", settings.values["ssl_fingerprint"].strip())
    digits = re.sub(r"[:\s]", "", text).lower()
    if not re.fullmatch(r"[0-9a-f]{64}", digits):
        source = settings.sources["ssl_fingerprint"]
        raise ConfigError(f"{source} is not a SHA-256 fingerprint of 64 hexadecimal digits.", hint=HOW_TO_GET)
    return digits


HOW_TO_GET = "To get it: openssl x509 -noout -fingerprint -sha256 -in CERTIFICATE"
