"""Checks that scenarios remove everything that they create, and nothing else."""

import pytest

from tests.support.clean import cleaner
from tests.support.logins import as_key, as_user
from tests.support.raw_cluster import MODELS, RawCluster

pytestmark = pytest.mark.scenario


def test_everything_that_a_scenario_can_make_is_removed(cluster: RawCluster) -> None:
    """Everything is removed, also a deployment whose model was deleted; a second clean-up finds nothing."""
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
    made = {"inference endpoints": 2, "ingest pipelines": 1, "deployments": 2, "models": 3}
    if cluster.username:
        as_user(cluster, ["viewer"], ["manage_ml"])
        as_key(cluster, ["manage_ml"])
        made |= {"users": 1, "roles": 1, "API keys": 1}
    ours = cleaner(cluster, [cluster.prefix])
    removed = ours.clean()
    assert {what: len(names) for what, names in removed.items()} == made
    assert ours.leftovers() == ours.clean() == {}
    assert cluster.ask("POST", f"{MODELS}/~gone-1/deployment/_stop", {"allow_no_match": False})[0] == 404


def test_names_without_the_prefix_are_rejected(cluster: RawCluster) -> None:
    """A change of something without the prefix, and a clean-up with a shorter prefix, fail before any request."""
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
    """A request or query parameter that docs/scenarios.md does not list fails before it is sent."""
    for method, path in (("GET", "/_cat/health"), ("PUT", "/~index"), ("GET", f"{MODELS}/~m?tags=a")):
        with pytest.raises(AssertionError, match=r"is not in docs/scenarios\.md"):
            cluster.ask(method, path)
