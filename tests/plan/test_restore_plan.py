from dataclasses import replace
from typing import Any

import pytest

from esml_stop.models import Deployment
from esml_stop.outcomes import Outcome, Result, Target
from esml_stop.plan.patterns import Selection
from esml_stop.plan.restore_plan import plan, updated
from tests.support.builders import deployment

ALL = Selection(("_all",))


def outcomes(results: tuple[Result, ...]) -> dict[str, str]:
    """Return the outcome of each target by deployment ID."""
    return {one.deployment_id: one.outcome.value for one in results}


def running(*deployments: Deployment) -> dict[str, Deployment]:
    """Return the running deployments by ID."""
    return {one.deployment_id: one for one in deployments}


SAVED = (
    deployment("a", state="stopped", queue_capacity=9),
    deployment("b", state="stopped"),
    deployment("c", state="stopped"),
)


def test_only_deployments_that_are_not_running_are_started() -> None:
    """Deployments that are not running are started, in the order of the file or of the given names."""
    assert outcomes(plan(ALL, SAVED, running(deployment("b")))) == {
        "a": "would_start",
        "b": "already_running",
        "c": "would_start",
    }
    assert list(outcomes(plan(Selection(("c", "a*", "c")), SAVED, {}))) == ["c", "a"]


def test_names_select_deployments_from_the_file() -> None:
    """A name that is not in the file is not found, and with --no-allow-no-match nothing is started."""
    assert outcomes(plan(Selection(("x", "a", "y*")), SAVED, {})) == {
        "x": "not_found",
        "a": "would_start",
        "y*": "not_found",
    }
    results = plan(Selection(("x", "a", "b")), SAVED, running(deployment("b")), strict=True)
    assert outcomes(results) == {"x": "not_found", "a": "not_attempted", "b": "already_running"}
    assert outcomes(plan(Selection(("a",)), SAVED, {}, strict=True)) == {"a": "would_start"}


@pytest.mark.parametrize(
    ("found", "outcome", "message"),
    [
        ({"state": "starting"}, "already_running", None),
        ({"state": "stopping"}, "would_start", None),
        ({"state": "failed"}, "failed", "It exists, but it has failed."),
        ({"queue_capacity": 5}, "differs", "It is running with different settings: queue_capacity is 5, not 9."),
        ({"model_id": "x"}, "differs", "It is running with different settings: its model is x, not m."),
    ],
)
def test_the_listed_state_determines_the_plan(found: dict[str, Any], outcome: str, message: str | None) -> None:
    """A starting deployment counts as running, a stopping one is started, a failed or different one is not changed."""
    (one,) = plan(Selection(("a",)), SAVED, running(deployment("a", **({"queue_capacity": 9} | found))))
    assert (one.outcome.value, one.error and one.error.message) == (outcome, message)
    assert one.target.deployment
    assert one.target.deployment.state == found.get("state", "started")


def test_a_missing_model_fails_in_the_plan() -> None:
    """If the models are known, a deployment without its model fails in the plan, unless it is running."""
    (gone,) = plan(Selection(("a",)), SAVED, {}, models={"other"})
    assert (gone.outcome, gone.error and gone.error.message) == (Outcome.FAILED, "Model m is not on this cluster.")
    assert outcomes(plan(Selection(("a",)), SAVED, {}, models={"m"})) == {"a": "would_start"}
    assert outcomes(plan(Selection(("b",)), SAVED, running(deployment("b")), models=())) == {"b": "already_running"}


def test_a_name_that_is_not_in_the_file_lists_the_ids_in_it() -> None:
    """The hint for a name that is not in the file lists the first ten IDs and counts the rest."""
    (one,) = plan(Selection(("x",)), SAVED, {})
    assert one.target.hint == "It contains a, b, c."
    many = [deployment(f"d{number}") for number in range(12)]
    (one,) = plan(Selection(("x",)), many, {})
    assert one.target.hint == "It contains d0, d1, d2, d3, d4, d5, d6, d7, d8, d9 and 2 more."
    assert [one.target.hint for one in plan(Selection(("x",)), (), {})] == ["It is empty."]


def accepted_start(decision: Outcome = Outcome.WOULD_START) -> Result:
    """Return the result of an accepted start."""
    return Result(Target("a", decision, SAVED[0]), Outcome.STARTED, attempts=1, seconds=2.0)


@pytest.mark.parametrize(
    ("found", "wait_for", "outcome", "code"),
    [
        ({"allocations": 1, "target_allocations": 2}, "started", "started", None),
        ({"allocations": 1, "target_allocations": 2}, "fully_allocated", "starting", 7),
        ({"allocations": 2, "target_allocations": 2}, "fully_allocated", "started", None),
        ({"allocations": 0, "target_allocations": 0}, "fully_allocated", "starting", 7),
        ({"allocation_state": "fully_allocated"}, "fully_allocated", "started", None),
        ({"state": "unknown"}, "fully_allocated", "started", None),
        ({"state": "starting", "target_allocations": 2}, "started", "starting", 7),
        ({"state": "failed"}, "started", "failed", 1),
        ({"queue_capacity": 5}, "started", "differs", 1),
        (None, "started", "failed", 1),
    ],
)
def test_the_listed_state_determines_the_result_of_a_start(
    found: dict[str, Any] | None, wait_for: str, outcome: str, code: int | None
) -> None:
    """The listed state determines the outcome of a start; the attempts and the duration are kept."""
    listed = running(deployment("a", **({"queue_capacity": 9} | found))) if found is not None else {}
    seen = updated(accepted_start(), listed, wait_for)
    assert (seen.outcome.value, seen.error and seen.error.exit_status) == (outcome, code)
    assert (seen.attempts, seen.seconds) == (1, 2.0)


def test_a_running_deployment_is_not_reported_as_started() -> None:
    """A deployment that was already running is not reported as started."""
    listed = running(deployment("a", allocations=1, target_allocations=1, queue_capacity=9))
    assert updated(accepted_start(Outcome.ALREADY_RUNNING), listed, "started").outcome is Outcome.ALREADY_RUNNING


def test_the_result_contains_the_listed_deployment() -> None:
    """The result contains the listed deployment with its saved alias, or nothing if it is gone."""
    found = deployment("a", nodes=("ml-1",), queue_capacity=9, allocations=1, target_allocations=1)
    assert updated(accepted_start(), running(found), "started").seen == found
    alias = accepted_start()
    alias = replace(alias, target=replace(alias.target, deployment=SAVED[0]._replace(through_alias=True)))
    assert updated(alias, running(found), "started").seen == found._replace(through_alias=True)
    assert updated(accepted_start(), {}, "started").seen is None
    (different,) = plan(Selection(("a",)), SAVED, running(found._replace(queue_capacity=5)))
    assert (different.outcome, different.seen and different.seen.queue_capacity) == (Outcome.DIFFERS, 5)
