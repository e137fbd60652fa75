"""The proxy that the environment names for a host; the client knows none."""

import ipaddress
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from esml_stop.errors import ConfigError, Unreachable

if TYPE_CHECKING:
    from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, ProxyManager


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy: its URL without credentials, these as `name:password`, and the variable that names it."""

    url: str
    login: str | None = field(default=None, repr=False)
    source: str = ""


def proxy_for(url: str, environment: Mapping[str, str]) -> Proxy | None:
    """Return the proxy for a URL, None when there is none or NO_PROXY names the host; raises ConfigError."""
    parts = urlsplit(url)
    names = (f"{parts.scheme}_proxy", f"{parts.scheme.upper()}_PROXY", "all_proxy", "ALL_PROXY")
    source = next((name for name in names if environment.get(name) and not is_forged(name, environment)), None)
    if source is None or is_excepted(parts.hostname or "", parts.port, environment):
        return None
    return parsed(environment[source], source)


def is_forged(name: str, environment: Mapping[str, str]) -> bool:
    """Tell whether a variable may be the header `Proxy` of a request to a CGI program, and nothing that was meant."""
    return name == "HTTP_PROXY" and "REQUEST_METHOD" in environment


def parsed(text: str, source: str) -> Proxy:
    """Return the proxy that a variable names; without a scheme it is http, without a port the scheme's own."""
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme.startswith("socks"):
        hint = "Name an http:// proxy, or the cluster's host in NO_PROXY."
        raise ConfigError(f"{source} names a SOCKS proxy, which esml cannot use.", hint=hint)
    if not parts.hostname or port is None:
        raise ConfigError(f"What {source} holds is not the URL of a proxy.", hint="Write it like http://proxy:3128.")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    login = f"{unquote(parts.username)}:{unquote(parts.password or '')}" if parts.username else None
    return Proxy(f"{parts.scheme}://{host}:{port}", login, source)


def is_excepted(host: str, port: int | None, environment: Mapping[str, str]) -> bool:
    """Tell whether NO_PROXY names a host: itself or a domain above it, an address or network, with a port or not."""
    entries = (environment.get("no_proxy") or environment.get("NO_PROXY") or "").split(",")
    return any(matches(entry.strip().lower(), host.lower(), port) for entry in entries)


def matches(entry: str, host: str, port: int | None) -> bool:
    """Tell whether one entry of NO_PROXY means the host."""
    if entry == "*":
        return True
    name, colon, number = entry.rpartition(":")
    if colon and number.isdigit() and (name.endswith("]") or ":" not in name):
        if int(number) != port:
            return False
        entry = name
    entry = entry.strip("[]").removeprefix("*").lstrip(".")
    return bool(entry) and (host == entry or host.endswith(f".{entry}") or is_inside(host, entry))


def is_inside(host: str, network: str) -> bool:
    """Tell whether an address lies in a network such as 10.0.0.0/8."""
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False


def unusable(causes: Iterable[BaseException], where: str, environment: Mapping[str, str]) -> Unreachable:
    """Return what a proxy on the way to some hosts did not do, from the chain of errors."""
    proxy = proxy_for(where.split(", ", maxsplit=1)[0], environment)
    name, source = (proxy.url, proxy.source) if proxy else ("on the way", "its variable")
    answer = next(filter(None, (REFUSED.search(str(one)) for one in causes)), None)
    around = f"Check {source}, or name the cluster in NO_PROXY if it can be reached without."
    if answer is None:
        return Unreachable(f"The proxy {name} ({source}) cannot be reached.", hint=around, transient=True, sent=False)
    if answer[1] == "407":
        text = f"The proxy {name} wants a login (HTTP 407); the cluster was not reached."
        return Unreachable(text, hint=f"Put the right one into {source}: http://USER:PASSWORD@HOST:PORT.", sent=False)
    text = f"The proxy {name} does not let through to {where} (HTTP {answer[1]})."
    return Unreachable(text, hint=around, transient=answer[1] in {"502", "503", "504"}, sent=False)


REFUSED = re.compile(r"Tunnel connection failed: (\d{3})")


def manager(proxy: Proxy, connections: int) -> "ProxyManager":
    """Return urllib3's view of a proxy."""
    from urllib3 import ProxyManager, make_headers

    headers = make_headers(proxy_basic_auth=proxy.login) if proxy.login else {}
    return ProxyManager(proxy.url, proxy_headers=headers, maxsize=connections, block=True)


def tunnelled(pool: "HTTPSConnectionPool", proxy: Proxy) -> None:
    """Let the connections of a pool go through a proxy by CONNECT; TLS is still between here and the cluster.

    A proxy that speaks TLS itself is verified as the cluster is; a fingerprint says nothing about it.
    """
    if proxy.url.startswith("https:") and pool.assert_hostname is False:
        text = f"{proxy.source} names an https:// proxy, which --ssl-fingerprint cannot verify."
        raise ConfigError(text, hint="Give the CA with --ca-certs FILE in its place.")
    through = manager(proxy, 1)
    pool.proxy, pool.proxy_headers, pool.proxy_config = through.proxy, through.proxy_headers, through.proxy_config
    pool.conn_kw |= {"proxy": through.proxy, "proxy_config": through.proxy_config}


def forwarding(proxy: Proxy, connections: int) -> "HTTPConnectionPool":
    """Return a pool of connections to a proxy, which is asked for whole URLs of http."""
    return manager(proxy, connections).connection_from_host(None)
