"""Tests that the practice cluster and a test node respond to the same requests in the same way."""

import json
import time
from dataclasses import replace
from typing import Any

import pytest

from tests.support.raw_cluster import RawCluster

# Some tests list everything on the cluster, so they need a cluster that nobody else uses.
pytestmark = [pytest.mark.scenario, pytest.mark.faults]

MODELS = "/_ml/trained_models"
PIPELINES_OF_MODEL = {"d1": ["p-m"], "d2": ["p-m"]}


@pytest.fixture
def scene(cluster: RawCluster) -> RawCluster:
    """Return a cluster with two deployments of a model, a model without any, an alias, pipelines and endpoints."""
    cluster.reset()
    cluster.model("m")
    cluster.model("tree", "tree_ensemble")
    cluster.deployment("d1", "m")
    cluster.deployment(
        "d2", "m", number_of_allocations=3, threads_per_allocation=2, queue_capacity=77, priority="normal"
    )
    cluster.alias("an_alias", "m")
    cluster.pipeline("p-d1", "d1")
    cluster.pipeline("p-m", "an_alias")
    cluster.model("elser")
    cluster.endpoint("e1", model_id="elser")
    return cluster


def with_prefix(names: str) -> str:
    """Return the names with ~, which stands for the prefix, except for `_all`."""
    return names if names == "_all" else ",".join(f"~{name}" for name in names.split(","))


def stop(cluster: RawCluster, name: str, body: object = None, query: str = "") -> tuple[int, Any]:
    """Send a stop and return its status, with the reason of the error or else the whole response."""
    status, response = ask(cluster, "POST", f"{MODELS}/{with_prefix(name)}/deployment/_stop{query}", body)
    return status, response["error"]["reason"] if "error" in response else response


def ask(cluster: RawCluster, method: str, path: str, body: object = None) -> tuple[int, Any]:
    """Make a request and return status and response, without the prefix in names."""
    status, response = cluster.ask(method, path, body)
    return status, json.loads(cluster.short(json.dumps(response)))


def do(cluster: RawCluster, method: str, path: str) -> Any:
    """Make a request that must return status 200, and return its response."""
    status, response = ask(cluster, method, path)
    assert status == 200, response
    return response


@pytest.mark.parametrize("name", ["nope", "d*", "_all", "d1,d2", "an_alias", "m"])
def test_a_stop_that_finds_nothing_responds_with_stopped(scene: RawCluster, name: str) -> None:
    """A stop of anything but an exact deployment ID responds with "stopped" and stops nothing."""
    assert stop(scene, name) == (200, {"stopped": True})
    assert scene.running() == ["d1", "d2", "e1"]


@pytest.mark.parametrize(
    ("name", "body", "query", "status", "reason"),
    [
        ("nope", {"allow_no_match": False}, "", 404, "No known model deployment with id [nope]"),
        ("d%2F1", {"allow_no_match": False}, "", 404, "No known model deployment with id [d/1]"),
        ("nope", None, "?allow_no_match=false", 404, "No known model deployment with id [nope]"),
        (
            "d1",
            {"force": False},
            "",
            409,
            "Cannot stop deployment [d1] as it is referenced by ingest processors; use force to stop the deployment",
        ),
        ("e1", None, "", 409, "Cannot stop deployment [e1] as it was created by inference endpoint [e1]"),
        (
            "d1",
            {"force": True},
            "?force=true",
            400,
            "request [/_ml/trained_models/d1/deployment/_stop] contains unrecognized parameter: [force]",
        ),
        (
            "d1",
            {"model_id": "~d2"},
            "",
            400,
            "Inconsistent model_id; 'd2' specified in the body differs from 'd1' specified as a URL argument",
        ),
    ],
)
def test_a_refused_stop_returns_the_status_and_reason(
    scene: RawCluster, name: str, body: object, query: str, status: int, reason: str
) -> None:
    """A refused stop returns Elasticsearch's status and reason, and stops nothing."""
    assert stop(scene, name, body, query) == (status, reason)
    assert scene.running() == ["d1", "d2", "e1"]


