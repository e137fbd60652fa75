import base64

import pytest

from esml_stop.config.build import build
from esml_stop.config.connection import Connection
from esml_stop.config.settings import Settings
from esml_stop.errors import ConfigError


def built(warnings: tuple[str, ...] = (), **values: str) -> Connection:
    """Return the connection of settings whose source is their name."""
    settings = Settings(values, {name: name.upper() for name in values}, warnings)
    return build(settings, stdin=None, prompt=lambda _: "typed")


def test_settings_make_a_connection() -> None:
    """With the source of each."""
    found = built(url="https://a:1,https://b:2", username="u", password="p", ssl_fingerprint="AB" * 32)
    assert found.hosts == ("https://a:1", "https://b:2")
    assert (found.username, found.password, found.ssl_fingerprint) == ("u", "p", "ab" * 32)
    assert found.verify_certs
    assert found.sources == {
        "url": "URL",
        "username": "USERNAME",
        "password": "PASSWORD",
        "ssl_fingerprint": "SSL_FINGERPRINT",
    }
    assert found.warnings == ()


def test_a_cloud_id_makes_its_host() -> None:
    """The name stays, as it is what was given."""
    text = f"my:{base64.b64encode(b'eu.example.com$abc$').decode()}"
    found = built(cloud_id=text)
    assert (found.hosts, found.cloud_id, found.label) == (
        ("https://abc.eu.example.com:443",),
        text,
        "https://abc.eu.example.com:443",
    )


def test_an_address_and_a_cloud_id_exclude_each_other() -> None:
    """Whichever was meant, the other is wrong."""
    with pytest.raises(ConfigError, match="URL and CLOUD_ID cannot be used together"):
        built(url="https://a", cloud_id="x")


def test_where_credentials_came_from_is_told_in_words() -> None:
    """From the URL, from a file, or asked for."""
    assert built(url="https://u:p@a").sources["password"] == "the URL in URL"
    assert built(url="https://a", username="u").sources["password"] == "asked for"
    assert "username" not in built(url="https://a").sources


def test_verification_off_warns_each_time() -> None:
    """By whatever setting it was switched off; warnings of the file are kept."""
    found = built(("first",), url="https://a", insecure="true")
    assert not found.verify_certs
    assert found.warnings == ("first", "INSECURE: the cluster's certificate is not verified.")


@pytest.mark.parametrize(
    ("values", "warns"),
    [
        ({"url": "http://far:1", "username": "u", "password": "p"}, True),
        ({"url": "http://u:p@far:1"}, True),
        ({"url": "http://far:1", "api_key": "a:b"}, True),
        ({"url": "http://far:1", "bearer_token": "t"}, True),
        ({"url": "https://a,http://far:1", "api_key": "a:b"}, True),
        ({"url": "http://far:1"}, False),
        ({"url": "https://far:1", "api_key": "a:b"}, False),
        ({"url": "http://localhost:1", "api_key": "a:b"}, False),
        ({"url": "http://127.0.0.1:1", "api_key": "a:b"}, False),
    ],
)
def test_credentials_in_the_clear_warn(values: dict[str, str], warns: bool) -> None:
    """Over plain http to a host that is not this machine."""
    text = "Credentials are sent without encryption to http://far:1; use https://."
    assert built((), **values).warnings == ((text,) if warns else ())


def test_no_secret_is_in_a_repr() -> None:
    """Neither of the connection nor of its parts."""
    assert "hidden" not in repr(built(url="https://user:hidden@h"))
    assert "hidden" not in repr(built(url="https://h", bearer_token="hidden"))
