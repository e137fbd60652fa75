"""Tests that scenarios change and remove only objects with their own prefix."""

import pytest

from tests.support.clean import cleaner
from tests.support.logins import as_key, as_user
from tests.support.raw_cluster import MODELS, RawCluster

pytestmark = pytest.mark.scenario


def test_the_cleaner_removes_every_object_of_a_scenario(cluster: RawCluster) -> None:
    """The cleaner removes every object of a scenario, including a deployment of a deleted model, and leaves nothing."""
    for model in ("m", "gone"):
        cluster.model(model)
        cluster.deployment(f"{model}-1", model)
    cluster.model("tree", "tree_ensemble")
    cluster.alias("alias", "m")
    cluster.pipeline("p", "m-1", "alias")
    cluster.endpoint("own", model_id="m")
    cluster.endpoint("uses", deployment_id="m-1", model_id="m")
    cluster.do("DELETE", f"{MODELS}/~gone?force=true")
    # The deployment that an endpoint created is removed with the endpoint.
    expected_counts = {"inference endpoints": 2, "ingest pipelines": 1, "deployments": 2, "models": 3}
    if cluster.username:
        as_user(cluster, ["viewer"], ["manage_ml"])
        as_key(cluster, ["manage_ml"])
        expected_counts |= {"users": 1, "roles": 1, "API keys": 1}
    scenario_cleaner = cleaner(cluster, [cluster.prefix])
    removed = scenario_cleaner.clean()
    assert {kind: len(names) for kind, names in removed.items()} == expected_counts
    assert scenario_cleaner.leftovers() == scenario_cleaner.clean() == {}
    assert cluster.ask("POST", f"{MODELS}/~gone-1/deployment/_stop", {"allow_no_match": False})[0] == 404


def test_names_without_the_prefix_are_rejected(cluster: RawCluster) -> None:
    """A changing request for a name without the prefix fails, and so does a cleaner for a shorter prefix."""
    for method, path in (
        ("DELETE", f"{MODELS}/m"),
        ("PUT", f"{MODELS}/~m/model_aliases/a"),
        ("DELETE", f"{MODELS}/_all"),
    ):
        with pytest.raises(AssertionError, match="not ours"):
            cluster.do(method, path)
    with pytest.raises(AssertionError):
        cleaner(cluster, ["esml"])


def test_unlisted_requests_are_rejected(cluster: RawCluster) -> None:
    """A request or a query parameter that docs/scenarios.md does not list fails with an AssertionError."""
    for method, path in (("GET", "/_cat/health"), ("PUT", "/~index"), ("GET", f"{MODELS}/~m?tags=a")):
        with pytest.raises(AssertionError, match=r"is not in docs/scenarios\.md"):
            cluster.ask(method, path)
