"""Checks the requests of scenarios: only those in docs/scenarios.md, and only for names with the test's prefix."""

import re
from dataclasses import dataclass
from functools import cache
from urllib.parse import parse_qs, unquote, urlsplit

from tests.support.markdown import TOP

PAGE = TOP / "docs/scenarios.md"
ROW = re.compile(r"^\| `(?P<method>[A-Z]+) (?P<path>/[^`?]*)\??(?P<query>[^`]*)` \|", re.MULTILINE)
# Additional requests of tests marked `faults`, which run only on a test node.
NODE_ONLY = """
| `DELETE /_ml/trained_models/{model_id}/model_aliases/{model_alias}` |
| `POST /_ml/set_upgrade_mode?enabled` |
| `POST /_testnode/faults/{deployment_id}` |
| `POST /_testnode/models/{model_id}` |
| `POST /_testnode/reset` |
| `POST /a/b/c` |
"""
# A stop of _all is allowed, because the server stops nothing then.
STOP_ALL = "/_ml/trained_models/_all/deployment/_stop"


@dataclass(frozen=True)
class Row:
    """One request in the tables of docs/scenarios.md; `path` has a group for each name in it."""

    method: str
    path: re.Pattern[str]
    query: frozenset[str]

    def names(self, method: str, path: str) -> tuple[str, ...] | None:
        """Return the names in the path of this request, or None if it is another request."""
        found = self.path.fullmatch(urlsplit(path).path) if method == self.method else None
        return found and tuple(map(unquote, found.groups()))

    def allows(self, path: str) -> bool:
        """Return whether the row lists all query parameters of a path."""
        return self.query.issuperset(parse_qs(urlsplit(path).query, keep_blank_values=True))


def rows(text: str) -> tuple[Row, ...]:
    """Return the requests in the tables of a Markdown text."""
    return tuple(
        Row(
            found["method"],
            re.compile(re.sub(r"\\\{\w+\\\}", "([^/]+)", re.escape(found["path"]))),
            frozenset(filter(None, found["query"].split("&"))),
        )
        for found in ROW.finditer(text)
    )


@cache
def listed() -> tuple[Row, ...]:
    """Return the requests in docs/scenarios.md."""
    return rows(PAGE.read_text(encoding="utf-8"))


def check_listed(method: str, path: str) -> None:
    """Fail if docs/scenarios.md does not list a request with its query parameters."""
    found = any(row.names(method, path) is not None and row.allows(path) for row in listed())
    assert found, f"{method} {path} is not in docs/scenarios.md"


def check_names(method: str, path: str, prefix: str) -> None:
    """Fail if a request other than GET is unlisted, or has a name that does not begin with the prefix."""
    if method == "GET" or urlsplit(path).path == STOP_ALL:
        return
    matching = [names for row in (*listed(), *rows(NODE_ONLY)) if (names := row.names(method, path)) is not None]
    assert matching, f"{method} {path} is not in docs/scenarios.md"
    for name in matching[0]:
        assert name.startswith(prefix), f"{name} in {path} is not ours: write ~ before a name"
