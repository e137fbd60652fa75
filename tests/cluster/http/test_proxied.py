from collections.abc import Callable
from pathlib import Path

import pytest

from esml_stop.cli import main
from esml_stop.cluster.reader import Reader
from tests.support.certificates import Authority
from tests.support.proxy_server import proxying
from tests.support.tls_server import CountingServer, serving

Attempt = Callable[..., tuple[int, str, str]]
LOGIN = "proxy-user:canary%2Fproxy-password"
SECRET = "canary/proxy-password"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Return the CA of the cluster."""
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def attempt(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], authority: Authority) -> Attempt:
    """Return a function that runs `esml config --check` in an environment and returns exit code, stdout and stderr."""
    monkeypatch.setattr("esml_stop.runtime.deadline.SystemClock.sleep", lambda *_: None)

    def check(server: CountingServer, **environment: str) -> tuple[int, str, str]:
        with monkeypatch.context() as patch:
            patch.setenv("ESML_URL", server.at())
            if server.scheme == "https":
                patch.setenv("ESML_CA_CERTS", str(authority.path))
            for name, value in environment.items():
                patch.setenv(name, value)
            status = main.run(["config", "--check", "-v"])
        out, err = capsys.readouterr()
        assert SECRET not in out + err
        return status, out, err

    return check


def test_https_goes_through_a_tunnel(attempt: Attempt, authority: Authority) -> None:
    """One CONNECT serves all https requests, and the cluster's certificate is verified through the tunnel."""
    with serving(authority.issue("server")) as server, proxying() as proxy:
        status, out, _ = attempt(server, HTTPS_PROXY=proxy.url())
        assert status == 0
        assert proxy.seen == [f"CONNECT localhost:{server.server_address[1]}"]
        assert f"proxy\thttp://localhost:{proxy.server_address[1]}\tHTTPS_PROXY" in out
        assert server.connections == 1


def test_http_requests_go_to_the_proxy_with_the_complete_url(attempt: Attempt) -> None:
    """Requests by http are sent to the proxy with the complete URL."""
    with serving() as server, proxying() as proxy:
        assert attempt(server, http_proxy=proxy.url())[0] == 0
        assert proxy.seen == [f"GET {server.at()}/_security/_authenticate", f"GET {server.at()}/"]


def test_a_path_prefix_and_special_characters_pass_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy receives the complete URL with its path prefix, and each ID as a percent-encoded path segment."""
    with serving() as server, proxying() as proxy:
        monkeypatch.setenv("ESML_URL", f"{server.at()}/prefix")
        monkeypatch.setenv("HTTP_PROXY", proxy.url())
        main.run(["stop", "a/../b c", "--no-check", "--timeout", "5s"])
        assert proxy.seen[0] == f"GET {server.at()}/prefix/"
        assert proxy.seen[1].startswith(f"GET {server.at()}/prefix/_ml/trained_models/a%2F..%2Fb%20c/_stats?")


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_requires_a_login_is_reported(attempt: Attempt, authority: Authority, scheme: str) -> None:
    """A 407 exits with 6 after one attempt; credentials in the proxy's URL are used, and the password is masked."""
    pair = authority.issue("server") if scheme == "https" else None
    variable = f"{scheme.upper()}_PROXY"
    with serving(pair) as server, proxying(login=f"proxy-user:{SECRET}") as proxy:
        status, _, err = attempt(server, **{variable: proxy.url()})
        assert (status, len(proxy.seen), server.connections) == (6, 1, 0)
        assert f"The proxy {proxy.url()} requires a login (HTTP 407); the cluster was not reached." in err
        assert f"Put it into {variable}" in err
        status, out, _ = attempt(server, **{variable: proxy.url(LOGIN)})
        assert status == 0
        assert f"proxy\thttp://proxy-user:********@localhost:{proxy.server_address[1]}\t{variable}" in out


