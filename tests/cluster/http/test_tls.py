import hashlib
import socket
import ssl
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, TypeVar

import pytest

from esml_stop.cli import main
from esml_stop.cluster.reader import Reader
from esml_stop.sandbox.server import SandboxHandler
from tests.support.certificates import Authority, Pair, without_key_usage
from tests.support.tls_server import CountingServer, serving

Attempt = Callable[..., tuple[int, str]]
T = TypeVar("T")
SECRET = "esml-canary-password"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Return the CA of the cluster."""
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def untrusted_authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Return a CA that is not trusted."""
    return Authority(tmp_path_factory.mktemp("stranger"))


@pytest.fixture(scope="module")
def pair(authority: Authority) -> Pair:
    """Return the certificate and private key of the cluster."""
    return authority.issue("server")


@pytest.fixture
def attempt(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Attempt:
    """Return a function that runs `esml config --check` and returns the exit code and stderr."""

    def check(
        server: CountingServer, *options: object, host: str = "localhost", scheme: str | None = None
    ) -> tuple[int, str]:
        url = server.at(host)
        monkeypatch.setenv("ESML_URL", url.replace(server.scheme, scheme or server.scheme, 1))
        monkeypatch.setenv("ESML_USERNAME", "user")
        monkeypatch.setenv("ESML_PASSWORD", SECRET)
        status = main.run(["config", "--check", *map(str, options)])
        out, err = capsys.readouterr()
        assert SECRET not in out + err
        return status, err.replace(url.partition("//")[2], "HOST")

    return check


def fingerprint(pair: Pair) -> str:
    """Return the SHA-256 fingerprint of a certificate."""
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pair.cert.read_text())).hexdigest()


def test_a_ca_file_or_a_fingerprint_is_sufficient(attempt: Attempt, authority: Authority, pair: Pair) -> None:
    """A CA file or a fingerprint is sufficient for a connection without warnings."""
    with serving(pair) as server:
        assert attempt(server, "--ca-certs", authority.path) == (0, "")
        assert attempt(server, "--ssl-fingerprint", fingerprint(pair)) == (0, "")
        assert attempt(server, "--ca-certs", authority.path, host="127.0.0.1") == (0, "")


