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
def working() -> Iterator[FaultyServer]:
    """Yield a host of a cluster with one deployment."""
    with misbehaving() as server:
        deployments(server.state, "d")
        yield server


@contextmanager
def unused_url() -> Iterator[str]:
    """Yield a URL at which nothing is listening."""
    with closing(socket.create_server(("127.0.0.1", 0))) as unused:
        port = unused.getsockname()[1]
    yield f"http://127.0.0.1:{port}"


@contextmanager
def unresolvable_url() -> Iterator[str]:
    """Yield a URL whose host name cannot be resolved."""
    yield "http://no-such-host.invalid:9200"


@contextmanager
def untrusted_host(folder: Path) -> Iterator[str]:
    """Yield the URL of a host whose certificate is not trusted."""
    with serving(Authority(folder).issue("server")) as server:
        yield server.at()


@contextmanager
def faulty_host(fault: Fault) -> Iterator[str]:
    """Yield the URL of a host that responds to every request with the same fault."""
    with misbehaving() as server:
        for phase in (RESOLVE, STOP, "look"):
            server.on(phase, fault, forever=True)
        yield server.url


UNUSABLE_HOSTS: dict[str, tuple[Callable[[Path], AbstractContextManager[str]], str]] = {
    "unknown name": (lambda _: unresolvable_url(), "Could not resolve the host name in {}."),
    "refused": (lambda _: unused_url(), "Connection refused: nothing is listening at {}."),
    "TLS": (untrusted_host, "The certificate of {} cannot be trusted: "),
    "silent": (lambda _: faulty_host(faults.silence), "{} did not respond in time."),
    "hangs up": (lambda _: faulty_host(faults.hang_up), "{} closed the connection before the response was complete."),
    "not Elasticsearch": (lambda _: faulty_host(faults.page()), "{} is not Elasticsearch: it answered HTTP 200 "),
    "not available": (lambda _: faulty_host(faults.error(503)), "{} is not available now (HTTP 503"),
}


def time_limit(kind: str) -> float:
    """Return the time limit of a request in seconds, short for a silent host, because the request waits that long."""
    return 2 if kind == "silent" else 60


@pytest.mark.parametrize("kind", UNUSABLE_HOSTS)
def test_a_read_skips_a_host_without_a_usable_response(kind: str, working: FaultyServer, tmp_path: Path) -> None:
    """After a host fails, the read and all later ones use the next host; each recorded request contains its host."""
    records: list[RequestRecord] = []
    with UNUSABLE_HOSTS[kind][0](tmp_path) as bad:
        cluster = Cluster(Connection((bad, working.url)), on_request=records.append)
        for _ in range(2):
            assert [one.deployment_id for one in cluster.deployments("d", time_limit(kind)).deployments] == ["d"]
    assert [one.path.startswith(bad) for one in records] == [True, False, False]
    assert [one.result for one in records[1:]] == ["200", "200"]
    assert records[1].path.startswith(f"{working.url}/_ml/")


@pytest.mark.parametrize("kind", UNUSABLE_HOSTS)
def test_hosts_that_all_fail_are_all_named(kind: str, tmp_path: Path) -> None:
    """If all hosts fail, the error names each host with its problem."""
    with ExitStack() as stack:
        bad: str = stack.enter_context(UNUSABLE_HOSTS[kind][0](tmp_path))
        other = stack.enter_context(unused_url())
        with pytest.raises(Unreachable) as error:
            Cluster(Connection((bad, other))).deployments("d", time_limit(kind))
    assert error.value.message.startswith("None of the 2 hosts gave a usable response. ")
    assert UNUSABLE_HOSTS[kind][1].format(bad) in error.value.message
    assert f"nothing is listening at {other}." in error.value.message
    assert error.value.transient


@pytest.mark.parametrize(("method", "seconds"), [("GET", [8.0, 4.0, 4.0]), ("POST", [16.0, 16.0, 16.0])])
def test_a_read_leaves_half_of_the_time_for_later_hosts(
    method: str, seconds: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A read uses at most half of the remaining time per host, except for the last one; a change may use all of it."""
    clock, timeouts = [0.0], []

    def use_up(_: Transport, host: Host, call: Request, timeout: float) -> None:
        timeouts.append(timeout)
        clock[0] += timeout if call.is_read else 0
        raise Unreachable(f"{host.url} did not answer.", sent=call.is_read)

    monkeypatch.setattr("esml_stop.cluster.http.client.time", SimpleNamespace(monotonic=lambda: clock[0]))
    monkeypatch.setattr(Transport, "_ask", use_up)
    hosts = Transport(Connection(("http://a:1", "http://b:1", "http://c:1")), parallel=1, on_request=lambda _: None)
    with pytest.raises(Unreachable):
        hosts.ask(method, "/", 16.0)
    assert timeouts == seconds


def test_rejected_credentials_are_not_sent_to_the_next_host(working: FaultyServer) -> None:
    """If a host rejects the credentials, the error is raised and no request is sent to the next host."""
    with misbehaving() as first:
        first.on(RESOLVE, faults.error(401, "security_exception"))
        with pytest.raises(NotAuthenticated):
            Cluster(Connection((first.url, working.url))).deployments("d", 60)
    assert working.received == []


@pytest.mark.parametrize("kind", ["unknown name", "refused", "TLS"])
def test_a_stop_goes_to_the_next_host_when_it_was_not_sent(kind: str, working: FaultyServer, tmp_path: Path) -> None:
    """A stop goes to the next host if it was not sent, because there was no connection or no trusted certificate."""
    with UNUSABLE_HOSTS[kind][0](tmp_path) as bad:
        Cluster(Connection((bad, working.url))).stop("d", flags=Flags(), timeout=60)
    assert len(working.lines(STOP)) == 1
    assert working.state.deployments == {}


@pytest.mark.parametrize("kind", ["silent", "hangs up", "not Elasticsearch", "not available"])
def test_a_stop_that_may_have_arrived_stays_on_its_host(kind: str, working: FaultyServer, tmp_path: Path) -> None:
    """A stop that may have arrived is not sent to another host."""
    with UNUSABLE_HOSTS[kind][0](tmp_path) as bad:
        with pytest.raises(Unreachable) as error:
            Cluster(Connection((bad, working.url))).stop("d", flags=Flags(), timeout=time_limit(kind))
        assert error.value.sent
        assert error.value.message.startswith(UNUSABLE_HOSTS[kind][1].format(bad))
    assert working.received == []


def test_a_stop_is_not_sent_if_the_tls_handshake_times_out() -> None:
    """A stop counts as not sent if the TLS handshake is not completed within the time limit."""
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(Unreachable, match=re.escape(f"Could not connect to {url} in time.")) as error:
            Cluster(Connection((url,))).stop("d", flags=Flags(), timeout=0.3)
        assert not error.value.sent
        assert not isinstance(error.value, BadAnswer)


def test_a_stop_works_with_an_unreachable_first_host(
    working: FaultyServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A stop works with an unreachable host first in the list, and -v shows the host of each request."""
    with unused_url() as unreachable:
        monkeypatch.setenv("ESML_URL", f"{unreachable},{working.url}")
        assert main.run(["stop", "d", "-v"]) == 0
        err = capsys.readouterr().err
        assert f"{unreachable}/_ml/trained_models/d" in err
        assert f"POST {working.url}/_ml/trained_models/d/deployment/_stop 200" in err
