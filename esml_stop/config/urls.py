"""URLs of hosts, with credentials taken out; what is wrong with one is said without repeating it."""

import base64
import ipaddress
import re
from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote, urlsplit

from esml_stop.errors import ConfigError

PORTS = {"http": 80, "https": 443}
CLOUD = re.compile(r"(?P<domain>[\w.-]+(:\d{1,5})?)\$(?P<uuid>[\w.-]+)(\$.*)?", re.ASCII)
EXAMPLE = "Write it like https://localhost:9200."


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
    if parts.scheme not in PORTS:
        raise ConfigError(f"The URL in {source} does not begin with http:// or https://.", hint=EXAMPLE)
    if not host:
        raise ConfigError(f"The URL in {source} has no host.", hint=EXAMPLE)
    shown = f"[{host}]" if ":" in host else host
    bare = f"{parts.scheme}://{shown}:{parts.port or PORTS[parts.scheme]}{parts.path.rstrip('/')}"
    return Address(bare, decoded(parts.username), decoded(parts.password))


def cloud_address(cloud_id: str, source: str) -> Address:
    """Return the host that an Elastic Cloud ID means: a name, a colon, and base64 of `domain$elasticsearch$kibana`."""
    try:
        parts = base64.b64decode(cloud_id.rpartition(":")[2], validate=True).decode("ascii")
    except ValueError:
        parts = ""
    found = CLOUD.fullmatch(parts)
    if not found:
        text = f"What {source} holds is not an Elastic Cloud ID."
        raise ConfigError(text, hint="Copy it from the deployment's page; it looks like NAME:bG9uZyB0ZXh0...")
    return address(f"https://{found['uuid']}.{found['domain']}", source)


def split(url: str, source: str) -> SplitResult:
    """Return the parts of a URL; raise ConfigError, without the URL, when it has none."""
    if re.search(r"[\s\x00-\x1f\x7f]", url) or not url.isascii():
        raise ConfigError(f"The URL in {source} holds spaces or characters that no URL has.", hint=EXAMPLE)
    if "?" in url or "#" in url:
        raise ConfigError(
            f"The URL in {source} has a ? or # in it.", hint=f"{EXAMPLE} In a password write %3F and %23."
        )
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise ConfigError(
            f"The URL in {source} cannot be read; is its port a number up to 65535?", hint=EXAMPLE
        ) from None
    return parts


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
