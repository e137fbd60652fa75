from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from esml_stop.cluster import responses
from esml_stop.errors import BadAnswer
from esml_stop.invocation import ClusterIdentity
from esml_stop.models import Endpoint, Pipeline


@pytest.mark.parametrize("body", [None, {}, [], *({"stopped": value} for value in (False, "true", 1, None))])
def test_only_true_confirms_a_stop(body: Any) -> None:
    """Only `true` in the field `stopped` of the response confirms a stop."""
    with pytest.raises(BadAnswer):
        responses.check_stopped(body)
    responses.check_stopped({"stopped": True})


def test_endpoints_of_external_services_are_omitted() -> None:
    """Endpoints of external services are omitted."""
    body = {
        "endpoints": [
            {"inference_id": "a", "service": "openai"},
            {"inference_id": "b", "service": "elser"},
            {"inference_id": "c", "service": "elasticsearch", "service_settings": {"deployment_id": "d"}},
        ]
    }
    assert responses.endpoints(body) == (Endpoint("b", None), Endpoint("c", "d"))


def test_endpoints_in_the_form_of_8_12_to_8_14_are_read() -> None:
    """The names `models` and `model_id` of 8.12 to 8.14 are accepted; `inference_id` has precedence over `model_id`."""
    endpoint = {"model_id": "e", "service": "elser", "service_settings": {"model_id": "x"}}
    assert responses.endpoints({"models": [endpoint]}) == (Endpoint("e", None),)
    assert responses.endpoints({"endpoints": [{**endpoint, "inference_id": "f"}]}) == (Endpoint("f", None),)


def test_a_start_response_requires_an_assignment_or_an_allocation() -> None:
    """A start response must contain an assignment, or an allocation as in 8.0 to 8.2."""
    responses.check_started({"assignment": {}})
    responses.check_started({"allocation": {}})
    with pytest.raises(BadAnswer):
        responses.check_started({"stopped": True})


def test_the_identity_of_a_cluster_is_read() -> None:
    """Name, UUID, version and the flavor of a serverless project are read."""
    body = {"cluster_name": "c", "cluster_uuid": "u", "version": {"number": "8.11.0", "build_flavor": "serverless"}}
    assert responses.identity(body, "http://u") == ClusterIdentity("http://u", "c", "u", "8.11.0", "serverless")
    assert responses.identity({}, "http://u") == ClusterIdentity("http://u")


def test_the_time_of_the_server_is_converted_to_milliseconds() -> None:
    """The server's time is converted to epoch milliseconds; anything but a number is rejected."""
    assert responses.server_time([{"epoch": "1700000000"}]) == 1_700_000_000_000
    bodies: list[Any] = [[], [{}], [{"epoch": "now"}], {"epoch": "1"}]
    for body in bodies:
        with pytest.raises(BadAnswer):
            responses.server_time(body)


def test_a_deeply_nested_pipeline_is_read() -> None:
    """A name is found in a processor at 5,000 levels of nesting."""
    processor: dict[str, Any] = {"inference": {"model_id": "deep"}}
    for _ in range(5_000):
        processor = {"foreach": {"processor": processor}}
    found = responses.pipelines({"p": {"processors": [processor]}})
    assert found == {"p": Pipeline(frozenset({"deep"}), frozenset({"deep"}))}


REFERENCING = [{"inference": {"model_id": "d"}}]


@pytest.mark.parametrize(
    ("pipeline", "hidden"),
    [
        ({"processors": REFERENCING}, False),
        ({"processors": [{"foreach": {"processor": REFERENCING[0]}}]}, False),
        ({"processors": [{"set": {"on_failure": REFERENCING}}]}, False),
        ({"on_failure": REFERENCING}, True),
        ({"processors": [{"foreach": {"processor": {"set": {}}, "on_failure": REFERENCING}}]}, True),
        ({"processors": [{"inference": {"on_failure": REFERENCING}}]}, True),
        ({"processors": REFERENCING, "on_failure": REFERENCING}, False),
    ],
    ids=["processor", "foreach", "handler", "pipeline's handler", "foreach's handler", "inference's handler", "both"],
)
def test_references_that_elasticsearch_does_not_find_are_hidden(pipeline: dict[str, Any], hidden: bool) -> None:
    """All references are returned, and those that Elasticsearch does not find are marked as hidden."""
    names = frozenset({"d"})
    expected = Pipeline(names, names if hidden else frozenset())
    assert responses.pipelines({"p": pipeline}) == {"p": expected}


def test_only_inference_processors_are_references() -> None:
    """A `model_id` outside an inference processor is not a reference."""
    body = {"p": {"processors": [{"set": {"value": {"inference": {"model_id": "d"}}}}]}, "q": {}}
    assert responses.pipelines(body) == {}


KEYS = st.sampled_from(["model_id", "inference", "node", "x"]) | st.text()
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner),
    max_leaves=8,
)


@settings(max_examples=100, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(JSON)
def test_any_json_is_read_or_raises_bad_answer(body: Any) -> None:
    """Any JSON is read or raises BadAnswer, and no other error."""
    readers = (responses.endpoints, responses.pipelines, responses.models, responses.server_time)
    for read in (responses.check_stopped, responses.check_started, *readers):
        with suppress(BadAnswer):
            read(body)
