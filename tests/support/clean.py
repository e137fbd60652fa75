"""Removes what scenarios left on a cluster: everything whose name starts with a prefix, and nothing else."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tests.support import tiny_model
from tests.support.raw_cluster import MODELS, RawCluster

EVERY_PREFIX = "esml-test-"
SERVICE = "/_security/service/elastic/kibana/credential"


@dataclass(frozen=True)
class Kind:
    """Things of one kind: where they are listed, what of the answer their names are, and how one of them is removed."""

    what: str
    listed: str
    names: Callable[[Any], Iterator[tuple[str, str]]]
    remove: Callable[[RawCluster, str], tuple[int, Any]]


def keys(answer: Any) -> Iterator[tuple[str, str]]:
    """Yield the names of an answer that is a table of them."""
    yield from ((name, name) for name in answer or {})


def entries(field: str, name: str, reference: str = "") -> Callable[[Any], Iterator[tuple[str, str]]]:
    """Return what yields name and reference of each entry in a list."""
    return lambda answer: ((one[name], one[reference or name]) for one in (answer or {}).get(field, []))


def deployments(answer: Any) -> Iterator[tuple[str, str]]:
    """Yield the deployments of an answer of `_stats`."""
    stats = [one["deployment_stats"] for one in answer.get("trained_model_stats", []) if "deployment_stats" in one]
    yield from ((one["deployment_id"], one["deployment_id"]) for one in stats)


def valid_keys(answer: Any) -> Iterator[tuple[str, str]]:
    """Yield the API keys that may still be used."""
    yield from ((one["name"], one["id"]) for one in (answer or {}).get("api_keys", []) if not one["invalidated"])


def deleting(path: str) -> Callable[[RawCluster, str], tuple[int, Any]]:
    """Return what removes one thing by its name."""
    return lambda cluster, name: cluster.ask("DELETE", path.format(name))


def stop(cluster: RawCluster, name: str) -> tuple[int, Any]:
    """Stop a deployment, whatever uses it; one that is not there is no error."""
    if cluster.faults:
        cluster.ask("POST", f"/_testnode/faults/{name}", {})
    return cluster.ask("POST", f"{MODELS}/{name}/deployment/_stop", {"force": True})


# In the order in which they are removed: what uses something goes before it.
KINDS = (
    Kind(
        "inference endpoints",
        "/_inference/_all",
        entries("endpoints", "inference_id"),
        deleting("/_inference/{}?force=true"),
    ),
    Kind("ingest pipelines", "/_ingest/pipeline/{prefix}*", keys, deleting("/_ingest/pipeline/{}")),
    Kind("deployments", f"{MODELS}/_all/_stats?size=10000", deployments, stop),
    # With its aliases.
    Kind(
        "models",
        f"{MODELS}/{{prefix}}*?size=1000",
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


def found(cluster: RawCluster, kind: Kind, prefix: str) -> list[tuple[str, str]]:
    """Return name and reference of what there is of a kind; nothing where the cluster does not tell."""
    status, answer = cluster.ask("GET", kind.listed.format(prefix=prefix))
    return [one for one in kind.names(answer) if one[0].startswith(prefix)] if status == 200 else []


def leftovers(cluster: RawCluster, prefix: str = EVERY_PREFIX) -> dict[str, list[str]]:
    """Return the names of all that starts with a prefix, by kind."""
    names = {kind.what: [name for name, _ in found(cluster, kind, prefix)] for kind in KINDS}
    return {what: some for what, some in names.items() if some}


def adopt(cluster: RawCluster, prefix: str) -> None:
    """Make the models of deployments that outlived theirs again, since only then the cluster lists these."""
    status, answer = cluster.ask("GET", f"{MODELS}/{prefix}*/_stats?size=1000")
    missing = re.findall(r"[\w.-]+", answer["error"]["reason"]) if status == 404 else []
    for model in missing:
        if model.startswith(prefix):
            cluster.ask("PUT", f"{MODELS}/{model}", tiny_model.CONFIGURATION)


def clean(cluster: RawCluster, prefix: str = EVERY_PREFIX) -> dict[str, list[str]]:
    """Remove all that starts with a prefix and return the names by kind; raises when something stays."""
    assert prefix.startswith(EVERY_PREFIX), prefix
    adopt(cluster, prefix)
    removed: dict[str, list[str]] = {}
    for kind in KINDS:
        for name, reference in found(cluster, kind, prefix):
            status, answer = kind.remove(cluster, reference)
            # What is gone meanwhile went with something else: a deployment with its endpoint.
            assert status in {200, 404}, (kind.what, name, status, answer)
            removed.setdefault(kind.what, []).append(name)
    return removed
