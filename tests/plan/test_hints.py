import pytest

from esml_stop.models import Endpoint, Model
from esml_stop.plan.hints import Hint, alike, of_endpoint, of_model
from tests.support.builders import deployment


@pytest.mark.parametrize(
    ("name", "running", "expected"),
    [
        ("my_serch", ["my_search"], ["my_search"]),
        ("ym_model", ["my_model"], ["my_model"]),
        ("My_Model", ["my_model"], ["my_model"]),
        ("my_model", ["My_Model", "MY_MODEL"], ["MY_MODEL", "My_Model"]),
        ("ci-1", ["ci-3"], []),
        ("ci-1", ["ci-12"], []),
        ("ci-1-search", ["ci-2-search", "ci-1-serach"], ["ci-1-serach"]),
        ("abc", ["something_else"], []),
        ("my_mod", ["my_mod_a", "my_mod_b", "other"], ["my_mod_a", "my_mod_b"]),
        ("my_mod", ["my_mod_a", "my_mod_b", "my_mod_c", "my_mod_long"], ["my_mod_a", "my_mod_b", "my_mod_c"]),
    ],
)
def test_similar_ids_are_suggested(name: str, running: list[str], expected: list[str]) -> None:
    """At most three similar IDs are suggested, regardless of case, but none that differs only in digits."""
    hint = alike(name, running)
    suggested = hint.text.removeprefix("did you mean ").removesuffix("?").split(" or ") if hint else []
    assert sorted(suggested) == expected


def test_the_hint_for_a_model_names_its_running_deployments() -> None:
    """The hint for a model or a model alias names its running deployments, or says that there are none."""
    running = [deployment("b", "m"), deployment("a", "m"), deployment("x", "other")]
    model = Model("m", "pytorch")
    assert of_model("m", model, running) == Hint("is a model; its deployments are a, b: use --model m", ("a", "b"))
    assert of_model("m", model, []) == Hint("is a model, which has no deployments")
    assert of_model("al", model, running).text.startswith("is a model alias of m; its deployments are a, b")
    assert (
        of_model("t", Model("t", "tree_ensemble"), []).text
        == "is a model of type tree_ensemble, which has no deployments"
    )


def test_the_hint_for_an_endpoint_names_its_deployment() -> None:
    """The hint for an endpoint names the deployment that it uses, or says that its own deployment is not running."""
    endpoints = [Endpoint("e", "d"), Endpoint("own", None)]
    assert of_endpoint("e", endpoints) == Hint("is an inference endpoint that uses deployment d")
    assert of_endpoint("own", endpoints) == Hint("is an inference endpoint, and its deployment is not running")
    assert of_endpoint("d", endpoints) is None
