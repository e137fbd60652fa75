"""The content of a save file and the deployments in it. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from esml_stop import __version__
from esml_stop.invocation import ClusterIdentity
from esml_stop.json_values import WrongShape, of_type, optional, required
from esml_stop.models import Deployment
from esml_stop.outcomes import Outcome, Result
from esml_stop.plan.patterns import check_exact
from esml_stop.plan.start_settings import SIZE, not_shown, settings, start_call

VERSION = 1

Entry = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Document:
    """One save file: the cluster it belongs to, when it was last written (RFC 3339, UTC), and its entries."""

    cluster: ClusterIdentity
    saved_at: str
    entries: tuple[Entry, ...]

    @property
    def deployments(self) -> tuple[Deployment, ...]:
        """Return the deployments that the entries describe, as they were before they were stopped."""
        return tuple(map(deployment, self.entries))

    @property
    def content(self) -> dict[str, Any]:
        """Return the document as JSON values."""
        return {
            "save_version": VERSION,
            "esml_version": __version__,
            "saved_at": self.saved_at,
            "cluster": {"url": self.cluster.url, "name": self.cluster.name, "uuid": self.cluster.uuid},
            "deployments": list(self.entries),
        }

    def mismatch(self, cluster: ClusterIdentity, name: str = "The file") -> str | None:
        """Return a sentence that says that the file was, or may have been, saved from another cluster; None if not."""
        same = self.cluster.is_same(cluster)
        if same:
            return None
        verb = "may have been" if same is None else "was"
        old, new = self.cluster.described(cluster), cluster.described(self.cluster)
        return f"{name} {verb} saved from another cluster: {old}, at {self.saved_at}. This is {new}."

    def merged(self, older: "Document") -> "Document":
        """Return this document with the entries of an older one that are missing here."""
        entries = {one["deployment_id"]: one for one in older.entries}
        for one in self.entries:
            entries[one["deployment_id"]] = with_older_settings(one, entries.get(one["deployment_id"]))
        return replace(self, entries=tuple(entries.values()))


def document(results: Iterable[Result], cluster: ClusterIdentity, saved_at: str) -> Document:
    """Return the document for the deployments that a run stops, with their outcomes as far as they are known."""
    chosen = (one for one in results if one.target.decision in {Outcome.WOULD_STOP, Outcome.WOULD_RESTART})
    found = ((one, one.target.deployment) for one in chosen)
    entries = (entry(result, one) for result, one in found if one and not one.is_orphan)
    return Document(cluster, saved_at, tuple(entries))


def entry(result: Result, one: Deployment) -> Entry:
    """Return the entry for one deployment."""
    return {
        "deployment_id": one.deployment_id,
        "model_id": one.model_id,
        "model_alias": one.deployment_id if one.through_alias else None,
        "settings": settings(one),
        "settings_not_shown": list(not_shown(one)),
        "old_names": one.old_names,
        "state": one.state,
        "used_by": [{"kind": use.kind.value, "id": use.id, "through": use.through.value} for use in result.used_by],
        "start_call": start_call(one).console,
        "outcome": None if result.outcome.is_planned_change else result.outcome.value,
    }


def with_older_settings(newer: Entry, older: Entry | None) -> Entry:
    """Return an entry with the settings that the cluster did not show taken from an older entry, if it has them."""
    if older is None or older["model_id"] != newer["model_id"]:
        return newer
    known = {name: older["settings"][name] for name in newer["settings_not_shown"] if name in older["settings"]}
    left = [name for name in newer["settings_not_shown"] if name not in known]
    old_names = newer.get("old_names", False) or older.get("old_names", False)
    settings = {**newer["settings"], **known}
    whole = {**newer, "settings": settings, "settings_not_shown": left, "old_names": old_names}
    return {**whole, "start_call": start_call(deployment(whole)).console}


def parsed(body: Any) -> Document:
    """Return the document in the decoded JSON of a file; raise WrongShape or InputError if it is not valid."""
    version = required(body, "save_version", int)
    if version != VERSION:
        raise WrongShape(f"its save_version is {version}, this esml reads {VERSION}")
    where = required(body, "cluster", dict)
    cluster = ClusterIdentity(
        required(where, "url", str), optional(where, "name", str, None), optional(where, "uuid", str, None)
    )
    entries = {one["deployment_id"]: one for one in map(checked, required(body, "deployments", list))}
    return Document(cluster, required(body, "saved_at", str), tuple(entries.values()))


def checked(body: Any) -> Entry:
    """Return an entry after validating it; raise WrongShape or InputError if it describes no deployment."""
    found = deployment(of_type(body, dict))
    not_known = [of_type(name, str) for name in optional(body, "settings_not_shown", list, [])]
    return {**body, "settings": settings(found), "settings_not_shown": not_known}


def deployment(body: Entry) -> Deployment:
    """Return one saved deployment; its IDs are checked like IDs on the command line."""
    given = required(body, "settings", dict)
    deployment_id = check_exact(required(body, "deployment_id", str))
    return Deployment(
        deployment_id=deployment_id,
        model_id=check_exact(required(body, "model_id", str)),
        state="stopped",
        number_of_allocations=optional(given, "number_of_allocations", int, None),
        adaptive_allocations=optional(given, "adaptive_allocations", dict, None),
        threads_per_allocation=optional(given, "threads_per_allocation", int, None),
        queue_capacity=optional(given, "queue_capacity", int, None),
        priority=optional(given, "priority", str, None),
        cache_size=size(optional(given, "cache_size", str, None)),
        through_alias=optional(body, "model_alias", str, None) == deployment_id,
        old_names=optional(body, "old_names", bool, default=False),
    )


def size(text: str | None) -> str | None:
    """Return a cache size, or None; raise WrongShape if it is not in Elasticsearch's format."""
    if text is not None and not SIZE.fullmatch(text):
        raise WrongShape(f"it holds {text!r} where a size such as 253.3mb belongs")
    return text
