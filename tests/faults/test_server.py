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

STATS_PATH, INFERENCE_PATH, STOP_PATH = (
    "/_ml/trained_models/d*/_stats",
    "/_inference/_all",
    "/_ml/trained_models/d/deployment/_stop",
)


@contextmanager
def connection(server: FaultyServer, timeout: float = 60) -> Iterator[http.client.HTTPConnection]:
    """Yield a connection to the server with a read timeout in seconds."""
    client = http.client.HTTPConnection("127.0.0.1", urlsplit(server.url).port or 0, timeout=timeout)
    with closing(client):
        yield client


def send_request(
    server: FaultyServer, path: str = STATS_PATH, method: str = "GET", timeout: float = 60
) -> tuple[int, dict[str, str], bytes]:
    """Send a request and return the status, headers and body of the response."""
    with connection(server, timeout) as client:
        client.request(method, path)
        with client.getresponse() as answer:
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()


def test_a_server_without_faults_is_a_practice_cluster(server: FaultyServer, state: State) -> None:
    """Without faults the server responds as a practice cluster, and assigns each request to a phase of a stop."""
    deployments(state, "d")
    assert json.loads(send_request(server)[2])["count"] == 1
    assert send_request(server, INFERENCE_PATH)[0] == 200
    assert json.loads(send_request(server, STOP_PATH, "POST")[2]) == {"stopped": True}
    assert send_request(server)[0] == 200
    assert [one.phase for one in server.received] == [RESOLVE, ENDPOINTS, STOP, LOOK]
    assert (state.deployments, server.lines(STOP), server.most_in_flight) == ({}, [f"POST {STOP_PATH}"], 1)


def test_faults_are_used_in_order(server: FaultyServer) -> None:
    """Each request of a phase gets the next fault, then correct responses, or with `forever` the faults again."""
    server.on(RESOLVE, faults.error(503), faults.page(502))
    assert [
        send_request(server)[0],
        send_request(server, INFERENCE_PATH)[0],
        send_request(server)[0],
        send_request(server)[0],
    ] == [503, 200, 502, 200]
    server.on(RESOLVE, faults.error(429), forever=True)
    assert [send_request(server)[0] for _ in range(3)] == [429] * 3


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
    """Each broken response makes an HTTP client raise the intended error."""
    server.on(RESOLVE, fault)
    with pytest.raises(error):
        send_request(server, timeout=0.5 if error is TimeoutError else 60)


def test_a_slow_response_sends_single_bytes(server: FaultyServer) -> None:
    """The drip fault sends the head at once and then single bytes."""
    server.on(RESOLVE, faults.drip(every=0.05))
    with socket.create_connection(("127.0.0.1", urlsplit(server.url).port or 0), timeout=2) as client:
        client.sendall(f"GET {STATS_PATH} HTTP/1.1\r\n\r\n".encode())
        chunks = [client.recv(65_536) for _ in range(6)]
    assert chunks[0].startswith(b"HTTP/1.1 200")
    assert sum(len(part) for part in chunks[1:]) < 20


def test_a_fault_can_stop_the_deployment_first(server: FaultyServer, state: State) -> None:
    """The reset_after and work_then faults stop the deployment before they respond."""
    for fault in (faults.reset_after, faults.work_then(faults.page(504))):
        deployments(state, "d")
        server.on(STOP, fault)
        try:
            assert send_request(server, STOP_PATH, "POST")[0] == 504
        except ConnectionError:
            assert fault is faults.reset_after
        assert not state.deployments


def test_a_fault_can_close_a_keep_alive_connection(server: FaultyServer) -> None:
    """The closing fault closes a keep-alive connection without announcing it in the response."""
    server.on(RESOLVE, faults.closing)
    with connection(server) as client:
        client.request("GET", STATS_PATH)
        answer = client.getresponse()
        assert (answer.status, answer.getheader("connection")) == (200, None)
        answer.read()
        assert client.sock.recv(1) == b""


ResponseCheck = Callable[[int, dict[str, str], bytes], object]
CHECKED_RESPONSES: list[tuple[Fault, ResponseCheck]] = [
    (faults.error(503, retry_after="7"), lambda status, head, _: (status, head["retry-after"]) == (503, "7")),
    (faults.answer({}, product=False), lambda _, head, __: "x-elastic-product" not in head),
    (faults.answer(b"", 302, location="/x"), lambda status, head, _: (status, head["location"]) == (302, "/x")),
    (faults.bomb("gzip", 8), lambda _, head, body: head["content-encoding"] == "gzip" and len(body) < 100_000),
    (faults.bomb("gzip, gzip", 8), lambda _, __, body: len(body) < 10_000),
    (faults.huge(2), lambda _, __, body: len(body) == 2 * faults.MB),
    (faults.warning('299 x "w"'), lambda status, head, _: (status, head["warning"]) == (200, '299 x "w"')),
]


@pytest.mark.parametrize(("fault", "check"), CHECKED_RESPONSES)
def test_a_fault_has_the_requested_status_headers_or_size(
    server: FaultyServer, fault: Fault, check: ResponseCheck
) -> None:
    """The response of a fault has the requested status, headers or body size."""
    server.on(RESOLVE, fault)
    assert check(*send_request(server))


def test_an_echo_repeats_the_authorization_header(server: FaultyServer) -> None:
    """The echo fault repeats the Authorization header as it was sent, and decoded."""
    server.on(RESOLVE, faults.echo(400))
    with connection(server) as client:
        client.request("GET", STATS_PATH, headers={"authorization": "Basic dTpw"})
        body = client.getresponse().read()
    assert b"Basic dTpw" in body
    assert b"u:p" in body


def test_a_silent_response_does_not_prevent_the_servers_end() -> None:
    """The server ends, and signals this to its handlers, although a request is still without a response."""
    with misbehaving() as server:
        server.on(RESOLVE, faults.silence)
        with pytest.raises(TimeoutError):
            send_request(server, timeout=0.5)
    assert server.closing.is_set()
