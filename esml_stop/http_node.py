"""The client's HTTP node with what it leaves out: a cap on answers, and a limit to waiting for a connection."""

from types import SimpleNamespace
from typing import Any

import urllib3
from elastic_transport import NodeConfig, Urllib3HttpNode

LARGEST_ANSWER = 64 * 1024 * 1024
CHUNK = 64 * 1024
CONNECT_SECONDS = 10.0


class AnswerTooLarge(urllib3.exceptions.HTTPError):
    """The decoded answer is over the cap; it was not read to its end."""


class Node(Urllib3HttpNode):
    """A node that refuses answers over 64 MB (decoded) and follows no redirect."""

    def __init__(self, config: NodeConfig) -> None:
        super().__init__(config)
        self.pool.urlopen = capped(self.pool.urlopen)  # type: ignore[method-assign]


def capped(urlopen: Any) -> Any:
    """Return a `urlopen` that reads the answer itself, as far as the cap."""

    def read(method: str, url: str, *, timeout: float, **options: Any) -> SimpleNamespace:
        limits = urllib3.Timeout(connect=min(timeout, CONNECT_SECONDS), read=timeout)
        response = urlopen(method, url, timeout=limits, preload_content=False, redirect=False, **options)
        data = bytearray()
        # Small steps: a compressed bomb is noticed before it unfolds.
        for part in response.stream(CHUNK, decode_content=True):
            data += part
            if len(data) > LARGEST_ANSWER:
                response.close()
                raise AnswerTooLarge(f"the answer is larger than {LARGEST_ANSWER // 1024 // 1024} MB")
        response.release_conn()
        return SimpleNamespace(status=response.status, headers=response.headers, data=bytes(data))

    return read
