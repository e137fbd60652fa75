import json
from collections.abc import Iterator
from urllib.parse import unquote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from esml_stop.cluster.api import Cluster, segment
from esml_stop.config.connection import Connection
from esml_stop.errors import BadAnswer, EsmlError, InputError
from esml_stop.models import Flags
from esml_stop.plan.patterns import check_exact
from tests.support.faulty_server import FaultyServer, misbehaving

# Text with parts that could leave its path segment if they were not encoded.
UNSAFE_IDS = st.lists(
    st.sampled_from(
        ["/", "..", ".", "%2f", "%2e%2e", "?", "#", "\\", ";", "&", "=", "_all", "*", ",", "\r\n", " ", "\0", "%"]
    )
    | st.text(max_size=3),
    max_size=6,
).map("".join)
IDS = st.text(max_size=40) | UNSAFE_IDS


@pytest.fixture(scope="module")
def recording_server() -> Iterator[tuple[FaultyServer, Cluster]]:
    """Yield a server that records every request line, and a client for it."""
    with misbehaving() as server:
        yield server, Cluster(Connection((server.url,)))


def accepted(name: str) -> bool:
    """Return whether an exact ID passes the check that precedes every request."""
    try:
        check_exact(name)
    except InputError:
        return False
    return True


# Lists of fifty IDs, because Hypothesis checks them five times as fast as single IDs.
@settings(max_examples=200, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(st.lists(IDS, min_size=50, max_size=50))
def test_ten_thousand_ids_are_rejected_or_stay_in_one_segment(names: list[str]) -> None:
    """Each of 10,000 random IDs is rejected before any request, or is one path segment that decodes to the ID."""
    for name in filter(accepted, names):
        before, inside, after = split_path(f"/_ml/trained_models/{segment(name)}/deployment/_stop")
        assert (before, after) == ("/_ml/trained_models/", "/deployment/_stop")
        assert unquote(inside) == name
        assert inside not in {"", ".", ".."}
        assert not set(inside) & set("/?#\\ \r\n\t*,;&=")
        assert inside.isascii()


def split_path(path: str) -> tuple[str, str, str]:
    """Return the part of a path before its third segment, this segment, and the rest."""
    parts = path.split("/")
    assert len(parts) == 6, path
    return "/".join(parts[:3]) + "/", parts[3], "/" + "/".join(parts[4:])


@settings(max_examples=100, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(IDS.filter(accepted))
def test_the_server_receives_the_exact_id(recording_server: tuple[FaultyServer, Cluster], name: str) -> None:
    """The server receives one stop request, whose path contains exactly the given ID."""
    server, cluster = recording_server
    server.received.clear()
    with pytest.raises(EsmlError):
        cluster.stop(name, flags=Flags(), timeout=5)
    (line,) = (one.line for one in server.received)
    before, inside, after = split_path(line.removeprefix("POST "))
    assert (before, unquote(inside), after) == ("/_ml/trained_models/", name, "/deployment/_stop")


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a\nb", "a\x1bb", "a\x7fb", "\ud800", "a\u2028b", " a", "a ", "x" * 5_000]
)
def test_impossible_ids_are_rejected(name: str) -> None:
    """An ID that is empty, dots, too long or not Unicode, or has control characters or outer spaces, is rejected."""
    assert not accepted(name)


@pytest.mark.parametrize("name", ["", ".", ".."])
def test_an_id_from_a_response_cannot_change_the_path(name: str) -> None:
    """A stop raises BadAnswer for an ID that is empty or consists of dots, which only a response can contain."""
    with pytest.raises(BadAnswer):
        Cluster(Connection(("http://127.0.0.1:9",))).stop(name, flags=Flags(), timeout=1)


def test_json_keeps_every_character() -> None:
    """The JSON report contains the exact ID, escaped and in ASCII."""
    from esml_stop.invocation import Invocation
    from esml_stop.outcomes import Outcome, Report, Result, Target
    from esml_stop.output.json_report import document

    name = 'a\x1b[31m\n\u202e\ud800"\\'
    text = document(Report("stop", (Result(Target(name, Outcome.NOT_FOUND), Outcome.NOT_FOUND),)), Invocation())
    assert json.loads(text)["deployments"][0]["deployment_id"] == name
    assert text.isascii()
    assert not any(ord(one) < 32 and one != "\n" for one in text)
