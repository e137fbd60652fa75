import pytest

from tests.support.command import Ended
from tests.support.raw_cluster import RawCluster
from tests.support.runner import Run

pytestmark = pytest.mark.scenario


def uses(ended: Ended) -> list[list[tuple[str, str, str]]]:
    """Return the uses of each deployment in a JSON report, as kind, ID and type of reference."""
    return [[(use["kind"], use["id"], use["through"]) for use in one["used_by"]] for one in ended.json["deployments"]]


@pytest.mark.parametrize("name", ["m", "an_alias"])
def test_the_last_deployment_of_a_referenced_model_is_refused(cluster: RawCluster, run: Run, name: str) -> None:
    """The last deployment of a referenced model or alias is refused, although Elasticsearch would stop it."""
    cluster.model("m")
    cluster.deployment("only", "m")
    cluster.alias("an_alias", "m")
    cluster.pipeline("esml-p", name)
    ended = run("stop", "only", "-o", "json")
    assert ended.status == 5
    through = "model" if name == "m" else "alias"
    assert uses(ended) == [[("ingest_pipeline", "esml-p", through)]]
    assert ended.json["deployments"][0]["used_by"][0]["alias"] == (None if name == "m" else "an_alias")
    assert "This is the last running deployment of model m." in ended.err
    assert cluster.running() == ["only"]
    assert run("stop", "only", "--force").status == 0
    assert cluster.running() == []


def test_one_of_two_deployments_can_be_stopped_but_not_both(cluster: RawCluster, run: Run) -> None:
    """If a pipeline references a model with two deployments, one of them can be stopped, but not both."""
    cluster.model("m")
    cluster.deployment("one", "m")
    cluster.deployment("two", "m")
    cluster.pipeline("esml-p", "m")
    both = run("stop", "one", "two")
    assert (both.status, both.outcomes) == (5, {"one": "in_use", "two": "in_use"})
    assert run("stop", "one").outcomes == {"one": "stopped"}
    assert run("stop", "two").outcomes == {"two": "in_use"}
    assert cluster.running() == ["two"]


def test_force_warns_only_about_uses_that_fail(cluster: RawCluster, run: Run) -> None:
    """--force warns about a pipeline only if it stops the last deployment of the referenced model."""
    cluster.model("m")
    cluster.deployment("one", "m")
    cluster.deployment("two", "m")
    cluster.pipeline("esml-p", "m")
    first = run("stop", "one", "--force")
    assert (first.status, "warning" in first.err) == (0, False)
    dry_run = run("stop", "two", "--force", "--dry-run")
    assert "two is in use: ingest pipeline esml-p" in dry_run.err
    assert "These would fail until it is restarted." in dry_run.err
    last = run("stop", "two", "--force")
    assert "two was in use: ingest pipeline esml-p references its model. These will fail until" in last.err
    assert cluster.running() == []


def test_a_refused_deployment_keeps_the_model_available(cluster: RawCluster, run: Run) -> None:
    """If one deployment of a referenced model is refused, the same command can stop the other one."""
    cluster.model("m")
    cluster.deployment("named", "m")
    cluster.deployment("free", "m")
    cluster.pipeline("esml-p1", "named")
    cluster.pipeline("esml-p2", "m")
    ended = run("stop", "named", "free")
    assert (ended.status, ended.outcomes) == (5, {"named": "in_use", "free": "stopped"})
    assert cluster.running() == ["named"]


def test_pipeline_definitions_show_which_name_is_referenced(cluster: RawCluster, run: Run) -> None:
    """Pipeline definitions, including nested processors, show whether a deployment or its model is referenced."""
    cluster.model("m")
    cluster.deployment("one", "m")
    cluster.deployment("two", "m")
    processor, by_model = ({"inference": {"model_id": name}} for name in ("~one", "~m"))
    nested = {"foreach": {"field": "f", "processor": {"set": {"field": "x", "value": 1, "on_failure": [processor]}}}}
    cluster.do("PUT", "/_ingest/pipeline/~esml-p", {"processors": [by_model, nested, processor]})
    ended = run("stop", "one", "two", "--dry-run", "-o", "json")
    assert uses(ended) == [[("ingest_pipeline", "esml-p", "deployment")], [("ingest_pipeline", "esml-p", "model")]]
    assert [one["outcome"] for one in ended.json["deployments"]] == ["in_use", "would_stop"]


@pytest.mark.faults
def test_endpoints_are_checked_on_old_servers_too(cluster: RawCluster, run: Run) -> None:
    """The deployment of an endpoint is also refused on servers that do not check endpoints themselves."""
    cluster.reset(endpoint_check=False)
    test_a_deployment_of_an_inference_endpoint_is_refused(cluster, run)


