"""The `filter_path` parameter, which selects parts of a response."""

import re
from typing import Any


def filtered(body: Any, paths: str | None) -> Any:
    """Return only the parts selected by dotted paths; `*` matches one key, `**` any number of keys."""
    if not paths:
        return body
    kept = keep(body, Paths([path.split(".") for path in paths.split(",")]))
    return {} if kept is None else kept


class Paths:
    """The paths below one place in a response; cached by key, because responses repeat keys thousands of times."""

    def __init__(self, paths: list[list[str]]) -> None:
        self.paths = paths
        self.end_here = any(not path for path in paths)
        self.known: dict[str, Paths] = {}

    def below(self, name: str) -> "Paths":
        """Return the rest of the paths below a key."""
        if name not in self.known:
            rest = step(self.paths, name)
            self.known[name] = self if rest == self.paths else Paths(rest)
        return self.known[name]


def keep(part: Any, paths: Paths) -> Any:
    """Return the selected parts of a value, or None if no part is selected."""
    if paths.end_here:
        return part
    if isinstance(part, list):
        kept = [one for one in (keep(value, paths) for value in part) if one is not None]
        return kept or None
    if not isinstance(part, dict) or not paths.paths:
        return None
    below = {name: keep(value, paths.below(name)) for name, value in part.items()}
    return {name: value for name, value in below.items() if value is not None} or None


def step(paths: list[list[str]], name: str) -> list[list[str]]:
    """Return the rest of the paths below a key."""
    left = [path[1:] for path in paths if path and path[0] != "**" and like(path[0], name)]
    deep = [path for path in paths if path and path[0] == "**"]
    return [*left, *deep, *(path[2:] for path in deep if len(path) > 1 and like(path[1], name))]


def like(pattern: str, name: str) -> bool:
    """Return whether a key matches one part of a path."""
    if "*" not in pattern:
        return pattern == name
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), name) is not None
