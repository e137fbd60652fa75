"""Checks that the practice cluster and a real node respond to the same requests in the same way."""

import json
import time
from dataclasses import replace
from typing import Any

import pytest

from tests.support.raw_cluster import RawCluster

# Some tests list everything on the cluster, so they need one of their own.
pytestmark = [pytest.mark.scenario, pytest.mark.faults]

MODELS = "/_ml/trained_models"
SECOND_SEARCH = {"d1": ["p-m"], "d2": ["p-m"]}


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


def full(names: str) -> str:
    """Return names with the sign for the prefix, except for `_all`."""
    return names if names == "_all" else ",".join(f"~{name}" for name in names.split(","))


def stop(cluster: RawCluster, name: str, body: object = None, query: str = "") -> tuple[int, Any]:
    """Send a stop and return its status, with the reason or the whole response."""
    status, answer = ask(cluster, "POST", f"{MODELS}/{full(name)}/deployment/_stop{query}", body)
    return status, answer["error"]["reason"] if "error" in answer else answer


def ask(cluster: RawCluster, method: str, path: str, body: object = None) -> tuple[int, Any]:
    """Make a request and return status and response, with names as the test gives them."""
    status, answer = cluster.ask(method, path, body)
    return status, json.loads(cluster.short(json.dumps(answer)))


def do(cluster: RawCluster, method: str, path: str) -> Any:
    """Make a request that must succeed and return its response."""
    status, answer = ask(cluster, method, path)
    assert status == 200, answer
    return answer


@pytest.mark.parametrize("name", ["nope", "d*", "_all", "d1,d2", "an_alias", "m"])
def test_a_stop_that_finds_nothing_says_stopped(scene: RawCluster, name: str) -> None:
    """A stop of anything but an exact deployment ID responds with "stopped"."""
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
def test_a_stop_is_refused_in_the_same_words(
    scene: RawCluster, name: str, body: object, query: str, status: int, reason: str
) -> None:
    """A refused stop has the same status and reason, and stops nothing."""
    assert stop(scene, name, body, query) == (status, reason)
    assert scene.running() == ["d1", "d2", "e1"]


def test_an_unknown_field_in_the_body_is_refused(scene: RawCluster) -> None:
    """The body of a stop accepts only its four fields."""
    status, reason = stop(scene, "d2", {"id": "d2"})
    assert status == 400
    assert reason.endswith("unknown field [id]")


def test_an_alias_of_a_model_called_like_the_deployment_counts(cluster: RawCluster) -> None:
    """The server checks aliases only if the deployment has the ID of its model."""
    cluster.model("m")
    cluster.deployment("m", "m")
    cluster.alias("an_alias", "m")
    cluster.pipeline("p", "an_alias")
    reason = "that is still referenced by ingest processors; use force to stop the deployment"
    assert stop(cluster, "m") == (409, f"Cannot stop deployment [m] as it has a model_alias [an_alias] {reason}")


def test_force_and_silence_about_the_model(scene: RawCluster) -> None:
    """A referenced deployment stops only with force, one whose model is referenced without."""
    assert stop(scene, "d1", {"force": True}) == (200, {"stopped": True})
    assert stop(scene, "d2") == (200, {"stopped": True})
    assert scene.running() == ["e1"]


@pytest.mark.parametrize(
    ("expression", "shown"),
    [
        ("_all", {"d1": ["p-d1"], "d2": ["p-m"], "e1": []}),
        ("d*", {"d1": ["p-d1"], "d2": ["p-m"]}),
        ("d1", {"d1": ["p-d1"]}),
        ("m", SECOND_SEARCH),
        ("an_alias", SECOND_SEARCH),
        ("an_alias,d2", {"d2": ["p-m"]}),
        ("tree", {}),
        ("nothing*", {}),
    ],
)
def test_what_an_entry_shows_depends_on_the_question(
    scene: RawCluster, expression: str, shown: dict[str, list[str]]
) -> None:
    """The pipelines of an entry reference the deployment or the model, depending on the request."""
    stats = do(scene, "GET", f"{MODELS}/{full(expression)}/_stats").get("trained_model_stats", [])
    pipelines = {
        one["deployment_stats"]["deployment_id"]: sorted(one.get("ingest", {}).get("pipelines", {}))
        for one in stats
        if "deployment_stats" in one
    }
    assert pipelines == shown


@pytest.mark.parametrize("expression", ["nope", "d1,nope", "nope,nothing*"])
def test_an_unknown_exact_name_fails_the_whole_listing(scene: RawCluster, expression: str) -> None:
    """One unknown exact name makes the whole request a 404."""
    status, answer = ask(scene, "GET", f"{MODELS}/{full(expression)}/_stats")
    assert (status, answer["error"]["type"]) == (404, "resource_not_found_exception")
    assert answer["error"]["reason"].startswith("No known trained model with model_id [nope]")


