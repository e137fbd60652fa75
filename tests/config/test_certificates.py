from pathlib import Path

import pytest

from esml_stop.config.credentials import ca_file, client_certificate, fingerprint
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


def settings(**values: object) -> Settings:
    """Return settings with these values; the source of each is its option."""
    return Settings({name: str(value) for name, value in values.items()}, {name: f"--{name}" for name in values})


def error_text(**values: object) -> str:
    """Return the error text for certificates that cannot be used."""
    with pytest.raises(ConfigError) as raised:
        (ca_file(settings(**values)), client_certificate(settings(**values)), fingerprint(settings(**values)))
    return f"{raised.value.message} {raised.value.hint}"


def test_the_paths_of_valid_files_are_returned(authority: Authority, pair: Pair) -> None:
    """The paths of a valid CA file, certificate and key are returned; one file can contain certificate and key."""
    assert ca_file(settings(ca_certs=authority.path)) == str(authority.path)
    assert client_certificate(settings(client_cert=pair.cert, client_key=pair.key)) == (str(pair.cert), str(pair.key))
    both = pair.cert.with_name("both.pem")
    both.write_bytes(pair.cert.read_bytes() + pair.key.read_bytes())
    assert client_certificate(settings(client_cert=both)) == (str(both), None)
    assert (ca_file(settings()), client_certificate(settings())) == (None, (None, None))


def test_an_unusable_file_is_rejected(authority: Authority, pair: Pair, tmp_path: Path) -> None:
    """A CA file, certificate or key that cannot be used is rejected with the reason."""
    (tmp_path / "text").write_text("no certificate")
    (tmp_path / "der").write_bytes(b"\x30\x82\x01\x00")
    other = authority.issue("other", "other")
    assert "--ca_certs" in error_text(ca_certs=tmp_path / "text")
    assert "contains no certificate" in error_text(ca_certs=tmp_path / "text")
    assert "BEGIN and END" in error_text(ca_certs=tmp_path / "der")
    assert "cannot be read (no such file" in error_text(ca_certs=tmp_path / "gone")
    assert "is a folder" in error_text(ca_certs=tmp_path)
    assert "given without a client certificate" in error_text(client_key=pair.key)
    assert "--client-key FILE" in error_text(client_cert=pair.cert)
    assert "key of a different certificate" in error_text(client_cert=pair.cert, client_key=other.key)
    assert "certificate and key" in error_text(client_cert=tmp_path / "text", client_key=pair.key)


def test_an_encrypted_key_is_rejected(pair: Pair) -> None:
    """An encrypted key is rejected with the command that decrypts it, because OpenSSL would prompt on the terminal."""
    text = error_text(client_cert=pair.cert, client_key=encrypted(pair))
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
    """A fingerprint can have colons, upper or lower case, and the prefix that openssl prints."""
    assert fingerprint(settings(ssl_fingerprint=text)) == "ab" * 32


@pytest.mark.parametrize("text", ["ab" * 20, "xy" * 32, "ab" * 33])
def test_an_invalid_fingerprint_is_rejected(text: str) -> None:
    """A SHA-1 fingerprint, other characters and a wrong length are rejected."""
    assert "not a SHA-256 fingerprint" in error_text(ssl_fingerprint=text)