def test_a_proxy_can_use_tls(attempt: Attempt, authority: Authority, tmp_path: Path) -> None:
    """A proxy's certificate is verified with the CA of the cluster; a fingerprint of the cluster is not sufficient."""
    pair = authority.issue("server")
    with serving(pair) as server, proxying(pair=pair) as proxy:
        assert attempt(server, HTTPS_PROXY=proxy.url())[0] == 0
        assert len(proxy.seen) == 1
        status, _, err = attempt(server, HTTPS_PROXY=proxy.url(), ESML_CA_CERTS="", ESML_SSL_FINGERPRINT="ab" * 32)
        assert (status, len(proxy.seen)) == (2, 1)
        assert "HTTPS_PROXY names an https:// proxy, which ESML_SSL_FINGERPRINT cannot verify." in err
    with serving(pair) as server, proxying(pair=Authority(tmp_path).issue("stranger")) as proxy:
        assert attempt(server, HTTPS_PROXY=proxy.url())[0] == 6
        assert proxy.seen == []


def test_hosts_in_no_proxy_are_contacted_directly(attempt: Attempt, authority: Authority) -> None:
    """Hosts in NO_PROXY are contacted directly."""
    with serving(authority.issue("server")) as server, proxying() as proxy:
        status, out, _ = attempt(server, HTTPS_PROXY=proxy.url(), NO_PROXY="example.com,localhost")
        assert (status, proxy.seen) == (0, [])
        assert "proxy" not in out


def test_an_unreachable_proxy_is_named(attempt: Attempt, authority: Authority) -> None:
    """The error names the proxy, not the cluster, if the proxy cannot be reached."""
    with proxying() as stopped_proxy:
        url = stopped_proxy.url()
    with serving(authority.issue("server")) as server:
        status, _, err = attempt(server, ALL_PROXY=url)
        assert (status, server.connections) == (6, 0)
        assert f"Could not connect to the proxy {url} (ALL_PROXY)." in err


def test_the_status_of_a_proxy_that_rejects_a_host_is_reported(attempt: Attempt, authority: Authority) -> None:
    """A 403 from the proxy is not retried, a 504 is retried, and the error contains the status."""
    for status, tries in ((403, 1), (504, 4)):
        with serving(authority.issue("server")) as server, proxying(refuses=status) as proxy:
            code, _, err = attempt(server, HTTPS_PROXY=proxy.url())
            assert (code, len(proxy.seen), server.connections) == (6, tries, 0)
            assert f"refused to connect to {server.at()} (HTTP {status})." in err


def test_a_stop_that_the_proxy_rejects_is_not_attempted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A stop that the proxy rejects, because it requires a login, is reported as not attempted."""
    with serving() as server, proxying(login="someone:else") as proxy:
        monkeypatch.setenv("ESML_URL", server.at())
        monkeypatch.setenv("HTTP_PROXY", proxy.url())
        monkeypatch.setattr(Reader, "stops_deployments", True)  # skips reading the version
        assert main.run(["stop", "x", "--no-check"]) == 6
        assert capsys.readouterr().out.startswith("x\tnot_attempted\t")


def test_an_untrusted_certificate_is_not_retried_through_a_proxy(attempt: Attempt, tmp_path: Path) -> None:
    """An untrusted certificate of the cluster is reported after one attempt through the proxy."""
    with serving(Authority(tmp_path / "x").issue("server")) as server, proxying() as proxy:
        status, _, err = attempt(server, HTTPS_PROXY=proxy.url())
        assert (status, len(proxy.seen)) == (6, 1)
        assert "is not signed by the CA in" in err


def test_an_invalid_proxy_url_exits_with_2(attempt: Attempt) -> None:
    """An invalid proxy URL exits with 2 before any request, and the error names the variable."""
    with serving() as server:
        status, _, err = attempt(server, HTTP_PROXY="socks5://localhost:1080")
        assert (status, server.connections) == (2, 0)
        assert "HTTP_PROXY names a SOCKS proxy" in err
