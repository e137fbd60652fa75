"""Parses URLs of hosts and proxies and separates their credentials; errors never contain the URL."""

import base64
import ipaddress
import os
import re
from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote, urlsplit

from esml_stop.errors import ConfigError

PORTS = {"http": 80, "https": 443}
PORT = r"(?::(\d{1,5}))?"
CLOUD = re.compile(rf"(?P<domain>[\w.-]+){PORT}\$(?P<uuid>[\w.-]+){PORT}(\$.*)?", re.ASCII)
LABEL = re.compile(r"[a-z0-9_-]{1,63}", re.ASCII | re.IGNORECASE)
EXAMPLE = "Expected form: https://localhost:9200."
ESCAPE = "In a user name or password write %2F for /, %3F for ?, %23 for #, %40 for @ and %2C for a comma."


@dataclass(frozen=True, slots=True)
class Address:
    """One host: its URL with scheme, host and port, and separately the credentials from the URL."""

    url: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)


def addresses(text: str, source: str) -> tuple[Address, ...]:
    """Return the hosts in a comma-separated list of URLs; `source` names the setting in errors."""
    found = tuple(address(part.strip(), source) for part in text.split(",") if part.strip())
    if not found:
        raise ConfigError(f"{source} is empty.", hint=EXAMPLE)
    return found


def address(url: str, source: str) -> Address:
    """Return one host; the default port is 80 for http and 443 for https."""
    parts = split(url, source)
    host = parts.hostname or ""
    if not host:
        raise ConfigError(f"The URL in {source} has no host.", hint=EXAMPLE)
    shown = f"[{checked_ipv6(host, source)}]" if ":" in host else checked_name(host, source)
    bare = f"{parts.scheme}://{shown}:{parts.port or PORTS[parts.scheme]}{parts.path.rstrip('/')}"
    return Address(bare, decoded(parts.username), decoded(parts.password))


def cloud_address(cloud_id: str, source: str) -> Address:
    """Return the host in an Elastic Cloud ID: a name, a colon, and base64 of `domain$elasticsearch$kibana`.

    Each part may end with a port, as in Elastic Cloud Enterprise; the port of Elasticsearch takes precedence.
    """
    try:
        parts = base64.b64decode(cloud_id.rpartition(":")[2], validate=True).decode("ascii")
    except ValueError:
        parts = ""
    found = CLOUD.fullmatch(parts)
    if not found:
        text = f"{source} is not an Elastic Cloud ID."
        raise ConfigError(text, hint="Copy it from the Elastic Cloud console; it looks like NAME:bG9uZyB0ZXh0...")
    domain, domain_port, uuid, port, _ = found.groups()
    return address(f"https://{uuid}.{domain}:{port or domain_port or 443}", source)


def split(url: str, source: str) -> SplitResult:
    """Return the parts of a URL; raise ConfigError, which does not contain the URL, if it is not valid."""
    if not url.lower().startswith(("http://", "https://")):
        raise ConfigError(f"The URL in {source} does not begin with http:// or https://.", hint=f"{EXAMPLE} {ESCAPE}")
    if re.search(r"[\s\x00-\x1f\x7f]", url) or not url.isascii():
        raise ConfigError(f"The URL in {source} contains spaces or characters not allowed in a URL.", hint=EXAMPLE)
    if "?" in url or "#" in url:
        raise ConfigError(f"The URL in {source} has a ? or # in it.", hint=f"{EXAMPLE} {ESCAPE}")
    if "@" in url.partition("://")[2].partition("/")[2]:
        text = f"The URL in {source} has an @ after the first /, so esml cannot tell where its login ends."
        raise ConfigError(text, hint=ESCAPE)
    if re.search(r"\[[^\]]*%", url.rpartition("@")[2]):
        text = f"The URL in {source} has an IPv6 address with a zone ID (%...), which esml does not support."
        raise ConfigError(text, hint="Use a host name, or an address that needs no zone.")
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise ConfigError(f"The URL in {source} cannot be read.", hint=f"{UNREADABLE} {ESCAPE}") from None
    return parts


UNREADABLE = "Its port must be a number up to 65535, and an IPv6 address must be in brackets."


def checked_name(host: str, source: str) -> str:
    """Return a host name or IPv4 address; raise ConfigError if it is not a valid host name."""
    labels = host.removesuffix(".").split(".")
    if len(host) > 253 or not all(LABEL.fullmatch(label) for label in labels):
        text = f"The host in the URL in {source} is not a host name."
        hint = "It may have letters, digits, - and _, in parts of at most 63 characters with one dot between them."
        raise ConfigError(text, hint=hint)
    return host


def checked_ipv6(host: str, source: str) -> str:
    """Return an IPv6 address; raise ConfigError if it is not valid."""
    try:
        return str(ipaddress.IPv6Address(host))
    except ValueError:
        raise ConfigError(f"The URL in {source} has [...] around something that is not an IPv6 address.") from None


def decoded(part: str | None) -> str | None:
    """Return a user name or password from a URL, percent-decoded; None if it is missing."""
    return unquote(part) if part else None


def is_local(url: str) -> bool:
    """Return whether a URL points to this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy: its URL without credentials, the credentials as `name:password`, and the variable that sets it."""

    url: str
    login: str | None = field(default=None, repr=False)
    source: str = ""


def proxy_for(url: str) -> Proxy | None:
    """Return the proxy for a URL, or None if there is none or NO_PROXY contains the host; raises ConfigError.

    The standard library reads the variables: lower case takes precedence, and HTTP_PROXY is ignored in a CGI program,
    where a client can set it.
    """
    if not any(name.lower().endswith("_proxy") for name in os.environ):
        return None
    from urllib.request import (
        getproxies_environment,
    )  # takes as long to import as the rest of config, and most runs have no proxy

    parts, proxies = urlsplit(url), getproxies_environment()
    kind = parts.scheme if proxies.get(parts.scheme) else "all"
    if not proxies.get(kind) or is_excepted(parts.netloc, proxies):
        return None
    name = f"{kind}_proxy"
    return parsed(proxies[kind], name if os.environ.get(name) else name.upper())


def is_excepted(netloc: str, proxies: dict[str, str]) -> bool:
    """Return whether NO_PROXY contains a host, with or without its port.

    The standard library supports names, domains, ports and a single `*`. Networks and `*.domain`, which curl and Go
    programs also support, are added here.
    """
    from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]  # missing only in the type stub

    entries = proxies.get("no", "").replace("*.", ".")
    if proxy_bypass_environment(netloc.lower(), {**proxies, "no": entries}):
        return True
    host = urlsplit(f"//{netloc}").hostname or ""
    return any(is_inside(host, entry.strip()) for entry in entries.split(","))


def is_inside(host: str, network: str) -> bool:
    """Return whether an address is in a network such as 10.0.0.0/8 or equal to an address."""
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False


def parsed(text: str, source: str) -> Proxy:
    """Return the proxy in a variable; the default scheme is http, the default port that of the scheme."""
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme.startswith("socks"):
        hint = "Use an http:// proxy, or name the cluster's host in NO_PROXY."
        raise ConfigError(f"{source} names a SOCKS proxy, which esml does not support.", hint=hint)
    if not parts.hostname or port is None or "@" in f"{parts.path}{parts.query}{parts.fragment}":
        hint = "Expected form: http://proxy:3128. In a password write %2F for /, %3F for ? and %23 for #."
        raise ConfigError(f"{source} is not the URL of a proxy.", hint=hint)
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    login = f"{unquote(parts.username)}:{unquote(parts.password or '')}" if parts.username else None
    return Proxy(f"{parts.scheme}://{host}:{port}", login, source)
