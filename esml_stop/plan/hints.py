"""Hints for names that match no deployment: a similar ID, a model, a model alias or an endpoint. Pure."""

import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import NamedTuple

from esml_stop.models import Deployment, Endpoint, Model

DIGITS = re.compile(r"\d+")
MOST_ALIKE = 3


class Hint(NamedTuple):
    """A hint for a name; `deployments` are the deployments of the model, if the name is a model or a model alias."""

    text: str
    deployments: tuple[str, ...] = ()


def alike(name: str, deployments: Iterable[str]) -> Hint | None:
    """Return a hint with the deployments that have a similar ID, None if there are none.

    An ID that differs only in digits is not suggested: it probably belongs to another CI build, not to a typo.
    """
    shape = DIGITS.sub("", name.casefold())
    folded: dict[str, list[str]] = {}
    for one in sorted(deployments):
        if one == name or DIGITS.sub("", one.casefold()) != shape or one.casefold() == name.casefold():
            folded.setdefault(one.casefold(), []).append(one)
    near = get_close_matches(name.casefold(), folded, n=MOST_ALIKE)
    found = [one for key in near for one in folded[key] if one != name][:MOST_ALIKE]
    return Hint(f"did you mean {' or '.join(found)}?") if found else None


def of_model(name: str, model: Model, deployments: Iterable[Deployment]) -> Hint:
    """Return the hint for a model or a model alias that was given as a deployment."""
    what = "is a model" if model.model_id == name else f"is a model alias of {model.model_id}"
    if model.model_type not in (None, "pytorch"):
        return Hint(f"{what} of type {model.model_type}, which has no deployments")
    running = tuple(sorted(one.deployment_id for one in deployments if one.model_id == model.model_id))
    if not running:
        return Hint(f"{what}, which has no deployments")
    return Hint(f"{what}; its deployments are {', '.join(running)}: use --model {name}", running)


def of_endpoint(name: str, endpoints: Iterable[Endpoint]) -> Hint | None:
    """Return the hint for an inference endpoint that was given as a deployment, None if there is no such endpoint."""
    found = next((one for one in endpoints if one.inference_id == name), None)
    if found is None:
        return None
    if found.deployment_id:
        return Hint(f"is an inference endpoint that uses deployment {found.deployment_id}")
    return Hint("is an inference endpoint, and its deployment is not running")
