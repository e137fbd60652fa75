"""Certificates of every kind, made when they are asked for."""

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

LONG_AGO = datetime.now(tz=timezone.utc) - timedelta(days=9)


@dataclass(frozen=True)
class Pair:
    """Paths of a certificate and of its key."""

    cert: Path
    key: Path


class Authority:
    """A CA that writes what it issues into a folder."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.ca = trustme.CA()
        self.path = folder / "ca.pem"
        self.ca.cert_pem.write_to_path(str(self.path))

    def issue(self, name: str, *hosts: str, expires: datetime | None = None) -> Pair:
        """Return a certificate for some hosts."""
        issued = self.ca.issue_cert(*(hosts or ("localhost", "127.0.0.1")), not_after=expires)
        pair = Pair(self.folder / f"{name}.pem", self.folder / f"{name}.key")
        issued.private_key_pem.write_to_path(str(pair.key))
        issued.cert_chain_pems[0].write_to_path(str(pair.cert))
        return pair

    def trust(self, other: "Authority") -> None:
        """Write the other CA's certificate where this one's would be."""
        other.ca.cert_pem.write_to_path(str(self.path))


def encrypted(pair: Pair) -> Path:
    """Return the path of the pair's key under a password."""
    key = load_pem_private_key(pair.key.read_bytes(), None)
    path = pair.key.with_suffix(".encrypted")
    lock = BestAvailableEncryption(b"password")
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock))
    return path
