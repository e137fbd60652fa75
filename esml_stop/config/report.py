"""Prepares a connection for `esml config`: each setting with its source, without secrets."""

from collections.abc import Iterator, Mapping

from esml_stop.config.api_key import key_id
from esml_stop.config.connection import Connection
from esml_stop.config.resolve import not_used
from esml_stop.settings_report import Setting, SettingsReport

MASK = "********"


def settings_report(connection: Connection, environment: Mapping[str, str]) -> SettingsReport:
    """Return a connection without secrets."""
    rows = tuple(settings(connection))
    blocked = "stop" in connection.blocked
    return SettingsReport(rows, not_used(connection, environment), connection.warnings, blocked=blocked)


def settings(connection: Connection) -> Iterator[Setting]:
    """Yield the settings of a connection, with secrets masked except for the ID of an API key."""
    values = {
        "cloud_id": connection.cloud_id,
        "url": ", ".join(connection.hosts),
        "api_key": masked(connection, "api_key", connection.api_key),
        "bearer_token": masked(connection, "bearer_token", connection.bearer_token),
        "username": connection.username,
        "password": masked(connection, "password", connection.username and (connection.password or MASK)),
        "ca_certs": connection.ca_certs,
        "ssl_fingerprint": connection.ssl_fingerprint,
        "client_cert": connection.client_cert,
        "client_key": connection.client_key,
        "insecure": None if connection.verify_certs else "true",
    }
    sources = {"url": connection.sources.get("cloud_id", ""), **connection.sources}
    yield from (Setting(name, value, sources.get(name, "")) for name, value in values.items() if value)
    if not connection.has_credentials:
        yield Setting("credentials", "none")
    yield from proxies(connection)
    for change, block in connection.blocked.items():
        yield Setting(f"policy_{change}", f"not allowed ({block.rule})", block.owner)


def masked(connection: Connection, name: str, secret: str | None) -> str | None:
    """Return a secret in masked form, or the expression for it if its program was not run."""
    if not secret or name in connection.unresolved:
        return secret
    identity = key_id(secret) if name == "api_key" else None
    return f"{identity}:{MASK}" if identity else MASK


def proxies(connection: Connection) -> Iterator[Setting]:
    """Yield the proxies for the hosts, each once."""
    for proxy in dict.fromkeys(connection.proxies.values()):
        scheme, _, rest = proxy.url.partition("://")
        login = f"{proxy.login.partition(':')[0]}:{MASK}@" if proxy.login else ""
        yield Setting("proxy", f"{scheme}://{login}{rest}", proxy.source)
