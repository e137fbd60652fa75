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
    assert built(url="https://a", username="u").sources["password"] == "prompt"
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


def test_a_password_in_url_option_warns() -> None:
    """The process list shows it; a variable is not seen by others, and a user name alone is no secret."""
    for source, url, warns in (
        ("--url", "https://u:p@h", True),
        ("--url", "https://u@h", False),
        ("ESML_URL", "https://u:p@h", False),
    ):
        found = build(Settings({"url": url}, {"url": source}), stdin=None, prompt=None)
        assert any("--url" in line for line in found.warnings) is warns


def test_the_login_of_a_proxy_is_a_secret_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a server repeats of it is masked; it is in no repr."""
    monkeypatch.setenv("HTTPS_PROXY", "http://me:hid%2Fden@p:1")
    found = built(url="https://a:1,https://b:2")
    assert {"me:hid/den", "hid/den"} <= set(found.secrets)
    assert set(found.proxies) == {"https://a:1", "https://b:2"}
    assert not found.has_credentials
    assert "hid" not in repr(found)


def test_what_was_not_read_is_not_checked() -> None:
    """A connection that is only shown: no program was run for these."""
    values = {"url": "$(cmd:...)", "api_key": "$(pass:elastic/key)"}
    settings = Settings(values, dict.fromkeys(values, "FILE"), unread=frozenset(values))
    found = build(settings, stdin=None, prompt=None)
    assert (found.hosts, found.api_key, found.unread) == (("$(cmd:...)",), "$(pass:elastic/key)", frozenset(values))


def test_no_secret_is_in_a_repr() -> None:
    """Neither of the connection nor of its parts."""
    assert "hidden" not in repr(built(url="https://user:hidden@h"))
    assert "hidden" not in repr(built(url="https://h", bearer_token="hidden"))
