"""The Elastic CLI's configuration: named contexts, which esml calls profiles; read only.

Format: https://www.elastic.co/docs/reference/elastic-cli/cli/configuration
"""

from collections.abc import Mapping
from typing import Any

from esml_stop.config.command_policy import blocked
from esml_stop.config.documents import text_of
from esml_stop.config.expressions import Reader
from esml_stop.config.settings import Settings, unwrapped
from esml_stop.errors import ConfigError

KIBANA_ONLY = "esml connects to Elasticsearch itself: set its address with --url or ESML_URL."


def names(data: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of all contexts."""
    contexts = data.get("contexts")
    return tuple(map(str, contexts)) if isinstance(contexts, dict) else ()


def settings(data: Mapping[str, Any], name: str | None, what: str, reader: Reader) -> Settings:
    """Return the settings of a context, by default the current one; only its own expressions are resolved."""
    chosen = chosen_name(data, name, what)
    where = f"profile {chosen} in {what}"
    context = next(context for key, context in data["contexts"].items() if str(key) == chosen)
    block = elasticsearch(context, where)
    auth = block.get("auth") or {}
    if not isinstance(auth, dict):
        raise ConfigError(f"{where}: auth contains no api_key, username or password.")
    found = {"url": block["url"], **{key: auth[key] for key in ("api_key", "username", "password") if key in auth}}
    values = {key: value(found[key], f"{where}: {key}", reader) for key in found}
    if "username" in values and "password" not in values:
        raise ConfigError(f"{where} has a username but no password.")
    unresolved = frozenset(key for key in found if reader.is_left(text_of(found[key]) or ""))
    sources = dict.fromkeys(values, where)
    return Settings(values, sources, unresolved=unresolved, blocked=blocked(data, context, chosen, what))


def chosen_name(data: Mapping[str, Any], name: str | None, what: str) -> str:
    """Return the name of the context to use; raise ConfigError if it does not exist."""
    known = names(data)
    if not known:
        raise ConfigError(f"{what} has no contexts.", hint=FORMS)
    chosen = name or text_of(data.get("current_context"))
    if chosen is None:
        raise ConfigError(f"{what} has no current_context.", hint=f"Choose with --profile: {', '.join(known)}.")
    if chosen not in known:
        raise ConfigError(f"There is no profile {chosen} in {what}.", hint=f"Its profiles: {', '.join(known)}.")
    return chosen


FORMS = "It must be a file of the Elastic CLI (contexts) or of es_client and curator (elasticsearch.client)."


def elasticsearch(context: Any, where: str) -> dict[str, Any]:
    """Return the elasticsearch block of a context; raise ConfigError if it is missing or has no URL."""
    block = context.get("elasticsearch") if isinstance(context, dict) else None
    if not isinstance(block, dict):
        raise ConfigError(f"{where} has no elasticsearch block.", hint=KIBANA_ONLY)
    if text_of(block.get("url")) is None:
        hint = KIBANA_ONLY if "via" in block else None
        raise ConfigError(f"{where} has no elasticsearch.url.", hint=hint)
    return block


def value(found: Any, where: str, reader: Reader) -> str:
    """Return a value as text with its expressions resolved; raise ConfigError if it is empty."""
    text = unwrapped(text_of(found) or "")
    if not text:
        raise ConfigError(f"{where} is empty.")
    return unwrapped(reader.resolved(text, where))
