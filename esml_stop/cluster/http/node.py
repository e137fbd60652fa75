"""The transport's HTTP node with what it leaves out: a cap on answers, a limit to connecting, proxies, CAs alone."""

import json
import ssl
import threading
from types import SimpleNamespace
from typing import Any

import urllib3
from elastic_transport import NodeConfig, Urllib3HttpNode
from urllib3.util.ssl_match_hostname import CertificateError

from esml_stop.cluster.http.proxies import forwarding, tunnelled
from esml_stop.config.urls import Proxy

LARGEST_ANSWER = 64 * 1024 * 1024
CHUNK = 64 * 1024
CONNECT_SECONDS = 10.0
# As much of a page as it takes to see whose it is.
START_OF_PAGE = 4096


class AnswerTooLarge(urllib3.exceptions.HTTPError):
    """The decoded answer is over the cap; it was not read to its end."""


class Attempt:
    """One request, and whether any of it was sent: not while the connection, a tunnel or TLS is still being set up."""

    sent = False


# The attempt that a thread makes; its connection says when it begins to send.
current = threading.local()


class Watched:
    """A connection that tells when a request begins to be sent; mixed into urllib3's connections."""

    is_ready = False

    def connect(self) -> None:
        """Connect, through a tunnel and with TLS if configured."""
        self.is_ready = False
        super().connect()  # type: ignore[misc]
        self.is_ready = True

    def send(self, data: Any) -> None:
        """Send data, which is part of a request once the connection is there."""
        if self.sock is None:  # type: ignore[attr-defined]
            self.connect()
        if self.is_ready and hasattr(current, "attempt"):
            current.attempt.sent = True
        super().send(data)  # type: ignore[misc]


class Node(Urllib3HttpNode):
    """A node that refuses answers over 64 MB (decoded), follows no redirect, and uses the proxy for its host."""

    def __init__(self, config: NodeConfig) -> None:
        super().__init__(config)
        if isinstance(self.pool, urllib3.HTTPSConnectionPool):
            # The transport forgets these when it is told not to verify, or to verify by fingerprint.
            self.pool.cert_file, self.pool.key_file = config.client_cert, config.client_key
            if config.ca_certs and config.verify_certs and not config.ssl_assert_fingerprint:
                self.pool.conn_kw["ssl_context"] = trusting_only(config.ca_certs)
            # From 3.13 on Python refuses CAs without key usage, as Elasticsearch made them itself for years.
            self.pool.conn_kw["ssl_context"].verify_flags &= ~ssl.VERIFY_X509_STRICT
        base = self.take_proxy(config)
        self.pool.ConnectionCls = type("Connection", (Watched, self.pool.ConnectionCls), {})
        contact: Any = Contact(capped(self.pool.urlopen, base))
        self.pool.urlopen = contact  # type: ignore[method-assign]

    def take_proxy(self, config: NodeConfig) -> str:
        """Go through the proxy, if there is one; return what to put before each path for it."""
        proxy: Proxy | None = config._extras.get("proxy")  # noqa: SLF001 - where a node finds what is not the transport's
        if proxy is None:
            return ""
        if isinstance(self.pool, urllib3.HTTPSConnectionPool):
            tunnelled(self.pool, proxy)
            return ""
        self.pool = forwarding(proxy, config.connections_per_node)
        host = f"[{config.host}]" if ":" in config.host else config.host
        return f"{config.scheme}://{host}:{config.port}"


def trusting_only(ca_certs: str) -> ssl.SSLContext:
    """Return a context that trusts the CAs of a file in place of the system's, as in every other tool."""
    context = ssl.create_default_context(cafile=ca_certs)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def capped(urlopen: Any, base: str) -> Any:
    """Return a `urlopen` that reads the answer itself, as far as the cap."""

    def read(method: str, url: str, *, timeout: float, **options: Any) -> SimpleNamespace:
        limits = urllib3.Timeout(connect=min(timeout, CONNECT_SECONDS), read=timeout)
        # A proxy is asked for URLs of another host than its own.
        options |= {"assert_same_host": not base, "preload_content": False, "redirect": False}
        response = urlopen(method, base + url, timeout=limits, **options)
        if base and response.status == 407:
            response.close()
            raise urllib3.exceptions.ProxyError("", OSError("Tunnel connection failed: 407"))
        data = body_of(response)
        genuine = response.headers.get("x-elastic-product") == "Elasticsearch"
        # The transport would stumble over a page before anyone looks at the status and who answered.
        if (response.status >= 300 or not genuine) and not is_json_object(data):
            response.headers["content-type"] = "text/plain"
            data = data[:START_OF_PAGE].decode(errors="replace").encode()
        return SimpleNamespace(status=response.status, headers=response.headers, data=data)

    return read


def body_of(response: Any) -> bytes:
    """Return the decoded body and give the connection back; raise when it is too large or packed more than once."""
    if "," in response.headers.get("content-encoding", ""):
        response.close()
        raise urllib3.exceptions.DecodeError("the answer is packed more than once")
    data = bytearray()
    # Small steps: a compressed bomb is noticed before it unfolds.
    for part in response.stream(CHUNK, decode_content=True):
        data += part
        if len(data) > LARGEST_ANSWER:
            response.close()
            raise AnswerTooLarge(f"the answer is larger than {LARGEST_ANSWER // 1024 // 1024} MB")
    response.release_conn()
    return bytes(data)


def is_json_object(data: bytes) -> bool:
    """Tell whether bytes are what Elasticsearch puts into an error."""
    try:
        return isinstance(json.loads(data), dict)
    except (ValueError, RecursionError):
        return False


class Contact:
    """Tells what a failed connection means by whether this node ever answered."""

    def __init__(self, urlopen: Any) -> None:
        self.urlopen = urlopen
        self.answered = False

    def __call__(self, *words: Any, **options: Any) -> SimpleNamespace:
        """Make a request like the pool's `urlopen`."""
        try:
            answer: SimpleNamespace = self.urlopen(*words, **options)
        except urllib3.exceptions.SSLError as error:
            # Once it has worked, anything but missing trust is a connection that broke, as every other may.
            if self.answered and not is_about_trust(error):
                raise urllib3.exceptions.ProtocolError("Connection aborted.", error) from error
            raise
        self.answered = True
        return answer


def is_about_trust(error: urllib3.exceptions.SSLError) -> bool:
    """Tell whether a certificate was not accepted, which is noticed before anything is sent."""
    kinds = (ssl.SSLCertVerificationError, CertificateError)
    return any(isinstance(one, kinds) for one in error.args) or "Fingerprints did not match" in str(error)
