"""The client's HTTP node with what it leaves out: a cap on answers, a limit to connecting, proxies, plain words."""

import json
import os
import ssl
from types import SimpleNamespace
from typing import Any

import urllib3
from elastic_transport import NodeConfig, Urllib3HttpNode
from urllib3.util.ssl_match_hostname import CertificateError

LARGEST_ANSWER = 64 * 1024 * 1024
CHUNK = 64 * 1024
CONNECT_SECONDS = 10.0


class AnswerTooLarge(urllib3.exceptions.HTTPError):
    """The decoded answer is over the cap; it was not read to its end."""


class Node(Urllib3HttpNode):
    """A node that refuses answers over 64 MB (decoded), follows no redirect, believes no error but JSON, and takes the
    environment's proxy.
    """

    def __init__(self, config: NodeConfig) -> None:
        super().__init__(config)
        if isinstance(self.pool, urllib3.HTTPSConnectionPool):
            # The client forgets these when it is told not to verify, or to verify by fingerprint.
            self.pool.cert_file, self.pool.key_file = config.client_cert, config.client_key
            if config.ca_certs:
                # From 3.13 on Python refuses CAs without key usage, as Elasticsearch made them itself for years.
                self.pool.conn_kw["ssl_context"].verify_flags &= ~ssl.VERIFY_X509_STRICT
        base = self.take_proxy(config)
        urlopen = capped(self.pool.urlopen, base)
        contact: Any = Contact(urlopen)
        self.pool.urlopen = contact  # type: ignore[method-assign]

    def take_proxy(self, config: NodeConfig) -> str:
        """Go through the proxy of the environment, if there is one; return what to put before each path for it."""
        if not any(name.lower().endswith("_proxy") for name in os.environ):
            return ""
        from esml_stop.cluster.http.proxies import forwarding, proxy_for, tunnelled

        host = f"[{config.host}]" if ":" in config.host else config.host
        url = f"{config.scheme}://{host}:{config.port}"
        proxy = proxy_for(url, os.environ)
        if proxy is None:
            return ""
        if isinstance(self.pool, urllib3.HTTPSConnectionPool):
            tunnelled(self.pool, proxy)
            return ""
        self.pool = forwarding(proxy, config.connections_per_node)
        return url


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
        # The client would stumble over the body of an error before it looks at the status.
        if response.status >= 300 and not is_json_object(data):
            response.headers["content-type"], data = "application/json", b""
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
