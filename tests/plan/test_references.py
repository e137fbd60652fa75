import pytest

from esml_stop.models import Deployment, Kind, Pipeline, Pipelines, Reference, Snapshot, Through
from esml_stop.plan.references import endpoint_uses, is_ambiguous, server_refuses, uses
from tests.support.builders import deployment, endpoint, short, snapshot


def test_an_unreferenced_deployment_has_no_uses() -> None:
    """A deployment without pipelines and endpoints has no uses."""
    assert uses(deployment("d"), snapshot(deployment("d"))) == ()


def test_endpoints_create_or_use_a_deployment() -> None:
    """An endpoint with the deployment's ID created it, and one whose settings contain the ID uses it."""
    found = endpoint_uses(deployment("d"), [endpoint("d"), endpoint("e", "d"), endpoint("x"), endpoint("y", "other")])
    assert {(one.id, one.through.value, one.kind) for one in found} == {
        ("d", "endpoint", Kind.ENDPOINT),
        ("e", "deployment", Kind.ENDPOINT),
    }


CASES = [
    # description, pipelines in `_stats` by deployment and by model, names in the definitions, expected references
    ("by its own ID, unread", ("p",), (), None, ["p deployment"]),
    ("by its model, unread", ("p",), ("p",), None, ["p model"]),
    ("different pipelines, unread", ("p",), ("q",), None, ["p deployment", "q model"]),
    ("one is not the model's, unread", ("p", "q"), ("q",), None, ["p deployment", "q deployment"]),
    ("by its own ID and its model", ("p",), ("p",), {"p": {"d", "m"}}, ["p deployment"]),
    (
        "one by its own ID, both by its model",
        ("p", "q"),
        ("p", "q"),
        {"p": {"d"}, "q": {"m"}},
        ["p deployment", "q model"],
    ),
    ("by an alias", ("p",), ("p",), {"p": {"alias"}}, ["p alias"]),
    (
        "only the pipeline itself says it",
        (),
        (),
        {"p": {"d"}, "q": {"alias", "x"}, "r": {"x"}},
        ["q alias", "p deployment"],
    ),
    ("only the statistics say it", ("p",), ("p",), {"p": {"x"}}, ["p model"]),
    ("it was not read", ("p",), (), {"q": {"x"}}, ["p deployment"]),
]


@pytest.mark.parametrize(
    ("_case", "by_deployment", "by_model", "definitions", "references"), CASES, ids=[c[0] for c in CASES]
)
def test_the_reference_of_a_pipeline_is_determined(
    _case: str,
    by_deployment: tuple[str, ...],
    by_model: tuple[str, ...],
    definitions: dict[str, set[str]] | None,
    references: list[str],
) -> None:
    """Pipeline definitions show what a pipeline references; without them, `_stats` does as far as possible."""
    one = deployment("d", "m", *by_deployment)
    pipelines = (
        None
        if definitions is None
        else Pipelines({name: Pipeline(frozenset(names)) for name, names in definitions.items()})
    )
    seen = snapshot(one, models={"m": by_model}, pipelines=pipelines, aliases={"m": frozenset({"alias"})})
    assert short(uses(one, seen)) == references


def test_a_deployment_named_like_its_model_can_be_referenced_by_an_alias() -> None:
    """A pipeline that references a model or its alias references a deployment with the model's ID, too."""
    one = deployment("m", "m", "p", "q")
    pipelines = Pipelines({"p": Pipeline(frozenset({"m"})), "q": Pipeline(frozenset({"alias"}))})
    seen = snapshot(one, models={"m": ("p", "q")}, pipelines=pipelines, aliases={"m": frozenset({"alias"})})
    assert short(uses(one, seen)) == ["q alias", "p deployment"]
    assert not is_ambiguous(one, seen)
    assert short(uses(one, snapshot(one, models={"m": ("p", "q")}))) == ["p deployment", "q deployment"]


def test_the_server_refuses_only_for_references_to_the_deployment() -> None:
    """The server refuses for endpoints, for the deployment ID, and for aliases of a model with the same ID."""
    for through, name, expected in (
        (Through.DEPLOYMENT, "d", True),
        (Through.ENDPOINT, "d", True),
        (Through.MODEL, "d", False),
        (Through.ALIAS, "d", False),
        (Through.ALIAS, "m", True),
    ):
        assert server_refuses(Reference(Kind.PIPELINE, "p", through), deployment(name, "m")) is expected


def test_each_use_is_listed_once_and_sorted() -> None:
    """Each use is listed once, with its most direct reference, endpoints before pipelines."""
    one = deployment("d", "m", "b", "a")
    seen = snapshot(one, models={"m": ("a", "c")}, endpoints=(endpoint("d"), endpoint("z", "d")))
    assert short(uses(one, seen)) == ["z deployment", "d endpoint", "a deployment", "b deployment", "c model"]


def test_pipelines_of_any_sibling_reference_the_model() -> None:
    """A pipeline that the response by model shows for any of its deployments references the model."""
    siblings = (Deployment("x", "m", "started"), Deployment("y", "m", "started", frozenset({"p"})))
    assert short(uses(deployment("d", "m", "q"), Snapshot((), {"m": siblings}))) == ["q deployment", "p model"]


@pytest.mark.parametrize(
    ("one", "by_model", "expected"),
    [
        (deployment("d", "m", "p"), ("p",), True),
        (deployment("d", "m", "p"), ("q",), False),
        (deployment("d", "m", "p"), (), False),
        (deployment("d", "m"), (), False),
        (deployment("m", "m", "p"), ("p",), False),
    ],
)
def test_only_equal_responses_are_ambiguous(one: Deployment, by_model: tuple[str, ...], expected: bool) -> None:
    """A reference is ambiguous only if both responses show the same pipelines and the two IDs differ."""
    assert is_ambiguous(one, snapshot(one, models={"m": by_model})) is expected
