"""The official client, imported without its API classes: a third of its import time, and nothing that esml calls.

esml makes its requests with `Elasticsearch.perform_request`. The client also imports some 90 modules, each of which
only holds a class with one method per API call, once for threads and once for asyncio; empty ones stand in for these.
The client itself is unchanged, and tests/test_client.py checks that nothing else is left out.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from types import ModuleType

ASYNC_CLIENT, SYNC_CLIENT = "elasticsearch._async.client", "elasticsearch._sync.client"


class Unneeded:
    """Stands in for an API class: the client makes one of each, esml uses none."""

    def __init__(self, client: object) -> None:
        """Take what an API class takes."""


class ApiModules:
    """A finder and loader of empty modules, for the import system."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Return the spec of an empty module for one that only holds an API class, None for any other."""
        return ModuleSpec(name, self) if holds_api_class(name) else None  # type: ignore[arg-type]

    def create_module(self, spec: ModuleSpec) -> None:
        """Leave making the module to the import system."""

    def exec_module(self, module: ModuleType) -> None:
        """Let the module have every name that it is asked for."""
        module.__getattr__ = stand_in  # type: ignore[method-assign]


def stand_in(name: str) -> type[Unneeded]:
    """Return a class for any name but those that Python itself asks a module for, such as `__file__`."""
    if name.startswith("__"):
        raise AttributeError(name)
    return Unneeded


def holds_api_class(name: str) -> bool:
    """Tell whether a module of the client only holds an API class, or all of the async ones."""
    package, _, last = name.rpartition(".")
    return name == ASYNC_CLIENT or (package == SYNC_CLIENT and last != "utils" and not last.startswith("_"))


@contextmanager
def without_api_classes() -> Iterator[None]:
    """Let the client be imported so; where it is imported already it stays as it is."""
    finder = ApiModules()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


with without_api_classes():
    from elasticsearch import ApiError, Elasticsearch, ElasticsearchWarning, TransportError, UnsupportedProductError

__all__ = ["ApiError", "Elasticsearch", "ElasticsearchWarning", "TransportError", "UnsupportedProductError"]
