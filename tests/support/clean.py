"""Removes the objects that scenarios left on a cluster: those whose names begin with a prefix of a test."""

import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from tests.support import tiny_model
from tests.support.raw_cluster import MODELS, PATIENCE, RawCluster

COMMON_PREFIX = "esml-test-"
# The prefix of a test; other users may have names such as `esml-test-data`.
PREFIX = re.compile(COMMON_PREFIX + "[a-z]{6}-")
SERVICE = "/_security/service/elastic/kibana/credential"
OVERLOADED = {429, 502, 503, 504}
# No object exists (404), the server has no API for it (400, 405, 410), or the user may not list it (403).
NONE_TO_SEE = {400, 403, 404, 405, 410}
ROUNDS = 5  # the cluster may still process a request of a killed run after the first round


@dataclass(frozen=True)
class Kind:
    """One kind of object: the request that lists it, how to read names from the response, and how to remove one."""

    what: str
    listed: str
    names: Callable[[Any], Iterator[tuple[str, str]]]
    remove: Callable[[RawCluster, str], tuple[int, Any]]


def keys(answer: Any) -> Iterator[tuple[str, str]]:
    """Yield each key of a response as name and reference."""
    yield from ((name, name) for name in answer or {})


def entries(field: str, name: str, reference: str = "") -> Callable[[Any], Iterator[tuple[str, str]]]:
    """Return a function that yields the name and the reference of each entry in a list of the response."""
    return lambda answer: ((one[name], one[reference or name]) for one in (answer or {}).get(field, []))


def deployments(answer: Any) -> Iterator[tuple[str, str]]:
    """Yield the ID of each deployment in a `_stats` response as name and reference."""
    stats = [one["deployment_stats"] for one in answer.get("trained_model_stats", []) if "deployment_stats" in one]
    yield from ((one["deployment_id"], one["deployment_id"]) for one in stats)


def valid_keys(answer: Any) -> Iterator[tuple[str, str]]:
    """Yield the name and the ID of each API key that is not invalidated."""
    yield from ((one["name"], one["id"]) for one in (answer or {}).get("api_keys", []) if not one["invalidated"])


def deleting(path: str) -> Callable[[RawCluster, str], tuple[int, Any]]:
    """Return a function that deletes the object with a name."""
    return lambda cluster, name: cluster.ask("DELETE", path.format(name))


def stop(cluster: RawCluster, name: str) -> tuple[int, Any]:
    """Stop a deployment with force, after clearing its faults on a test node; a missing one is not an error."""
    if cluster.faults:
        cluster.ask("POST", f"/_testnode/faults/{name}", {})
    return cluster.ask("POST", f"{MODELS}/{name}/deployment/_stop", {"force": True})


# In the order of removal: an object comes after those that reference it.
KINDS = (
    Kind(
        "inference endpoints",
        "/_inference/_all",
        entries("endpoints", "inference_id"),
        deleting("/_inference/{}?force=true"),
    ),
    Kind("ingest pipelines", "/_ingest/pipeline/{prefix}*", keys, deleting("/_ingest/pipeline/{}")),
    Kind("deployments", f"{MODELS}/_all/_stats?size=10000", deployments, stop),
    # Deleting a model also deletes its aliases.
    Kind(
        "models",
        f"{MODELS}/{{prefix}}*?size=10000",
        entries("trained_model_configs", "model_id"),
        deleting(f"{MODELS}/{{}}?force=true"),
    ),
    Kind("users", "/_security/user", keys, deleting("/_security/user/{}")),
    Kind("roles", "/_security/role", keys, deleting("/_security/role/{}")),
    Kind(
        "API keys",
        "/_security/api_key?name={prefix}*",
        valid_keys,
        lambda cluster, key: cluster.ask("DELETE", "/_security/api_key", {"ids": [key]}),
    ),
    Kind(
        "service tokens", SERVICE, lambda answer: keys((answer or {}).get("tokens")), deleting(f"{SERVICE}/token/{{}}")
    ),
)


@dataclass(frozen=True)
class Cleaner:
    """Finds and removes objects of scenarios: those with the given prefixes, or those of all runs."""

    cluster: RawCluster
    prefixes: frozenset[str] | None = None

    @property
    def common(self) -> str:
        """Return the prefix for requests that list objects; it may also match objects of other runs."""
        return next(iter(self.prefixes)) if self.prefixes and len(self.prefixes) == 1 else COMMON_PREFIX

    def is_ours(self, name: str) -> bool:
        """Return whether a name begins with one of the prefixes."""
        found = PREFIX.match(name)
        return found is not None and (self.prefixes is None or found[0] in self.prefixes)

    def found(self, kind: Kind) -> list[tuple[str, str]]:
        """Return name and reference of each object of a kind whose name begins with one of the prefixes."""
        status, answer = with_retries(self.cluster.ask, "GET", kind.listed.format(prefix=self.common))
        assert status in {200, *NONE_TO_SEE}, (kind.what, status, answer)
        return [one for one in kind.names(answer) if self.is_ours(one[0])] if status == 200 else []

    def leftovers(self) -> dict[str, list[str]]:
        """Return the names of all objects that begin with one of the prefixes, by kind."""
        names = {kind.what: [name for name, _ in self.found(kind)] for kind in KINDS}
        return {what: some for what, some in names.items() if some}

    def clean(self) -> dict[str, list[str]]:
        """Remove all objects with the prefixes and return their names by kind; fail if any are left after ROUNDS."""
        removed: dict[str, list[str]] = {}
        for _ in range(ROUNDS):
            if not (gone := self.one_round()):
                return removed
            for what, names in gone.items():
                removed[what] = list(dict.fromkeys([*removed.get(what, []), *names]))
        assert not (left := self.leftovers()), left
        return removed

    def one_round(self) -> dict[str, list[str]]:
        """Remove the objects with the prefixes that exist now, and return their names by kind."""
        self.adopt()
        removed: dict[str, list[str]] = {}
        for kind in KINDS:
            for name, reference in self.found(kind):
                status, answer = with_retries(kind.remove, self.cluster, reference)
                # A 404 means that the object was removed with another one, e.g. a deployment with its endpoint.
                assert status in {200, 404}, (kind.what, name, status, answer)
                removed.setdefault(kind.what, []).append(name)
        return removed

    def adopt(self) -> None:
        """Create the deleted models of running deployments again, because `_all` does not list these otherwise."""
        status, answer = with_retries(self.cluster.ask, "GET", f"{MODELS}/{self.common}*/_stats?size=10000")
        missing = re.findall(r"[\w.-]+", answer["error"]["reason"]) if status == 404 else []
        for model in filter(self.is_ours, missing):
            with_retries(self.cluster.ask, "PUT", f"{MODELS}/{model}", tiny_model.CONFIGURATION)


def with_retries(request: Callable[..., tuple[int, Any]], *arguments: object) -> tuple[int, Any]:
    """Send a request, retry it for up to PATIENCE seconds if the cluster is overloaded, and return status and body."""
    ends = time.monotonic() + PATIENCE
    while (answered := request(*arguments))[0] in OVERLOADED and time.monotonic() < ends:
        time.sleep(0.2)
    return answered


def cleaner(cluster: RawCluster, prefixes: Iterable[str] | None = None) -> Cleaner:
    """Return a cleaner for some prefixes, or for all runs; fail if one is not the complete prefix of a test."""
    chosen = None if prefixes is None else frozenset(prefixes)
    assert all(PREFIX.fullmatch(one) for one in chosen or ()), chosen
    return Cleaner(cluster, chosen)
