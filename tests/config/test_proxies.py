from collections.abc import Callable

import pytest

from esml_stop.config.proxies import Proxy, proxy_for
from esml_stop.errors import ConfigError

Find = Callable[[str, dict[str, str]], Proxy | None]
HTTPS = "https://es.example.com:9200"
P, Q = "http://p:3128", "http://q:3128"


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> Find:
    """Return what finds the proxy for a URL in an environment."""

    def find(url: str, environment: dict[str, str]) -> Proxy | None:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return proxy_for(url)

    return find


@pytest.mark.parametrize(
    ("url", "environment", "source"),
    [
        (HTTPS, {}, None),
        (HTTPS, {"HTTPS_PROXY": P}, "HTTPS_PROXY"),
        (HTTPS, {"https_proxy": P, "HTTPS_PROXY": Q}, "https_proxy"),
        (HTTPS, {"HTTP_PROXY": P}, None),
        (HTTPS, {"ALL_PROXY": P}, "ALL_PROXY"),
        (HTTPS, {"ALL_PROXY": P, "HTTPS_PROXY": Q}, "HTTPS_PROXY"),
        (HTTPS, {"HTTPS_PROXY": "", "ALL_PROXY": P}, "ALL_PROXY"),
        ("http://h:9200", {"HTTP_PROXY": P, "HTTPS_PROXY": Q}, "HTTP_PROXY"),
        ("http://h:9200", {"HTTP_PROXY": P, "REQUEST_METHOD": "GET"}, None),
        ("http://h:9200", {"http_proxy": P, "REQUEST_METHOD": "GET"}, "http_proxy"),
    ],
)
def test_the_proxy_is_the_one_for_the_scheme(
    found: Find, url: str, environment: dict[str, str], source: str | None
) -> None:
    """Small letters first, ALL_PROXY last; never a HTTP_PROXY that a visitor of a CGI program may have sent."""
    proxy = found(url, environment)
    assert (proxy and proxy.source) == source


@pytest.mark.parametrize(
    ("entry", "host", "excepted"),
    [
        ("*", "es.example.com", True),
        ("es.example.com", "es.example.com", True),
        ("ES.Example.COM", "es.example.com", True),
        ("example.com", "es.example.com", True),
        (".example.com", "es.example.com", True),
        ("*.example.com", "es.example.com", True),
        ("ample.com", "es.example.com", False),
        ("es.example.com.evil", "es.example.com", False),
        ("a, es.example.com ,b", "es.example.com", True),
        ("es.example.com:9200", "es.example.com", True),
        ("es.example.com:9243", "es.example.com", False),
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.0.0.0/8", "11.1.2.3", False),
        ("10.1.2.3", "10.1.2.3", True),
        ("::1", "[::1]", True),
        ("[::1]:9200", "[::1]", True),
        ("[::1]:9201", "[::1]", False),
        ("", "es.example.com", False),
        (".", "es.example.com", False),
    ],
)
def test_no_proxy_names_hosts_domains_and_networks(found: Find, entry: str, host: str, excepted: bool) -> None:
    """With a port or without; part of a name is no match."""
    proxy = found(f"https://{host}:9200", {"HTTPS_PROXY": P, "NO_PROXY": entry})
    assert (proxy is None) is excepted


@pytest.mark.parametrize(
    ("text", "url", "login"),
    [
        ("http://p:3128", "http://p:3128", None),
        ("p:3128", "http://p:3128", None),
        ("https://p", "https://p:443", None),
        ("http://us%40er:p%3Ass@p:1/", "http://p:1", "us@er:p:ss"),
        ("http://[::1]:3128", "http://[::1]:3128", None),
    ],
)
def test_a_proxy_s_login_is_taken_out_of_its_url(found: Find, text: str, url: str, login: str | None) -> None:
    """And shows in no repr."""
    proxy = found(HTTPS, {"HTTPS_PROXY": text})
    assert proxy == Proxy(url, login, "HTTPS_PROXY")
    assert "p:ss" not in repr(proxy)


@pytest.mark.parametrize(
    "text",
    ["http://", "http://u:secret@", "http://p:secret", "ftp://secret", "http://[::1", "http://u:2024/secret@p:3128"],
)
def test_what_is_no_proxy_is_said_without_it(found: Find, text: str) -> None:
    """The variable is named, its value is not repeated."""
    with pytest.raises(ConfigError) as wrong:
        found(HTTPS, {"HTTPS_PROXY": text})
    assert wrong.value.message == "HTTPS_PROXY is not the URL of a proxy."
    assert "secret" not in f"{wrong.value.message}{wrong.value.hint}"


def test_a_socks_proxy_is_refused_by_name(found: Find) -> None:
    """Silently going around it would be worse."""
    with pytest.raises(ConfigError, match="ALL_PROXY names a SOCKS proxy"):
        found(HTTPS, {"ALL_PROXY": "socks5h://p:1080"})