def test_an_unknown_field_in_the_body_of_a_stop_is_rejected(scene: RawCluster) -> None:
    """A stop with an unknown field in its body is a 400 that names the field."""
    status, reason = stop(scene, "d2", {"id": "d2"})
    assert status == 400
    assert reason.endswith("unknown field [id]")


def test_a_referenced_alias_prevents_a_stop_if_the_ids_are_equal(cluster: RawCluster) -> None:
    """A stop is refused because of a referenced model alias if the deployment has the ID of its model."""
    cluster.model("m")
    cluster.deployment("m", "m")
    cluster.alias("an_alias", "m")
    cluster.pipeline("p", "an_alias")
    reason = "that is still referenced by ingest processors; use force to stop the deployment"
    assert stop(cluster, "m") == (409, f"Cannot stop deployment [m] as it has a model_alias [an_alias] {reason}")


def test_force_is_only_needed_for_a_reference_to_the_deployment(scene: RawCluster) -> None:
    """A deployment that a pipeline references stops with force, and one whose model is referenced without it."""
    assert stop(scene, "d1", {"force": True}) == (200, {"stopped": True})
    assert stop(scene, "d2") == (200, {"stopped": True})
    assert scene.running() == ["e1"]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("_all", {"d1": ["p-d1"], "d2": ["p-m"], "e1": []}),
        ("d*", {"d1": ["p-d1"], "d2": ["p-m"]}),
        ("d1", {"d1": ["p-d1"]}),
        ("m", PIPELINES_OF_MODEL),
        ("an_alias", PIPELINES_OF_MODEL),
        ("an_alias,d2", {"d2": ["p-m"]}),
        ("tree", {}),
        ("nothing*", {}),
    ],
)
def test_the_pipelines_of_an_entry_depend_on_the_request(
    scene: RawCluster, expression: str, expected: dict[str, list[str]]
) -> None:
    """The pipelines of a `_stats` entry reference the deployment or the model, depending on the name in the request."""
    stats = do(scene, "GET", f"{MODELS}/{with_prefix(expression)}/_stats").get("trained_model_stats", [])
    pipelines = {
        one["deployment_stats"]["deployment_id"]: sorted(one.get("ingest", {}).get("pipelines", {}))
        for one in stats
        if "deployment_stats" in one
    }
    assert pipelines == expected


@pytest.mark.parametrize("expression", ["nope", "d1,nope", "nope,nothing*"])
def test_an_unknown_exact_name_fails_the_whole_request(scene: RawCluster, expression: str) -> None:
    """One unknown exact name makes the whole request a 404."""
    status, response = ask(scene, "GET", f"{MODELS}/{with_prefix(expression)}/_stats")
    assert (status, response["error"]["type"]) == (404, "resource_not_found_exception")
    assert response["error"]["reason"].startswith("No known trained model with model_id [nope]")


def test_paging_counts_models(scene: RawCluster) -> None:
    """`count`, `from` and `size` of `_stats` count models, each with all of its deployments."""
    first = do(scene, "GET", f"{MODELS}/_all/_stats?size=2")
    second = do(scene, "GET", f"{MODELS}/_all/_stats?from=2&size=2")
    assert first["count"] == second["count"] == 3
    assert [one["model_id"] for one in first["trained_model_stats"]] == ["elser", "m", "m"]
    assert [one["model_id"] for one in second["trained_model_stats"]] == ["tree"]


def test_stats_show_the_settings_of_a_deployment(scene: RawCluster) -> None:
    """`_stats` shows the settings, the state and the allocation status of a deployment."""
    stats = do(scene, "GET", f"{MODELS}/~d2/_stats")["trained_model_stats"][0]["deployment_stats"]
    names = ["deployment_id", "model_id", "number_of_allocations", "threads_per_allocation", "queue_capacity"]
    assert [stats[name] for name in [*names, "priority", "state"]] == ["d2", "m", 3, 2, 77, "normal", "started"]
    assert stats["allocation_status"] == {
        "allocation_count": 3,
        "target_allocation_count": 3,
        "state": "fully_allocated",
    }


