"""Certificates and keys: looked at before the first request, so that a wrong file is named as such."""

import re
import ssl

from esml_stop.config.files import must_exist
from esml_stop.config.settings import Settings
from esml_stop.errors import ConfigError


def authorities(settings: Settings) -> str | None:
    """Return the path of the CA file, which must hold a certificate."""
    if "ca_certs" not in settings.values:
        return None
    source = settings.sources["ca_certs"]
    path = must_exist(settings.values["ca_certs"], source)
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=path)
    except (ssl.SSLError, OSError):
        raise ConfigError(f"{source}: {path} holds no certificate.", hint=PEM) from None
    return path


PEM = "It must be in PEM form, with lines that say BEGIN and END."


def client_pair(settings: Settings) -> tuple[str | None, str | None]:
    """Return the paths of the client certificate and of its key; None for the key when one file holds both."""
    values, sources = settings.values, settings.sources
    if "client_cert" not in values:
        if "client_key" in values:
            text = f"{sources['client_key']} is given without a client certificate."
            raise ConfigError(text, hint="Add --client-cert FILE.")
        return None, None
    cert = must_exist(values["client_cert"], sources["client_cert"])
    key = must_exist(values["client_key"], sources["client_key"]) if "client_key" in values else None
    must_fit(cert, key, settings)
    return cert, key


def must_fit(cert: str, key: str | None, settings: Settings) -> None:
    """Raise ConfigError when a certificate and its key cannot be used together."""
    source, key_file = settings.sources.get("client_key") or settings.sources["client_cert"], key or cert
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(cert, key, password=refuse_password)
    except PasswordWanted:
        text = f"{source}: the key in {key_file} is encrypted; esml cannot ask for its password."
        raise ConfigError(text, hint=f"Give one that is not: openssl pkey -in {key_file} -out PLAIN.key") from None
    except (ssl.SSLError, OSError) as error:
        if getattr(error, "reason", None) == "KEY_VALUES_MISMATCH":
            raise ConfigError(f"{source}: {key_file} is the key of another certificate than {cert}.") from None
        hint = PEM if key else f"{PEM} A key in a file of its own is given with --client-key FILE."
        raise ConfigError(f"{source}: {cert} and its key cannot be read as certificate and key.", hint=hint) from None


class PasswordWanted(Exception):
    """A key is encrypted; OpenSSL would ask for the password on the terminal."""


def refuse_password() -> str:
    """Answer OpenSSL's question for the password of a key."""
    raise PasswordWanted


def fingerprint(settings: Settings) -> str | None:
    """Return a certificate's SHA-256 fingerprint as bare hex digits, also of a line that openssl printed."""
    if "ssl_fingerprint" not in settings.values:
        return None
    text = re.sub(r"(?i)^sha-?256( fingerprint)?\s*[=:]", "", settings.values["ssl_fingerprint"].strip())
    digits = re.sub(r"[:\s]", "", text).lower()
    if not re.fullmatch(r"[0-9a-f]{64}", digits):
        source = settings.sources["ssl_fingerprint"]
        raise ConfigError(f"{source} is not a SHA-256 fingerprint of 64 hexadecimal digits.", hint=HOW_TO_GET)
    return digits


HOW_TO_GET = "To get it: openssl x509 -noout -fingerprint -sha256 -in CERTIFICATE"