def test_a_deployment_of_an_inference_endpoint_is_refused(cluster: RawCluster, run: Run) -> None:
    """A deployment that an endpoint created or uses is refused with the endpoint's ID; --force stops it."""
    cluster.model("m")
    cluster.endpoint("my-elser", model_id="m")
    cluster.deployment("shared", "m")
    cluster.endpoint("my-endpoint", deployment_id="shared", model_id="m")
    ended = run("stop", "my-elser", "shared", "-o", "json")
    assert ended.status == 5
    assert uses(ended) == [
        [("inference_endpoint", "my-elser", "endpoint")],
        [("inference_endpoint", "my-endpoint", "deployment")],
    ]
    assert "inference endpoint my-elser created this deployment" in ended.err
    assert "inference endpoint my-endpoint uses this deployment" in ended.err
    assert cluster.running() == ["my-elser", "shared"]
    assert run("stop", "my-elser", "shared", "--force").status == 0
    assert cluster.running() == []


def test_a_refusal_does_not_prevent_other_stops(cluster: RawCluster, run: Run) -> None:
    """If one deployment is refused, the others are stopped and the exit code is 5."""
    cluster.model("m")
    for name in ("a", "b", "c"):
        cluster.deployment(name, "m")
    cluster.pipeline("esml-p", "b")
    ended = run("stop", "a", "b", "c")
    assert (ended.status, ended.outcomes) == (5, {"a": "stopped", "b": "in_use", "c": "stopped"})
    assert cluster.running() == ["b"]


def test_a_deployment_with_its_models_id_is_refused_for_an_alias(cluster: RawCluster, run: Run) -> None:
    """A deployment with its model's ID is refused if a pipeline references an alias, also in a dry run."""
    cluster.model("elser")
    cluster.deployment("elser", "elser")
    cluster.deployment("second", "elser")
    cluster.alias("an_alias", "elser")
    cluster.pipeline("esml-p", "an_alias")
    assert run("stop", "elser", "--dry-run").status == 5
    assert run("stop", "elser").status == 5
    assert cluster.running() == ["elser", "second"]


def test_force_reports_no_failing_uses_if_another_deployment_is_left(cluster: RawCluster, run: Run) -> None:
    """--force reports no failing uses if another deployment serves the referenced model."""
    cluster.model("m")
    cluster.deployment("m", "m")
    cluster.deployment("second", "m")
    cluster.pipeline("esml-p", "m")
    assert run("stop", "m").status == 5
    forced = run("stop", "m", "--force")
    assert (forced.status, "was in use" in forced.err) == (0, False)


def test_a_refusal_names_everything_that_force_would_break(cluster: RawCluster, run: Run) -> None:
    """A refusal names both the pipeline that references the deployment and the one that references its model."""
    cluster.model("both")
    cluster.deployment("b1", "both")
    cluster.pipeline("esml-p1", "b1")
    cluster.pipeline("esml-p2", "both")
    ended = run("stop", "b1")
    assert (ended.status, "esml-p1" in ended.err, "esml-p2" in ended.err) == (5, True, True)


def test_a_reference_in_the_on_failure_of_a_pipeline_is_found(cluster: RawCluster, run: Run) -> None:
    """A reference in a pipeline's own `on_failure` is found, although Elasticsearch's own check does not find it."""
    cluster.model("m")
    cluster.deployment("d", "m")
    handler = [{"inference": {"model_id": "~d"}}]
    cluster.do("PUT", "/_ingest/pipeline/~esml-p", {"processors": [], "on_failure": handler})
    ended = run("stop", "d", "-o", "json")
    assert (ended.status, uses(ended)) == (5, [[("ingest_pipeline", "esml-p", "deployment")]])
    assert cluster.running() == ["d"]


def test_a_pipeline_with_a_comma_in_its_id_is_checked(cluster: RawCluster, run: Run) -> None:
    """The definition of a pipeline with a comma in its ID is read, and shows that it references the model."""
    cluster.model("m")
    cluster.deployment("d", "m")
    cluster.deployment("e", "m")
    cluster.do("PUT", "/_ingest/pipeline/~esml-p%2Cq", {"processors": [{"inference": {"model_id": "~m"}}]})
    ended = run("stop", "d", "-o", "json")
    assert (ended.status, uses(ended)) == (0, [[("ingest_pipeline", "esml-p,q", "model")]])
    assert ended.json["deployments"][0]["not_checked"] == []
