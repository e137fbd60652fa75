"""Reads the data that a plan needs from the cluster, in as few requests as `_stats` allows."""

from collections.abc import Callable, Iterable
from functools import cached_property, partial
from time import time
from typing import TypeVar

from esml_stop.cluster.api import Cluster
from esml_stop.cluster.hints import read_hints
from esml_stop.errors import BadAnswer, EsmlError, NotAuthenticated, Refused
from esml_stop.invocation import ClusterIdentity
from esml_stop.models import PIPELINES, Deployment, Listing, NotChecked, Snapshot
from esml_stop.plan.patterns import ALL, Selection, chosen, chunks, expression
from esml_stop.plan.references import models_to_read
from esml_stop.runtime.background import BackgroundCall
from esml_stop.runtime.deadline import Deadline, with_retries

T = TypeVar("T")

# The time limit for optional requests, in seconds.
OPTIONAL_SECONDS = 30.0

# The first version in which a stop request refers to a deployment ID (docs/elasticsearch.md).
STOPS_DEPLOYMENTS = (8, 8)

# The maximum number of requests for model aliases; if more are needed, one request reads all models instead.
MAX_ALIAS_REQUESTS = 4

# The maximum number of unmatched names that are looked up one by one for a hint.
MAX_HINTS = 5


class Reader:
    """Reads data from one cluster until a deadline, with retries."""

    def __init__(self, cluster: Cluster, deadline: Deadline, on_retry: Callable[[str], None]) -> None:
        self.cluster = cluster
        self.deadline = deadline
        self.on_retry = on_retry
        self.known_identity: ClusterIdentity | None = None

    def read(self, selection: Selection, *, check: bool = True) -> Snapshot:
        """Return the snapshot for a plan; without `check`, skip the pipelines and endpoints that use deployments."""
        deadline = self.optional_deadline()
        clock = (
            self.in_background(lambda: self.clock_ahead(deadline.left), deadline)
            if selection.idle_before is not None
            else None
        )
        uses = Uses(self, deadline) if check else None
        snapshot = self.find(selection, uses)
        if clock:
            ahead, not_checked = self.read_or_not_checked(
                "the cluster's clock", "monitor", partial(with_retries, clock, deadline, self.on_retry)
            )
            snapshot = snapshot._replace(clock_ahead=ahead or 0, not_checked=(not_checked,) if not_checked else ())
        return uses.add_uses(chosen(selection, snapshot), snapshot) if uses else without_uses(snapshot)

    def clock_ahead(self, timeout: float) -> int:
        """Return how far the server's clock is ahead of this machine's, in milliseconds (a lower bound)."""
        return self.cluster.server_time(timeout) - int(time() * 1000)

    def identity(self) -> ClusterIdentity:
        """Return the identity of the cluster, cached after the first success; only the URL if it cannot be read."""
        if not self.known_identity:
            deadline = self.optional_deadline()
            try:
                self.known_identity = with_retries(
                    lambda _: self.cluster.identity(deadline.left), deadline, self.on_retry
                )
            except NotAuthenticated:
                raise
            except EsmlError:
                return ClusterIdentity(self.cluster.label)
        return self.known_identity

    @cached_property
    def stops_deployments(self) -> bool:
        """Return whether a stop request contains a deployment ID (8.8 and later); False if the version cannot be read.

        Before 8.8 it contains a model ID or alias, and the server responds that it stopped a model even if the model
        has no deployment.
        """
        try:
            self.known_identity = self.ask(lambda: self.cluster.identity(self.deadline.left))
        except NotAuthenticated:
            raise
        except (Refused, BadAnswer):
            return False
        return is_at_least(self.known_identity.version, STOPS_DEPLOYMENTS)

    def find(self, selection: Selection, uses: "Uses | None" = None) -> Snapshot:
        """Return a snapshot with the deployments that match the names and models, and hints for IDs without a match.

        The snapshot can contain other deployments, too.
        """
        model_ids = {name: self.model_id(name) for name in selection.models}
        listed = self.listing(expression(selection.names)) if selection.names else Listing((), frozenset())
        known = {one.deployment_id: one for one in listed.deployments}
        by_model = self.by_model(model for model in model_ids.values() if model)
        # Deployments found by model are requested again by ID: only that response shows the references to the ID.
        unseen = [one.deployment_id for group in by_model.values() for one in group if one.deployment_id not in known]
        if unseen:
            known |= {one.deployment_id: one for one in self.listing(expression(unseen)).deployments}
        snapshot = Snapshot(
            tuple(known.values()), by_model, model_ids={name: model or name for name, model in model_ids.items()}
        )
        missing = [name for name in selection.exact if name not in known][:MAX_HINTS]
        hints = read_hints(missing, self.cluster, self.deadline, uses.endpoints if uses else None) if missing else {}
        return snapshot._replace(
            hints={name: hint.text for name, hint in hints.items()},
            model_deployments={name: hint.deployments for name, hint in hints.items() if hint.deployments},
        )

    def optional_deadline(self) -> Deadline:
        """Return the deadline for optional requests, which leaves half of the remaining time for required requests."""
        return self.deadline.at_most(min(OPTIONAL_SECONDS, self.deadline.remaining / 2))

    def listing(self, names: str, deadline: Deadline | None = None) -> Listing:
        """Return the deployments and models that match an expression; the default deadline is that of the command."""
        ends = deadline or self.deadline
        return with_retries(lambda _: self.cluster.deployments(names, ends.left), ends, self.on_retry)

    def running(self, names: Iterable[str], deadline: Deadline | None = None) -> dict[str, Deployment]:
        """Return the deployments with these IDs that the cluster still lists, in any state, by ID."""
        requested = set(names)
        found = self.listing(expression(sorted(requested)), deadline).deployments
        return {one.deployment_id: one for one in found if one.deployment_id in requested}

    def by_model(self, models: Iterable[str]) -> dict[str, tuple[Deployment, ...]]:
        """Return the deployments of each model, with the pipelines that reference the model."""
        groups: dict[str, list[Deployment]] = {model: [] for model in models}
        for names in chunks(groups):
            for one in self.listing(names).deployments:
                if one.model_id in groups:
                    groups[one.model_id].append(one)
        return {model: tuple(group) for model, group in groups.items()}

    def aliases(self, models: list[str], deadline: Deadline) -> dict[str, frozenset[str]]:
        """Return the aliases of each model; request all models if there are many, or if one of them was deleted."""
        parts = chunks(models)
        found = (
            [self.cluster.model_configs(one, deadline.left) for one in parts]
            if len(parts) <= MAX_ALIAS_REQUESTS
            else [()]
        )
        # A deleted model, whose deployments may still run, makes the request for it and others a 404.
        if not all(found):
            found = [self.cluster.model_configs(ALL, deadline.left)]
        return {model.model_id: model.aliases for part in found for model in part}

    def model_id(self, name: str) -> str | None:
        """Return the model ID for a model ID or a model alias, or None if there is no such model."""
        model = self.ask(lambda: self.cluster.model(name, self.deadline.left))
        return model.model_id if model else None

    def read_or_not_checked(
        self, what: str, privilege: str, read: Callable[[], T]
    ) -> tuple[T | None, NotChecked | None]:
        """Return the value and None, or None and the reason why the value could not be read.

        A deployment whose uses could not be read must not count as unused. Raises NotAuthenticated.
        """
        try:
            return read(), None
        except NotAuthenticated:
            raise
        except TimeoutError:
            return None, NotChecked(what, f"{self.cluster.label} did not respond in time.")
        except EsmlError as error:
            reason = f"requires {privilege}" if error.code == "not_allowed" else error.message
            return None, NotChecked(what, reason)

    def in_background(self, call: Callable[[], T], deadline: Deadline) -> BackgroundCall[T]:
        """Start a call in a thread and return an object that, when called, waits for the result until the deadline."""
        return BackgroundCall(call, lambda: deadline.remaining)

    def ask(self, call: Callable[[], T]) -> T:
        """Make a request, with retries."""
        return with_retries(lambda _: call(), self.deadline, self.on_retry)


