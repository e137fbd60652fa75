"""The Elastic CLI's command policy: a profile may block stopping and starting deployments.

Format: https://www.elastic.co/docs/reference/elastic-cli/cli/configuration_reference
"""

from collections.abc import Mapping
from typing import Any

from esml_stop.config.documents import text_of
from esml_stop.config.settings import Block

COMMANDS = {
    "stop": "stack.es.ml.stop-trained-model-deployment",
    "start": "stack.es.ml.start-trained-model-deployment",
}


def blocked(data: Mapping[str, Any], context: Any, profile: str, what: str) -> dict[str, Block]:
    """Return the changes that the command policy of a context does not allow.

    A policy in the context replaces the one for the whole file. All built-in lists that a policy may name allow both
    changes.
    """
    policy, owner = data.get("commands"), f"{what} (for all profiles)"
    if isinstance(context, dict) and isinstance(context.get("commands"), dict):
        policy, owner = context["commands"], f"profile {profile} in {what}"
    if not isinstance(policy, dict):
        return {}
    rules = {change: rule(policy, name) for change, name in COMMANDS.items()}
    return {change: Block(owner, COMMANDS[change], why) for change, why in rules.items() if why}


def rule(policy: Mapping[str, Any], name: str) -> str | None:
    """Return the rule of a policy that blocks a command, or None."""
    hit = next((one for one in names(policy.get("blocked")) if matches(one, name)), None)
    if hit:
        return f"blocked: {hit}"
    allowed = policy.get("allowed")
    if allowed is not None and not any(matches(one, name) for one in names(allowed)):
        return "it is not in the list `allowed`"
    return None


def names(found: Any) -> list[str]:
    """Return the entries of a list; a single value counts as a list of one."""
    return [text for one in (found if isinstance(found, list) else [found]) if (text := text_of(one))]


def matches(entry: str, name: str) -> bool:
    """Return whether an entry matches a command: its name, or a namespace above it followed by `.*`."""
    return entry in {name, "*"} or (entry.endswith(".*") and name.startswith(entry[:-1]))