def test_a_ca_generated_by_elasticsearch_is_accepted(
    attempt: Attempt, tmp_path: Path, pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A CA without key usage, as Elasticsearch generates, is accepted even with the strict checks of Python 3.13."""
    default = ssl.create_default_context

    def strict(**options: Any) -> ssl.SSLContext:
        context = default(**options)
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        return context

    monkeypatch.setattr(ssl, "create_default_context", strict)
    old = without_key_usage(tmp_path)
    with serving(old) as server:
        assert attempt(server, "--ca-certs", tmp_path / "ca.pem") == (0, "")
    with serving(pair) as server:
        assert attempt(server, "--ca-certs", tmp_path / "ca.pem")[0] == 6


def test_a_ca_file_replaces_the_cas_of_the_system(
    attempt: Attempt, authority: Authority, untrusted_authority: Authority, pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system's CAs are trusted only without --ca-certs."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))
    with serving(pair) as server:
        assert attempt(server) == (0, "")
        assert attempt(server, "--ca-certs", untrusted_authority.path)[0] == 6
        assert attempt(server, "--ca-certs", authority.path) == (0, "")


def test_a_system_ca_generated_by_elasticsearch_is_accepted(
    attempt: Attempt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A CA without key usage in SSL_CERT_FILE is accepted even with the strict checks of Python 3.13.

    SSL_CERT_FILE is the only TLS setting that the Elastic CLI passes on.
    """
    default = ssl.create_default_context

    def strict(**options: Any) -> ssl.SSLContext:
        context = default(**options)
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        return context

    monkeypatch.setattr(ssl, "create_default_context", strict)
    old = without_key_usage(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    with serving(old) as server:
        assert attempt(server) == (0, "")


def test_insecure_accepts_any_certificate_and_warns_each_time(attempt: Attempt, pair: Pair) -> None:
    """--insecure accepts any certificate and prints a warning in every run."""
    warning = "esml: warning: --insecure: the cluster's certificate is not verified.\n"
    with serving(pair) as server:
        assert attempt(server, "--insecure") == (0, warning)
        assert attempt(server, "--insecure") == (0, warning)


def test_an_untrusted_ca_is_reported_after_one_attempt(
    attempt: Attempt, untrusted_authority: Authority, pair: Pair
) -> None:
    """An untrusted CA is reported after one attempt, with a hint at the options, or with the file of --ca-certs."""
    hint = "  Pass the cluster's CA with --ca-certs FILE, or its SHA-256 fingerprint with --ssl-fingerprint.\n"
    with serving(pair) as server:
        status, error_text = attempt(server)
        assert (status, server.connections) == (6, 1)
        assert error_text.startswith("esml: The certificate of https://HOST cannot be trusted: ")
        assert error_text.endswith(hint)
        status, error_text = attempt(server, "--ca-certs", untrusted_authority.path)
        assert (status, server.connections) == (6, 2)
        assert f"is not signed by the CA in {untrusted_authority.path}" in error_text


def test_a_wrong_fingerprint_is_reported_after_one_attempt(attempt: Attempt, pair: Pair) -> None:
    """A wrong fingerprint is reported after one attempt, with the actual fingerprint of the certificate."""
    with serving(pair) as server:
        status, error_text = attempt(server, "--ssl-fingerprint", "ab" * 32)
        assert (status, server.connections) == (6, 1)
    assert error_text.startswith(
        f"esml: The certificate of https://HOST has a different fingerprint: {fingerprint(pair)}.\n"
    )
    assert "--ssl-fingerprint" in error_text


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_certificate_for_another_host_is_reported_after_one_attempt(
    attempt: Attempt, authority: Authority, host: str
) -> None:
    """A certificate for another host is reported after one attempt, for a host name and for an IP address."""
    with serving(authority.issue("elsewhere", "es.example.com")) as server:
        status, error_text = attempt(server, "--ca-certs", authority.path, host=host)
        assert (status, server.connections) == (6, 1)
    assert error_text.startswith("esml: The certificate of https://HOST is for another host: ")
    assert "--url" in error_text


def test_an_expired_certificate_is_reported_after_one_attempt(attempt: Attempt, authority: Authority) -> None:
    """An expired certificate is reported after one attempt, with --ssl-fingerprint as a workaround."""
    yesterday = datetime.now(tz=timezone.utc) - timedelta(days=1)
    old = authority.issue("expired", expires=yesterday)
    with serving(old) as server:
        status, error_text = attempt(server, "--ca-certs", authority.path)
        assert (status, server.connections) == (6, 1)
        assert error_text.startswith("esml: The certificate of https://HOST has expired.\n")
        assert "--ssl-fingerprint" in error_text
        assert attempt(server, "--ssl-fingerprint", fingerprint(old))[0] == 0


def test_plain_http_on_a_tls_port_hints_at_https(attempt: Attempt, pair: Pair) -> None:
    """A closed connection is retried, because a restarting proxy closes it, too; then the hint suggests https."""
    with serving(pair) as server:
        status, error_text = attempt(server, scheme="http")
        assert (status, server.connections) == (6, 4)
    assert error_text.startswith("esml: http://HOST closed the connection before the response was complete.\n")
    assert "use https:// in the URL" in error_text


def test_https_on_a_port_without_tls_is_reported_after_one_attempt(attempt: Attempt) -> None:
    """An https URL of a port without TLS is reported after one attempt, with a hint at http."""
    with serving() as server:
        status, error_text = attempt(server, scheme="https")
        assert (status, server.connections) == (6, 1)
    assert error_text.startswith("esml: https://HOST does not speak TLS.\n")
    assert "http://" in error_text


@pytest.mark.parametrize("trust", ["ca", "fingerprint", "insecure"])
def test_a_client_certificate_is_sent_on_request(
    attempt: Attempt, authority: Authority, pair: Pair, trust: str
) -> None:
    """A requested client certificate is sent with each kind of trust; without one, the error names the options."""
    client = authority.issue("client", "client")
    trust_options = {
        "ca": ("--ca-certs", authority.path),
        "fingerprint": ("--ssl-fingerprint", fingerprint(pair)),
        "insecure": ("--insecure",),
    }[trust]
    with serving(pair, client_ca=authority.path) as server:
        status, error_text = attempt(server, *trust_options)
        assert (status, server.connections) == (6, 1)
        # The server may close the connection before its alert arrives.
        assert "requires a client certificate" in error_text
        assert "--client-cert FILE and --client-key FILE" in error_text
        assert attempt(server, *trust_options, "--client-cert", client.cert, "--client-key", client.key)[0] == 0


def test_a_stop_that_was_not_sent_is_not_attempted(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A stop whose connection failed before the request is reported as not attempted."""
    with serving(pair) as server:
        monkeypatch.setenv("ESML_URL", server.at())
        monkeypatch.setattr(Reader, "stops_deployments", True)  # skips reading the version
        assert main.run(["stop", "x", "--no-check"]) == 6
        assert capsys.readouterr().out.startswith("x\tnot_attempted\t")


def test_a_client_certificate_of_another_ca_is_rejected(
    attempt: Attempt, authority: Authority, untrusted_authority: Authority, pair: Pair
) -> None:
    """A client certificate from an untrusted CA is rejected by the cluster, and the error names the option."""
    client = untrusted_authority.issue("client", "client")
    options = ("--ca-certs", authority.path, "--client-cert", client.cert, "--client-key", client.key)
    with serving(pair, client_ca=authority.path) as server:
        status, error_text = attempt(server, *options)
        assert (status, server.connections) == (6, 1)
    assert "--client-cert" in error_text


def test_a_broken_tls_connection_is_retried(
    attempt: Attempt, authority: Authority, pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A TLS connection that breaks after a response is retried; it is not a certificate error."""
    respond, paths = SandboxHandler.answer, []

    def break_once(handler: SandboxHandler) -> None:
        paths.append(handler.path)
        if len(paths) == 2:
            handler.connection.shutdown(socket.SHUT_RDWR)
            handler.close_connection = True
        else:
            respond(handler)

    monkeypatch.setattr("esml_stop.runtime.deadline.SystemClock.sleep", lambda *_: None)
    monkeypatch.setattr(SandboxHandler, "do_GET", break_once)
    with serving(pair) as server:
        status, error_text = attempt(server, "--ca-certs", authority.path)
        assert (status, paths, server.connections) == (0, ["/_security/_authenticate", "/", "/"], 2)
    assert "Trying again" not in error_text


def test_a_connection_closed_without_a_response_is_retried(attempt: Attempt, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that the server closes without a response is retried."""
    monkeypatch.setattr("esml_stop.runtime.deadline.SystemClock.sleep", lambda *_: None)
    monkeypatch.setattr("esml_stop.sandbox.server.SandboxHandler.answer", lambda handler: handler.connection.close())
    for name in ("do_GET", "do_POST"):
        monkeypatch.setattr(f"esml_stop.sandbox.server.SandboxHandler.{name}", lambda handler: handler.finish())
    with serving() as server:
        status, error_text = attempt(server)
    assert status == 6
    assert "closed the connection" in error_text
    assert server.connections == 4
