import http.client
import json
import socket
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from urllib.parse import urlsplit

import pytest

from esml_stop.sandbox.state import State
from tests.support import faults
from tests.support.faulty_server import ENDPOINTS, LOOK, RESOLVE, STOP, Fault, FaultyServer, deployments, misbehaving

STATS, INFERENCE, D_STOP = "/_ml/trained_models/d*/_stats", "/_inference/_all", "/_ml/trained_models/d/deployment/_stop"


@contextmanager
def connection(server: FaultyServer, timeout: float = 60) -> Iterator[http.client.HTTPConnection]:
    """Yield a connection to the server with this read timeout in seconds."""
    client = http.client.HTTPConnection("127.0.0.1", urlsplit(server.url).port or 0, timeout=timeout)
    with closing(client):
        yield client


def ask(
    server: FaultyServer, path: str = STATS, method: str = "GET", timeout: float = 60
) -> tuple[int, dict[str, str], bytes]:
    """Make a request and return status, headers and body."""
    with connection(server, timeout) as client:
        client.request(method, path)
        with client.getresponse() as answer:
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()


def test_without_faults_the_server_is_a_practice_cluster(server: FaultyServer, state: State) -> None:
    """Without faults the server behaves as the practice cluster, and knows the phases of a stop."""
    deployments(state, "d")
    assert json.loads(ask(server)[2])["count"] == 1
    assert ask(server, INFERENCE)[0] == 200
    assert json.loads(ask(server, D_STOP, "POST")[2]) == {"stopped": True}
    assert ask(server)[0] == 200
    assert [one.phase for one in server.received] == [RESOLVE, ENDPOINTS, STOP, LOOK]
    assert (state.deployments, server.lines(STOP), server.most_in_flight) == ({}, [f"POST {D_STOP}"], 1)


def test_faults_are_used_in_order(server: FaultyServer) -> None:
    """Each request of a phase gets the next fault, then normal responses, or with `forever` the last fault again."""
    server.on(RESOLVE, faults.error(503), faults.page(502))
    assert [ask(server)[0], ask(server, INFERENCE)[0], ask(server)[0], ask(server)[0]] == [503, 200, 502, 200]
    server.on(RESOLVE, faults.error(429), forever=True)
    assert [ask(server)[0] for _ in range(3)] == [429] * 3


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (faults.silence, TimeoutError),
        (faults.hang_up, http.client.RemoteDisconnected),
        (faults.reset, ConnectionResetError),
        (faults.truncated, http.client.IncompleteRead),
        (faults.raw(b"SSH-2.0\r\n"), http.client.BadStatusLine),
        (faults.drip(), TimeoutError),
        (faults.drip(from_head=True, every=0.6), TimeoutError),
    ],
)
def test_a_broken_response_fails_as_intended(server: FaultyServer, fault: Fault, error: type[Exception]) -> None:
    """Each invalid response makes a plain HTTP client fail in the intended way."""
    server.on(RESOLVE, fault)
    with pytest.raises(error):
        ask(server, timeout=0.5 if error is TimeoutError else 60)


def test_a_slow_response_sends_single_bytes(server: FaultyServer) -> None:
    """A slow response sends its head at once, and then single bytes."""
    server.on(RESOLVE, faults.drip(every=0.05))
    with socket.create_connection(("127.0.0.1", urlsplit(server.url).port or 0), timeout=2) as client:
        client.sendall(f"GET {STATS} HTTP/1.1\r\n\r\n".encode())
        seen = [client.recv(65_536) for _ in range(6)]
    assert seen[0].startswith(b"HTTP/1.1 200")
    assert sum(len(part) for part in seen[1:]) < 20


def test_a_fault_can_stop_the_deployment_first(server: FaultyServer, state: State) -> None:
    """A fault can stop the deployment before it responds."""
    for fault in (faults.reset_after, faults.work_then(faults.page(504))):
        deployments(state, "d")
        server.on(STOP, fault)
        try:
            assert ask(server, D_STOP, "POST")[0] == 504
        except ConnectionError:
            assert fault is faults.reset_after
        assert not state.deployments


def test_a_fault_can_close_a_keep_alive_connection(server: FaultyServer) -> None:
    """A fault can close a keep-alive connection without announcing it."""
    server.on(RESOLVE, faults.closing)
    with connection(server) as client:
        client.request("GET", STATS)
        answer = client.getresponse()
        assert (answer.status, answer.getheader("connection")) == (200, None)
        answer.read()
        assert client.sock.recv(1) == b""


Check = Callable[[int, dict[str, str], bytes], object]
HEADS: list[tuple[Fault, Check]] = [
    (faults.error(503, retry_after="7"), lambda status, head, _: (status, head["retry-after"]) == (503, "7")),
    (faults.answer({}, product=False), lambda _, head, __: "x-elastic-product" not in head),
    (faults.answer(b"", 302, location="/x"), lambda status, head, _: (status, head["location"]) == (302, "/x")),
    (faults.bomb("gzip", 8), lambda _, head, body: head["content-encoding"] == "gzip" and len(body) < 100_000),
    (faults.bomb("gzip, gzip", 8), lambda _, __, body: len(body) < 10_000),
    (faults.huge(2), lambda _, __, body: len(body) == 2 * faults.MB),
    (faults.warning('299 x "w"'), lambda status, head, _: (status, head["warning"]) == (200, '299 x "w"')),
]


@pytest.mark.parametrize(("fault", "check"), HEADS)
def test_a_fault_has_the_requested_status_and_size(server: FaultyServer, fault: Fault, check: Check) -> None:
    """A response has the requested status, headers or size."""
    server.on(RESOLVE, fault)
    assert check(*ask(server))


def test_an_echo_repeats_the_login(server: FaultyServer) -> None:
    """The echo fault repeats the login as it was sent, and decoded."""
    server.on(RESOLVE, faults.echo(400))
    with connection(server) as client:
        client.request("GET", STATS, headers={"authorization": "Basic dTpw"})
        body = client.getresponse().read()
    assert b"Basic dTpw" in body
    assert b"u:p" in body


def test_a_silent_handler_ends_with_the_server() -> None:
    """A handler that never responds ends together with the server."""
    with misbehaving() as server:
        server.on(RESOLVE, faults.silence)
        with pytest.raises(TimeoutError):
            ask(server, timeout=0.5)
    assert server.closing.is_set()
