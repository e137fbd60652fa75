from typing import Any

import pytest

from esml_stop.errors import EsmlError
from esml_stop.models import Deployment
from esml_stop.outcomes import Outcome, Result, Target
from esml_stop.plan.restart_plan import in_upgrade_mode, plan, upgrading
from tests.support.builders import deployment


def complete_deployment(name: str = "d", **more: Any) -> Deployment:
    """Return a deployment whose settings are all known."""
    known = {"number_of_allocations": 1, "threads_per_allocation": 1, "queue_capacity": 9}
    return deployment(name, **(known | more))


def restart_decision(
    found: Deployment | None, *, model: str | None = None, obstacle: EsmlError | None = None, force: bool = False
) -> Result:
    """Return the decision about the restart of a deployment that is planned to be stopped."""
    target = Target("d", Outcome.WOULD_STOP, found)
    (result,) = plan([target], {"d": model} if model else {}, obstacle=obstacle, force=force)
    return result


def test_a_planned_stop_becomes_a_planned_restart() -> None:
    """A deployment that would be stopped is restarted, whatever its state; other decisions of the stop are kept."""
    for state in ("started", "failed", "stopping", "starting"):
        assert restart_decision(complete_deployment(state=state)).outcome is Outcome.WOULD_RESTART
    kept = [
        Target("a", Outcome.IN_USE, complete_deployment("a")),
        Target("b", Outcome.NOT_FOUND),
        Target("c", Outcome.NOT_IDLE),
    ]
    results = plan(kept, obstacle=in_upgrade_mode(), force=True)
    assert [one.target for one in results] == kept
    assert [one.error for one in results] == [None] * 3


def test_a_deployment_with_unknown_settings_requires_force() -> None:
    """A deployment with unknown settings is restarted only with --force."""
    result = restart_decision(complete_deployment(state="failed", threads_per_allocation=None, queue_capacity=None))
    assert result.outcome is Outcome.FAILED
    assert result.error
    assert (
        result.error.message == "It cannot be restarted with the same settings: "
        "its state is failed, and the cluster does not show its threads_per_allocation and queue_capacity."
    )
    assert result.error.code == "settings_not_shown"
    assert (
        restart_decision(complete_deployment(threads_per_allocation=None), force=True).outcome is Outcome.WOULD_RESTART
    )


def test_a_deployment_is_restarted_through_its_alias() -> None:
    """A deployment started through an alias is restarted through it, unless the alias now belongs to another model."""
    through = restart_decision(complete_deployment(), model="m").target.deployment
    assert through
    assert through.through_alias
    moved = restart_decision(complete_deployment(), model="n")
    assert (moved.outcome, moved.error and moved.error.code) == (Outcome.FAILED, "alias_reassigned")


@pytest.mark.parametrize("obstacle", [in_upgrade_mode(), upgrading(["8.18.0", "8.19.0"])])
def test_nothing_is_restarted_while_the_cluster_refuses_starts(obstacle: EsmlError) -> None:
    """Nothing is restarted while the cluster refuses starts, not even with --force."""
    result = restart_decision(complete_deployment(), obstacle=obstacle, force=True)
    assert (result.outcome, result.error) == (Outcome.FAILED, obstacle)


def test_an_unlisted_deployment_is_not_found() -> None:
    """A deployment that is not listed is reported as not found, with a hint that its model may have been deleted."""
    result = restart_decision(None)
    assert (result.outcome, "its model was deleted" in (result.target.hint or "")) == (Outcome.NOT_FOUND, True)


def test_a_deployment_without_a_model_is_not_restarted() -> None:
    """A deployment whose model was deleted is not restarted, not even with --force."""
    result = restart_decision(deployment("d", "gone", state="unknown", is_orphan=True), force=True)
    assert (result.outcome, result.error and result.error.code) == (Outcome.FAILED, "model_deleted")


def test_nodes_of_one_version_are_not_an_upgrade() -> None:
    """The cluster counts as being upgraded only if its nodes have different versions."""
    assert upgrading(["8.19.0", "8.19.0"]) is None
    assert upgrading([]) is None
    assert "8.18.0, 8.19.0" in str(upgrading(["8.19.0", "8.18.0", "8.19.0"]))