def test_filter_path_limits_the_response(scene: RawCluster) -> None:
    """filter_path accepts dotted paths with wildcards, and returns an empty object if nothing matches."""
    paths = "count,trained_model_stats.deployment_stats.deployment_id,trained_model_stats.ingest.pipelines.*.count"
    assert do(scene, "GET", f"{MODELS}/~d1/_stats?filter_path={paths}") == {
        "count": 1,
        "trained_model_stats": [
            {"ingest": {"pipelines": {"p-d1": {"count": 0}}}, "deployment_stats": {"deployment_id": "d1"}}
        ],
    }
    assert do(scene, "GET", f"{MODELS}/~d1/_stats?filter_path=nothing") == {}


def test_a_model_is_looked_up_by_its_id_or_alias(scene: RawCluster) -> None:
    """A model ID or model alias returns the model with its type; an unknown name is a 404."""
    paths = "filter_path=trained_model_configs.model_id,trained_model_configs.model_type"
    for name, model, kind in (("tree", "tree", "tree_ensemble"), ("an_alias", "m", "pytorch")):
        response = do(scene, "GET", f"{MODELS}/~{name}?{paths}")
        assert response == {"trained_model_configs": [{"model_id": model, "model_type": kind}]}
    assert ask(scene, "GET", f"{MODELS}/~nope")[0] == 404
    status, response = ask(scene, "GET", f"{MODELS}/~m,~nope,~an_alias")
    assert (status, "[nope]" in response["error"]["reason"]) == (404, True)


def test_endpoints_and_pipelines_are_listed(scene: RawCluster) -> None:
    """Endpoints are listed with service and settings, and pipelines by ID; an unknown pipeline is a 404."""
    assert do(scene, "GET", "/_inference/_all")["endpoints"] == [
        {
            "inference_id": "e1",
            "task_type": "sparse_embedding",
            "service": "elasticsearch",
            "service_settings": {"model_id": "elser", "num_allocations": 1, "num_threads": 1},
        }
    ]
    assert sorted(do(scene, "GET", "/_ingest/pipeline/~p-d1,~p-m")) == ["p-d1", "p-m"]
    assert ask(scene, "GET", "/_ingest/pipeline/~nope") == (404, {})


def test_a_long_request_line_is_rejected(cluster: RawCluster) -> None:
    """A request line over 4,096 bytes is rejected."""
    status, response = ask(cluster, "GET", f"{MODELS}/{'x' * 4100}/_stats")
    assert status == 400
    assert "larger than 4096 bytes" in response["error"]["reason"]


def test_a_start_with_an_existing_id_is_rejected(scene: RawCluster) -> None:
    """A start with an existing deployment ID is a 400, even for an unknown model, which alone is a 404."""
    for model in ("m", "nope"):
        status, response = ask(scene, "POST", f"{MODELS}/~{model}/deployment/_start?deployment_id=~d1")
        assert status == 400
        assert "existing deployment with the same id [d1]" in response["error"]["reason"]
    assert ask(scene, "POST", f"{MODELS}/~nope/deployment/_start")[0] == 404


@pytest.mark.parametrize(
    ("method", "path", "status", "reason"),
    [
        ("GET", "/a/b/c", 400, "no handler found for uri [/a/b/c] and method [GET]"),
        ("POST", "/a/b/c", 400, "no handler found for uri [/a/b/c] and method [POST]"),
    ],
)
def test_a_request_to_an_unknown_api_is_a_400(
    cluster: RawCluster, method: str, path: str, status: int, reason: str
) -> None:
    """A request to an unknown API is a 400 that names path and method."""
    # A cluster without security responds to the APIs about users in the same way.
    assert cluster.ask(method, path)[0] == status
    assert cluster.ask(method, path)[1]["error"] == reason


@pytest.mark.parametrize(("size", "expected"), [("0", "0b"), ("0b", "0b"), ("1536kb", "1.5mb")])
def test_a_cache_size_is_shown_in_the_largest_unit(scene: RawCluster, size: str, expected: str) -> None:
    """A cache size is shown in the largest unit; a number without a unit, other than 0, is a 400."""
    scene.deployment("cached", "m", cache_size=size)
    stats = do(scene, "GET", f"{MODELS}/~cached/_stats")["trained_model_stats"][0]["deployment_stats"]
    assert stats["cache_size"] == expected
    assert scene.ask("POST", f"{MODELS}/~m/deployment/_start?deployment_id=~x&cache_size=1")[0] == 400


