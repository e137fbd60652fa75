"""Lists deployments through `_stats`, where a 404 often does not mean "not found".

The server rejects the whole request with 404 if one exact name is unknown, or if a name or pattern matches a deployment
whose model was deleted (an orphan). The error lists the names that were not found; for an orphan, the ID of its model.
A request for `_all` never fails with 404, but its response omits orphans. A response contains at most 10,000 models,
sorted by ID. A request for the models themselves (`GET _ml/trained_models`) never fails because of an orphan.
"""

import re
from collections.abc import Callable, Iterable, Iterator

from esml_stop.errors import BadAnswer, Refused
from esml_stop.models import UNKNOWN_STATE, Deployment, Listing, Model
from esml_stop.plan.patterns import ALL, chunks, fits, is_pattern

# The limit of models in a response: the server's maximum of `from` plus `size`.
MAX_MODELS = 10_000

# The maximum number of exact names that are requested one by one to find orphans.
MAX_PROBES = 10

# The characters of model IDs, in sort order.
ALPHABET = "-.0123456789_abcdefghijklmnopqrstuvwxyz"

UNMATCHED = re.compile(r"No known trained model with model_id \[([^\]]+)\]")

# Requests `_stats` for an expression; returns the number of matching models, and those that fit into one response.
Ask = Callable[[str], tuple[int, Listing]]

# Requests the models that match an expression; returns those that fit into one response.
AskModels = Callable[[str], tuple[Model, ...]]


def list_matching(expression: str, ask: Ask, ask_models: AskModels) -> Listing:
    """Return the deployments and models that match an expression.

    The result can contain all deployments and models of the cluster if the expression matches more than 10,000 models
    or an orphan, or if the server rejects it with 404 for an unknown reason.
    """
    if expression == ALL:
        return list_all(ask, ask_models)
    names = expression.split(",")
    while names:
        try:
            count, listing = ask(",".join(names))
        except Refused as refused:
            missing = names_not_found(refused)
            known = [name for name in names if name not in missing]
            if missing and missing <= set(names):
                names = known
            elif missing and len(known) <= MAX_PROBES and not any(map(is_pattern, known)):
                return merged(*(list_single(name, ask) for name in known))
            else:
                return with_orphans(known, list_all(ask, ask_models), ask)
        else:
            return listing if count <= MAX_MODELS else list_all(ask, ask_models)
    return Listing((), frozenset())


def names_not_found(refused: Refused) -> frozenset[str]:
    """Return the names that a 404 reports as not found; raise any other error."""
    if refused.http_status != 404:
        raise refused
    found = UNMATCHED.search(refused.reason or "")
    return frozenset(found[1].split(",")) if found else frozenset()


def list_all(ask: Ask, ask_models: AskModels) -> Listing:
    """Return all deployments and models except orphans, in several requests if needed.

    Raises BadAnswer if there are so many models that they cannot all be listed.
    """
    count, found = ask(ALL)
    while count > MAX_MODELS:
        last = max(found.models, default="")
        for part in patterns_after(last):
            count, more = list_more(part, ask, ask_models)
            found = merged(found, more)
            if count > MAX_MODELS:
                break
        if count > MAX_MODELS and max(found.models, default="") == last:
            text = "The cluster has more models than Elasticsearch can list."
            raise BadAnswer(text, hint="Pass exact deployment IDs.")
    return found


def list_more(part: str, ask: Ask, ask_models: AskModels) -> tuple[int, Listing]:
    """Return the number of models that match an expression, and those that fit into one response, with deployments.

    The deployments are requested again by deployment ID: only that response shows the pipelines that reference them.
    """
    try:
        count, found = ask(part)
    except Refused as refused:  # the expression matches an orphan
        names_not_found(refused)
        models = ask_models(part)
        count = MAX_MODELS + 1 if len(models) >= MAX_MODELS else len(models)
        deployed = list_exact((one.model_id for one in models if one.model_type in {None, "pytorch"}), ask)
        found = Listing(deployed.deployments, frozenset(one.model_id for one in models))
    return count, merged(found, list_exact((one.deployment_id for one in found.deployments), ask))


def list_exact(names: Iterable[str], ask: Ask) -> Listing:
    """Return the deployments and models with these exact names; skip names for which the server returns 404."""
    return merged(*(list_in_halves(part.split(","), ask) for part in chunks(names)))


def list_in_halves(names: list[str], ask: Ask) -> Listing:
    """Return the same for names that fit into one request; after a 404, request each half of the names separately."""
    try:
        return ask(",".join(names))[1]
    except Refused as refused:
        names_not_found(refused)
    middle = len(names) // 2
    return (
        merged(list_in_halves(names[:middle], ask), list_in_halves(names[middle:], ask))
        if middle
        else Listing((), frozenset())
    )


def patterns_after(last: str) -> Iterator[str]:
    """Yield expressions that together match a model ID and all model IDs that sort after it."""
    patterns = [f"{last}*"]
    for place in reversed(range(len(last))):
        patterns += [f"{last[:place]}{one}*" for one in ALPHABET if one > last[place]]
    part: list[str] = []
    for pattern in patterns:
        if part and not fits(",".join([*part, pattern])):
            yield ",".join(part)
            part = []
        part.append(pattern)
    yield ",".join(part)


def merged(*listings: Listing) -> Listing:
    """Return several listings as one, without duplicate deployments."""
    found = {one.deployment_id: one for listing in listings for one in listing.deployments}
    models: frozenset[str] = frozenset().union(*(one.models for one in listings))
    return Listing(tuple(found.values()), models)


def with_orphans(names: Iterable[str], listed: Listing, ask: Ask) -> Listing:
    """Return the listing, extended by the orphans among the names; request at most MOST_PROBES names."""
    known = {one.deployment_id for one in listed.deployments} | listed.models
    unlisted = [name for name in names if not is_pattern(name) and name not in known]
    return merged(listed, *(list_single(name, ask) for name in unlisted[:MAX_PROBES]))


def list_single(name: str, ask: Ask) -> Listing:
    """Return the deployments and models that match an exact name; for an orphan, a deployment with an unknown state."""
    try:
        return ask(name)[1]
    except Refused as refused:
        missing = names_not_found(refused) - {name}
    if not missing:
        return Listing((), frozenset())
    model = ", ".join(sorted(missing))
    orphan = Deployment(name, model, UNKNOWN_STATE, reason=f"Its model {model} was deleted.", is_orphan=True)
    return Listing((orphan,), frozenset())
