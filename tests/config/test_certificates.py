from pathlib import Path

import pytest

from esml_stop.config.credentials import authorities, client_pair, fingerprint
from esml_stop.config.settings import Settings
from esml_stop.errors import ConfigError
from tests.support.certificates import Authority, Pair, encrypted


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Return a CA."""
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def pair(authority: Authority) -> Pair:
    """Return a client certificate with its key."""
    return authority.issue("client", "client")


def of(**values: object) -> Settings:
    """Return settings whose sources are their options."""
    return Settings({name: str(value) for name, value in values.items()}, {name: f"--{name}" for name in values})


def said(**values: object) -> str:
    """Return the error text for certificates that cannot be used."""
    with pytest.raises(ConfigError) as wrong:
        (authorities(of(**values)), client_pair(of(**values)), fingerprint(of(**values)))
    return f"{wrong.value.message} {wrong.value.hint}"


def test_good_files_come_back_as_paths(authority: Authority, pair: Pair) -> None:
    """A CA file, a certificate and its key are accepted; certificate and key can be in one file."""
    assert authorities(of(ca_certs=authority.path)) == str(authority.path)
    assert client_pair(of(client_cert=pair.cert, client_key=pair.key)) == (str(pair.cert), str(pair.key))
    both = pair.cert.with_name("both.pem")
    both.write_bytes(pair.cert.read_bytes() + pair.key.read_bytes())
    assert client_pair(of(client_cert=both)) == (str(both), None)
    assert (authorities(of()), client_pair(of())) == (None, (None, None))


def test_files_that_cannot_be_used_are_named(authority: Authority, pair: Pair, tmp_path: Path) -> None:
    """An unusable file is named before any request, with what is expected."""
    (tmp_path / "text").write_text("no certificate")
    (tmp_path / "der").write_bytes(b"\x30\x82\x01\x00")
    other = authority.issue("other", "other")
    assert "--ca_certs" in said(ca_certs=tmp_path / "text")
    assert "contains no certificate" in said(ca_certs=tmp_path / "text")
    assert "BEGIN and END" in said(ca_certs=tmp_path / "der")
    assert "cannot be read (no such file" in said(ca_certs=tmp_path / "gone")
    assert "is a folder" in said(ca_certs=tmp_path)
    assert "given without a client certificate" in said(client_key=pair.key)
    assert "--client-key FILE" in said(client_cert=pair.cert)
    assert "key of a different certificate" in said(client_cert=pair.cert, client_key=other.key)
    assert "certificate and key" in said(client_cert=tmp_path / "text", client_key=pair.key)


def test_an_encrypted_key_is_refused_not_asked_for(pair: Pair) -> None:
    """An encrypted key is rejected, because OpenSSL would prompt on the terminal."""
    text = said(client_cert=pair.cert, client_key=encrypted(pair))
    assert "is encrypted" in text
    assert "openssl pkey -in" in text


@pytest.mark.parametrize(
    "text",
    [
        "AB" * 32,
        ":".join(["ab"] * 32),
        f" {'ab' * 32} ",
        f"sha256 Fingerprint={':'.join(['AB'] * 32)}",
        f"SHA256 Fingerprint={':'.join(['AB'] * 32)}\n",
        f"SHA256:{'ab' * 32}",
        f"sha-256={'ab' * 32}",
    ],
)
def test_a_fingerprint_is_64_hex_digits(text: str) -> None:
    """A fingerprint can have colons, either case, and the prefix that openssl prints."""
    assert fingerprint(of(ssl_fingerprint=text)) == "ab" * 32


@pytest.mark.parametrize("text", ["ab" * 20, "xy" * 32, "ab" * 33])
def test_other_fingerprints_are_refused(text: str) -> None:
    """A SHA-1 fingerprint, other characters and a wrong length are rejected."""
    assert "not a SHA-256 fingerprint" in said(ssl_fingerprint=text)
