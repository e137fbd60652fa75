import re
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from esml_stop.cli import main
from esml_stop.cluster.api import Cluster
from esml_stop.cluster.http.client import Host, Request, RequestRecord, Transport
from esml_stop.config.connection import Connection
from esml_stop.errors import BadAnswer, NotAuthenticated, Unreachable
from esml_stop.models import Flags
from tests.support import faults
from tests.support.certificates import Authority
from tests.support.faulty_server import RESOLVE, STOP, Fault, FaultyServer, deployments, misbehaving
from tests.support.tls_server import serving


@pytest.fixture
def good() -> Iterator[FaultyServer]:
    """Yield a host of a cluster with one deployment."""
    with misbehaving() as server:
        deployments(server.state, "d")
        yield server


@contextmanager
def refusing() -> Iterator[str]:
    """Yield a URL at which nothing is listening."""
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
    yield f"http://127.0.0.1:{port}"


@contextmanager
def unknown() -> Iterator[str]:
    """Yield a URL whose host name cannot be resolved."""
    yield "http://no-such-host.invalid:9200"


@contextmanager
def with_a_stranger_s_certificate(folder: Path) -> Iterator[str]:
    """Yield the URL of a host whose certificate is not trusted."""
    with serving(Authority(folder).issue("server")) as server:
        yield server.at()


@contextmanager
def answering(fault: Fault) -> Iterator[str]:
    """Yield the URL of a host that responds to every request with the same fault."""
    with misbehaving() as server:
        for phase in (RESOLVE, STOP, "look"):
            server.on(phase, fault, forever=True)
        yield server.url


BAD: dict[str, tuple[Callable[[Path], AbstractContextManager[str]], str]] = {
    "unknown name": (lambda _: unknown(), "Could not resolve the host name in {}."),
    "refused": (lambda _: refusing(), "Connection refused: nothing is listening at {}."),
    "TLS": (with_a_stranger_s_certificate, "The certificate of {} cannot be trusted: "),
    "silent": (lambda _: answering(faults.silence), "{} did not answer in time."),
    "hangs up": (lambda _: answering(faults.hang_up), "{} closed the connection without a complete answer."),
    "not Elasticsearch": (lambda _: answering(faults.page()), "{} is not Elasticsearch: it answered HTTP 200 "),
    "not available": (lambda _: answering(faults.error(503)), "{} is not available now (HTTP 503"),
}


def limit(kind: str) -> float:
    """Return the time limit in seconds: short for a silent host, because the request waits for it, else long."""
    return 2 if kind == "silent" else 60


@pytest.mark.parametrize("kind", BAD)
def test_a_read_skips_a_host_without_a_usable_response(kind: str, good: FaultyServer, tmp_path: Path) -> None:
    """The next host is used for the request and all later ones, and each observed request names its host."""
    made: list[RequestRecord] = []
    with BAD[kind][0](tmp_path) as bad:
        cluster = Cluster(Connection((bad, good.url)), on_request=made.append)
        for _ in range(2):
            assert [one.deployment_id for one in cluster.deployments("d", limit(kind)).deployments] == ["d"]
    assert [one.path.startswith(bad) for one in made] == [True, False, False]
    assert [one.result for one in made[1:]] == ["200", "200"]
    assert made[1].path.startswith(f"{good.url}/_ml/")


@pytest.mark.parametrize("kind", BAD)
def test_hosts_that_all_fail_are_all_named(kind: str, tmp_path: Path) -> None:
    """If all hosts fail, the error names each host with its problem."""
    with ExitStack() as stack:
        bad: str = stack.enter_context(BAD[kind][0](tmp_path))
        other = stack.enter_context(refusing())
        with pytest.raises(Unreachable) as error:
            Cluster(Connection((bad, other))).deployments("d", limit(kind))
    assert error.value.message.startswith("None of the 2 hosts gave a usable response. ")
    assert BAD[kind][1].format(bad) in error.value.message
    assert f"nothing is listening at {other}." in error.value.message
    assert error.value.transient


