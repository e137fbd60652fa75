import base64

import pytest

from esml_stop.config.urls import Address, addresses, cloud_address, is_local
from esml_stop.errors import ConfigError


def cloud_id(parts: str) -> str:
    """Return a cloud ID that holds these parts."""
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
def test_a_url_gets_its_port_and_loses_its_credentials(text: str, url: str) -> None:
    """Scheme, host, port and path are kept; without a port it is the scheme's own."""
    assert [one.url for one in addresses(text, "--url")] == [url]


def test_credentials_are_taken_out_decoded() -> None:
    """User and password of a URL come without percent-encoding and are in no repr."""
    (found,) = addresses("https://us%40er:p%3A%2Fss@h:9200", "--url")
    assert found == Address("https://h:9200", "us@er", "p:/ss")
    assert "p:/ss" not in repr(found)


def test_several_hosts_are_separated_by_commas() -> None:
    """Blanks around them and empty parts do not count."""
    assert [one.url for one in addresses("http://a:1, http://b:2,", "ESML_URL")] == ["http://a:1", "http://b:2"]


@pytest.mark.parametrize(
    ("text", "says"),
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
        ("https://user:sec ret@h", "holds spaces"),
        ("https://h\n:9200", "holds spaces"),
        ("https://hö.example", "holds spaces or characters"),
        ("https://[::1", "cannot be read"),
    ],
)
def test_what_is_wrong_is_said_without_the_url(text: str, says: str) -> None:
    """The setting is named, its value never repeated: it may hold a password, which may need escapes."""
    with pytest.raises(ConfigError) as wrong:
        addresses(text, "ESML_URL")
    assert says in wrong.value.message
    assert "ESML_URL" in wrong.value.message
    assert "secret" not in f"{wrong.value.message}{wrong.value.hint}"


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
def test_a_cloud_id_means_a_host(parts: str, url: str) -> None:
    """Domain, port and the part for Elasticsearch make an https address."""
    assert cloud_address(cloud_id(parts), "ESML_CLOUD_ID").url == url


@pytest.mark.parametrize(
    "text", ["", "name:", "name:!!!", "name:YWJj", cloud_id("$abc$def"), cloud_id("d$$k"), "ü:YQ=="]
)
def test_what_is_no_cloud_id_is_named(text: str) -> None:
    """The setting and where to get a right one, not the value."""
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
def test_local_is_what_stays_on_this_machine(url: str, local: bool) -> None:
    """Loopback addresses and localhost names; a private network is not local."""
    assert is_local(url) is local
