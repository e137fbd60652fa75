"""The transport's HTTP node with a response size limit, a connect timeout and proxies.

A CA file replaces the CAs of the system.
"""

import json
import ssl
import threading
from types import SimpleNamespace
from typing import Any

import urllib3
from elastic_transport import NodeConfig, Urllib3HttpNode
from urllib3.util.ssl_match_hostname import CertificateError

from esml_stop.cluster.http.proxies import forwarding_pool, use_tunnel
from esml_stop.config.urls import Proxy

MAX_RESPONSE_BYTES = 64 * 1024 * 1024
CHUNK = 64 * 1024
CONNECT_SECONDS = 10.0
# How much of a web page is kept, in bytes; this is sufficient to recognize the product.
PAGE_BYTES = 4096


class AnswerTooLarge(urllib3.exceptions.HTTPError):
    """The decoded response exceeds the limit; it was not read to the end."""


class Attempt:
    """One request, and whether any of it was sent; connecting, opening a tunnel and the TLS handshake do not count."""

    sent = False


# `current.attempt` is the attempt of this thread; the connection sets `sent` when it begins to send the request.
current = threading.local()


class SendTracking:
    """A mixin for urllib3's connections that sets `current.attempt.sent` when a connection begins to send a request."""

    is_ready = False

    def connect(self) -> None:
        """Connect, through a tunnel and with TLS if configured."""
        self.is_ready = False
        super().connect()  # type: ignore[misc]
        self.is_ready = True

    def send(self, data: Any) -> None:
        """Send data; everything sent after the connection is established belongs to a request."""
        if self.sock is None:  # type: ignore[attr-defined]
            self.connect()
        if self.is_ready and hasattr(current, "attempt"):
            current.attempt.sent = True
        super().send(data)  # type: ignore[misc]


class Node(Urllib3HttpNode):
    """A node that rejects responses over 64 MB (decoded), follows no redirects, and uses the proxy for its host."""

    def __init__(self, config: NodeConfig) -> None:
        super().__init__(config)
        if isinstance(self.pool, urllib3.HTTPSConnectionPool):
            # The transport ignores these settings if verification is off or uses a fingerprint.
            self.pool.cert_file, self.pool.key_file = config.client_cert, config.client_key
            if config.ca_certs and config.verify_certs and not config.ssl_assert_fingerprint:
                self.pool.conn_kw["ssl_context"] = exclusive_ca_context(config.ca_certs)
            # Python 3.13 and later reject CAs without key usage, which Elasticsearch itself generated for years.
            self.pool.conn_kw["ssl_context"].verify_flags &= ~ssl.VERIFY_X509_STRICT
        base = self.use_proxy(config)
        self.pool.ConnectionCls = type("Connection", (SendTracking, self.pool.ConnectionCls), {})
        contact: Any = FailureMeaning(with_size_limit(self.pool.urlopen, base))
        self.pool.urlopen = contact  # type: ignore[method-assign]

    def use_proxy(self, config: NodeConfig) -> str:
        """Use the proxy, if there is one, and return the prefix for each path.

        For an http cluster behind a proxy, that is scheme, host and port of the cluster, else an empty string.
        """
        proxy: Proxy | None = config._extras.get("proxy")  # noqa: SLF001 - the transport keeps settings of custom nodes there
        if proxy is None:
            return ""
        if isinstance(self.pool, urllib3.HTTPSConnectionPool):
            use_tunnel(self.pool, proxy)
            return ""
        self.pool = forwarding_pool(proxy, config.connections_per_node)
        host = f"[{config.host}]" if ":" in config.host else config.host
        return f"{config.scheme}://{host}:{config.port}"


def exclusive_ca_context(ca_certs: str) -> ssl.SSLContext:
    """Return an SSL context that trusts only the CAs in a file, not those of the system, as other tools do."""
    context = ssl.create_default_context(cafile=ca_certs)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def with_size_limit(urlopen: Any, base: str) -> Any:
    """Return a `urlopen` that prefixes each URL with `base` and reads the response, up to the size limit."""

    def read(method: str, url: str, *, timeout: float, **options: Any) -> SimpleNamespace:
        limits = urllib3.Timeout(connect=min(timeout, CONNECT_SECONDS), read=timeout)
        # Requests to a proxy contain the URL of another host.
        options |= {"assert_same_host": not base, "preload_content": False, "redirect": False}
        response = urlopen(method, base + url, timeout=limits, **options)
        if base and response.status == 407:
            response.close()
            raise urllib3.exceptions.ProxyError("", OSError("Tunnel connection failed: 407"))
        data = body_of(response)
        genuine = response.headers.get("x-elastic-product") == "Elasticsearch"
        # The transport would fail to decode a web page before the status and the product are checked.
        if (response.status >= 300 or not genuine) and not is_json_object(data):
            response.headers["content-type"] = "text/plain"
            data = data[:PAGE_BYTES].decode(errors="replace").encode()
        return SimpleNamespace(status=response.status, headers=response.headers, data=data)

    return read


def body_of(response: Any) -> bytes:
    """Return the decoded body and release the connection; raise if it is too large or compressed more than once."""
    if "," in response.headers.get("content-encoding", ""):
        response.close()
        raise urllib3.exceptions.DecodeError("the response is compressed more than once")
    data = bytearray()
    # Read in small chunks, so that a decompression bomb is detected before it fills the memory.
    for part in response.stream(CHUNK, decode_content=True):
        data += part
        if len(data) > MAX_RESPONSE_BYTES:
            response.close()
            raise AnswerTooLarge(f"the answer is larger than {MAX_RESPONSE_BYTES // 1024 // 1024} MB")
    response.release_conn()
    return bytes(data)


def is_json_object(data: bytes) -> bool:
    """Return whether bytes are a JSON object, as Elasticsearch's errors are."""
    try:
        return isinstance(json.loads(data), dict)
    except (ValueError, RecursionError):
        return False


class FailureMeaning:
    """A `urlopen` that reports TLS errors as broken connections once this node has responded."""

    def __init__(self, urlopen: Any) -> None:
        self.urlopen = urlopen
        self.answered = False

    def __call__(self, *words: Any, **options: Any) -> SimpleNamespace:
        """Make a request like the pool's `urlopen`."""
        try:
            answer: SimpleNamespace = self.urlopen(*words, **options)
        except urllib3.exceptions.SSLError as error:
            # TLS has worked before, so the connection broke, unless a certificate was rejected.
            if self.answered and not is_certificate_error(error):
                raise urllib3.exceptions.ProtocolError("Connection aborted.", error) from error
            raise
        self.answered = True
        return answer


def is_certificate_error(error: urllib3.exceptions.SSLError) -> bool:
    """Return whether a certificate was rejected; that happens before anything is sent."""
    kinds = (ssl.SSLCertVerificationError, CertificateError)
    return any(isinstance(one, kinds) for one in error.args) or "Fingerprints did not match" in str(error)
