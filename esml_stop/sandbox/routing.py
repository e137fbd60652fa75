"""Maps requests to the functions that handle them."""

import re
from collections.abc import Callable
from typing import Any

Query = dict[str, str]
Handler = Callable[..., Any]
ROUTES: list[tuple[str, re.Pattern[str], Handler]] = []


def route(method: str, path: str) -> Callable[[Handler], Handler]:
    """Register a handler; each `{}` in the path is one segment, percent-encoded."""

    def register(handler: Handler) -> Handler:
        ROUTES.append((method, re.compile(path.replace("{}", "([^/]+)") + "/?"), handler))
        return handler

    return register
