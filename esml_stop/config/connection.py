"""How to reach a cluster: the result of reading the settings, before any client exists."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from esml_stop.config.settings import Block
from esml_stop.config.urls import Proxy
from esml_stop.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Connection:
    """One cluster and the credentials for it; `repr` never shows a secret.

    `hosts` are URLs with scheme, host and port (and a path prefix, if any) but without credentials; of a `cloud_id`
    it is the one that it means. `proxies` holds the proxy on the way to a host. `sources` says for each setting where
    it was found, in words for people. Settings in `unread` hold an expression whose program was not run; such a
    connection can be shown, not used. `blocked` holds the changes (stop, start) that the profile does not allow.
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
    unread: frozenset[str] = frozenset()
    blocked: Mapping[str, Block] = field(default_factory=dict)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return every value that must not appear in any output."""
        logins = [proxy.login for proxy in self.proxies.values() if proxy.login]
        passwords = [login.partition(":")[2] for login in logins]
        return tuple(filter(None, (self.api_key, self.bearer_token, self.password, *logins, *passwords)))

    @property
    def has_credentials(self) -> bool:
        """Tell whether anything says to the cluster who asks."""
        return bool(self.api_key or self.bearer_token or self.username)

    @property
    def label(self) -> str:
        """Return what to call this cluster in a message."""
        return ", ".join(self.hosts)

    def check_allowed(self, *changes: str) -> None:
        """Raise ConfigError when the profile's command policy blocks one of these changes: "stop", "start"."""
        for change in changes:
            if change in self.blocked:
                hint = "Choose another profile, or change `commands` in that file. A dry run is always allowed."
                raise ConfigError(self.blocked[change].sentence, hint=hint)
