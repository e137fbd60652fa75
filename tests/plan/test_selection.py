from esml_stop.plan.patterns import Wanted
from esml_stop.plan.selection import chosen, select
from tests.support.builders import deployment, snapshot


def ids(wanted: Wanted, *deployments: object, **more: object) -> list[tuple[str, list[str]]]:
    """Return each name with the IDs it selects."""
    found = select(wanted, snapshot(*deployments, **more))  # type: ignore[arg-type]
    return [(name, [one.deployment_id for one in group]) for name, group in found]


def test_only_deployment_ids_count_for_a_name() -> None:
    """A deployment is not chosen because its model is called so."""
    found = ids(Wanted(("m", "m*")), deployment("d", "m"), deployment("m2", "x"))
    assert found == [("m", []), ("m*", ["m2"])]


def test_a_pattern_chooses_in_the_order_of_the_ids() -> None:
    """Names keep their order; what one pattern finds is sorted."""
    found = ids(Wanted(("z", "a*")), deployment("a2"), deployment("z"), deployment("a1"))
    assert found == [("z", ["z"]), ("a*", ["a1", "a2"])]


def test_a_model_chooses_its_deployments_also_by_its_alias() -> None:
    """The alias was looked up; what it means counts."""
    found = ids(Wanted((), ("alias", "other")), deployment("d", "m"), deployment("e", "o"), aliased={"alias": "m"})
    assert found == [("alias", ["d"]), ("other", [])]


def test_each_deployment_is_chosen_once() -> None:
    """However many names mean it."""
    found = chosen(Wanted(("d", "d*", "_all"), ("m",)), snapshot(deployment("d", "m"), deployment("x", "m")))
    assert [one.deployment_id for one in found] == ["d", "x"]


def test_what_was_used_since_is_not_chosen() -> None:
    """What is not known to be idle is not taken for idle, and requests in flight count whatever the clocks say."""
    found = chosen(
        Wanted(("_all",), idle_before=1_000),
        snapshot(
            deployment("used", start_time=1, idle_since=1_000),
            deployment("idle", start_time=1, idle_since=999),
            deployment("queued", start_time=1, idle_since=999, pending=1),
            deployment("asked", start_time=1, idle_since=999, last_minute=1),
            deployment("unknown", start_time=1),
        ),
    )
    assert [one.deployment_id for one in found] == ["idle"]