def test_paging_counts_models(scene: RawCluster) -> None:
    """`count`, `from` and `size` count models, each with all of its deployments."""
    first = do(scene, "GET", f"{MODELS}/_all/_stats?size=2")
    second = do(scene, "GET", f"{MODELS}/_all/_stats?from=2&size=2")
    assert first["count"] == second["count"] == 3
    assert [one["model_id"] for one in first["trained_model_stats"]] == ["elser", "m", "m"]
    assert [one["model_id"] for one in second["trained_model_stats"]] == ["tree"]


def test_the_parameters_of_a_deployment_are_shown(scene: RawCluster) -> None:
    """`_stats` shows the settings of a deployment."""
    stats = do(scene, "GET", f"{MODELS}/~d2/_stats")["trained_model_stats"][0]["deployment_stats"]
    names = ["deployment_id", "model_id", "number_of_allocations", "threads_per_allocation", "queue_capacity"]
    assert [stats[name] for name in [*names, "priority", "state"]] == ["d2", "m", 3, 2, 77, "normal", "started"]
    assert stats["allocation_status"] == {
        "allocation_count": 3,
        "target_allocation_count": 3,
        "state": "fully_allocated",
    }


def test_filter_path_leaves_out_what_was_not_asked_for(scene: RawCluster) -> None:
    """filter_path accepts dotted paths with wildcards, and yields an empty response without a match."""
    paths = "count,trained_model_stats.deployment_stats.deployment_id,trained_model_stats.ingest.pipelines.*.count"
    assert do(scene, "GET", f"{MODELS}/~d1/_stats?filter_path={paths}") == {
        "count": 1,
        "trained_model_stats": [
            {"ingest": {"pipelines": {"p-d1": {"count": 0}}}, "deployment_stats": {"deployment_id": "d1"}}
        ],
    }
    assert do(scene, "GET", f"{MODELS}/~d1/_stats?filter_path=nothing") == {}


def test_a_name_is_looked_up_as_a_model(scene: RawCluster) -> None:
    """A model and an alias return the model; an unknown name is a 404."""
    paths = "filter_path=trained_model_configs.model_id,trained_model_configs.model_type"
    for name, model, kind in (("tree", "tree", "tree_ensemble"), ("an_alias", "m", "pytorch")):
        answer = do(scene, "GET", f"{MODELS}/~{name}?{paths}")
        assert answer == {"trained_model_configs": [{"model_id": model, "model_type": kind}]}
    assert ask(scene, "GET", f"{MODELS}/~nope")[0] == 404


def test_endpoints_and_pipelines_are_listed(scene: RawCluster) -> None:
    """Endpoints are listed with service and settings, and pipelines by ID; without pipelines the response is a 404."""
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


def test_a_long_request_line_is_refused(cluster: RawCluster) -> None:
    """A request line over 4,096 bytes is rejected."""
    status, answer = ask(cluster, "GET", f"{MODELS}/{'x' * 4100}/_stats")
    assert status == 400
    assert "larger than 4096 bytes" in answer["error"]["reason"]


def test_a_deployment_id_that_exists_is_refused(scene: RawCluster) -> None:
    """A second start of an ID is a 400, even for an unknown model; an unknown model alone is a 404."""
    for model in ("m", "nope"):
        status, answer = ask(scene, "POST", f"{MODELS}/~{model}/deployment/_start?deployment_id=~d1")
        assert status == 400
        assert "existing deployment with the same id [d1]" in answer["error"]["reason"]
    assert ask(scene, "POST", f"{MODELS}/~nope/deployment/_start")[0] == 404


@pytest.mark.parametrize(
    ("method", "path", "status", "reason"),
    [
        ("GET", "/a/b/c", 400, "no handler found for uri [/a/b/c] and method [GET]"),
        ("POST", "/a/b/c", 400, "no handler found for uri [/a/b/c] and method [POST]"),
    ],
)
def test_a_call_that_is_not_there(cluster: RawCluster, method: str, path: str, status: int, reason: str) -> None:
    """Without security the APIs about users respond with the same error."""
    assert cluster.ask(method, path)[0] == status
    assert cluster.ask(method, path)[1]["error"] == reason


@pytest.mark.parametrize(("size", "shown"), [("0", "0b"), ("0b", "0b"), ("1536kb", "1.5mb")])
def test_a_cache_may_be_of_any_size(scene: RawCluster, size: str, shown: str) -> None:
    """Any cache size is accepted, also 0, and shown in the largest unit."""
    scene.deployment("cached", "m", cache_size=size)
    stats = do(scene, "GET", f"{MODELS}/~cached/_stats")["trained_model_stats"][0]["deployment_stats"]
    assert stats["cache_size"] == shown
    assert scene.ask("POST", f"{MODELS}/~m/deployment/_start?deployment_id=~x&cache_size=1")[0] == 400


def test_the_server_does_not_see_a_pipelines_own_handler(scene: RawCluster) -> None:
    """References in a pipeline's own `on_failure` do not refuse a stop."""
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
def test_an_alias_is_refused_in_the_same_words(scene: RawCluster, path: str, status: int, reason: str) -> None:
    """An alias belongs to one model, moves only between deployed models of a type, and cannot have a model's ID."""
    scene.model("other")
    ended, answer = ask(scene, "PUT", f"{MODELS}/~{path}")
    assert ended == status
    assert reason in answer["error"]["reason"]


