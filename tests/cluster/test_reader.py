from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import unquote

import pytest

from esml_stop.cluster.api import Cluster
from esml_stop.cluster.reader import Reader
from esml_stop.config.connection import Connection
from esml_stop.models import NotChecked, Snapshot
from esml_stop.plan.patterns import Selection
from esml_stop.plan.references import uses
from esml_stop.runtime.deadline import Deadline
from esml_stop.sandbox import serve
from tests.support.builders import short
from tests.support.fakes import refusal
from tests.support.raw_cluster import RawCluster


@dataclass
class RecordingReader:
    """A reader of a practice cluster that records the paths of its requests."""

    cluster: RawCluster
    reader: Reader
    requests: list[str] = field(default_factory=list)

    def read(self, selection: Selection, *, check: bool = True) -> Snapshot:
        """Clear the recorded requests and return a snapshot."""
        self.requests.clear()
        return self.reader.read(selection, check=check)


@pytest.fixture
def recording() -> Iterator[RecordingReader]:
    """Yield a reader of a practice cluster with one model, its alias and two deployments."""
    with serve(empty=True) as server:
        requests: list[str] = []
        cluster = Cluster(
            Connection((server.url,)),
            on_request=lambda one: requests.append(unquote(one.path.rpartition("?")[0] or one.path)),
        )
        raw = RawCluster(server.url)
        raw.model("m")
        raw.alias("an_alias", "m")
        raw.deployment("d1", "m")
        raw.deployment("d2", "m")
        yield RecordingReader(raw, Reader(cluster, Deadline(30), lambda _: None), requests)
        cluster.close()


FIRST_REQUESTS = ["/_inference/_all", "/_ingest/pipeline", "/_ml/trained_models/d1/_stats"]


def test_an_unused_deployment_requires_three_requests(recording: RecordingReader) -> None:
    """Deployments, endpoints and pipelines are read with one request each."""
    snapshot = recording.read(Selection(("d1",)))
    assert sorted(recording.requests) == FIRST_REQUESTS
    assert [one.deployment_id for one in snapshot.deployments] == ["d1"]
    assert (snapshot.endpoints, snapshot.not_checked) == ((), ())


def test_a_referenced_deployment_requires_requests_by_model(recording: RecordingReader) -> None:
    """If a pipeline references the deployment, the deployments and aliases of its model are requested, too."""
    recording.cluster.pipeline("p", "d1")
    snapshot = recording.read(Selection(("d1",)))
    assert sorted(recording.requests[3:]) == ["/_ml/trained_models/m", "/_ml/trained_models/m/_stats"]
    assert [one.deployment_id for one in snapshot.by_model["m"]] == ["d1", "d2"]
    assert short(uses(snapshot.deployments[0], snapshot)) == ["p deployment"]


def test_pipeline_definitions_show_the_referenced_name(recording: RecordingReader) -> None:
    """References are found even if the pipeline ID has a comma or only the pipeline's `on_failure` contains them."""
    recording.cluster.pipeline("p,q", "an_alias", "d1")
    recording.cluster.pipeline("by-alias", "an_alias")
    handler = [{"inference": {"model_id": "an_alias"}}]
    recording.cluster.do("PUT", "/_ingest/pipeline/hidden", {"processors": [], "on_failure": handler})
    snapshot = recording.read(Selection(("d1",)))
    assert short(uses(snapshot.deployments[0], snapshot)) == ["by-alias alias", "hidden alias", "p,q deployment"]
    assert {one.alias for one in uses(snapshot.deployments[0], snapshot)} == {"an_alias", None}


def test_an_alias_in_a_failure_handler_is_found(recording: RecordingReader) -> None:
    """If only an `on_failure` references an unknown name, aliases are requested, because `_stats` does not show it."""
    handler = [{"inference": {"model_id": "an_alias"}}]
    recording.cluster.do("PUT", "/_ingest/pipeline/hidden", {"processors": [], "on_failure": handler})
    snapshot = recording.read(Selection(("d1",)))
    assert short(uses(snapshot.deployments[0], snapshot)) == ["hidden alias"]


