"""Tests TLS connections to a real node; tests/cluster/http/test_tls.py tests other certificates."""

import ssl
from collections.abc import Callable
from hashlib import sha256
from urllib.parse import urlsplit

import pytest

from tests.support.command import Ended, esml
from tests.support.raw_cluster import RawCluster

pytestmark = pytest.mark.scenario


@pytest.fixture
def tls_cluster(cluster: RawCluster) -> RawCluster:
    """Return a cluster with TLS; skip the test if the cluster has none."""
    if not cluster.ca_certs:
        pytest.skip("this cluster does not speak TLS")
    return cluster


@pytest.fixture
def check_connection(tls_cluster: RawCluster) -> Callable[..., Ended]:
    """Return a function that runs `esml config --check` without the cluster's CA, unless an option names it."""

    def run_check(*options: str, url: str | None = None) -> Ended:
        environment = {**tls_cluster.environment(), "ESML_CA_CERTS": "", "ESML_URL": url or tls_cluster.url}
        return esml("config", "--check", "-v", *options, environment=environment)

    return run_check


def fingerprint(cluster: RawCluster) -> str:
    """Return the SHA-256 fingerprint of the cluster's certificate."""
    parts = urlsplit(cluster.url)
    pem = ssl.get_server_certificate((parts.hostname or "", parts.port or 443))
    return sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()


def request_count(ended: Ended) -> int:
    """Return the number of requests that a command logged with -v."""
    return sum(line.startswith(("esml: GET ", "esml: POST ")) for line in ended.err.splitlines())


def test_each_way_to_trust_the_cluster_works(tls_cluster: RawCluster, check_connection: Callable[..., Ended]) -> None:
    """--ca-certs, --ssl-fingerprint, and --insecure with a warning each connect to the cluster."""
    assert check_connection("--ca-certs", str(tls_cluster.ca_certs)).status == 0
    assert check_connection("--ssl-fingerprint", fingerprint(tls_cluster)).status == 0
    unverified = check_connection("--insecure")
    assert unverified.status == 0
    assert "esml: warning: --insecure: the cluster's certificate is not verified." in unverified.err


def test_an_untrusted_certificate_is_explained_after_one_request(
    tls_cluster: RawCluster, check_connection: Callable[..., Ended]
) -> None:
    """After one request, an unknown CA is reported with --ca-certs, and a wrong fingerprint with the actual one."""
    for ended, message in (
        (check_connection(), "Pass the cluster's CA with --ca-certs FILE"),
        (check_connection("--ssl-fingerprint", "ab" * 32), f"has a different fingerprint: {fingerprint(tls_cluster)}."),
    ):
        assert (ended.status, request_count(ended)) == (6, 1), ended.err
        assert message in ended.err


def test_plain_http_on_a_tls_port_hints_at_https(
    tls_cluster: RawCluster, check_connection: Callable[..., Ended]
) -> None:
    """An http URL of a port with TLS exits with 6, and the message suggests https."""
    ended = check_connection(url=tls_cluster.url.replace("https:", "http:"))
    assert ended.status == 6
    assert "use https:// in the URL" in ended.err


def test_https_on_a_port_without_tls_hints_at_http(cluster: RawCluster) -> None:
    """An https URL of a port without TLS exits with 6 after one request, and the message suggests http."""
    if cluster.ca_certs:
        pytest.skip("this cluster speaks TLS")
    url = cluster.url.replace("http:", "https:")
    ended = esml("config", "--check", "-v", environment={**cluster.environment(), "ESML_URL": url})
    assert (ended.status, request_count(ended)) == (6, 1)
    assert f"{url} does not speak TLS.\n  Use http:// in --url" in ended.err
