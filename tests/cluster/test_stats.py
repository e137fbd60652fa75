import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from esml_stop.cluster import stats
from esml_stop.errors import BadAnswer
from esml_stop.models import Deployment, Listing
from tests.cluster.test_responses import JSON

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
    """Return a `_stats` response with one deployment, changed by the given values."""
    return {
        "count": 1,
        "trained_model_stats": [{**ENTRY, "deployment_stats": {**ENTRY["deployment_stats"], **changes}}],
    }


def test_a_deployment_is_read_with_all_its_nodes() -> None:
    """The counts of all nodes are added, and the last access is the latest of all nodes."""
    count, found = stats.listing(listing())
    (one,) = found.deployments
    assert (count, set(found.models), one.deployment_id, set(one.pipelines)) == (1, {"m"}, "d", {"p"})
    assert (one.pending, one.inference_count, one.last_access) == (3, 4, 7)
    assert (one.allocations, one.target_allocations) == (1, 2)
    assert (one.nodes, one.node_versions) == (("n1", "n2"), ("8.19.0", ""))


def test_before_8_8_a_deployment_has_the_id_of_its_model() -> None:
    """Without a deployment_id, the deployment has the ID of its model."""
    _, found = stats.listing(listing(deployment_id=None))
    assert found.deployments[0].deployment_id == "m"


def test_a_model_without_deployments_is_listed() -> None:
    """An entry without deployment_stats is listed as a model; a response without entries is an empty listing."""
    assert stats.listing({"count": 1, "trained_model_stats": [{"model_id": "m"}]})[1].models == {"m"}
    assert stats.listing({"count": 0}) == (0, Listing((), frozenset()))


@pytest.mark.parametrize("value", [-1, 0, 10**15, 10**40])
def test_an_invalid_time_counts_as_missing(value: int) -> None:
    """A time that is not positive or after the year 9999 counts as missing."""
    _, found = stats.listing(listing(start_time=value, nodes=[{"last_access": value}]))
    assert (found.deployments[0].start_time, found.deployments[0].last_access) == (None, None)


NODE = {"node": {"x": {"name": "n1"}}, "routing_state": {"routing_state": "started"}, "number_of_allocations": 1}
STARTING_NODE = {"routing_state": {"routing_state": "starting"}}


@pytest.mark.parametrize(
    ("nodes", "allocations", "since"),
    [
        ([{**NODE, "last_access": 7, "start_time": 5}], 1, 7),
        ([{**NODE, "start_time": 5}], 1, 5),
        ([{**NODE, "last_access": 7, "start_time": 5}, {**NODE, "start_time": 9}], 2, 9),
        ([{**NODE, "last_access": 7, "start_time": 5}], 2, None),
        ([{**NODE, "last_access": 7}, STARTING_NODE], 1, None),
        ([NODE], 1, None),
        ([], 0, None),
    ],
    ids=["used", "not since its start", "one restarted", "one silent", "one starting", "says nothing", "no nodes"],
)
def test_idle_since_is_known_only_if_every_node_reports_it(
    nodes: list[Any], allocations: int, since: int | None
) -> None:
    """idle_since is the latest use or process start of all nodes, or None if a node does not report it."""
    status = {"allocation_count": allocations, "target_allocation_count": allocations}
    _, found = stats.listing(listing(nodes=nodes, allocation_status=status))
    assert found.deployments[0].idle_since == since


def test_pending_and_recent_requests_count_as_use() -> None:
    """Pending requests and requests in the last minute count as use, regardless of the time of the last access."""
    for busy in ({"number_of_pending_requests": 1}, {"throughput_last_minute": 1}):
        _, found = stats.listing(listing(nodes=[{**NODE, "last_access": 7, **busy}]))
        assert found.deployments[0].in_use_now
    assert not stats.listing(listing(nodes=[{**NODE, "last_access": 7}]))[1].deployments[0].in_use_now


def test_a_deployment_scaled_to_zero_needs_no_memory() -> None:
    """A deployment that is scaled to zero requires no memory, and a starting one requires the memory of its model."""
    sizes = {"model_size_bytes": 4, "required_native_memory_bytes": 9}
    for status, needed in (({"target_allocation_count": 0, "state": "fully_allocated"}, 0), ({"state": "starting"}, 9)):
        body = listing(allocation_status=status)
        body["trained_model_stats"][0]["model_size_stats"] = sizes
        assert stats.listing(body)[1].deployments[0].memory_bytes == needed