def test_a_deleted_model_does_not_hide_the_aliases_of_others(recording: RecordingReader) -> None:
    """The aliases of a model are found although another requested deployment has lost its model."""
    raw = recording.cluster
    raw.model("gone")
    raw.deployment("orphan", "gone")
    raw.pipeline("q", "gone")
    raw.do("PUT", "/_ingest/pipeline/hidden", {"on_failure": [{"inference": {"model_id": "an_alias"}}]})
    raw.do("DELETE", "/_ml/trained_models/gone?force=true")
    snapshot = recording.read(Selection(("d1", "orphan")))
    assert [short(uses(one, snapshot)) for one in snapshot.deployments] == [["hidden alias"], ["q model"]]


def test_unreadable_aliases_are_reported_as_not_checked(
    recording: RecordingReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Aliases that cannot be read are reported as not checked, because a pipeline may reference an alias."""
    recording.cluster.pipeline("p", "an_alias")

    def raise_refusal(*_: object) -> None:
        raise refusal(403)

    monkeypatch.setattr(recording.reader.cluster, "model_configs", raise_refusal)
    assert [one.what for one in recording.read(Selection(("d1",))).not_checked] == ["model aliases"]


def test_deployments_of_a_model_are_requested_by_model_and_by_id(recording: RecordingReader) -> None:
    """Deployments of a model or alias are requested by model ID and by deployment ID, to find references to both."""
    snapshot = recording.read(Selection((), ("an_alias",)))
    assert [one for one in recording.requests if one not in FIRST_REQUESTS] == [
        "/_ml/trained_models/an_alias",
        "/_ml/trained_models/m/_stats",
        "/_ml/trained_models/d1,d2/_stats",
    ]
    assert snapshot.model_ids == {"an_alias": "m"}
    assert sorted(one.deployment_id for one in snapshot.deployments) == ["d1", "d2"]


def test_without_check_one_request_is_made_and_no_uses_are_reported(recording: RecordingReader) -> None:
    """Without check, one request is made, and no uses are reported, even if the response shows pipelines."""
    recording.cluster.pipeline("p", "d1")
    snapshot = recording.read(Selection(("d1",)), check=False)
    assert recording.requests == FIRST_REQUESTS[2:]
    assert uses(snapshot.deployments[0], snapshot) == ()
    assert snapshot.not_checked == (NotChecked("what uses the deployment", "--no-check"),)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("m", "is a model; its deployments are d1, d2: use --model m"),
        ("an_alias", "is a model alias of m; its deployments are d1, d2: use --model an_alias"),
        ("tree", "is a model of type tree_ensemble, which has no deployments"),
        ("lonely", "is a model, which has no deployments"),
        ("my_search_", "did you mean my_search?"),
        ("ym_search", "did you mean my_search?"),
        ("My_Search", "did you mean my_search?"),
        ("d3", None),
        ("an_endpoint", "is an inference endpoint that uses deployment d1"),
        ("old_endpoint", "is an inference endpoint, and its deployment is not running"),
        ("nothing_like_it", None),
    ],
)
def test_an_unknown_name_is_looked_up_for_a_hint(recording: RecordingReader, name: str, hint: str | None) -> None:
    """The hint for an unknown name states what the name refers to, or suggests a similar deployment ID."""
    recording.cluster.model("tree", "tree_ensemble")
    recording.cluster.model("lonely")
    recording.cluster.model("other")
    recording.cluster.deployment("my_search", "other")
    recording.cluster.endpoint("an_endpoint", deployment_id="d1", model_id="m")
    recording.cluster.endpoint("old_endpoint", model_id="elser")
    recording.cluster.do("POST", "/_ml/trained_models/old_endpoint/deployment/_stop", {"force": True})
    assert recording.read(Selection((name,))).hints.get(name) == hint


def test_only_a_few_unknown_names_are_looked_up(recording: RecordingReader) -> None:
    """Only a few unknown names are looked up, so that a long list of wrong IDs does not cause many requests."""
    recording.read(Selection(tuple(f"nope-{number}" for number in range(100))))
    assert len(recording.requests) < 10


def test_the_identity_of_the_cluster_is_requested_once(recording: RecordingReader) -> None:
    """The version and UUID of the cluster come from a single request, which is not repeated."""
    assert recording.reader.stops_deployments
    assert recording.reader.identity().uuid
    assert recording.reader.identity() == recording.reader.identity()
    assert recording.requests == ["/"]
