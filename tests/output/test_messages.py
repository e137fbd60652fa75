from typing import Any

import pytest

from esml_stop.errors import EsmlError
from esml_stop.models import Deployment
from esml_stop.outcomes import Outcome, Report, Result, Target
from esml_stop.output.messages import (
    failure,
    no_match_line,
    not_idle,
    restore_instructions,
    summary,
    unmatched_error,
    warning,
)
from tests.support.builders import deployment


@pytest.mark.parametrize(
    ("target", "line"),
    [
        (Target("d", Outcome.NOT_FOUND), "Deployment d is not running; nothing to stop."),
        (Target("d*", Outcome.NOT_FOUND), "No deployment matches d*; nothing to stop."),
        (Target("d", Outcome.NOT_FOUND, hint="is a model"), "d is a model."),
        (Target("d", Outcome.NOT_FOUND, hint="did you mean e?"), "Deployment d is not running. Did you mean e?"),
    ],
)
def test_an_unmatched_name_is_reported_with_its_hint(target: Target, line: str) -> None:
    """A name that matches nothing is reported in one line, with its hint."""
    assert no_match_line(target, "stop") == line


def test_a_model_is_reported_with_the_command_for_its_deployments() -> None:
    """A model alias is reported with the command for its deployments, which repeats the given options."""
    target = Target(
        "faq", Outcome.NOT_FOUND, hint="is a model alias of m; its deployments are a", model_deployments=("a", "b")
    )
    assert unmatched_error(Result.planned(target), Report("restart"), ("--force",)) == [
        "faq is a model alias of m, not a deployment. Its deployments: a, b.",
        "  To restart them: esml restart --model faq --force",
    ]
    nothing = Result.planned(Target("d", Outcome.NOT_FOUND))
    assert unmatched_error(nothing, Report("stop", strict=True)) == ["Deployment d is not running; nothing to stop."]


TIME = 1_700_000_000_000


@pytest.mark.parametrize(
    ("known", "line"),
    [
        ({"last_access": TIME, "idle_since": TIME}, "d was skipped: it was last used at 2023-11-14T22:13:20Z."),
        ({"idle_since": TIME}, "d was skipped: nothing is known about its use before 2023-11-14T22:13:20Z."),
        ({}, "d was skipped: its last use is unknown."),
        (
            {"last_access": TIME, "idle_since": TIME, "pending": 1},
            "d was skipped: it has pending requests, or had some in the last minute.",
        ),
    ],
)
def test_a_skipped_deployment_shows_its_last_use(known: dict[str, Any], line: str) -> None:
    """The message about a skipped deployment shows its last use in UTC, as far as it is known."""
    assert not_idle(Target("d", Outcome.NOT_IDLE, deployment("d", **known))) == line


def test_a_failure_is_followed_by_its_hint() -> None:
    """A failure has its hint on a separate line."""
    error = EsmlError("Not allowed.", hint="Ask for manage_ml.")
    assert failure(Result(Target("d", Outcome.WOULD_STOP), Outcome.FAILED, error=error)) == [
        "d failed: Not allowed.",
        "  Ask for manage_ml.",
    ]


def test_the_restore_command_and_with_verbose_each_start_call_is_shown() -> None:
    """For stopped deployments the restore command is shown, and with --verbose also each start call."""
    target = Target("d", Outcome.WOULD_STOP, deployment("d", "m", priority="low"))
    report = Report("stop", (Result(target, Outcome.STOPPED), Result(target, Outcome.FAILED)), saved_to="a file.json")
    call = "To start d again:\n  POST _ml/trained_models/m/deployment/_start?deployment_id=d&priority=low"
    file = "Saved to a file.json. To start them again: esml restore 'a file.json'"
    assert restore_instructions(report, ("esml", "restore"), verbose=False) == [file]
    assert restore_instructions(report, ("esml", "restore"), verbose=True) == [call, file]
    assert restore_instructions(Report("stop"), ("esml", "restore"), verbose=True) == []


def outcomes(*found: Outcome) -> tuple[Result, ...]:
    """Return results of the deployment d with these outcomes."""
    return tuple(Result(Target("d", one), one) for one in found)


@pytest.mark.parametrize(
    ("report", "sentence"),
    [
        (Report("stop", outcomes(Outcome.STOPPED)), "d stopped in 0.0 s."),
        (Report("stop", outcomes(Outcome.WOULD_STOP), dry_run=True), "d would be stopped. Nothing was changed."),
        (
            Report("stop", outcomes(Outcome.STOPPED, Outcome.IN_USE, Outcome.STOPPED)),
            "2 deployments stopped, 1 in use.",
        ),
        (Report("stop", cancelled=True), "Cancelled; nothing was stopped."),
        (Report("stop"), "Nothing to stop."),
        (Report("restore"), "Nothing to restore."),
        (Report("list"), "No deployments are running."),
        (Report("list", outcomes(Outcome.LISTED, Outcome.NOT_FOUND)), "1 deployment."),
    ],
)
def test_the_summary_names_or_counts_the_results(report: Report, sentence: str) -> None:
    """The closing sentence names a single deployment, and counts several."""
    assert summary(report) == sentence


def test_a_stop_warns_with_the_reason_for_the_state() -> None:
    """The reason for a deployment's state, such as a deleted model, is a warning when it stops, but not in a list."""
    found = deployment("d", reason="Its model gone was deleted.")
    for outcome, line in ((Outcome.STOPPED, "d: Its model gone was deleted."), (Outcome.LISTED, None)):
        result = Result(Target("d", outcome, found), outcome)
        assert warning(result, Report("stop", (result,))) == line


def test_the_memory_of_a_list_counts_each_deployment_on_each_node() -> None:
    """The memory of a list counts each deployment once per node; with unknown values it is a minimum."""
    one, two = deployment("a", "m", memory_bytes=1024**3), deployment("b", "m", memory_bytes=1024**3, nodes=("x", "y"))
    assert summary(listed(one, two)) == "2 deployments, 3.0 GB of memory."
    assert summary(listed(one, deployment("c"))) == "2 deployments, at least 1.0 GB of memory."
    assert summary(listed(deployment("c"))) == "1 deployment."


def listed(*found: Deployment) -> Report:
    """Return the report of a list with these deployments."""
    return Report("list", tuple(Result.planned(Target(one.deployment_id, Outcome.LISTED, one)) for one in found))
