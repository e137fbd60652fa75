"""Provides the clusters of scenarios: a practice cluster for each, or the cluster in ESML_TEST_URL.

ESML_TEST_URL and all other settings of the connection (ESML_TEST_API_KEY, ESML_TEST_CA_CERTS, ESML_TEST_CLOUD_ID ...)
correspond to esml's own settings.
"""

import os
import random
import ssl
import string
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache

from esml_stop.config.connection import Connection
from esml_stop.config.resolve import resolve
from esml_stop.config.settings import ConnectionOptions
from esml_stop.sandbox import serve
from tests.support.clean import COMMON_PREFIX, cleaner
from tests.support.interrupts import INTERRUPTS
from tests.support.raw_cluster import RawCluster, basic, pool, trusting

OURS = "ESML_TEST_"
PREFIXES: list[str] = []  # all prefixes that this run has used on the cluster
ADDRESSES = ("ESML_TEST_URL", "ESML_TEST_CLOUD_ID")


def names_a_cluster() -> bool:
    """Return whether the environment sets the URL or the cloud ID of a cluster under test."""
    return any(os.environ.get(name) for name in ADDRESSES)


def settings() -> dict[str, str]:
    """Return esml's settings for the cluster under test, from the ESML_TEST_ variables."""
    given = {name.removeprefix(OURS): value for name, value in os.environ.items() if name.startswith(OURS) and value}
    given.pop("PORT", None)  # the port of the test node that .ci/run stops
    return {f"ESML_{name}": value for name, value in given.items()}


def connection_from_environment() -> Connection:
    """Return the connection to the cluster under test."""
    return resolve(ConnectionOptions(), settings())


def node_from_environment() -> RawCluster | None:
    """Return the cluster under test, or None if the environment does not set one."""
    if not names_a_cluster():
        return None
    found = connection_from_environment()
    key = found.api_key and f"ApiKey {found.api_key}"
    token = found.bearer_token and f"Bearer {found.bearer_token}"
    return RawCluster(
        found.hosts[0],
        found.username,
        found.password,
        found.ca_certs,
        authorization=key or token or basic(found.username, found.password),
        settings=settings(),
        pool=pool(verification(found.ca_certs, found.client_cert, found.client_key, verify=found.verify_certs)),
    )


def verification(ca: str | None, cert: str | None, key: str | None, *, verify: bool) -> ssl.SSLContext:
    """Return the TLS context for the cluster under test, with the client certificate if there is one."""
    context = trusting(ca)
    if not verify:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if cert:
        context.load_cert_chain(cert, key)
    return context


@cache
def made_for_tests() -> bool:
    """Return whether the cluster under test is a test node, which has `_testnode`."""
    node = node_from_environment()
    status, answer = node.ask("POST", f"/_testnode/faults/{COMMON_PREFIX}nothing", {}) if node else (0, None)
    reason = answer.get("error") if isinstance(answer, dict) else None
    return status == 404 and isinstance(reason, dict) and reason.get("type") == "resource_not_found_exception"


@contextmanager
def workspace(target: str, *, faults: bool = False) -> Iterator[RawCluster]:
    """Yield a cluster with a new prefix, and remove everything with this prefix afterwards.

    `target` is `sandbox` for an empty practice cluster, or `node`. Only `faults` allows calls to `_testnode`.
    """
    # Letters only, because esml does not suggest names that differ only in digits.
    prefix = f"{COMMON_PREFIX}{''.join(random.SystemRandom().choices(string.ascii_lowercase, k=6))}-"
    if target == "sandbox":
        with serve(empty=True) as server:
            yield RawCluster(server.url, prefix=prefix, faults=faults)
        return
    node = node_from_environment()
    assert node
    PREFIXES.append(prefix)
    mine = replace(node, prefix=prefix, alone=False, faults=faults, resets=[])
    try:
        yield mine
    finally:
        with INTERRUPTS.hold():
            leave(mine)


def leave(mine: RawCluster) -> None:
    """Restore the kind of a test node if the test changed it, and remove everything that the test created."""
    try:
        if mine.resets:
            mine.do("POST", "/_testnode/reset", {})
    finally:
        cleaner(mine, [mine.prefix]).clean()
