"""Tests TLS on a real node; tests/cluster/http/test_tls.py tests other certificates."""

import ssl
from collections.abc import Callable
from hashlib import sha256
from urllib.parse import urlsplit

import pytest

from tests.support.command import Ended, esml
from tests.support.raw_cluster import RawCluster

pytestmark = pytest.mark.scenario


@pytest.fixture
def secure(cluster: RawCluster) -> RawCluster:
    """Return a cluster with TLS."""
    if not cluster.ca_certs:
        pytest.skip("this cluster does not speak TLS")
    return cluster


@pytest.fixture
def attempt(secure: RawCluster) -> Callable[..., Ended]:
    """Return a function that tests the connection with the given trust only."""

    def check(*options: str, url: str | None = None) -> Ended:
        names = {**secure.environment(), "ESML_CA_CERTS": "", "ESML_URL": url or secure.url}
        return esml("config", "--check", "-v", *options, environment=names)

    return check


def fingerprint(cluster: RawCluster) -> str:
    """Return the SHA-256 fingerprint of the cluster's certificate."""
    parts = urlsplit(cluster.url)
    pem = ssl.get_server_certificate((parts.hostname or "", parts.port or 443))
    return sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()


def requests(ended: Ended) -> int:
    """Return the number of requests."""
    return sum(line.startswith(("esml: GET ", "esml: POST ")) for line in ended.err.splitlines())


def test_each_way_to_trust_the_cluster_works(secure: RawCluster, attempt: Callable[..., Ended]) -> None:
    """The CA, the fingerprint, and --insecure with a warning each work."""
    assert attempt("--ca-certs", str(secure.ca_certs)).status == 0
    assert attempt("--ssl-fingerprint", fingerprint(secure)).status == 0
    unverified = attempt("--insecure")
    assert unverified.status == 0
    assert "esml: warning: --insecure: the cluster's certificate is not verified." in unverified.err


def test_an_untrusted_certificate_is_explained_after_one_request(
    secure: RawCluster, attempt: Callable[..., Ended]
) -> None:
    """After one request, an unknown CA is reported with --ca-certs, and a wrong fingerprint with the actual one."""
    for ended, says in (
        (attempt(), "Pass the cluster's CA with --ca-certs FILE"),
        (attempt("--ssl-fingerprint", "ab" * 32), f"has a different fingerprint: {fingerprint(secure)}."),
    ):
        assert (ended.status, requests(ended)) == (6, 1), ended.err
        assert says in ended.err


def test_plain_http_on_a_tls_port_hints_at_https(secure: RawCluster, attempt: Callable[..., Ended]) -> None:
    """The message for http on a TLS port suggests https."""
    ended = attempt(url=secure.url.replace("https:", "http:"))
    assert ended.status == 6
    assert "use https:// in the URL" in ended.err


def test_https_on_a_port_without_tls_hints_at_http(cluster: RawCluster) -> None:
    """An https URL of a port without TLS fails after one request, and the message suggests http."""
    if cluster.ca_certs:
        pytest.skip("this cluster speaks TLS")
    url = cluster.url.replace("http:", "https:")
    ended = esml("config", "--check", "-v", environment={**cluster.environment(), "ESML_URL": url})
    assert (ended.status, requests(ended)) == (6, 1)
    assert f"{url} does not speak TLS.\n  Use http:// in --url" in ended.err
