"""URLs of hosts, with credentials taken out; what is wrong with one is said without repeating it."""

import base64
import ipaddress
import re
from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote, urlsplit

from esml_stop.errors import ConfigError

PORTS = {"http": 80, "https": 443}
PORT = r"(?::(\d{1,5}))?"
CLOUD = re.compile(rf"(?P<domain>[\w.-]+){PORT}\$(?P<uuid>[\w.-]+){PORT}(\$.*)?", re.ASCII)
LABEL = re.compile(r"[a-z0-9_-]{1,63}", re.ASCII | re.IGNORECASE)
EXAMPLE = "Write it like https://localhost:9200."
ESCAPE = "In a user name or password write %2F for /, %3F for ?, %23 for #, %40 for @ and %2C for a comma."


@dataclass(frozen=True, slots=True)
class Address:
    """One host: its URL with scheme, host and port but without credentials, and these."""

    url: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)


def addresses(text: str, source: str) -> tuple[Address, ...]:
    """Return the hosts of a comma list of URLs; `source` names the setting in errors."""
    found = tuple(address(part.strip(), source) for part in text.split(",") if part.strip())
    if not found:
        raise ConfigError(f"{source} is empty.", hint=EXAMPLE)
    return found


def address(url: str, source: str) -> Address:
    """Return one host; without a port the scheme's own counts, 80 or 443, as in every other tool."""
    parts = split(url, source)
    host = parts.hostname or ""
    if not host:
        raise ConfigError(f"The URL in {source} has no host.", hint=EXAMPLE)
    shown = f"[{checked_ipv6(host, source)}]" if ":" in host else checked_name(host, source)
    bare = f"{parts.scheme}://{shown}:{parts.port or PORTS[parts.scheme]}{parts.path.rstrip('/')}"
    return Address(bare, decoded(parts.username), decoded(parts.password))


def cloud_address(cloud_id: str, source: str) -> Address:
    """Return the host that an Elastic Cloud ID means: a name, a colon, and base64 of `domain$elasticsearch$kibana`.

    Each part may end with a port, as Elastic Cloud Enterprise writes them; Elasticsearch's own wins over the domain's.
    """
    try:
        parts = base64.b64decode(cloud_id.rpartition(":")[2], validate=True).decode("ascii")
    except ValueError:
        parts = ""
    found = CLOUD.fullmatch(parts)
    if not found:
        text = f"{source} is not an Elastic Cloud ID."
        raise ConfigError(text, hint="Copy it from the deployment's page; it looks like NAME:bG9uZyB0ZXh0...")
    domain, domain_port, uuid, port, _ = found.groups()
    return address(f"https://{uuid}.{domain}:{port or domain_port or 443}", source)


def split(url: str, source: str) -> SplitResult:
    """Return the parts of a URL; raise ConfigError, without the URL, when it has none."""
    if not url.lower().startswith(("http://", "https://")):
        raise ConfigError(f"The URL in {source} does not begin with http:// or https://.", hint=f"{EXAMPLE} {ESCAPE}")
    if re.search(r"[\s\x00-\x1f\x7f]", url) or not url.isascii():
        raise ConfigError(f"The URL in {source} holds spaces or characters that no URL has.", hint=EXAMPLE)
    if "?" in url or "#" in url:
        raise ConfigError(f"The URL in {source} has a ? or # in it.", hint=f"{EXAMPLE} {ESCAPE}")
    if "@" in url.partition("://")[2].partition("/")[2]:
        text = f"The URL in {source} has an @ after the first /, so its login cannot be told from its host."
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
    """Return a host name or IPv4 address; raise ConfigError when no host can have such a name."""
    labels = host.removesuffix(".").split(".")
    if len(host) > 253 or not all(LABEL.fullmatch(label) for label in labels):
        text = f"The host in the URL in {source} is not a host name."
        hint = "It may have letters, digits, - and _, in parts of at most 63 characters with one dot between them."
        raise ConfigError(text, hint=hint)
    return host


def checked_ipv6(host: str, source: str) -> str:
    """Return an IPv6 address; raise ConfigError when it is none."""
    try:
        return str(ipaddress.IPv6Address(host))
    except ValueError:
        raise ConfigError(f"The URL in {source} has [...] around something that is not an IPv6 address.") from None


def decoded(part: str | None) -> str | None:
    """Return a user name or password of a URL without its percent-encoding."""
    return unquote(part) if part else None


def is_local(url: str) -> bool:
    """Tell whether a URL stays on this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
