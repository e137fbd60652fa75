"""The official client, imported without its asynchronous half, which is a sixth of its import time."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

ASYNC_HALF = "elasticsearch._async.client"


@contextmanager
def without_async_half() -> Iterator[None]:
    """Let the client find an empty module where it imports the async twins of its 45 classes.

    Of the client itself nothing is changed; in this process `elasticsearch.AsyncElasticsearch` is None. A client that
    is imported already stays as it is.
    """
    if "elasticsearch" in sys.modules:
        yield
        return
    empty = ModuleType(ASYNC_HALF)
    empty.AsyncElasticsearch = None  # type: ignore[attr-defined]
    sys.modules[ASYNC_HALF] = empty
    try:
        yield
    finally:
        del sys.modules[ASYNC_HALF]


with without_async_half():
    from elasticsearch import ApiError, Elasticsearch, ElasticsearchWarning, TransportError, UnsupportedProductError

__all__ = ["ApiError", "Elasticsearch", "ElasticsearchWarning", "TransportError", "UnsupportedProductError"]
