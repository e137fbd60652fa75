"""One run of esml and its cluster; reports of results and errors include both."""

import time
from dataclasses import dataclass, field
from typing import NamedTuple

from esml_stop.text import rfc3339


class ClusterIdentity(NamedTuple):
    """The identity of a cluster: the configured URL, and the values from `GET /`, as far as they could be read.

    `flavor` is `serverless` on Elastic Cloud Serverless, which always reports version 8.11.0.
    """

    url: str
    name: str | None = None
    uuid: str | None = None
    version: str | None = None
    flavor: str | None = None

    @property
    def label(self) -> str:
        """Return the name and URL for messages, or only the URL if the name is unknown."""
        return f'"{self.name}" ({self.url})' if self.name else self.url

    def described(self, other: "ClusterIdentity") -> str:
        """Return a label that distinguishes this cluster from another: with the UUID if name and URL are the same."""
        return f"{self.label}, UUID {self.uuid or 'unknown'}" if self.label == other.label else self.label

    def is_same(self, other: "ClusterIdentity") -> bool | None:
        """Return whether both are the same cluster, by UUID or else by URL; None if that is unknown."""
        if self.uuid and other.uuid:
            return self.uuid == other.uuid
        return True if self.url == other.url else None


def utc_now() -> str:
    """Return the current time in UTC in RFC 3339 format, to the second."""
    return rfc3339(int(time.time() * 1000))


@dataclass(slots=True)
class Invocation:
    """One run of esml: its options, output format, cluster and warnings; error reports include it, too."""

    command: str = ""
    output_format: str | None = None
    debug: bool = False
    options: tuple[str, ...] = ()
    cluster: ClusterIdentity | None = None
    warnings: list[str] = field(default_factory=list)
    started_at: str = field(default_factory=utc_now)
    began: float = field(default_factory=time.monotonic)

    @property
    def is_json(self) -> bool:
        """Return whether the output format is JSON, so that errors are written to stdout, too."""
        return self.output_format in {"json", "jsonl"}
