"""Tests the API calls with responses recorded from a real 8.19.0 node (see CONTRIBUTING.md), never written by hand."""

import pytest

from esml_stop.cli import main
from esml_stop.errors import NotAuthenticated, Refused
from esml_stop.models import Endpoint, Flags, Model, Pipeline
from tests.support.cassettes import Recorder
from tests.support.raw_cluster import RawCluster

FORCE = Flags(force=True)
NO_FORCE = Flags()


def scene(node: RawCluster) -> None:
    """Create the models, deployments, pipelines and endpoints with which the cassettes were recorded."""
    node.model("my_model")
    node.model("tree", "tree_ensemble")
    node.deployment("my_model_for_search", "my_model", number_of_allocations=2)
    node.deployment("my_model_for_ingest", "my_model")
    node.alias("my_alias", "my_model")
    node.pipeline("p1", "my_model_for_ingest")
    node.pipeline("p2", "my_alias")
    node.endpoint("my-elser", model_id="elser")
    node.endpoint("shared", deployment_id="my_model_for_search", model_id="my_model")


@pytest.fixture
def recorder(request: pytest.FixtureRequest) -> Recorder:
    """Return the recorder of this test's cassette."""
    return Recorder.of(request)


def test_a_listing_contains_every_deployment_and_model(recorder: Recorder) -> None:
    """A listing contains each deployment with its model, state and referencing pipelines, and the IDs of all models."""
    with recorder.cluster(scene) as cluster:
        listing = cluster.deployments("_all", 10)
    found = {one.deployment_id: one for one in listing.deployments}
    assert listing.models == {"my_model", "elser", "tree"}
    assert sorted(found) == ["my-elser", "my_model_for_ingest", "my_model_for_search"]
    search = found["my_model_for_search"]
    assert (search.model_id, search.state, search.allocations, search.target_allocations) == (
        "my_model",
        "started",
        2,
        2,
    )
    assert (search.threads_per_allocation, search.priority, search.node_versions) == (1, "normal", ("8.19.0",))
    assert found["my_model_for_ingest"].pipelines == {"p1"}
    assert search.pipelines == {"p2"}


def test_a_request_by_model_shows_pipelines_of_the_model(recorder: Recorder) -> None:
    """Requested by model ID, an entry shows the pipelines that reference the model."""
    with recorder.cluster(scene) as cluster:
        listing = cluster.deployments("my_model", 10)
    assert {one.deployment_id: one.pipelines for one in listing.deployments} == {
        "my_model_for_ingest": {"p2"},
        "my_model_for_search": {"p2"},
    }


def test_an_unmatched_pattern_is_an_empty_listing(recorder: Recorder) -> None:
    """A pattern without matches yields an empty listing, although an unknown exact ID is a 404."""
    with recorder.cluster(scene) as cluster:
        listing = cluster.deployments("nope*", 10)
    assert (listing.deployments, listing.models) == ((), frozenset())


def test_a_stopped_deployment_is_not_listed(recorder: Recorder) -> None:
    """A deployment is no longer listed after a forced stop."""
    with recorder.cluster(scene) as cluster:
        cluster.stop("my_model_for_ingest", flags=FORCE, timeout=10)
        remaining = cluster.deployments("my_model_for_ingest*", 10)
    assert remaining.deployments == ()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("my_model_for_ingest", "as it is referenced by ingest processors; use force to stop the deployment"),
        ("my-elser", "as it was created by inference endpoint [my-elser]"),
    ],
    ids=["pipeline", "endpoint"],
)
def test_a_stop_of_a_deployment_in_use_is_a_conflict(recorder: Recorder, name: str, reason: str) -> None:
    """A stop of a deployment in use is a 409 whose reason names no pipeline."""
    with recorder.cluster(scene) as cluster, pytest.raises(Refused) as refused:
        cluster.stop(name, flags=NO_FORCE, timeout=10)
    assert (refused.value.http_status, refused.value.type) == (409, "status_exception")
    assert refused.value.reason == f"Cannot stop deployment [{name}] {reason}"


