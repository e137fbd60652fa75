"""What `esml config` returns: the connection with the source of each setting, and what the cluster says to it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from esml_stop.cluster.http.proxies import proxy_for
from esml_stop.config import not_used
from esml_stop.config.connection import Connection
from esml_stop.config.credentials import key_id
from esml_stop.errors import EsmlError
from esml_stop.exit_status import ExitStatus

MASK = "********"


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as it may be shown, and where it was found."""

    name: str
    value: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a cluster said about itself and about who asks; None where that may not be read.

    `may` holds for each privilege that esml can use whether it is there.
    """

    user: str | None
    roles: tuple[str, ...] = ()
    api_key: str | None = None
    security: bool = True
    cluster_name: str | None = None
    version: str | None = None
    may: Mapping[str, bool | None] | None = None

    @property
    def may_stop(self) -> bool:
        """Tell whether deployments may be stopped."""
        return bool((self.may or {}).get("manage_ml"))


@dataclass(frozen=True, slots=True)
class SettingsReport:
    """The end of one `esml config`, ready to be shown in any form."""

    settings: tuple[Setting, ...]
    not_used: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    inspection: Inspection | None = None
    error: EsmlError | None = None

    @property
    def exit_status(self) -> int:
        """Return 0 when the settings make a connection that, if it was tried, may stop deployments."""
        if self.error:
            return self.error.exit_status
        return ExitStatus.AUTH if self.inspection and not self.inspection.may_stop else ExitStatus.OK


def shown(connection: Connection, environment: Mapping[str, str]) -> SettingsReport:
    """Return a connection as it may be shown; raises ConfigError when the proxy's variable cannot be read."""
    rows = tuple(settings(connection, environment))
    return SettingsReport(rows, not_used(connection, environment), connection.warnings)


def settings(connection: Connection, environment: Mapping[str, str]) -> Iterator[Setting]:
    """Yield the settings of a connection; of a secret only that it is there, of an API key also its ID."""
    key = connection.api_key
    values = {
        "cloud_id": connection.cloud_id,
        "url": ", ".join(connection.hosts),
        "api_key": key and f"{key_id(key) or ''}:{MASK}".lstrip(":"),
        "bearer_token": connection.bearer_token and MASK,
        "username": connection.username,
        "password": connection.username and MASK,
        "ca_certs": connection.ca_certs,
        "ssl_fingerprint": connection.ssl_fingerprint,
        "client_cert": connection.client_cert,
        "client_key": connection.client_key,
        "insecure": None if connection.verify_certs else "true",
    }
    sources = {"url": connection.sources.get("cloud_id", ""), **connection.sources}
    yield from (Setting(name, value, sources.get(name, "")) for name, value in values.items() if value)
    if not (connection.secrets or connection.username):
        yield Setting("credentials", "none")
    yield from proxies(connection, environment)


def proxies(connection: Connection, environment: Mapping[str, str]) -> Iterator[Setting]:
    """Yield the proxies on the way to the hosts, each once."""
    found = (proxy_for(host, environment) for host in connection.hosts)
    for proxy in dict.fromkeys(proxy for proxy in found if proxy):
        scheme, _, rest = proxy.url.partition("://")
        login = f"{proxy.login.partition(':')[0]}:{MASK}@" if proxy.login else ""
        yield Setting("proxy", f"{scheme}://{login}{rest}", proxy.source)