def test_an_alias_moves_when_it_is_told_to_and_goes_when_nothing_references_it(scene: RawCluster) -> None:
    """An alias is reassigned to a deployed model only, and deleted only if nothing references it."""
    scene.model("other")
    scene.deployment("o", "other")
    assert ask(scene, "PUT", f"{MODELS}/~other/model_aliases/~an_alias?reassign=true")[0] == 200
    assert ask(scene, "DELETE", f"{MODELS}/~m/model_aliases/~an_alias")[0] == 409
    status, answer = ask(scene, "DELETE", f"{MODELS}/~other/model_aliases/~an_alias")
    assert (status, answer["error"]["reason"]) == (
        409,
        "Cannot delete model_alias [an_alias] as it is still referenced by ingest processors",
    )
    scene.alias("free", "other")
    assert ask(scene, "DELETE", f"{MODELS}/~other/model_aliases/~free")[0] == 200
    assert ask(scene, "DELETE", f"{MODELS}/~other/model_aliases/~free")[0] == 404


def test_an_alias_and_a_model_share_no_name(scene: RawCluster) -> None:
    """A model, and a deployment of another path, cannot have the name of an alias."""
    status, answer = ask(scene, "PUT", f"{MODELS}/~an_alias", {"model_type": "pytorch"})
    assert (status, "is the same as an existing model_alias" in answer["error"]["reason"]) == (400, True)
    assert ask(scene, "POST", f"{MODELS}/~m/deployment/_start?deployment_id=~an_alias")[0] == 400


def test_a_start_at_an_alias_takes_its_name(scene: RawCluster) -> None:
    """A deployment started through an alias has the alias as its ID and is stopped by it."""
    assert stop(scene, "an_alias") == (200, {"stopped": True})
    status, answer = ask(scene, "POST", f"{MODELS}/~an_alias/deployment/_start?wait_for=started")
    assert status == 200
    task = answer["assignment"]["task_parameters"]
    assert (task["deployment_id"], task["model_id"]) == ("an_alias", "m")
    assert scene.running() == ["an_alias", "d1", "d2", "e1"]
    assert stop(scene, "an_alias", {"force": True}) == (200, {"stopped": True})
    assert scene.running() == ["d1", "d2", "e1"]


def test_aliases_go_with_their_model(cluster: RawCluster) -> None:
    """Deleting a model deletes its aliases."""
    cluster.model("m")
    cluster.alias("an_alias", "m")
    cluster.do("DELETE", f"{MODELS}/~m")
    cluster.model("an_alias")


def test_who_may_only_read_is_refused_in_the_same_words(scene: RawCluster) -> None:
    """A user with read access can list deployments; a refusal names the action and the required privileges."""
    reader = viewer(scene)
    status, answer = ask(reader, "POST", f"{MODELS}/~d2/deployment/_stop")
    action = "cluster:admin/xpack/ml/trained_models/deployment/stop"
    grants = "this action is granted by the cluster privileges [manage_inference,manage_ml,manage,all]"
    who = f"user [{reader.username}] with effective roles [machine_learning_user]"
    assert (status, answer["error"]["type"]) == (403, "security_exception")
    assert answer["error"]["reason"] == scene.short(f"action [{action}] is unauthorized for {who}, {grants}")
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


def test_a_deployment_may_lose_its_model(scene: RawCluster) -> None:
    """With force a model is deleted although other deployments of it are running; `_all` omits these."""
    scene.do("DELETE", f"{MODELS}/~m?force=true")
    assert scene.running() == ["e1"]
    for expression in ("d1", "d*"):
        status, answer = ask(scene, "GET", f"{MODELS}/~{expression}/_stats")
        assert (status, "model_id [m]" in answer["error"]["reason"]) == (404, True)
    assert stop(scene, "d1", {"allow_no_match": False, "force": True}) == (200, {"stopped": True})


def test_a_deployment_that_was_scaled_to_zero_has_no_nodes(scene: RawCluster) -> None:
    """A deployment that is scaled to zero is started and fully allocated, without nodes."""
    scene.fault("d2", scaled_to_zero=True)
    stats = do(scene, "GET", f"{MODELS}/~d2/_stats")["trained_model_stats"][0]["deployment_stats"]
    assert (stats["state"], stats["number_of_allocations"], stats["nodes"]) == ("started", 0, [])
    assert stats["allocation_status"] == {
        "allocation_count": 0,
        "target_allocation_count": 0,
        "state": "fully_allocated",
    }


def test_a_failed_deployment_says_why(scene: RawCluster) -> None:
    """A failed deployment has a reason."""
    scene.fault("d2", state="failed", reason="crashed")
    stats = do(scene, "GET", f"{MODELS}/~d2/_stats")["trained_model_stats"][0]["deployment_stats"]
    assert (stats["state"], stats["reason"]) == ("failed", "crashed")


def test_the_clock_is_read(cluster: RawCluster) -> None:
    """The server's time is returned in seconds, as text."""
    (row,) = cluster.do("GET", "/_cat/health?h=epoch&format=json")
    assert abs(int(row["epoch"]) - time.time()) < 3_600
