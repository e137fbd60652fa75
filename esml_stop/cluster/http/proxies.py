"""Connections through a proxy, which the official transport does not support."""

import re
from collections.abc import Iterable

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, ProxyManager, make_headers

from esml_stop.config.urls import Proxy
from esml_stop.errors import Unreachable

REFUSED = re.compile(r"Tunnel connection failed: (\d{3})")


def manager(proxy: Proxy, connections: int) -> ProxyManager:
    """Return urllib3's ProxyManager for a proxy, with the proxy's credentials."""
    headers = make_headers(proxy_basic_auth=proxy.login) if proxy.login else {}
    return ProxyManager(proxy.url, proxy_headers=headers, maxsize=connections, block=True)


def use_tunnel(pool: HTTPSConnectionPool, proxy: Proxy) -> None:
    """Route the connections of a pool through a proxy by CONNECT; TLS is end to end with the cluster.

    If the proxy uses TLS, its certificate is verified with the same settings as the cluster's.
    """
    through = manager(proxy, 1)
    pool.proxy, pool.proxy_headers, pool.proxy_config = through.proxy, through.proxy_headers, through.proxy_config
    pool.conn_kw |= {"proxy": through.proxy, "proxy_config": through.proxy_config}


def forwarding_pool(proxy: Proxy, connections: int) -> HTTPConnectionPool:
    """Return a pool of connections to a proxy that forwards http requests, which must contain the complete URL."""
    return manager(proxy, connections).connection_from_host(None)


def proxy_error(causes: Iterable[BaseException], where: str, proxy: Proxy) -> Unreachable:
    """Return the error for a proxy that could not be reached or rejected the request, from the chain of errors."""
    answer = next(filter(None, (REFUSED.search(str(one)) for one in causes)), None)
    around = f"Check {proxy.source}, or name the cluster in NO_PROXY if it can be reached without a proxy."
    if answer is None:
        text = f"Could not connect to the proxy {proxy.url} ({proxy.source})."
        return Unreachable(text, hint=around, transient=True, sent=False)
    if answer[1] == "407":
        text = f"The proxy {proxy.url} requires a login (HTTP 407); the cluster was not reached."
        return Unreachable(text, hint=f"Put it into {proxy.source}: http://USER:PASSWORD@HOST:PORT.", sent=False)
    text = f"The proxy {proxy.url} refused to connect to {where} (HTTP {answer[1]})."
    return Unreachable(text, hint=around, transient=answer[1] in {"502", "503", "504"}, sent=False)
