"""The requested names (exact IDs, `*` patterns, `_all`, models), and the deployments that they select."""

import glob
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from urllib.parse import quote

from esml_stop.errors import InputError
from esml_stop.models import Deployment, Snapshot

ALL = "_all"

# The server rejects a request line over 4,096 bytes; the filter and the rest of the line use up to 1,300.
LONGEST_EXPRESSION = 2_700


@dataclass(frozen=True, slots=True)
class Selection:
    """The requested names and models, in the order given.

    `idle_before`, in epoch milliseconds, excludes deployments used since then; None excludes none. `from_input` is true
    if names were read from standard input, which may have been empty.
    """

    names: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    idle_before: int | None = None
    from_input: bool = False

    @property
    def exact(self) -> tuple[str, ...]:
        """Return the exact IDs."""
        return tuple(name for name in self.names if not is_pattern(name))

    @property
    def patterns(self) -> tuple[str, ...]:
        """Return the patterns, which can match any number of deployments."""
        return tuple(name for name in self.names if is_pattern(name))

    @property
    def is_empty(self) -> bool:
        """Return whether nothing was requested; an empty standard input does not count as nothing."""
        return not (self.names or self.models or self.from_input)

    @property
    def is_broad(self) -> bool:
        """Return whether it contains a pattern or a model, and so may select deployments not named individually."""
        return bool(self.patterns or self.models)


def parse(
    arguments: Iterable[str],
    *,
    lines: Iterable[str] | None = None,
    models: Iterable[str] = (),
    idle_before: int | None = None,
) -> Selection:
    """Split comma-separated lists, check every ID and remove duplicates; `lines` and `models` hold exact IDs only.

    Raises InputError for a name that cannot be an ID.
    """
    split = (part for argument in arguments for part in argument.split(","))
    names = [*(validated_name(part) for part in split), *(check_exact(line) for line in lines or ())]
    exact_models = dict.fromkeys(check_exact(model) for model in models)
    return Selection(tuple(dict.fromkeys(names)), tuple(exact_models), idle_before, from_input=lines is not None)


def validated_name(name: str) -> str:
    """Return the name if it can be an ID or a pattern; raise InputError otherwise."""
    if wrong := name_error(name):
        hint = "Check the command for a stray comma or an unset variable." if not name else None
        hint = ODD_HINT if has_control_characters(name) else hint
        raise InputError(wrong, hint=hint, target=name)
    return name


def has_control_characters(name: str) -> bool:
    """Return whether a name contains control characters, line separators or lone surrogates."""
    return any(unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} for character in name)


ODD_HINT = "If a running deployment has this ID, use a pattern with * in place of these characters."


def name_error(name: str) -> str | None:
    """Return why a name cannot be an ID or a pattern, None if it can."""
    if not name:
        return "A deployment ID is empty."
    if name in {".", ".."}:
        return f"{name!r} is not a deployment ID."
    if has_control_characters(name):
        return f"The deployment ID {name!a} contains control characters or is not valid UTF-8."
    if name != name.strip():
        return f"The deployment ID {name!r} starts or ends with a space."
    if len(quote(name, safe="")) > LONGEST_EXPRESSION:
        return f"The deployment ID that starts with {name[:40]!r} is too long."
    return None


def check_exact(name: str) -> str:
    """Return the name if it can be an exact ID; raise InputError otherwise."""
    if is_pattern(name) or "," in name:
        text = f"{name!r} is not an exact ID; patterns and comma-separated lists are only allowed as arguments."
        raise InputError(text, target=name)
    return validated_name(name)


def is_pattern(name: str) -> bool:
    """Return whether the name is `_all` or contains a wildcard."""
    return name == ALL or "*" in name


def matches(name: str, deployment_id: str) -> bool:
    """Return whether a pattern matches this deployment ID."""
    return name == ALL or fnmatchcase(deployment_id, "*".join(map(glob.escape, name.split("*"))))


def expression(names: Iterable[str]) -> str:
    """Return the `_stats` expression that matches all of the names; `_all` if they do not fit into a request line."""
    given = list(names)
    joined = ",".join(given)
    return ALL if ALL in given or not fits(joined) else joined


def chunks(names: Iterable[str]) -> list[str]:
    """Return comma-separated lists of exact names, each short enough for one request line."""
    lists: list[str] = []
    for name in names:
        longer = f"{lists[-1]},{name}" if lists else name
        if lists and fits(longer):
            lists[-1] = longer
        else:
            lists.append(name)
    return lists


def fits(text: str) -> bool:
    """Return whether an expression is short enough for one request line."""
    return len(quote(text, safe=",*")) <= LONGEST_EXPRESSION


def select(selection: Selection, snapshot: Snapshot) -> Iterator[tuple[str, list[Deployment]]]:
    """Yield each requested name or model with its deployments, sorted by ID.

    A name is compared with deployment IDs only, never with model IDs.
    """
    known = {one.deployment_id: one for one in sorted(snapshot.deployments, key=lambda one: one.deployment_id)}
    for name in selection.names:
        if is_pattern(name):
            yield name, [one for key, one in known.items() if matches(name, key)]
        else:
            yield name, [known[name]] if name in known else []
    for name in selection.models:
        model = snapshot.model_ids.get(name, name)
        yield name, [one for one in known.values() if one.model_id == model]


def idle_before(selection: Selection, snapshot: Snapshot) -> int | None:
    """Return the latest allowed time of last use by the server's clock, in epoch milliseconds; None without --idle."""
    return None if selection.idle_before is None else selection.idle_before + snapshot.clock_ahead


def chosen(selection: Selection, snapshot: Snapshot) -> list[Deployment]:
    """Return all selected deployments that are idle for long enough, each once."""
    before = idle_before(selection, snapshot)
    groups = (group for _, group in select(selection, snapshot))
    found = {one.deployment_id: one for group in groups for one in group if one.is_idle(before)}
    return list(found.values())