def test_the_reason_of_a_deployment_and_of_its_nodes_is_read() -> None:
    """The reason contains the deployment's own reason and those of its nodes, without duplicates."""
    failed = {"routing_state": {"routing_state": "failed", "reason": "out of memory"}}
    _, found = stats.listing(listing(state="failed", reason="crashed", nodes=[failed, failed]))
    assert (found.deployments[0].state, found.deployments[0].reason) == ("failed", "crashed; out of memory")
    _, found = stats.listing(listing(reason=None, nodes=[NODE]))
    assert found.deployments[0].reason is None


@pytest.mark.parametrize(
    ("nodes", "state", "reached"),
    [
        ([{"routing_state": {"routing_state": "started"}, "number_of_allocations": 2}], "started", 2),
        ([{"routing_state": {"routing_state": "started"}}], "started", 1),
        ([{"routing_state": {"routing_state": "failed"}}, STARTING_NODE], "starting", 0),
        ([{"routing_state": {"routing_state": "failed"}}], "failed", 0),
        ([{"routing_state": {"routing_state": "stopping"}}], "stopping", 0),
        ([], "unknown", 0),
    ],
)
def test_without_a_state_it_comes_from_the_routing_states(nodes: list[Any], state: str, reached: int) -> None:
    """On serverless, which has no `state`, it is derived from the routing states; without nodes, it is unknown."""
    body = {"deployment_id": "d", "number_of_allocations": 2, "nodes": nodes}
    _, found = stats.listing({"count": 1, "trained_model_stats": [{"model_id": "m", "deployment_stats": body}]})
    (one,) = found.deployments
    assert (one.state, one.allocations, one.target_allocations, one.nodes) == (state, reached, 2, ())


def test_the_setting_names_of_8_0_are_read() -> None:
    """`model_threads` are read as allocations and `inference_threads` as threads per allocation."""
    _, found = stats.listing(listing(model_threads=4, inference_threads=2))
    assert (found.deployments[0].number_of_allocations, found.deployments[0].threads_per_allocation) == (4, 2)
    assert found.deployments[0].old_names
    assert not stats.listing(listing(number_of_allocations=4))[1].deployments[0].old_names


def test_memory_is_the_estimate_of_the_server() -> None:
    """Memory is the server's estimate for the model, or None if that is 0."""
    for size, memory in (({"required_native_memory_bytes": 9}, 9), ({"required_native_memory_bytes": 0}, None)):
        body = listing()
        body["trained_model_stats"][0]["model_size_stats"] = size
        assert stats.listing(body)[1].deployments[0].memory_bytes == memory


def test_entries_are_converted_while_they_are_decoded() -> None:
    """Entries are converted while decoding to save memory, and an invalid entry is reported afterwards."""
    text = json.dumps(listing(state="started"))
    decoded = json.loads(text, object_hook=stats.shrunk)
    assert isinstance(decoded["trained_model_stats"][0], Deployment)
    assert stats.listing(decoded) == stats.listing(json.loads(text))
    undeployed = json.loads('{"model_id": "m", "model_size_stats": {}}', object_hook=stats.shrunk)
    assert stats.listing({"count": 1, "trained_model_stats": [undeployed]})[1].models == {"m"}
    wrong = json.loads(json.dumps(listing(state=7)), object_hook=stats.shrunk)
    with pytest.raises(BadAnswer, match="a whole number where a text belongs"):
        stats.listing(wrong)


@pytest.mark.parametrize("name", ["", ".", "..", "\ud800"])
def test_an_id_that_no_request_can_contain_is_rejected(name: str) -> None:
    """A response with an ID that no request can contain raises BadAnswer."""
    with pytest.raises(BadAnswer, match="which cannot be an ID"):
        stats.listing(listing(deployment_id=name))


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
def test_a_response_of_an_unexpected_form_is_rejected(body: Any) -> None:
    """A response of an unexpected form raises BadAnswer with a hint."""
    with pytest.raises(BadAnswer) as bad:
        stats.listing(body)
    assert bad.value.hint


FIELDS = [
    "state",
    "reason",
    "deployment_id",
    "nodes",
    "allocation_status",
    "start_time",
    "priority",
    "adaptive_allocations",
]


@settings(max_examples=100, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(JSON, st.dictionaries(st.sampled_from(FIELDS), JSON))
def test_any_json_is_read_or_raises_bad_answer(body: Any, changes: dict[str, Any]) -> None:
    """Any JSON is read as a listing or raises BadAnswer, and no other error."""
    for response in (body, listing(**changes)):
        with suppress(BadAnswer):
            stats.listing(response)
