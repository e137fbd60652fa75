import pytest

from esml_stop.cli.runs.stop import is_saved, orphan_warnings, unknown_settings_warnings, unlisted_warnings
from esml_stop.models import Deployment
from esml_stop.outcomes import Outcome, Result, Target
from tests.support.builders import deployment

WITH_ALL_SETTINGS = deployment("d", "m", number_of_allocations=1, threads_per_allocation=1, queue_capacity=9)
WITHOUT_THREADS = deployment("d", "m", state="failed", number_of_allocations=1, queue_capacity=9)
ORPHAN = deployment("d", "gone", state="unknown", is_orphan=True)
DEFAULTS_WARNING = (
    "d is failed, and the cluster does not show its threads_per_allocation: "
    "a restore will use the server's defaults for these."
)


@pytest.mark.parametrize(
    ("found", "saved", "warning"),
    [
        (WITH_ALL_SETTINGS, True, None),
        (WITHOUT_THREADS, True, DEFAULTS_WARNING),
        (ORPHAN, False, None),
        (None, False, None),
    ],
    ids=["whole", "half", "orphan", "unlisted"],
)
def test_settings_that_the_cluster_does_not_show_are_named(
    found: Deployment | None, saved: bool, warning: str | None
) -> None:
    """A listed deployment with a model is saved before its stop; a warning names settings that are not shown."""
    target = Target("d", Outcome.WOULD_STOP, found)
    assert (is_saved(target), next(unknown_settings_warnings([target]), None)) == (saved, warning)
    refused = Target("d", Outcome.IN_USE, found)
    assert (is_saved(refused), list(unknown_settings_warnings([refused]))) == (False, [])


def test_an_unlisted_stopped_deployment_is_named() -> None:
    """A warning names a deployment that was stopped but never listed, because its settings could not be saved."""
    unlisted = Result(Target("x", Outcome.WOULD_STOP), Outcome.STOPPED)
    missing = Result(Target("y", Outcome.WOULD_STOP), Outcome.NOT_FOUND)
    listed = Result(Target("d", Outcome.WOULD_STOP, WITH_ALL_SETTINGS), Outcome.STOPPED)
    assert list(unlisted_warnings([unlisted, missing, listed])) == [
        "x was not saved: it was not listed, so its settings are not known."
    ]


def test_a_deployment_without_a_model_is_named_before_the_stop() -> None:
    """A warning names each deployment to be stopped whose model was deleted, and says if it is therefore not saved."""
    targets = [Target("d", Outcome.WOULD_STOP, ORPHAN), Target("e", Outcome.IN_USE, ORPHAN)]
    assert list(orphan_warnings(targets, saving=False)) == ["d cannot be started again: its model gone was deleted."]
    assert list(orphan_warnings(targets, saving=True)) == [
        "d cannot be started again and is not saved: its model gone was deleted."
    ]
