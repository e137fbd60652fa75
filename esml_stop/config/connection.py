"""The connection to a cluster, independent of any client, and functions that mask its secrets in texts."""

import base64
import binascii
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from esml_stop.config.settings import Block
from esml_stop.config.urls import Proxy
from esml_stop.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Connection:
    """One cluster and the credentials for it; `repr` never shows a secret.

    `hosts` are URLs with scheme, host and port (and a path prefix, if any), but without credentials; for a `cloud_id`,
    the URL that it contains. `proxies` maps the URL of a host to the proxy for it. `sources` describes, for messages,
    where each setting was found. Settings in `unresolved` contain an expression whose program was not run; the
    connection can then only be shown. `blocked` holds the changes (stop, start) that the profile does not allow.
    """

    hosts: tuple[str, ...] = ()
    cloud_id: str | None = None
    api_key: str | None = field(default=None, repr=False)
    bearer_token: str | None = field(default=None, repr=False)
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_certs: str | None = None
    ssl_fingerprint: str | None = None
    client_cert: str | None = None
    client_key: str | None = None
    verify_certs: bool = True
    proxies: Mapping[str, Proxy] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    unresolved: frozenset[str] = frozenset()
    blocked: Mapping[str, Block] = field(default_factory=dict)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return every value that must not appear in any output."""
        logins = [proxy.login for proxy in self.proxies.values() if proxy.login]
        passwords = [login.partition(":")[2] for login in logins]
        return tuple(filter(None, (self.api_key, self.bearer_token, self.password, *logins, *passwords)))

    @property
    def has_credentials(self) -> bool:
        """Return whether any credentials are set."""
        return bool(self.api_key or self.bearer_token or self.username)

    @property
    def label(self) -> str:
        """Return the URLs of the cluster for messages."""
        return ", ".join(self.hosts)

    def check_allowed(self, *changes: str) -> None:
        """Raise ConfigError when the profile's command policy blocks one of these changes: "stop", "start"."""
        for change in changes:
            if change in self.blocked:
                hint = "Choose another profile, or change `commands` in that file. A dry run is always allowed."
                raise ConfigError(self.blocked[change].sentence, hint=hint)


MASK = "***"

# Shorter values are not masked: that would make messages unreadable.
SHORTEST = 4

# A traceback of more characters contains a whole response.
LONGEST_TRACEBACK = 20_000


class RedactedError(Exception):
    """Replaces an error whose traceback contains a secret or a whole response."""


def redacted(text: str, connection: Connection) -> str:
    """Return text with every form of the connection's secrets masked."""
    for form in sorted(secret_encodings(connection), key=len, reverse=True):
        text = text.replace(form, MASK)
    return text


def without_secrets(error: Exception, connection: Connection) -> Exception:
    """Return the error, or RedactedError if its traceback contains a secret or a whole response."""
    text = "".join(traceback.format_exception(error))
    if len(text) <= LONGEST_TRACEBACK and redacted(text, connection) == text:
        return error
    return RedactedError(f"{type(error).__name__}; it repeats a secret or a whole answer")


def secret_encodings(connection: Connection) -> set[str]:
    """Return the secrets in plain text, in header encoding and percent-encoded, without very short ones."""
    found = set(connection.secrets)
    found |= {base64.b64encode(one.login.encode()).decode() for one in connection.proxies.values() if one.login}
    if connection.username is not None and connection.password:
        found.add(base64.b64encode(f"{connection.username}:{connection.password}".encode()).decode())
    if connection.api_key:
        found |= parts_of_key(connection.api_key)
    found |= {one.rstrip("=") for one in found}
    quoted = {quote(one, safe="") for one in found}
    return {one for one in found | quoted if len(one) >= SHORTEST}


def parts_of_key(key: str) -> set[str]:
    """Return the decoded API key and its secret half; empty if the key is not valid base64."""
    try:
        decoded = base64.b64decode(key + "=" * (-len(key) % 4)).decode()
    except (binascii.Error, ValueError):
        return set()
    return {decoded, decoded.partition(":")[2]} - {""}
