"""Records and replays the responses of a real node, in one file per test; requests are matched without their host."""

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
PASSWORD = "not-recorded"  # for replays; cassettes do not contain the Authorization header

Scene = Callable[[RawCluster], None]

if not hasattr(VCRHTTPResponse, "release_conn"):  # missing in the last vcrpy release for Python 3.10
    VCRHTTPResponse.release_conn = lambda _: None


def at_once(work: Callable[[], Any]) -> "Future[Any]":
    """Run a call in this thread, and return a completed future with its result or exception."""
    future: Future[Any] = Future()
    try:
        future.set_result(work())
    except BaseException as error:  # noqa: BLE001 - raised again by Future.result()
        future.set_exception(error)
    return future


@dataclass
class Recorder:
    """Replays the cassette of a test, or records it from the node in ESML_RECORD."""

    path: Path
    cassette: Any = None

    @classmethod
    def of(cls, request: pytest.FixtureRequest) -> "Recorder":
        """Return the recorder of a test."""
        name = re.sub(r"[^\w-]+", "-", request.node.name).strip("-").removeprefix("test_")
        return cls(CASSETTES / request.node.path.stem.removeprefix("test_") / f"{name}.yaml")

    @contextmanager
    def cluster(self, scene: Scene, password: str | None = None) -> Iterator[Cluster]:
        """Yield a client that gets replayed responses, or those of the node, on which `scene` creates the objects."""
        with self._playing(scene) as node:
            connection = Connection((node.url,), username=node.username, password=password or node.password)
            yield Cluster(connection)

    @contextmanager
    def environment(self, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        """Let the command connect to the cassette, or to the node to record, with one request at a time.

        vcrpy removes its patches from all threads for a moment whenever it creates a connection.
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
    """Create connections one at a time: while vcrpy creates one, connections in other threads would be real."""
    new_conn, lock = HTTPConnectionPool._new_conn, Lock()

    def make(pool: HTTPConnectionPool) -> Any:
        with lock:
            return new_conn(pool)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(HTTPConnectionPool, "_new_conn", make)
        yield


def tape(*, record: bool) -> vcr.VCR:
    """Return the vcrpy settings for matching, filtering and storing requests and responses."""
    return vcr.VCR(
        record_mode="all" if record else "none",
        match_on=["method", "path", "query", "body"],
        filter_headers=HIDDEN,
        before_record_request=without_host,
        before_record_response=readable,
        decode_compressed_response=True,
    )


def without_host(request: Any) -> Any:
    """Return a request with the host cassette.invalid, so that cassettes do not depend on the recorded node."""
    request.uri = re.sub(r"^https?://[^/]+", "http://cassette.invalid:9200", request.uri)
    return request


def readable(response: Any) -> Any:
    """Return a response with its JSON body indented for review, and without its content-length."""
    body = response["body"]["string"]
    if body.startswith(b"{"):
        response["body"]["string"] = json.dumps(json.loads(body), indent=1).encode()
        response["headers"].pop("content-length", None)
    return response