def test_a_stop_of_an_unknown_id_is_not_found(recorder: Recorder) -> None:
    """With allow_no_match false, a stop of an unknown ID is a 404."""
    with recorder.cluster(scene) as cluster, pytest.raises(Refused) as refused:
        cluster.stop("nope", flags=Flags(finish_pending_work=True), timeout=10)
    assert (refused.value.http_status, refused.value.type) == (404, "resource_not_found_exception")
    assert refused.value.reason == "No known model deployment with id [nope]"


def test_special_characters_in_an_id_are_percent_encoded(recorder: Recorder) -> None:
    """Slashes, spaces, commas and asterisks in an ID are percent-encoded and returned unchanged."""
    special_id = "../a b,*?#%/x"
    with recorder.cluster(scene) as cluster, pytest.raises(Refused) as refused:
        cluster.stop(special_id, flags=NO_FORCE, timeout=10)
    assert refused.value.reason == f"No known model deployment with id [{special_id}]"


def test_endpoints_on_ml_nodes_are_listed(recorder: Recorder) -> None:
    """An endpoint that created its deployment and one that uses an existing deployment are listed."""
    with recorder.cluster(scene) as cluster:
        assert cluster.endpoints(10) == (Endpoint("my-elser", None), Endpoint("shared", "my_model_for_search"))


def test_pipelines_are_read_with_the_names_they_reference(recorder: Recorder) -> None:
    """Each pipeline is returned with the names in its inference processors."""
    with recorder.cluster(scene) as cluster:
        found = cluster.pipelines(10)
    assert found == {"p1": Pipeline(frozenset({"my_model_for_ingest"})), "p2": Pipeline(frozenset({"my_alias"}))}


def test_a_model_is_found_by_its_id_or_alias(recorder: Recorder) -> None:
    """A model is returned for its ID and for its alias; any other name returns nothing."""
    with recorder.cluster(scene) as cluster:
        assert cluster.model_configs("tree", 10) == (Model("tree", "tree_ensemble"),)
        assert cluster.model_configs("my_alias", 10) == (Model("my_model", "pytorch", frozenset({"my_alias"})),)
        assert cluster.model_configs("nope", 10) == ()


def test_a_wrong_password_is_not_authenticated(recorder: Recorder) -> None:
    """A 401, which has no product header, is recognized by its JSON."""
    with recorder.cluster(scene, password="wrong") as cluster, pytest.raises(NotAuthenticated) as refused:
        cluster.deployments("_all", 10)
    assert refused.value.type == "security_exception"


def test_a_stop_makes_its_requests_and_a_check(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`esml stop` sends its look-ups, one stop and one check afterwards, and reports the result."""
    with recorder.environment(scene, monkeypatch):
        status = main.run(["stop", "my_model_for_search", "--force"])
    out, err = capsys.readouterr()
    assert status == 0
    assert out.startswith("my_model_for_search\tstopped\tmy_model\tstarted\t")
    assert "inference endpoint shared uses this deployment" in err
    requests = recorder.requests()
    assert sorted(requests[:5]) == [
        "GET /_inference/_all",
        "GET /_ingest/pipeline",
        "GET /_ml/trained_models/my_model",
        "GET /_ml/trained_models/my_model/_stats",
        "GET /_ml/trained_models/my_model_for_search/_stats",
    ]
    assert requests[5:] == [
        "POST /_ml/trained_models/my_model_for_search/deployment/_stop",
        "GET /_ml/trained_models/my_model_for_search/_stats",
    ]


def test_a_dry_run_only_reads(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """--dry-run sends only look-ups; the refusal names the pipeline, and the exit code is that of a real stop."""
    with recorder.environment(scene, monkeypatch):
        status = main.run(["stop", "my_model_for_ingest", "--dry-run"])
    _, err = capsys.readouterr()
    assert status == 5
    assert "ingest pipeline p1 references this deployment" in err
    assert {request.split()[0] for request in recorder.requests()} == {"GET"}
