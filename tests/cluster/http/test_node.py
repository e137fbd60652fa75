from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from esml_stop.cluster.api import Cluster
from esml_stop.cluster.http.client import RequestRecord, Transport
from esml_stop.config.connection import Connection
from esml_stop.errors import BadAnswer, EsmlError, Unreachable
from esml_stop.models import Flags
from tests.support import faults
from tests.support.faulty_server import RESOLVE, Fault, FaultyServer, deployments, misbehaving


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    """Yield a server with one deployment."""
    with misbehaving() as server:
        deployments(server.state, "d")
        yield server


@pytest.fixture
def records() -> list[RequestRecord]:
    """Return the list to which the client adds a record of every request."""
    return []


@pytest.fixture
def cluster(server: FaultyServer, records: list[RequestRecord]) -> Cluster:
    """Return a client of the server that records its requests."""
    return Cluster(Connection((server.url,)), on_request=records.append)


def test_compressed_responses_are_decoded(server: FaultyServer, cluster: Cluster) -> None:
    """Compressed responses are decoded: esml does not request compression, but a proxy may add it."""
    body = b'{"count": 0}'
    for encoding in ("gzip", "deflate"):
        server.on(RESOLVE, faults.answer(faults.packed_as(encoding, body), content_encoding=encoding))
        assert cluster.deployments("x*", 5).deployments == ()


@pytest.mark.parametrize(("megabytes", "fits"), [(60, True), (70, False)])
def test_a_response_larger_than_64_mb_is_rejected(
    server: FaultyServer, cluster: Cluster, megabytes: int, fits: bool
) -> None:
    """Only a response that is larger than 64 MB when decoded is rejected for its size."""
    server.on(RESOLVE, faults.bomb("gzip", megabytes))
    with pytest.raises(BadAnswer) as bad:
        cluster.deployments("x*", 20)
    assert ("larger than 64 MB" in bad.value.message) is not fits


@pytest.mark.parametrize("fault", [faults.drip(every=0.1), faults.drip(from_head=True, every=0.1), faults.silence])
def test_the_time_limit_applies_to_the_complete_response(server: FaultyServer, cluster: Cluster, fault: Fault) -> None:
    """The time limit applies to the complete response, even if data keeps arriving."""
    server.on(RESOLVE, fault)
    with pytest.raises(Unreachable, match="in time"):
        cluster.deployments("x*", 0.3)


def test_a_redirect_is_not_followed(server: FaultyServer, cluster: Cluster) -> None:
    """A redirect is not followed, so that credentials are not sent to another server."""
    with misbehaving() as other:
        server.on(RESOLVE, faults.answer(b"", 307, location=f"{other.url}/"))
        with pytest.raises(BadAnswer):
            cluster.deployments("x*", 5)
        assert not other.received


def test_requests_share_a_connection(server: FaultyServer, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests share a connection, even after a rejected response."""
    accepted, accept = [], server.get_request

    def counted() -> Any:
        accepted.append(accept())
        return accepted[-1]

    monkeypatch.setattr(server, "get_request", counted)
    for fault in (None, None, faults.bomb("gzip", 70), None):
        if fault:
            server.on(RESOLVE, fault)
        try:
            cluster.deployments("x*", 10)
        except EsmlError:
            assert fault
    assert (len(server.received), len(accepted)) == (4, 1)


def test_the_texts_of_warning_headers_are_extracted(
    server: FaultyServer, cluster: Cluster, records: list[RequestRecord]
) -> None:
    """The texts of all Warning headers are extracted; a header without a quoted text is recorded unchanged."""
    one, two = '299 Elasticsearch-8.19.0-abc "first \\"one\\"" "Tue, 01 Jan 2030 00:00:00 GMT"', '299 x "second"'
    server.on(RESOLVE, faults.warning(one, two), faults.warning("no frame"))
    cluster.deployments("x*", 5)
    cluster.deployments("x*", 5)
    assert [request.warnings for request in records] == [('first \\"one\\"', "second"), ("no frame",)]


def test_every_request_is_recorded(server: FaultyServer, cluster: Cluster, records: list[RequestRecord]) -> None:
    """Each request is recorded with its method, result and duration, even without a response."""
    cluster.stop("d", flags=Flags(), timeout=5)
    server.on("look", faults.hang_up)
    with pytest.raises(Unreachable):
        cluster.deployments("d*", 5)
    assert [(one.method, one.result) for one in records] == [("POST", "200"), ("GET", "ConnectionError")]
    assert all(0 < one.seconds < 5 for one in records)


def test_a_cluster_with_too_many_models_is_not_listed_in_part(cluster: Cluster, server: FaultyServer) -> None:
    """A listing that cannot be completed beyond 10,000 models raises BadAnswer, and is not returned in part."""
    server.on(RESOLVE, faults.answer({"count": 10_001}), forever=True)
    with pytest.raises(BadAnswer, match="more models than Elasticsearch can list"):
        cluster.deployments("*", 20)
    assert len(server.received) == 3


def test_all_requests_of_a_listing_share_its_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """All requests of one listing share its time limit."""
    clock, timeouts = [0.0], []

    def respond(_: Transport, __: str, ___: str, timeout: float, *____: object) -> dict[str, object]:
        timeouts.append(timeout)
        if timeout <= 0:
            raise Unreachable("It did not respond in time.")
        clock[0] += 3
        return {"count": 10_001, "trained_model_stats": [{"model_id": f"m{clock[0]:05.0f}"}]}

    monkeypatch.setattr("esml_stop.cluster.api.time", SimpleNamespace(monotonic=lambda: clock[0]))
    monkeypatch.setattr(Transport, "ask", respond)
    with pytest.raises(Unreachable, match="in time"):
        Cluster(Connection(("http://h:1",))).deployments("*", 10)
    assert timeouts == [10, 7, 4, 1, -2]
