import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from esml_stop.cluster import responses
from esml_stop.errors import BadAnswer
from esml_stop.models import Endpoint, Listing

ENTRY: dict[str, Any] = {
    "model_id": "m",
    "ingest": {"pipelines": {"p": {"count": 1}}},
    "deployment_stats": {
        "deployment_id": "d",
        "state": "started",
        "start_time": 1_700_000_000_000,
        "allocation_status": {"allocation_count": 1, "target_allocation_count": 2},
        "nodes": [
            {"node": {"x": {"name": "n1", "version": "8.19.0"}}, "last_access": 5, "number_of_pending_requests": 3},
            {"node": {"y": {"name": "n2"}}, "last_access": 7, "inference_count": 4},
        ],
    },
}


def listing(**changes: Any) -> Any:
    """Return a `_stats` answer whose only deployment is changed so."""
    return {
        "count": 1,
        "trained_model_stats": [{**ENTRY, "deployment_stats": {**ENTRY["deployment_stats"], **changes}}],
    }


def test_a_deployment_is_read_with_all_its_nodes() -> None:
    """Counts are added up, the last access is the latest."""
    count, found = responses.listing(listing())
    (one,) = found.deployments
    assert (count, set(found.models), one.deployment_id, set(one.pipelines)) == (1, {"m"}, "d", {"p"})
    assert (one.pending, one.inference_count, one.last_access) == (3, 4, 7)
    assert (one.allocations, one.target_allocations) == (1, 2)
    assert (one.nodes, one.node_versions) == (("n1", "n2"), ("8.19.0", ""))


def test_before_8_8_a_deployment_is_called_like_its_model() -> None:
    """Without a deployment_id it is the model's."""
    _, found = responses.listing(listing(deployment_id=None))
    assert found.deployments[0].deployment_id == "m"


def test_a_model_without_deployments_is_only_a_model() -> None:
    """Its entry has no deployment_stats; with none at all the answer has no entries."""
    assert responses.listing({"count": 1, "trained_model_stats": [{"model_id": "m"}]})[1].models == {"m"}
    assert responses.listing({"count": 0}) == (0, Listing((), frozenset()))


@pytest.mark.parametrize("value", [-1, 0, 10**15, 10**40])
def test_a_time_beyond_any_calendar_is_no_time(value: int) -> None:
    """It is left out, so that nothing stumbles over it when it is shown."""
    _, found = responses.listing(listing(start_time=value, nodes=[{"last_access": value}]))
    assert (found.deployments[0].start_time, found.deployments[0].last_access) == (None, None)


@pytest.mark.parametrize("name", ["", ".", "..", "\ud800"])
def test_an_id_that_no_request_can_name_is_refused(name: str) -> None:
    """No cluster has such a deployment, so this is not a cluster's answer."""
    with pytest.raises(BadAnswer, match="which cannot be an ID"):
        responses.listing(listing(deployment_id=name))


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        "text",
        {},
        {"count": "1"},
        {"count": True},
        {"count": 1.5},
        {"count": 1, "trained_model_stats": {}},
        {"count": 1, "trained_model_stats": [1]},
        {"count": 1, "trained_model_stats": [{}]},
        {"count": 1, "trained_model_stats": [{"model_id": 7}]},
        {"count": 1, "trained_model_stats": [{"model_id": "m", "deployment_stats": []}]},
        listing(state=3),
        listing(nodes={}),
        listing(nodes=[{"node": []}]),
        listing(allocation_status={"allocation_count": "many"}),
    ],
    ids=lambda body: json.dumps(body)[:40],
)
def test_another_shape_is_never_guessed_at(body: Any) -> None:
    """Each is a BadAnswer with a word about the address."""
    with pytest.raises(BadAnswer) as bad:
        responses.listing(body)
    assert bad.value.hint


@pytest.mark.parametrize("body", [None, {}, [], *({"stopped": value} for value in (False, "true", 1, None))])
def test_only_true_is_stopped(body: Any) -> None:
    """Nothing else counts as stopped."""
    with pytest.raises(BadAnswer):
        responses.stopped(body)
    responses.stopped({"stopped": True})


def test_endpoints_elsewhere_are_left_out() -> None:
    """Only those that run on the cluster's own nodes can be in the way."""
    body = {
        "endpoints": [
            {"inference_id": "a", "service": "openai"},
            {"inference_id": "b", "service": "elser"},
            {"inference_id": "c", "service": "elasticsearch", "service_settings": {"deployment_id": "d"}},
        ]
    }
    assert responses.endpoints(body) == (Endpoint("b", None), Endpoint("c", "d"))


def test_a_pipeline_may_be_nested_deeper_than_a_stack() -> None:
    """A name is found however deep it stands."""
    processor: dict[str, Any] = {"inference": {"model_id": "deep"}}
    for _ in range(5_000):
        processor = {"foreach": {"processor": processor}}
    assert responses.pipeline_names({"p": {"processors": [processor]}}) == {"p": {"deep"}}


KEYS = st.sampled_from(["model_id", "inference", "node", "x"]) | st.text()
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner),
    max_leaves=8,
)
FIELDS = ["state", "deployment_id", "nodes", "allocation_status", "start_time", "priority", "adaptive_allocations"]


@settings(max_examples=100, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(JSON, st.dictionaries(st.sampled_from(FIELDS), JSON))
def test_any_json_is_read_or_refused(body: Any, changes: dict[str, Any]) -> None:
    """No answer ends in anything but a model or a BadAnswer."""
    for read in (responses.listing, responses.endpoints, responses.pipeline_names, responses.model, responses.stopped):
        for answer in (body, listing(**changes)):
            with suppress(BadAnswer):
                read(answer)
