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
class Asking:
    """A reader of a practice cluster that records its requests."""

    cluster: RawCluster
    reader: Reader
    asked: list[str] = field(default_factory=list)

    def read(self, selection: Selection, *, check: bool = True) -> Snapshot:
        """Clear the recorded requests and return a snapshot."""
        self.asked.clear()
        return self.reader.read(selection, check=check)


@pytest.fixture
def asking() -> Iterator[Asking]:
    """Yield a reader of a practice cluster with one model, its alias and two deployments."""
    with serve(empty=True) as server:
        asked: list[str] = []
        cluster = Cluster(
            Connection((server.url,)),
            on_request=lambda one: asked.append(unquote(one.path.rpartition("?")[0] or one.path)),
        )
        raw = RawCluster(server.url)
        raw.model("m")
        raw.alias("an_alias", "m")
        raw.deployment("d1", "m")
        raw.deployment("d2", "m")
        yield Asking(raw, Reader(cluster, Deadline(30), lambda _: None), asked)
        cluster.close()


FIRST = ["/_inference/_all", "/_ingest/pipeline", "/_ml/trained_models/d1/_stats"]


def test_a_free_deployment_takes_three_questions(asking: Asking) -> None:
    """Deployments, endpoints and pipelines are read with three concurrent requests."""
    seen = asking.read(Selection(("d1",)))
    assert sorted(asking.asked) == FIRST
    assert [one.deployment_id for one in seen.deployments] == ["d1"]
    assert (seen.endpoints, seen.not_checked) == ((), ())


def test_a_pipeline_takes_a_question_by_the_model(asking: Asking) -> None:
    """If a pipeline references the deployment, all deployments and aliases of its model are requested."""
    asking.cluster.pipeline("p", "d1")
    seen = asking.read(Selection(("d1",)))
    assert sorted(asking.asked[3:]) == ["/_ml/trained_models/m", "/_ml/trained_models/m/_stats"]
    assert [one.deployment_id for one in seen.by_model["m"]] == ["d1", "d2"]
    assert short(uses(seen.deployments[0], seen)) == ["p deployment"]


def test_pipeline_definitions_show_the_referenced_name(asking: Asking) -> None:
    """References are found even if the pipeline ID has a comma or only the pipeline's `on_failure` contains them."""
    asking.cluster.pipeline("p,q", "an_alias", "d1")
    asking.cluster.pipeline("by-alias", "an_alias")
    handler = [{"inference": {"model_id": "an_alias"}}]
    asking.cluster.do("PUT", "/_ingest/pipeline/hidden", {"processors": [], "on_failure": handler})
    seen = asking.read(Selection(("d1",)))
    assert short(uses(seen.deployments[0], seen)) == ["by-alias alias", "hidden alias", "p,q deployment"]
    assert {one.alias for one in uses(seen.deployments[0], seen)} == {"an_alias", None}


def test_a_name_in_a_handler_can_be_an_alias(asking: Asking) -> None:
    """If only an `on_failure` references an unknown name, aliases are requested, because `_stats` does not show it."""
    handler = [{"inference": {"model_id": "an_alias"}}]
    asking.cluster.do("PUT", "/_ingest/pipeline/hidden", {"processors": [], "on_failure": handler})
    seen = asking.read(Selection(("d1",)))
    assert short(uses(seen.deployments[0], seen)) == ["hidden alias"]


def test_a_deleted_model_does_not_hide_the_aliases_of_others(asking: Asking) -> None:
    """The aliases of a model are found although another requested deployment has lost its model."""
    raw = asking.cluster
    raw.model("gone")
    raw.deployment("orphan", "gone")
    raw.pipeline("q", "gone")
    raw.do("PUT", "/_ingest/pipeline/hidden", {"on_failure": [{"inference": {"model_id": "an_alias"}}]})
    raw.do("DELETE", "/_ml/trained_models/gone?force=true")
    seen = asking.read(Selection(("d1", "orphan")))
    assert [short(uses(one, seen)) for one in seen.deployments] == [["hidden alias"], ["q model"]]


def test_aliases_that_cannot_be_read_are_not_checked(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unreadable aliases are reported, because a pipeline may reference one."""
    asking.cluster.pipeline("p", "an_alias")

    def refused(*_: object) -> None:
        raise refusal(403)

    monkeypatch.setattr(asking.reader.cluster, "model_configs", refused)
    assert [one.what for one in asking.read(Selection(("d1",))).not_checked] == ["model aliases"]


def test_deployments_of_a_model_are_requested_by_model_and_by_id(asking: Asking) -> None:
    """Deployments of a model are requested by model ID and by deployment ID, to find references to both."""
    seen = asking.read(Selection((), ("an_alias",)))
    assert [one for one in asking.asked if one not in FIRST] == [
        "/_ml/trained_models/an_alias",
        "/_ml/trained_models/m/_stats",
        "/_ml/trained_models/d1,d2/_stats",
    ]
    assert seen.model_ids == {"an_alias": "m"}
    assert sorted(one.deployment_id for one in seen.deployments) == ["d1", "d2"]


def test_without_check_one_request_is_made_and_no_uses_are_reported(asking: Asking) -> None:
    """Without check, one request is made, and no uses are reported, even if the response shows pipelines."""
    asking.cluster.pipeline("p", "d1")
    seen = asking.read(Selection(("d1",)), check=False)
    assert asking.asked == FIRST[2:]
    assert uses(seen.deployments[0], seen) == ()
    assert seen.not_checked == (NotChecked("what uses the deployment", "--no-check"),)


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
def test_an_unknown_name_is_looked_up_for_a_hint(asking: Asking, name: str, hint: str | None) -> None:
    """The hint for an unknown name says what it is, or suggests a similar deployment ID."""
    asking.cluster.model("tree", "tree_ensemble")
    asking.cluster.model("lonely")
    asking.cluster.model("other")
    asking.cluster.deployment("my_search", "other")
    asking.cluster.endpoint("an_endpoint", deployment_id="d1", model_id="m")
    asking.cluster.endpoint("old_endpoint", model_id="elser")
    asking.cluster.do("POST", "/_ml/trained_models/old_endpoint/deployment/_stop", {"force": True})
    assert asking.read(Selection((name,))).hints.get(name) == hint


def test_many_unknown_names_do_not_take_many_questions(asking: Asking) -> None:
    """Only a few unknown names are looked up, so that a long list of wrong IDs does not flood the cluster."""
    asking.read(Selection(tuple(f"nope-{number}" for number in range(100))))
    assert len(asking.asked) < 10


def test_the_identity_of_the_cluster_is_requested_once(asking: Asking) -> None:
    """Version, name and UUID of the cluster come from one request."""
    assert asking.reader.stops_deployments
    assert asking.reader.identity().uuid
    assert asking.reader.identity() == asking.reader.identity()
    assert asking.asked == ["/"]
