import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

import pytest

from esml_stop.cluster.listing import MAX_MODELS, list_matching, patterns_after
from esml_stop.errors import Refused
from esml_stop.models import Deployment, Listing, Model
from esml_stop.plan.patterns import fits, is_pattern
from tests.support.builders import deployment
from tests.support.fakes import refusal


@dataclass
class FakeStats:
    """A fake of `_stats` that also has deployments whose model was deleted; `requests` records every request."""

    models: list[str]
    deployments: list[Deployment]
    requests: list[str] = field(default_factory=list)

    def request_stats(self, expression: str) -> tuple[int, Listing]:
        """Return the number of models that match and the listing of the first page, or raise a 404."""
        self.requests.append(expression)
        parts = expression.split(",")
        matches = matcher(parts)
        matched = [one for one in self.deployments if matches(one.deployment_id)]
        models = {*(one for one in self.models if matches(one))}
        if expression != "_all":
            models |= {one.model_id for one in matched}
        page = sorted(models & set(self.models))[:MAX_MODELS]
        names = {*page, *(one.deployment_id for one in matched)}
        missing = {one for one in parts if not is_pattern(one)} - names | (models - set(page) if len(parts) else set())
        if expression != "_all" and (missing := {one for one in missing if one not in self.models or one in parts}):
            text = f"No known trained model with model_id [{','.join(sorted(missing))}], you may need to create it"
            raise refusal(404, "resource_not_found_exception", text)
        listed = [one for one in self.deployments if one.model_id in page]
        return len(models & set(self.models)), Listing(tuple(listed), frozenset(page))

    def request_models(self, expression: str) -> tuple[Model, ...]:
        """Return the models that an expression matches, at most one page, in the form of `GET _ml/trained_models`."""
        self.requests.append(f"models {expression}")
        page = sorted(filter(matcher(expression.split(",")), self.models))[:MAX_MODELS]
        return tuple(Model(one, "tree_ensemble" if one.startswith("tree") else "pytorch") for one in page)


def fail_on_model_request(_: str) -> tuple[Model, ...]:
    """Fail, because the test expects no request for models."""
    raise AssertionError


def matcher(parts: Collection[str]) -> Callable[[str], bool]:
    """Return a function that checks whether a name matches any part of an expression."""
    exact = {part for part in parts if not is_pattern(part)}
    prefixes = ("",) if "_all" in parts else tuple(part[:-1] for part in parts if part[-1] == "*")
    return lambda name: name in exact or name.startswith(prefixes)


def listed_ids(stats: FakeStats, expression: str) -> list[str]:
    """Return the IDs of the deployments in the listing of an expression, sorted."""
    return sorted(
        one.deployment_id for one in list_matching(expression, stats.request_stats, stats.request_models).deployments
    )


def test_existing_deployments_are_found_with_one_request() -> None:
    """A deployment is found by its exact ID with one request."""
    stats = FakeStats(["m"], [deployment("a", "m")])
    assert (listed_ids(stats, "a"), stats.requests) == (["a"], ["a"])


def test_unknown_names_are_left_out_of_the_next_request() -> None:
    """After a 404, the request is repeated without the unknown names that its reason lists."""
    stats = FakeStats(["m"], [deployment("a", "m")])
    assert (listed_ids(stats, "a,x,y"), stats.requests) == (["a"], ["a,x,y", "a"])
    assert listed_ids(stats, "x,y") == []


def test_a_pattern_that_matches_an_orphan_falls_back_to_all() -> None:
    """If a pattern matches an orphan, the deployments come from `_all`, without the orphan."""
    stats = FakeStats(["m"], [deployment("a", "m"), deployment("a-orphan", "gone")])
    assert (listed_ids(stats, "a*"), stats.requests) == (["a"], ["a*", "_all"])


