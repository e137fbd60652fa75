import pytest

from esml_stop.models import Deployment, Kind, Snapshot
from esml_stop.plan.references import endpoint_uses, is_doubtful, pipelines_of, uses
from tests.support.builders import deployment, endpoint, short, snapshot


def test_nothing_uses_a_free_deployment() -> None:
    """No pipelines and no endpoints make no uses."""
    assert uses(deployment("d"), snapshot(deployment("d"))) == ()


def test_endpoints_own_or_use_a_deployment() -> None:
    """One with the deployment's ID owns it, one that was given the ID uses it; the others are none of its business."""
    found = endpoint_uses(deployment("d"), [endpoint("d"), endpoint("e", "d"), endpoint("x"), endpoint("y", "other")])
    assert {(one.id, one.through.value, one.kind) for one in found} == {
        ("d", "endpoint", Kind.ENDPOINT),
        ("e", "deployment", Kind.ENDPOINT),
    }


CASES = [
    # what the question by deployment showed, what the one by model showed, what pipelines were read to name
    ("named by its own ID", ("p",), (), {}, {"p"}, set()),
    ("model named, asked by ID falls back to it", ("p",), ("p",), {}, set(), {"p"}),
    ("both, by different pipelines", ("p",), ("q",), {}, {"p"}, {"q"}),
    ("both, by the same pipeline, which was read", ("p",), ("p",), {"p": {"d", "m"}}, {"p"}, {"p"}),
    (
        "the same, of two only one names the deployment",
        ("p", "q"),
        ("p", "q"),
        {"p": {"d"}, "q": {"m"}},
        {"p"},
        {"p", "q"},
    ),
    ("the read pipeline names an alias", ("p",), ("p",), {"p": {"alias"}}, set(), {"p"}),
    ("not one of them is the same", ("p", "q"), ("q",), {}, {"p", "q"}, {"q"}),
]


@pytest.mark.parametrize(
    ("_case", "own", "model", "named", "by_deployment", "by_model"), CASES, ids=[c[0] for c in CASES]
)
def test_pipelines_are_told_apart(
    _case: str,
    own: tuple[str, ...],
    model: tuple[str, ...],
    named: dict[str, set[str]],
    by_deployment: set[str],
    by_model: set[str],
) -> None:
    """Two questions tell which name a pipeline uses; where both answers are equal, the pipeline itself does."""
    one = deployment("d", "m", *own)
    seen = snapshot(one, models={"m": model}, named={key: frozenset(value) for key, value in named.items()})
    assert pipelines_of(one, seen) == (frozenset(by_deployment), frozenset(by_model))


def test_a_deployment_called_like_its_model_is_named_by_its_pipelines() -> None:
    """Both names are the same; the server looks at aliases then, too."""
    one = deployment("m", "m", "p")
    assert pipelines_of(one, snapshot(one, models={"m": ("p",)})) == (frozenset({"p"}), frozenset({"p"}))
    assert not is_doubtful(one, snapshot(one, models={"m": ("p",)}))


def test_each_use_is_named_once_and_sorted() -> None:
    """A pipeline that names both counts for the deployment; endpoints first, then pipelines by their IDs."""
    one = deployment("d", "m", "b", "a")
    seen = snapshot(one, models={"m": ("a", "c")}, endpoints=(endpoint("d"), endpoint("z", "d")))
    assert short(uses(one, seen)) == ["z deployment", "d endpoint", "a deployment", "b deployment", "c model"]


def test_pipelines_of_every_sibling_count_for_the_model() -> None:
    """An answer by model shows the same pipelines for each of its deployments; one is enough."""
    siblings = (Deployment("x", "m", "started"), Deployment("y", "m", "started", frozenset({"p"})))
    assert short(uses(deployment("d", "m", "q"), Snapshot((), {"m": siblings}))) == ["q deployment", "p model"]


@pytest.mark.parametrize(
    ("one", "model", "yes"),
    [
        (deployment("d", "m", "p"), ("p",), True),
        (deployment("d", "m", "p"), ("q",), False),
        (deployment("d", "m", "p"), (), False),
        (deployment("d", "m"), (), False),
        (deployment("m", "m", "p"), ("p",), False),
    ],
)
def test_only_equal_answers_leave_a_doubt(one: Deployment, model: tuple[str, ...], yes: bool) -> None:
    """And only where there is a pipeline, and the two names differ."""
    assert is_doubtful(one, snapshot(one, models={"m": model})) is yes