@pytest.mark.parametrize(("method", "seconds"), [("GET", [8.0, 4.0, 4.0]), ("POST", [16.0, 16.0, 16.0])])
def test_a_read_leaves_half_of_the_time_for_later_hosts(
    method: str, seconds: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A read uses at most half of the remaining time per host, except for the last one; a change may use all of it."""
    clock, given = [0.0], []

    def use_up(_: Transport, host: Host, call: Request, timeout: float) -> None:
        given.append(timeout)
        clock[0] += timeout if call.is_read else 0
        raise Unreachable(f"{host.url} did not answer.", sent=call.is_read)

    monkeypatch.setattr("esml_stop.cluster.http.client.time", SimpleNamespace(monotonic=lambda: clock[0]))
    monkeypatch.setattr(Transport, "_ask", use_up)
    hosts = Transport(Connection(("http://a:1", "http://b:1", "http://c:1")), parallel=1, on_request=lambda _: None)
    with pytest.raises(Unreachable):
        hosts.ask(method, "/", 16.0)
    assert given == seconds


def test_an_answer_that_is_elasticsearch_s_own_is_the_answer(good: FaultyServer) -> None:
    """Credentials that one host rejects are not sent to the next."""
    with misbehaving() as first:
        first.on(RESOLVE, faults.error(401, "security_exception"))
        with pytest.raises(NotAuthenticated):
            Cluster(Connection((first.url, good.url))).deployments("d", 60)
    assert good.received == []


@pytest.mark.parametrize("kind", ["unknown name", "refused", "TLS"])
def test_a_stop_goes_to_the_next_host_when_it_was_not_sent(kind: str, good: FaultyServer, tmp_path: Path) -> None:
    """A stop is sent to the next host if it was certainly not sent: no connection, or an untrusted certificate."""
    with BAD[kind][0](tmp_path) as bad:
        Cluster(Connection((bad, good.url))).stop("d", flags=Flags(), timeout=60)
    assert len(good.lines(STOP)) == 1
    assert good.state.deployments == {}


@pytest.mark.parametrize("kind", ["silent", "hangs up", "not Elasticsearch", "not available"])
def test_a_stop_that_may_have_arrived_stays_on_its_host(kind: str, good: FaultyServer, tmp_path: Path) -> None:
    """A stop that may have arrived is not sent to another host."""
    with BAD[kind][0](tmp_path) as bad:
        with pytest.raises(Unreachable) as error:
            Cluster(Connection((bad, good.url))).stop("d", flags=Flags(), timeout=limit(kind))
        assert error.value.sent
        assert error.value.message.startswith(BAD[kind][1].format(bad))
    assert good.received == []


def test_a_handshake_that_never_ends_sent_nothing() -> None:
    """A stop counts as not sent if the TLS handshake is not completed in time."""
    with closing(socket.create_server(("127.0.0.1", 0))) as mute:
        url = f"https://127.0.0.1:{mute.getsockname()[1]}"
        with pytest.raises(Unreachable, match=re.escape(f"Could not connect to {url} in time.")) as error:
            Cluster(Connection((url,))).stop("d", flags=Flags(), timeout=0.3)
        assert not error.value.sent
        assert not isinstance(error.value, BadAnswer)


def test_a_stop_works_with_an_unreachable_first_host(
    good: FaultyServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A stop works with an unreachable host first in the list, and -v shows the host of each request."""
    with refusing() as dead:
        monkeypatch.setenv("ESML_URL", f"{dead},{good.url}")
        assert main.run(["stop", "d", "-v"]) == 0
        err = capsys.readouterr().err
        assert f"{dead}/_ml/trained_models/d" in err
        assert f"POST {good.url}/_ml/trained_models/d/deployment/_stop 200" in err
