"""The proxies that the environment names for hosts."""

import ipaddress
import os
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from esml_stop.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy: its URL without credentials, these as `name:password`, and the variable that names it."""

    url: str
    login: str | None = field(default=None, repr=False)
    source: str = ""


def proxy_for(url: str) -> Proxy | None:
    """Return the proxy for a URL, None when there is none or NO_PROXY names the host; raises ConfigError.

    The standard library reads the variables: lower case wins, and HTTP_PROXY is ignored in a CGI program, where a
    visitor may have set it.
    """
    if not any(name.lower().endswith("_proxy") for name in os.environ):
        return None
    from urllib.request import getproxies_environment  # as slow as all of config, and most have no proxy

    parts, proxies = urlsplit(url), getproxies_environment()
    kind = parts.scheme if proxies.get(parts.scheme) else "all"
    if not proxies.get(kind) or is_excepted(parts.netloc, proxies):
        return None
    name = f"{kind}_proxy"
    return parsed(proxies[kind], name if os.environ.get(name) else name.upper())


def is_excepted(netloc: str, proxies: dict[str, str]) -> bool:
    """Tell whether NO_PROXY names a host with its port.

    The standard function knows names, domains, ports and `*` alone; networks and `*.domain`, which curl and Go
    programs take too, are added here.
    """
    from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]  # only a type stub lacks it

    entries = proxies.get("no", "").replace("*.", ".")
    if proxy_bypass_environment(netloc.lower(), {**proxies, "no": entries}):
        return True
    host = urlsplit(f"//{netloc}").hostname or ""
    return any(is_inside(host, entry.strip()) for entry in entries.split(","))


def is_inside(host: str, network: str) -> bool:
    """Tell whether an address lies in a network such as 10.0.0.0/8, or is the same address."""
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False


def parsed(text: str, source: str) -> Proxy:
    """Return the proxy that a variable names; without a scheme it is http, without a port the scheme's own."""
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme.startswith("socks"):
        hint = "Use an http:// proxy, or name the cluster's host in NO_PROXY."
        raise ConfigError(f"{source} names a SOCKS proxy, which esml does not support.", hint=hint)
    if not parts.hostname or port is None or "@" in f"{parts.path}{parts.query}{parts.fragment}":
        hint = "Write it like http://proxy:3128. In a password write %2F for /, %3F for ? and %23 for #."
        raise ConfigError(f"{source} is not the URL of a proxy.", hint=hint)
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    login = f"{unquote(parts.username)}:{unquote(parts.password or '')}" if parts.username else None
    return Proxy(f"{parts.scheme}://{host}:{port}", login, source)
