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
def made() -> list[RequestRecord]:
    """Return the list that receives every observed request."""
    return []


@pytest.fixture
def cluster(server: FaultyServer, made: list[RequestRecord]) -> Cluster:
    """Return a client of the server."""
    return Cluster(Connection((server.url,)), on_request=made.append)


def test_an_answer_is_read_whatever_way_it_is_packed(server: FaultyServer, cluster: Cluster) -> None:
    """Compressed responses are decoded: esml does not request compression, but a proxy may add it."""
    body = b'{"count": 0}'
    for encoding in ("gzip", "deflate"):
        server.on(RESOLVE, faults.answer(faults.packed_as(encoding, body), content_encoding=encoding))
        assert cluster.deployments("x*", 5).deployments == ()


@pytest.mark.parametrize(("megabytes", "fits"), [(60, True), (70, False)])
def test_an_answer_has_a_largest_size(server: FaultyServer, cluster: Cluster, megabytes: int, fits: bool) -> None:
    """A response larger than 64 MB when decoded is rejected, and not read to the end."""
    server.on(RESOLVE, faults.bomb("gzip", megabytes))
    with pytest.raises(BadAnswer) as bad:
        cluster.deployments("x*", 20)
    assert ("larger than 64 MB" in bad.value.message) is not fits


@pytest.mark.parametrize("fault", [faults.drip(every=0.1), faults.drip(from_head=True, every=0.1), faults.silence])
def test_a_request_lasts_no_longer_than_it_may(server: FaultyServer, cluster: Cluster, fault: Fault) -> None:
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


def test_a_connection_is_used_again(server: FaultyServer, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
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
    server: FaultyServer, cluster: Cluster, made: list[RequestRecord]
) -> None:
    """The texts of all Warning headers are extracted; a header without a quoted text is kept unchanged."""
    one, two = '299 Elasticsearch-8.19.0-abc "first \\"one\\"" "Tue, 01 Jan 2030 00:00:00 GMT"', '299 x "second"'
    server.on(RESOLVE, faults.warning(one, two), faults.warning("no frame"))
    cluster.deployments("x*", 5)
    cluster.deployments("x*", 5)
    assert [request.warnings for request in made] == [('first \\"one\\"', "second"), ("no frame",)]


def test_every_request_is_observed(server: FaultyServer, cluster: Cluster, made: list[RequestRecord]) -> None:
    """Each request is observed with method, path, result and duration, even without a response."""
    cluster.stop("d", flags=Flags(), timeout=5)
    server.on("look", faults.hang_up)
    with pytest.raises(Unreachable):
        cluster.deployments("d*", 5)
    assert [(one.method, one.result) for one in made] == [("POST", "200"), ("GET", "ConnectionError")]
    assert all(0 < one.seconds < 5 for one in made)


def test_a_cluster_with_too_many_models_is_not_listed_in_part(cluster: Cluster, server: FaultyServer) -> None:
    """A listing that cannot be completed beyond 10,000 models is an error, not a partial listing."""
    server.on(RESOLVE, faults.answer({"count": 10_001}), forever=True)
    with pytest.raises(BadAnswer, match="more models than Elasticsearch lists"):
        cluster.deployments("*", 20)
    assert len(server.received) == 3


def test_a_listing_has_its_seconds_for_all_its_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    """All requests of one listing share its time limit."""
    clock, given = [0.0], []

    def answer(_: Transport, __: str, ___: str, timeout: float, *____: object) -> dict[str, object]:
        given.append(timeout)
        if timeout <= 0:
            raise Unreachable("It did not answer in time.")
        clock[0] += 3
        return {"count": 10_001, "trained_model_stats": [{"model_id": f"m{clock[0]:05.0f}"}]}

    monkeypatch.setattr("esml_stop.cluster.api.time", SimpleNamespace(monotonic=lambda: clock[0]))
    monkeypatch.setattr(Transport, "ask", answer)
    with pytest.raises(Unreachable, match="in time"):
        Cluster(Connection(("http://h:1",))).deployments("*", 10)
    assert given == [10, 7, 4, 1, -2]
