"""Creates certificates for the TLS tests."""

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Pair:
    """The paths of a certificate and its private key."""

    cert: Path
    key: Path


class Authority:
    """A CA that writes its own certificate and those that it issues into a folder."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.ca = trustme.CA()
        self.path = folder / "ca.pem"
        self.ca.cert_pem.write_to_path(str(self.path))

    def issue(self, name: str, *hosts: str, expires: datetime | None = None) -> Pair:
        """Issue a certificate for these hosts, by default localhost and 127.0.0.1, and return its paths."""
        issued = self.ca.issue_cert(*(hosts or ("localhost", "127.0.0.1")), not_after=expires)
        pair = Pair(self.folder / f"{name}.pem", self.folder / f"{name}.key")
        issued.private_key_pem.write_to_path(str(pair.key))
        issued.cert_chain_pems[0].write_to_path(str(pair.cert))
        return pair


def encrypted(pair: Pair) -> Path:
    """Write a copy of a private key, encrypted with the password `password`, and return its path."""
    key = load_pem_private_key(pair.key.read_bytes(), None)
    path = pair.key.with_suffix(".encrypted")
    lock = BestAvailableEncryption(b"password")
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock))
    return path


def without_key_usage(folder: Path) -> Pair:
    """Return a certificate for localhost whose CA, ca.pem in the folder, has no key usage extension."""
    ca, server = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "An old CA")])
    identity = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca.public_key())
    root = blank(name, ca.public_key(), x509.BasicConstraints(ca=True, path_length=None))
    leaf = blank(name, server.public_key(), x509.BasicConstraints(ca=False, path_length=None))
    leaf = leaf.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    (folder / "ca.pem").write_bytes(root.sign(ca, SHA256()).public_bytes(Encoding.PEM))
    pair = Pair(folder / "old.pem", folder / "old.key")
    signed = leaf.add_extension(identity, critical=False).sign(ca, SHA256())
    pair.cert.write_bytes(signed.public_bytes(Encoding.PEM))
    pair.key.write_bytes(server.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return pair


def blank(issuer: x509.Name, key: ec.EllipticCurvePublicKey, kind: x509.BasicConstraints) -> x509.CertificateBuilder:
    """Return a builder for a certificate that is valid until tomorrow; a CA is its own issuer."""
    now = datetime.now(tz=timezone.utc)
    subject = issuer if kind.ca else x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    builder = x509.CertificateBuilder(issuer, subject, key, x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    identity = x509.SubjectKeyIdentifier.from_public_key(key)
    return builder.add_extension(kind, critical=True).add_extension(identity, critical=False)
