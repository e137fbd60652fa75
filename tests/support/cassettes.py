"""Cassettes: what a real node answered, one file a test, matched on everything but the host, each answer played."""

import json
import os
import re
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

import pytest
import vcr
from urllib3 import HTTPConnectionPool
from vcr.stubs import VCRHTTPResponse

from esml_stop.cluster.api import Cluster
from esml_stop.config.connection import Connection
from tests.support.raw_cluster import RawCluster

CASSETTES = Path(__file__).parent.parent.parent / "cassettes"
HIDDEN = ["authorization", "user-agent", "x-elastic-client-meta", "host"]
PASSWORD = "not-recorded"  # what is sent on replay; the header is in no cassette

Scene = Callable[[RawCluster], None]

if not hasattr(VCRHTTPResponse, "release_conn"):  # the last vcrpy for Python 3.10
    VCRHTTPResponse.release_conn = lambda _: None


def at_once(work: Callable[[], Any]) -> "Future[Any]":
    """Do some work now, in this thread, and return the future of it."""
    future: Future[Any] = Future()
    try:
        future.set_result(work())
    except BaseException as error:  # noqa: BLE001 - it is raised where the result is wanted
        future.set_exception(error)
    return future


@dataclass
class Recorder:
    """Plays a test's cassette, or records it anew from the node that ESML_RECORD names."""

    path: Path
    cassette: Any = None

    @classmethod
    def of(cls, request: pytest.FixtureRequest) -> "Recorder":
        """Return the recorder for a test."""
        name = re.sub(r"[^\w-]+", "-", request.node.name).strip("-").removeprefix("test_")
        return cls(CASSETTES / request.node.path.stem.removeprefix("test_") / f"{name}.yaml")

    @contextmanager
    def cluster(self, scene: Scene, password: str | None = None) -> Iterator[Cluster]:
        """Yield a client whose requests are played, or recorded from the scene."""
        with self._playing(scene) as node:
            connection = Connection((node.url,), username=node.username, password=password or node.password)
            yield Cluster(connection)

    @contextmanager
    def environment(self, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        """Lead the command to the cassette, or to the node it is recorded from; one request at a time.

        vcrpy takes its patches off for a moment whenever a connection is made, for all threads.
        """
        monkeypatch.setattr("esml_stop.runtime.background.begin", at_once)
        with self._playing(scene) as node:
            for name, value in node.environment().items():
                monkeypatch.setenv(name, value)
            yield

    def requests(self) -> list[str]:
        """Return method and path of each request, in order."""
        return [f"{one.method} {one.path}" for one in self.cassette.requests]

    @contextmanager
    def _playing(self, scene: Scene) -> Iterator[RawCluster]:
        url = os.environ.get("ESML_RECORD")
        node = RawCluster(
            url or "http://cassette.invalid:9200", "elastic", os.environ.get("ESML_TEST_PASSWORD", PASSWORD)
        )
        if url:
            node.reset()
            scene(node)
            self.path.unlink(missing_ok=True)
        with one_connection_at_a_time(), tape(record=bool(url)).use_cassette(str(self.path)) as self.cassette:
            yield node
        if url:
            node.reset()
        assert self.cassette.all_played or url, f"{self.path.name} holds answers that nothing asked for"


@contextmanager
def one_connection_at_a_time() -> Iterator[None]:
    """Let threads make their connections one after the other: while vcrpy makes one, others would be real ones."""
    new_conn, lock = HTTPConnectionPool._new_conn, Lock()

    def make(pool: HTTPConnectionPool) -> Any:
        with lock:
            return new_conn(pool)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(HTTPConnectionPool, "_new_conn", make)
        yield


def tape(*, record: bool) -> vcr.VCR:
    """Return how cassettes are matched, cleaned and stored."""
    return vcr.VCR(
        record_mode="all" if record else "none",
        match_on=["method", "path", "query", "body"],
        filter_headers=HIDDEN,
        before_record_request=without_host,
        before_record_response=readable,
        decode_compressed_response=True,
    )


def without_host(request: Any) -> Any:
    """Store a request as if it went to a host that does not exist: any node may have answered."""
    request.uri = re.sub(r"^https?://[^/]+", "http://cassette.invalid:9200", request.uri)
    return request


def readable(response: Any) -> Any:
    """Store a JSON answer indented, so that people can review it."""
    body = response["body"]["string"]
    if body.startswith(b"{"):
        response["body"]["string"] = json.dumps(json.loads(body), indent=1).encode()
        response["headers"].pop("content-length", None)
    return response