def test_references_in_a_pipelines_own_on_failure_are_ignored(scene: RawCluster) -> None:
    """A stop is not refused for a reference in a pipeline's own `on_failure`."""
    handler = [{"inference": {"model_id": "~d2"}}]
    scene.do("PUT", "/_ingest/pipeline/~p-d2", {"processors": [], "on_failure": handler})
    assert stop(scene, "d2") == (200, {"stopped": True})


@pytest.mark.parametrize(
    ("path", "status", "reason"),
    [
        (
            "m/model_aliases/~an_alias",
            400,
            "cannot assign model_alias [an_alias] to model_id [m] as model_alias already",
        ),
        (
            "other/model_aliases/~an_alias",
            400,
            "Set parameter [reassign] to [true] if model_alias should be reassigned.",
        ),
        ("m/model_aliases/~tree", 400, "model_alias cannot be the same as an existing trained model_id"),
        ("m/model_aliases/~m", 400, "Validation Failed: 1: model_alias [m] cannot equal model_id [m];"),
        ("m/model_aliases/~ends_with_9", 400, "must start with alphanumeric and cannot end with numbers;"),
        ("nope/model_aliases/~fresh", 404, "No known trained model with model_id [nope]"),
        ("an_alias/model_aliases/~fresh", 404, "No known trained model with model_id [an_alias]"),
        ("tree/model_aliases/~an_alias?reassign=true", 400, "cannot reassign model_alias [an_alias] to model [tree]"),
        (
            "other/model_aliases/~an_alias?reassign=true",
            400,
            "to model [other] from model [m] as it is not yet deployed",
        ),
    ],
)
def test_a_refused_alias_returns_the_status_and_reason(scene: RawCluster, path: str, status: int, reason: str) -> None:
    """An alias is refused if its name is invalid or taken, or its model is unknown, of another type or not deployed."""
    scene.model("other")
    received, response = ask(scene, "PUT", f"{MODELS}/~{path}")
    assert received == status
    assert reason in response["error"]["reason"]


def test_an_alias_can_be_reassigned_and_deleted(scene: RawCluster) -> None:
    """An alias can be reassigned to a deployed model, and deleted from its model if no pipeline references it."""
    scene.model("other")
    scene.deployment("o", "other")
    assert ask(scene, "PUT", f"{MODELS}/~other/model_aliases/~an_alias?reassign=true")[0] == 200
    assert ask(scene, "DELETE", f"{MODELS}/~m/model_aliases/~an_alias")[0] == 409
    status, response = ask(scene, "DELETE", f"{MODELS}/~other/model_aliases/~an_alias")
    assert (status, response["error"]["reason"]) == (
        409,
        "Cannot delete model_alias [an_alias] as it is still referenced by ingest processors",
    )
    scene.alias("free", "other")
    assert ask(scene, "DELETE", f"{MODELS}/~other/model_aliases/~free")[0] == 200
    assert ask(scene, "DELETE", f"{MODELS}/~other/model_aliases/~free")[0] == 404


def test_a_model_or_deployment_cannot_have_the_name_of_an_alias(scene: RawCluster) -> None:
    """Neither a model nor a deployment that is started with its model's ID can have the name of an alias."""
    status, response = ask(scene, "PUT", f"{MODELS}/~an_alias", {"model_type": "pytorch"})
    assert (status, "is the same as an existing model_alias" in response["error"]["reason"]) == (400, True)
    assert ask(scene, "POST", f"{MODELS}/~m/deployment/_start?deployment_id=~an_alias")[0] == 400