def test_an_orphan_is_found_by_its_exact_id() -> None:
    """An orphan is found by its exact ID, because the 404 names its deleted model instead of the ID."""
    stats = FakeStats(["m"], [deployment("a", "m"), deployment("orphan", "gone")])
    listing = list_matching("orphan,a,x", stats.request_stats, stats.request_models)
    (one,) = (one for one in listing.deployments if one.deployment_id == "orphan")
    assert (one.model_id, one.state, one.reason) == ("gone", "unknown", "Its model gone was deleted.")
    assert listed_ids(stats, "orphan,a,x") == ["a", "orphan"]
    stats.requests.clear()
    assert (listed_ids(stats, "orphan"), stats.requests) == (["orphan"], ["orphan", "orphan"])


def test_a_404_with_an_unknown_message_falls_back_to_all() -> None:
    """After a 404 whose reason has an unknown form, the deployments come from `_all`."""

    def request_stats(expression: str) -> tuple[int, Listing]:
        if expression != "_all":
            raise refusal(404, "resource_not_found_exception", "not here")
        return 1, Listing((deployment("a", "m"),), frozenset({"m"}))

    assert [one.deployment_id for one in list_matching("a", request_stats, fail_on_model_request).deployments] == ["a"]


def test_an_error_other_than_a_404_is_raised() -> None:
    """An error other than a 404, such as a 500, is raised."""

    def request_stats(_: str) -> tuple[int, Listing]:
        raise refusal(500)

    with pytest.raises(Refused):
        list_matching("a", request_stats, fail_on_model_request)


def test_more_models_than_a_response_holds_are_listed() -> None:
    """Models beyond the first 10,000 are requested with patterns for the IDs that sort after the last one."""
    models = [f"model-{number:05d}" for number in range(12_000)]
    deployments = [deployment("first", models[0]), deployment("last", models[-1]), deployment("middle", models[10_000])]
    stats = FakeStats(models, deployments)
    assert listed_ids(stats, "_all") == ["first", "last", "middle"]
    assert len(stats.requests) < 10
    assert stats.requests[-1] == "last,middle"  # only a request by deployment ID shows the references
    assert listed_ids(stats, "model-*") == ["first", "last", "middle"]


def test_orphans_hide_no_deployment_beyond_the_first_response() -> None:
    """Beyond 10,000 models, a pattern that matches an orphan is a 404, so models are requested by ID instead."""
    models = [*(f"model-{number:05d}" for number in range(12_000)), *(f"tree-{number}" for number in range(3_000))]
    deployments = [
        deployment("first", models[0]),
        deployment("last", models[11_999]),
        deployment("middle", models[10_500]),
    ]
    stats = FakeStats(models, [*deployments, deployment("orphan", "zz-gone"), deployment("model-11111", "gone")])
    assert listed_ids(stats, "_all") == ["first", "last", "middle"]
    assert len(stats.requests) < 40
    assert not any("tree-1," in one for one in stats.requests)  # tree ensembles have no deployments
    assert {"last", "orphan"} <= set(listed_ids(stats, "last,orphan"))


def test_a_model_deleted_between_requests_hides_no_other() -> None:
    """A model that is deleted between two requests hides no other model or deployment."""
    models = [f"model-{number:05d}" for number in range(10_200)]
    stats = FakeStats(models, [deployment("last", models[-1]), deployment("orphan", "zz")])
    listed = (Model("model-10100x", "pytorch"), Model(models[-1], "pytorch"))
    listing = list_matching("_all", stats.request_stats, lambda _: listed)
    assert [one.deployment_id for one in listing.deployments] == ["last"]


@pytest.mark.parametrize("last", ["m", "model-01999", "a.b_c-9", ".elser_model_2"])
def test_patterns_match_the_ids_after_a_given_id_and_none_before(last: str) -> None:
    """The patterns match IDs that sort after a given ID, none before it, and each list fits into a request line."""
    parts = list(patterns_after(last))
    patterns = ",".join(parts).split(",")
    for name in (f"{last}0", "zz", re.sub(r".$", "z", last) + "x"):
        assert name < last or matcher(patterns)(name), name
    for name in ("-a", last[:-1], f"{last[:-1]}-"):
        assert name >= last or not matcher(patterns)(name), name
    assert all(map(fits, parts))
