"""The API calls that add and remove model aliases, with the same checks as in Elasticsearch."""

import re
from typing import Any

from esml_stop.sandbox.problems import Problem, missing_model
from esml_stop.sandbox.routing import Query, route
from esml_stop.sandbox.state import State

ALIAS = re.compile(r"[a-z0-9](?:[a-z0-9_-]*[a-z_-])?")
SPELLING = "lowercase alphanumeric (a-z and 0-9), hyphens or underscores"
ACKNOWLEDGED = {"acknowledged": True}


@route("PUT", "/_ml/trained_models/{}/model_aliases/{}")
def put_alias(state: State, query: Query, _: Any, model: str, alias: str) -> Any:
    """Add an alias to a model."""
    check_name(model, alias)
    with state.lock:
        old = state.aliases.get(alias)
        if old and query.get("reassign") != "true":
            text = f"cannot assign model_alias [{alias}] to model_id [{model}] as model_alias already refers to [{old}]"
            raise refused(f"{text}. Set parameter [reassign] to [true] if model_alias should be reassigned.")
        if alias in state.models:
            raise refused("model_alias cannot be the same as an existing trained model_id")
        if model not in state.models:
            raise missing_model(model)
        if old:
            check_reassignment(state, alias, old, model)
        state.aliases[alias] = model
    return ACKNOWLEDGED


def check_name(model: str, alias: str) -> None:
    """Raise a 400 if the name is not valid as an alias of the model."""
    wrong = [f"model_alias [{alias}] cannot equal model_id [{model}]"] if alias == model else []
    if not ALIAS.fullmatch(alias) or alias[-1].isdigit():
        where = "must start with alphanumeric and cannot end with numbers"
        wrong.append(f"Invalid model_alias; '{alias}' can contain {SPELLING}; {where}")
    if wrong:
        text = "".join(f"{number}: {one};" for number, one in enumerate(wrong, 1))
        raise Problem(400, "action_request_validation_exception", f"Validation Failed: {text}")


def check_reassignment(state: State, alias: str, old: str, new: str) -> None:
    """Raise the 400 for an alias that cannot move from one model to another."""
    text = f"cannot reassign model_alias [{alias}] to model [{new}]"
    before, after = state.models.get(old), state.models[new]
    if before != after:
        raise refused(f"{text} with type [{after}] from model [{old}] with type [{before}]")
    deployed = {one.model_id for one in state.deployments.values()}
    if old in deployed and new not in deployed:
        raise refused(f"{text} from model [{old}] as it is not yet deployed")


def refused(reason: str) -> Problem:
    """Return a 400 error of type `status_exception`."""
    return Problem(400, "status_exception", reason)


@route("DELETE", "/_ml/trained_models/{}/model_aliases/{}")
def delete_alias(state: State, _: Query, __: Any, model: str, alias: str) -> Any:
    """Remove an alias from a model."""
    with state.lock:
        if alias not in state.aliases:
            raise Problem(404, "status_exception", f"model_alias [{alias}] could not be found")
        if state.aliases[alias] != model:
            text = f"model_alias [{alias}] does not refer to provided model_id [{model}]"
            raise Problem(409, "status_exception", text)
        if alias in state.named():
            text = f"Cannot delete model_alias [{alias}] as it is still referenced by ingest processors"
            raise Problem(409, "status_exception", text)
        del state.aliases[alias]
    return ACKNOWLEDGED