class Uses:
    """Reads the endpoints and pipelines that use deployments; the requests start immediately in background threads."""

    def __init__(self, reader: Reader, deadline: Deadline) -> None:
        self.reader = reader
        self.endpoints = reader.in_background(lambda: reader.cluster.endpoints(deadline.left), deadline)
        self.pipelines = reader.in_background(lambda: reader.cluster.pipelines(deadline.left), deadline)

    def add_uses(self, found: list[Deployment], snapshot: Snapshot) -> Snapshot:
        """Return the snapshot with the endpoints, pipelines and models that show the uses of the deployments.

        `not_checked` lists endpoints, pipelines and aliases if they could not be read.
        """
        if not found:
            return snapshot
        reader = self.reader
        deadline = reader.optional_deadline()
        asked = partial(with_retries, self.endpoints, deadline, reader.on_retry)
        endpoints, no_endpoints = reader.read_or_not_checked("inference endpoints", "monitor_inference", asked)
        read = partial(with_retries, self.pipelines, deadline, reader.on_retry)
        pipelines, no_pipelines = reader.read_or_not_checked(PIPELINES, "read_pipeline", read)
        not_checked = (*snapshot.not_checked, *(one for one in (no_endpoints, no_pipelines) if one))
        snapshot = snapshot._replace(endpoints=endpoints, pipelines=pipelines, not_checked=not_checked)
        return self.with_models(sorted(models_to_read(found, snapshot)), snapshot)

    def with_models(self, models: list[str], snapshot: Snapshot) -> Snapshot:
        """Return the snapshot with all deployments of the models, and their aliases if they can be read."""
        if not models:
            return snapshot
        reader, deadline = self.reader, self.reader.optional_deadline()
        aliases = reader.in_background(lambda: reader.aliases(models, deadline), deadline)
        missing = [model for model in models if model not in snapshot.by_model]
        by_model = {**snapshot.by_model, **reader.by_model(missing)}
        found, no_aliases = reader.read_or_not_checked(
            "model aliases", "monitor_ml", partial(with_retries, aliases, deadline, reader.on_retry)
        )
        not_checked = (*snapshot.not_checked, no_aliases) if no_aliases else snapshot.not_checked
        return snapshot._replace(by_model=by_model, aliases=found or {}, not_checked=not_checked)


def is_at_least(version: str | None, least: tuple[int, int]) -> bool:
    """Return whether a version, such as 8.19.0, is `least` or later; False if it is unknown or not numeric."""
    numbers = (version or "").split(".")[:2]
    return all(map(str.isdecimal, numbers)) and tuple(map(int, numbers)) >= least


def without_uses(snapshot: Snapshot) -> Snapshot:
    """Return the snapshot without pipelines; `not_checked` says that the uses were not looked up."""
    unseen = tuple(one._replace(pipelines=frozenset()) for one in snapshot.deployments)
    return snapshot._replace(
        deployments=unseen, not_checked=(*snapshot.not_checked, NotChecked("what uses the deployment", "--no-check"))
    )
