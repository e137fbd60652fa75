import base64
from collections.abc import Callable

import pytest

from esml_stop.config.urls import Address, Proxy, addresses, cloud_address, is_local, proxy_for
from esml_stop.errors import ConfigError


def cloud_id(parts: str) -> str:
    """Return a cloud ID with these parts."""
    return f"name:{base64.b64encode(parts.encode()).decode()}"


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://h:9200", "https://h:9200"),
        ("http://h", "http://h:80"),
        ("https://h/", "https://h:443"),
        ("HTTPS://Example.COM:9200/prefix/", "https://example.com:9200/prefix"),
        ("http://[::1]:9200", "http://[::1]:9200"),
        ("http://user:pass@h:9200", "http://h:9200"),
        ("http://us_er-1.example.com.:9200", "http://us_er-1.example.com.:9200"),
        (f"http://{'a' * 63}", f"http://{'a' * 63}:80"),
        ("http://[2001:DB8::0:1]:9200", "http://[2001:db8::1]:9200"),
    ],
)
def test_a_url_is_normalized(text: str, url: str) -> None:
    """A URL is normalized: it gets the default port of its scheme and a lower-case host, and loses its credentials."""
    assert [one.url for one in addresses(text, "--url")] == [url]


def test_credentials_in_a_url_are_decoded() -> None:
    """User name and password are decoded from the URL, and the password is not part of the repr."""
    (address,) = addresses("https://us%40er:p%3A%2Fss@h:9200", "--url")
    assert address == Address("https://h:9200", "us@er", "p:/ss")
    assert "p:/ss" not in repr(address)


def test_several_hosts_are_separated_by_commas() -> None:
    """Spaces and empty parts in a comma-separated list of hosts are ignored."""
    assert [one.url for one in addresses("http://a:1, http://b:2,", "ESML_URL")] == ["http://a:1", "http://b:2"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        (" , ", "is empty"),
        ("localhost:9200", "does not begin with http"),
        ("ftp://secret@h", "does not begin with http"),
        ("https://", "has no host"),
        ("https://user:secret@", "has no host"),
        ("https://h:secret", "cannot be read"),
        ("https://svc:2024/secret@es.example.com:9200", "has an @ after the first /"),
        ("https://svc:pa/secret@es.example.com", "has an @ after the first /"),
        ("https://svc/secret@h", "has an @ after the first /"),
        ("https://user:2024,secret@h", "does not begin with http"),
        ("http://[fe80::1%25eth0]:9200", "zone ID"),
        ("http://[fe80::1%eth0]:9200", "zone ID"),
        ("http://user:secret@[fe80::1%25eth0]", "zone ID"),
        ("http://[::zz]:9200", ""),
        ("http://two..dots:9200", "is not a host name"),
        ("http://.lead:9200", "is not a host name"),
        (f"http://{'a' * 64}.example.com", "is not a host name"),
        (f"http://{'a.' * 127}com", "is not a host name"),
        ("http://ho%20st", "is not a host name"),
        ("http://ho*st", "is not a host name"),
        ("https://h:99999", "cannot be read"),
        ("https://h/?q=secret", "has a ? or #"),
        ("https://user:sec#ret@h", "has a ? or #"),
        ("https://user:sec ret@h", "contains spaces"),
        ("https://h\n:9200", "contains spaces"),
        ("https://hö.example", "contains spaces or characters"),
        ("https://[::1", "cannot be read"),
    ],
)
def test_an_invalid_url_is_reported_without_its_value(text: str, message: str) -> None:
    """An invalid URL is reported by its setting, without its value, which may contain a password."""
    with pytest.raises(ConfigError) as raised:
        addresses(text, "ESML_URL")
    assert message in raised.value.message
    assert "ESML_URL" in raised.value.message
    assert "secret" not in f"{raised.value.message}{raised.value.hint}"


