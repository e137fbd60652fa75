"""Reads from the cluster what a plan needs, with as few requests as the answers of `_stats` allow."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import TypeVar

from esml_stop.cluster.calls import Calls
from esml_stop.errors import EsmlError, NotAuthenticated
from esml_stop.models import ClusterIdentity, Deployment, Endpoint, Listing, Model, NotChecked, Snapshot
from esml_stop.plan.patterns import Wanted, chunks, expression
from esml_stop.plan.references import is_doubtful
from esml_stop.plan.selection import chosen
from esml_stop.runtime.background import Early
from esml_stop.runtime.deadline import Deadline
from esml_stop.runtime.retry import patiently

T = TypeVar("T")

# What may stay unread is waited for no longer than this, in seconds.
LONGEST_BESIDE = 30.0

# How many names that found nothing are looked up one by one for a hint.
MOST_HINTS = 5


class Reader:
    """Asks the questions about one cluster inside one deadline, each at most once and patiently."""

    def __init__(self, cluster: Calls, deadline: Deadline, on_retry: Callable[[str], None]) -> None:
        self.cluster = cluster
        self.deadline = deadline
        self.on_retry = on_retry

    def read(self, wanted: Wanted, *, check: bool = True) -> Snapshot:
        """Return all that is needed to plan; without `check` only which deployments there are."""
        if not check:
            return without_uses(self.find(wanted))
        beside = self.beside()
        endpoints = Early(lambda: self.cluster.endpoints(beside.left))
        snapshot = self.find(wanted)
        return self.with_uses(snapshot, chosen(wanted, snapshot), endpoints)

    def identity(self) -> ClusterIdentity:
        """Return which cluster this is, without name and UUID where they cannot be read."""
        beside = self.beside()
        try:
            return patiently(lambda _: self.cluster.identity(beside.left), beside, self.on_retry)
        except NotAuthenticated:
            raise
        except EsmlError:
            return ClusterIdentity(self.cluster.label)

    def find(self, wanted: Wanted) -> Snapshot:
        """Return the deployments that the names and models may mean, and hints for names that mean none."""
        aliased = {name: self.model_id(name) for name in wanted.models}
        listed = self.listing(expression(wanted.names)) if wanted.names else Listing((), frozenset())
        known = {one.deployment_id: one for one in listed.deployments}
        by_model = self.by_model(model for model in aliased.values() if model)
        # What was found by its model is asked for again by its own ID: only that shows who names it.
        unseen = [one.deployment_id for group in by_model.values() for one in group if one.deployment_id not in known]
        if unseen:
            known |= {one.deployment_id: one for one in self.listing(expression(unseen)).deployments}
        snapshot = Snapshot(
            tuple(known.values()), by_model, aliased={name: model or name for name, model in aliased.items()}
        )
        return snapshot._replace(hints=self.hints(wanted, snapshot))

    def with_uses(self, snapshot: Snapshot, found: list[Deployment], early: Early[tuple[Endpoint, ...]]) -> Snapshot:
        """Return the snapshot with what uses the found deployments, as far as it may be read."""
        if not found:
            return snapshot
        asked = partial(patiently, early, self.beside(), self.on_retry)
        endpoints, unread = self.optional("inference endpoints", "monitor_inference", asked)
        piped = [one for one in found if one.pipelines and one.deployment_id != one.model_id]
        missing = dict.fromkeys(one.model_id for one in piped if one.model_id not in snapshot.by_model)
        snapshot = snapshot._replace(
            endpoints=endpoints,
            by_model={**snapshot.by_model, **self.by_model(missing)},
            not_checked=(unread,) if unread else (),
        )
        doubtful = sorted({name for one in found if is_doubtful(one, snapshot) for name in one.pipelines})
        named, _ = self.optional("pipelines", "read_pipeline", lambda: self.names_in(doubtful, self.beside()))
        return snapshot._replace(named=named or {})

    def beside(self) -> Deadline:
        """Return the deadline of what may stay unread: it must not use up the time of what has to be done."""
        return self.deadline.at_most(min(LONGEST_BESIDE, self.deadline.remaining / 2))

    def listing(self, names: str, deadline: Deadline | None = None) -> Listing:
        """Return what an expression of `_stats` matches, before the command's deadline or an earlier one."""
        ends = deadline or self.deadline
        return patiently(lambda _: self.cluster.deployments(names, ends.left), ends, self.on_retry)

    def running(self, names: Iterable[str], deadline: Deadline | None = None) -> dict[str, Deployment]:
        """Return those of some deployments that are there now, by their IDs."""
        wanted = set(names)
        found = self.listing(expression(sorted(wanted)), deadline).deployments
        return {one.deployment_id: one for one in found if one.deployment_id in wanted}

    def by_model(self, models: Iterable[str]) -> dict[str, tuple[Deployment, ...]]:
        """Return the deployments of models, with the pipelines that name the model."""
        wanted = list(models)
        found = [one for names in chunks(wanted) for one in self.listing(names).deployments]
        return {model: tuple(one for one in found if one.model_id == model) for model in wanted}

    def names_in(self, pipelines: list[str], deadline: Deadline) -> dict[str, frozenset[str]]:
        """Return the names that some pipelines use."""
        read = self.cluster.pipeline_names
        named: dict[str, frozenset[str]] = {}
        for names in chunks(pipelines):
            named |= patiently(lambda _, names=names: read(names, deadline.left), deadline, self.on_retry)  # type: ignore[misc]
        # A pipeline that is not there any more names nothing.
        return dict.fromkeys(pipelines, frozenset()) | named

    def model_id(self, name: str) -> str | None:
        """Return the ID of the model that a model ID or alias means."""
        model = self.ask(lambda: self.cluster.model(name, self.deadline.left))
        return model.model_id if model else None

    def optional(self, what: str, privilege: str, read: Callable[[], T]) -> tuple[T | None, NotChecked | None]:
        """Return what was read or why it was not; what may not be read is never taken for unused."""
        try:
            return read(), None
        except NotAuthenticated:
            raise
        except EsmlError as error:
            reason = f"needs {privilege}" if error.code == "not_allowed" else error.message
            return None, NotChecked(what, reason)

    def ask(self, call: Callable[[], T]) -> T:
        """Make a request patiently."""
        return patiently(lambda _: call(), self.deadline, self.on_retry)

    def hints(self, wanted: Wanted, snapshot: Snapshot) -> dict[str, str]:
        """Return for each exact name that means no deployment what it may have meant."""
        known = {one.deployment_id for one in snapshot.deployments}
        missing = [name for name in wanted.exact if name not in known][:MOST_HINTS]
        if not missing:
            return {}
        near = self.listing(expression(f"{name[:3]}*" for name in missing))
        return {name: hint for name in missing if (hint := self.hint(name, near))}

    def hint(self, name: str, near: Listing) -> str | None:
        """Return what a name is instead of a deployment, or which deployments are called alike."""
        model = self.ask(lambda: self.cluster.model(name, self.deadline.left))
        if model:
            return self.model_hint(name, model)
        from difflib import get_close_matches

        alike = get_close_matches(name, [one.deployment_id for one in near.deployments], n=3)
        return f"did you mean {' or '.join(alike)}?" if alike else None

    def model_hint(self, name: str, model: Model) -> str:
        """Return what to say about a model or a model alias that was given as a deployment."""
        what = "is a model" if model.model_id == name else f"is a model alias of {model.model_id}"
        if model.model_type not in (None, "pytorch"):
            return f"{what} of type {model.model_type}, which has no deployments"
        deployments = [one.deployment_id for one in self.by_model([model.model_id])[model.model_id]]
        if not deployments:
            return f"{what}, which has no deployments"
        return f"{what}; its deployments are {', '.join(sorted(deployments))}: use --model {name}"


def without_uses(snapshot: Snapshot) -> Snapshot:
    """Return the snapshot as one in which nothing was looked for that uses a deployment."""
    unseen = tuple(one._replace(pipelines=frozenset()) for one in snapshot.deployments)
    return snapshot._replace(deployments=unseen, not_checked=(NotChecked("what uses the deployment", "--no-check"),))
