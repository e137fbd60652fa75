"""From settings that belong together to a checked connection."""

from collections.abc import Iterator
from typing import TextIO

from esml_stop.config.certificates import authorities, client_pair, fingerprint
from esml_stop.config.connection import Connection
from esml_stop.config.credentials import Credentials, Prompt, credentials, refuse_both
from esml_stop.config.settings import Settings
from esml_stop.config.urls import Address, addresses, cloud_address, is_local


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
        sources=sources(settings, who),
        warnings=(*settings.warnings, *warnings(settings, hosts, who)),
    )


def found_hosts(settings: Settings) -> tuple[Address, ...]:
    """Return where the cluster is."""
    refuse_both(settings, "url", "cloud_id")
    if "cloud_id" in settings.values:
        return (cloud_address(settings.values["cloud_id"], settings.sources["cloud_id"]),)
    return addresses(settings.values["url"], settings.sources["url"])


def sources(settings: Settings, who: Credentials) -> dict[str, str]:
    """Return where each setting of the connection was found, in words."""
    found = dict(settings.sources)
    for setting, file in (("api_key", "api_key_file"), ("password", "password_file")):
        if file in found:
            found[setting] = f"{found.pop(file)}: {settings.values[file]}"
    if who.username and "username" not in found:
        found["username"] = found["password"] = f"the URL in {found['url']}"
    return {"password": "asked for", **found} if who.username else found


def warnings(settings: Settings, hosts: tuple[Address, ...], who: Credentials) -> Iterator[str]:
    """Yield what is allowed but should not go unnoticed."""
    if "insecure" in settings.values:
        yield f"{settings.sources['insecure']}: the cluster's certificate is not verified."
    remote = [host.url for host in hosts if host.url.startswith("http:") and not is_local(host.url)]
    if remote and who:
        yield f"Credentials are sent without encryption to {remote[0]}; use https://."