def test_a_deployment_started_through_an_alias_has_its_name(scene: RawCluster) -> None:
    """A deployment started through an alias has the alias as its ID, and a stop of that ID with force stops it."""
    assert stop(scene, "an_alias") == (200, {"stopped": True})
    status, response = ask(scene, "POST", f"{MODELS}/~an_alias/deployment/_start?wait_for=started")
    assert status == 200
    task = response["assignment"]["task_parameters"]
    assert (task["deployment_id"], task["model_id"]) == ("an_alias", "m")
    assert scene.running() == ["an_alias", "d1", "d2", "e1"]
    assert stop(scene, "an_alias", {"force": True}) == (200, {"stopped": True})
    assert scene.running() == ["d1", "d2", "e1"]


def test_deleting_a_model_deletes_its_aliases(cluster: RawCluster) -> None:
    """Deleting a model deletes its aliases, so that a model can have their names."""
    cluster.model("m")
    cluster.alias("an_alias", "m")
    cluster.do("DELETE", f"{MODELS}/~m")
    cluster.model("an_alias")


def test_a_user_with_read_access_can_list_but_not_stop(scene: RawCluster) -> None:
    """A user with read access can list deployments.

    The refusal of a stop names the action and the required privileges; endpoints, pipelines and health are a 403.
    """
    reader = viewer(scene)
    status, response = ask(reader, "POST", f"{MODELS}/~d2/deployment/_stop")
    action = "cluster:admin/xpack/ml/trained_models/deployment/stop"
    grants = "this action is granted by the cluster privileges [manage_inference,manage_ml,manage,all]"
    who = f"user [{reader.username}] with effective roles [machine_learning_user]"
    assert (status, response["error"]["type"]) == (403, "security_exception")
    assert response["error"]["reason"] == scene.short(f"action [{action}] is unauthorized for {who}, {grants}")
    refused = ("/_inference/_all", "/_ingest/pipeline", "/_cat/health")
    assert [reader.ask("GET", path)[0] for path in (f"{MODELS}/_all/_stats", *refused)] == [200, 403, 403, 403]
    assert scene.running() == ["d1", "d2", "e1"]


def viewer(cluster: RawCluster) -> RawCluster:
    """Return the cluster with the login of a user with the role machine_learning_user."""
    name, password = "viewer", "some-pass-word"
    if cluster.secured:
        name = cluster.full("viewer")
        cluster.do("PUT", f"/_security/user/{name}", {"password": password, "roles": ["machine_learning_user"]})
    return replace(cluster, username=name, password=password, authorization=None)


def test_a_model_with_running_deployments_can_be_deleted(scene: RawCluster) -> None:
    """With force, a model is deleted while its deployments run; `_stats` of these is a 404, and they can be stopped."""
    scene.do("DELETE", f"{MODELS}/~m?force=true")
    assert scene.running() == ["e1"]
    for expression in ("d1", "d*"):
        status, response = ask(scene, "GET", f"{MODELS}/~{expression}/_stats")
        assert (status, "model_id [m]" in response["error"]["reason"]) == (404, True)
    assert stop(scene, "d1", {"allow_no_match": False, "force": True}) == (200, {"stopped": True})


def test_a_deployment_that_is_scaled_to_zero_has_no_nodes(scene: RawCluster) -> None:
    """A deployment that is scaled to zero is started and fully allocated, without nodes."""
    scene.fault("d2", scaled_to_zero=True)
    stats = do(scene, "GET", f"{MODELS}/~d2/_stats")["trained_model_stats"][0]["deployment_stats"]
    assert (stats["state"], stats["number_of_allocations"], stats["nodes"]) == ("started", 0, [])
    assert stats["allocation_status"] == {
        "allocation_count": 0,
        "target_allocation_count": 0,
        "state": "fully_allocated",
    }


def test_a_failed_deployment_has_a_reason(scene: RawCluster) -> None:
    """`_stats` shows the reason of a failed deployment."""
    scene.fault("d2", state="failed", reason="crashed")
    stats = do(scene, "GET", f"{MODELS}/~d2/_stats")["trained_model_stats"][0]["deployment_stats"]
    assert (stats["state"], stats["reason"]) == ("failed", "crashed")


def test_the_server_returns_its_time(cluster: RawCluster) -> None:
    """`_cat/health` returns the server's time in seconds."""
    (row,) = cluster.do("GET", "/_cat/health?h=epoch&format=json")
    assert abs(int(row["epoch"]) - time.time()) < 3_600
