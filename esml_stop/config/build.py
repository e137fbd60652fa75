"""From settings that belong together to a checked connection."""

from collections.abc import Iterator
from typing import TextIO

from esml_stop.config.certificates import authorities, client_pair, fingerprint
from esml_stop.config.connection import Connection
from esml_stop.config.credentials import Credentials, Prompt, credentials, refuse_both
from esml_stop.config.proxies import Proxy, proxy_for
from esml_stop.config.settings import Settings
from esml_stop.config.urls import Address, addresses, cloud_address, is_local
from esml_stop.errors import ConfigError


def build(settings: Settings, *, stdin: TextIO | None, prompt: Prompt | None) -> Connection:
    """Return the connection that one family of settings describes; raises ConfigError."""
    hosts = found_hosts(settings)
    who = credentials(settings, hosts, stdin, prompt)
    cert, key = client_pair(settings)
    return Connection(
        hosts=tuple(host.url for host in hosts),
        cloud_id=settings.values.get("cloud_id"),
        api_key=who.api_key,
        bearer_token=who.bearer_token,
        username=who.username,
        password=who.password,
        ca_certs=authorities(settings),
        ssl_fingerprint=fingerprint(settings),
        client_cert=cert,
        client_key=key,
        verify_certs="insecure" not in settings.values,
        proxies=proxies(settings, hosts),
        sources=sources(settings, who),
        warnings=(*settings.warnings, *warnings(settings, hosts, who)),
        unread=settings.unread,
        blocked=settings.blocked,
    )


def found_hosts(settings: Settings) -> tuple[Address, ...]:
    """Return where the cluster is; of a URL with an expression that was not followed, that."""
    refuse_both(settings, "url", "cloud_id")
    if "cloud_id" in settings.values:
        return (cloud_address(settings.values["cloud_id"], settings.sources["cloud_id"]),)
    if "url" in settings.unread:
        return (Address(settings.values["url"]),)
    return addresses(settings.values["url"], settings.sources["url"])


def proxies(settings: Settings, hosts: tuple[Address, ...]) -> dict[str, Proxy]:
    """Return the proxies on the way to the hosts, by the host's URL."""
    found = {} if "url" in settings.unread else {host.url: proxy_for(host.url) for host in hosts}
    used = {url: proxy for url, proxy in found.items() if proxy}
    for url, proxy in used.items():
        if "ssl_fingerprint" in settings.values and url.startswith("https:") and proxy.url.startswith("https:"):
            text = f"{proxy.source} names an https:// proxy, which {settings.sources['ssl_fingerprint']} cannot verify."
            raise ConfigError(text, hint="Give the CA with --ca-certs FILE instead.")
    return used


def sources(settings: Settings, who: Credentials) -> dict[str, str]:
    """Return where each setting of the connection was found, in words."""
    found = dict(settings.sources)
    for setting, file in (("api_key", "api_key_file"), ("password", "password_file")):
        if file in found:
            found[setting] = f"{found.pop(file)}: {settings.values[file]}"
    if who.username and "username" not in found:
        found["username"] = found["password"] = f"the URL in {found['url']}"
    return {"password": "prompt", **found} if who.username else found


def warnings(settings: Settings, hosts: tuple[Address, ...], who: Credentials) -> Iterator[str]:
    """Yield what is allowed but should not go unnoticed."""
    if "insecure" in settings.values:
        yield f"{settings.sources['insecure']}: the cluster's certificate is not verified."
    if settings.sources.get("url") == "--url" and any(host.password for host in hosts):
        yield "Other users of this machine can see the password in --url. Use ESML_URL or --password-file instead."
    remote = [host.url for host in hosts if host.url.startswith("http:") and not is_local(host.url)]
    if remote and (who.api_key or who.bearer_token or who.username):
        yield f"Credentials are sent without encryption to {remote[0]}; use https://."
