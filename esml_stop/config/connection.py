"""How to reach a cluster: the result of reading the settings, before any client exists."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Connection:
    """One cluster and the credentials for it; `repr` never shows a secret.

    `hosts` are URLs with scheme, host and port (and a path prefix, if any) but without credentials; of a `cloud_id`
    it is the one that it means. `sources` says for each setting where it was found, in words for people.
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
    sources: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return every value that must not appear in any output."""
        return tuple(filter(None, (self.api_key, self.bearer_token, self.password)))

    @property
    def label(self) -> str:
        """Return what to call this cluster in a message."""
        return ", ".join(self.hosts)
