"""Creates users and API keys for scenarios, and returns the settings to connect as them."""

from collections.abc import Iterable
from typing import Any

import pytest

from tests.support.raw_cluster import RawCluster

PASSWORD = "some-pass-word"
CREDENTIALS = {"ESML_USERNAME", "ESML_PASSWORD", "ESML_API_KEY", "ESML_BEARER_TOKEN"}


def require_login(cluster: RawCluster) -> None:
    """Skip the test if the cluster has no security, or if the connection has no user name."""
    if not cluster.secured:
        pytest.skip("the cluster has no security")
    if not cluster.username:
        pytest.skip("needs a login with a password (ESML_TEST_USERNAME) that may make users and API keys")


def address(cluster: RawCluster) -> dict[str, str]:
    """Return the settings for the connection to the cluster, without credentials."""
    return {name: value for name, value in cluster.environment().items() if name not in CREDENTIALS}


def as_user(cluster: RawCluster, roles: Iterable[str], privileges: Iterable[str] = ()) -> dict[str, str]:
    """Create a user with roles, and with cluster privileges if any, and return the settings for this user."""
    require_login(cluster)
    name = cluster.full("user")
    if privileges:
        cluster.need("PUT", f"/_security/role/{name}", {"cluster": list(privileges)})
        roles = (*roles, name)
    cluster.need("PUT", f"/_security/user/{name}", {"password": PASSWORD, "roles": list(roles)})
    return {**address(cluster), "ESML_USERNAME": name, "ESML_PASSWORD": PASSWORD}


def api_key(cluster: RawCluster, privileges: Iterable[str] = ()) -> Any:
    """Create an API key with cluster privileges, or with those of its creator, and return the cluster's response."""
    require_login(cluster)
    descriptors = {"role_descriptors": {"test": {"cluster": list(privileges)}}} if privileges else {}
    return cluster.need("POST", "/_security/api_key?refresh=true", {"name": cluster.full("key"), **descriptors})


def as_key(cluster: RawCluster, privileges: Iterable[str]) -> dict[str, str]:
    """Create an API key with cluster privileges and return the settings for this key."""
    return {**address(cluster), "ESML_API_KEY": api_key(cluster, privileges)["encoded"]}