@pytest.mark.parametrize(
    ("parts", "url"),
    [
        ("eu.example.com$abc$def", "https://abc.eu.example.com:443"),
        ("eu.example.com:9243$abc$def", "https://abc.eu.example.com:9243"),
        ("eu.example.com$abc", "https://abc.eu.example.com:443"),
        ("eu.example.com$abc$", "https://abc.eu.example.com:443"),
        ("eu.example.com$abc:9244$def:9245", "https://abc.eu.example.com:9244"),
        ("eu.example.com:9243$abc:9244$def", "https://abc.eu.example.com:9244"),
        ("eu.example.com:9243$abc$def:9245", "https://abc.eu.example.com:9243"),
    ],
)
def test_a_cloud_id_is_decoded_to_an_address(parts: str, url: str) -> None:
    """Domain, port and the Elasticsearch part of a cloud ID form an https address."""
    assert cloud_address(cloud_id(parts), "ESML_CLOUD_ID").url == url


@pytest.mark.parametrize(
    "text", ["", "name:", "name:!!!", "name:YWJj", cloud_id("$abc$def"), cloud_id("d$$k"), "ü:YQ=="]
)
def test_an_invalid_cloud_id_is_rejected(text: str) -> None:
    """An invalid cloud ID is reported by its setting."""
    with pytest.raises(ConfigError, match="ESML_CLOUD_ID is not an Elastic Cloud ID"):
        cloud_address(text, "ESML_CLOUD_ID")


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://localhost:1", True),
        ("http://es.localhost:1", True),
        ("http://127.0.0.9:1", True),
        ("http://[::1]:1", True),
        ("http://10.0.0.1:1", False),
        ("http://localhost.example.com:1", False),
    ],
)
def test_loopback_addresses_are_local(url: str, local: bool) -> None:
    """Loopback addresses and localhost names are local; private networks are not."""
    assert is_local(url) is local


FindProxy = Callable[[str, dict[str, str]], Proxy | None]
HTTPS = "https://es.example.com:9200"
P, Q = "http://p:3128", "http://q:3128"


@pytest.fixture
def find_proxy(monkeypatch: pytest.MonkeyPatch) -> FindProxy:
    """Return a function that finds the proxy for a URL in an environment."""

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
def test_the_proxy_depends_on_the_scheme_of_the_url(
    find_proxy: FindProxy, url: str, environment: dict[str, str], source: str | None
) -> None:
    """The lower-case variable of the scheme precedes the upper-case one and ALL_PROXY; HTTP_PROXY is ignored in CGI."""
    proxy = find_proxy(url, environment)
    assert (proxy and proxy.source) == source


@pytest.mark.parametrize(
    ("entry", "host", "bypassed"),
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
def test_no_proxy_matches_hosts_domains_and_networks(
    find_proxy: FindProxy, entry: str, host: str, bypassed: bool
) -> None:
    """NO_PROXY matches hosts, domains and networks, with or without port, but not parts of names."""
    proxy = find_proxy(f"https://{host}:9200", {"HTTPS_PROXY": P, "NO_PROXY": entry})
    assert (proxy is None) is bypassed


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
def test_the_login_of_a_proxy_is_removed_from_its_url(
    find_proxy: FindProxy, text: str, url: str, login: str | None
) -> None:
    """The login of a proxy is removed from its URL and not part of any repr."""
    proxy = find_proxy(HTTPS, {"HTTPS_PROXY": text})
    assert proxy == Proxy(url, login, "HTTPS_PROXY")
    assert "p:ss" not in repr(proxy)


@pytest.mark.parametrize(
    "text",
    ["http://", "http://u:secret@", "http://p:secret", "ftp://secret", "http://[::1", "http://u:2024/secret@p:3128"],
)
def test_an_invalid_proxy_is_reported_without_its_value(find_proxy: FindProxy, text: str) -> None:
    """An invalid proxy is reported by its variable, without its value."""
    with pytest.raises(ConfigError) as raised:
        find_proxy(HTTPS, {"HTTPS_PROXY": text})
    assert raised.value.message == "HTTPS_PROXY is not the URL of a proxy."
    assert "secret" not in f"{raised.value.message}{raised.value.hint}"


def test_a_socks_proxy_is_rejected(find_proxy: FindProxy) -> None:
    """A SOCKS proxy is rejected with an error that names its variable."""
    with pytest.raises(ConfigError, match="ALL_PROXY names a SOCKS proxy"):
        find_proxy(HTTPS, {"ALL_PROXY": "socks5h://p:1080"})
