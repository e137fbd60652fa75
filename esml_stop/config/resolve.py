"""Resolves options, environment variables and profiles to one connection.

The whole connection comes from one family of settings: the first one that contains the address of a cluster. A URL
from one family and credentials from another are never combined; only TLS settings can be added to any family.
"""

import re
from collections.abc import Iterator, Mapping
from typing import TextIO

from esml_stop.config.connection import Connection
from esml_stop.config.credentials import (
    Credentials,
    Prompt,
    ca_file,
    client_certificate,
    credentials,
    fingerprint,
    refuse_both,
)
from esml_stop.config.environment import other_settings, variables_set
from esml_stop.config.profiles import default, located, named
from esml_stop.config.settings import (
    ADDRESS,
    FILE,
    KEY,
    LOGIN,
    TLS,
    ConnectionOptions,
    Settings,
    from_options,
    own_settings,
)
from esml_stop.config.urls import Address, Proxy, addresses, cloud_address, is_local, proxy_for
from esml_stop.errors import ConfigError


def resolve(
    options: ConnectionOptions,
    environment: Mapping[str, str],
    *,
    stdin: TextIO | None = None,
    prompt: Prompt | None = None,
    run: bool = True,
) -> Connection:
    """Return the connection that the settings describe, with the source of each setting.

    `prompt` asks the user for a password without echo; None if there is no terminal. Without `run`, no program of a
    credential store is run, and the connection can only be shown. Raises ConfigError.
    """
    own = from_options(options).override(own_settings(environment))
    return build(select_source(own, environment, run=run), stdin=stdin, prompt=prompt)


def select_source(own: Settings, environment: Mapping[str, str], *, run: bool = True) -> Settings:
    """Return the settings of the family that is used; `own` are the options and ESML_* variables."""
    if own.has_any(FILE):
        refuse_beside_file(own)
        return own.only(TLS).override(named(own, environment, run=run))
    if own.has_address:
        return own
    family = other_settings(environment) or default(environment, run=run)
    if family is None:
        raise nothing_found(own, environment)
    refuse_mixed_sources(own, family)
    return own.only(TLS).override(family)


def refuse_beside_file(own: Settings) -> None:
    """Raise ConfigError if an address or credentials are given together with a profile or configuration file."""
    other = next((name for name in (*ADDRESS, *KEY, *LOGIN) if name in own.values), None)
    if other:
        file = next(own.sources[name] for name in FILE if name in own.values)
        raise ConfigError(
            f"{own.sources[other]} and {file} cannot be used together.",
            hint="A profile or configuration file contains its own address and credentials.",
        )


def refuse_mixed_sources(own: Settings, family: Settings) -> None:
    """Raise ConfigError if options or ESML_* contain credentials, but the address comes from another family."""
    stray = next((name for name in (*KEY, *LOGIN) if name in own.values), None)
    if stray:
        where, other = own.sources[stray], family.sources.get("url") or family.sources["cloud_id"]
        raise ConfigError(
            f"{where} is given, but the cluster's address only comes from {other}; these are not mixed.",
            hint="Set the address with --url or ESML_URL, too.",
        )


def not_used(connection: Connection, environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return the variables that are set and the configuration file that exists, but are not used."""
    sources = " ".join(connection.sources.values())
    used, file = set(re.findall(r"[^\s:]+", sources)), located(environment)
    files = [file[1]] if file and file[1] not in sources else []
    return (*(name for name in variables_set(environment) if name not in used), *files)


def nothing_found(own: Settings, environment: Mapping[str, str]) -> ConfigError:
    """Return the error for a missing address, which lists the ways to set one."""
    there = next(iter([*own.sources.values(), *variables_set(environment)]), None)
    return ConfigError(
        f"No cluster is configured{f': {there} is set, but no URL' if there else ''}.",
        hint="Pass --url https://HOST:9200, or set ESML_URL (with ESML_API_KEY). To try esml without a cluster: "
        "esml sandbox -- esml stop my_model_for_search",
    )


def build(settings: Settings, *, stdin: TextIO | None, prompt: Prompt | None) -> Connection:
    """Return the connection that one family of settings describes; raises ConfigError."""
    hosts = host_addresses(settings)
    who = credentials(settings, hosts, stdin, prompt)
    cert, key = client_certificate(settings)
    return Connection(
        hosts=tuple(host.url for host in hosts),
        cloud_id=settings.values.get("cloud_id"),
        api_key=who.api_key,
        bearer_token=who.bearer_token,
        username=who.username,
        password=who.password,
        ca_certs=ca_file(settings),
        ssl_fingerprint=fingerprint(settings),
        client_cert=cert,
        client_key=key,
        verify_certs="insecure" not in settings.values,
        proxies=proxies(settings, hosts),
        sources=sources(settings, who),
        warnings=(*settings.warnings, *warnings(settings, hosts, who)),
        unresolved=settings.unresolved,
        blocked=settings.blocked,
    )


def host_addresses(settings: Settings) -> tuple[Address, ...]:
    """Return the addresses of the cluster, or the unresolved URL if its program was not run."""
    refuse_both(settings, "url", "cloud_id")
    if "cloud_id" in settings.values:
        return (cloud_address(settings.values["cloud_id"], settings.sources["cloud_id"]),)
    if "url" in settings.unresolved:
        return (Address(settings.values["url"]),)
    return addresses(settings.values["url"], settings.sources["url"])


def proxies(settings: Settings, hosts: tuple[Address, ...]) -> dict[str, Proxy]:
    """Return the proxies for the hosts, by the URL of the host."""
    found = {} if "url" in settings.unresolved else {host.url: proxy_for(host.url) for host in hosts}
    used = {url: proxy for url, proxy in found.items() if proxy}
    for url, proxy in used.items():
        if "ssl_fingerprint" in settings.values and url.startswith("https:") and proxy.url.startswith("https:"):
            text = f"{proxy.source} names an https:// proxy, which {settings.sources['ssl_fingerprint']} cannot verify."
            raise ConfigError(text, hint="Pass the CA with --ca-certs FILE instead.")
    return used


def sources(settings: Settings, who: Credentials) -> dict[str, str]:
    """Return, for messages, where each setting of the connection was found."""
    found = dict(settings.sources)
    for setting, file in (("api_key", "api_key_file"), ("password", "password_file")):
        if file in found:
            found[setting] = f"{found.pop(file)}: {settings.values[file]}"
    if who.username and "username" not in found:
        found["username"] = found["password"] = f"the URL in {found['url']}"
    return {"password": "prompt", **found} if who.username else found


def warnings(settings: Settings, hosts: tuple[Address, ...], who: Credentials) -> Iterator[str]:
    """Yield warnings about settings that are allowed but risky."""
    if "insecure" in settings.values:
        yield f"{settings.sources['insecure']}: the cluster's certificate is not verified."
    if settings.sources.get("url") == "--url" and any(host.password for host in hosts):
        yield "Other users of this machine can see the password in --url. Use ESML_URL or --password-file instead."
    remote = [host.url for host in hosts if host.url.startswith("http:") and not is_local(host.url)]
    if remote and (who.api_key or who.bearer_token or who.username):
        yield f"Credentials are sent without encryption to {remote[0]}; use https://."
