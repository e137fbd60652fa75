from collections.abc import Mapping

import pytest

from esml_stop.cluster.reader import Reader
from esml_stop.errors import EsmlError
from esml_stop.execute.restart import Restarts
from esml_stop.models import Flags
from esml_stop.outcomes import Outcome, Result, Target
from esml_stop.output.progress import Progress
from esml_stop.runtime.deadline import Deadline
from tests.support.builders import deployment
from tests.support.fakes import BUSY, MISSING, SILENT, Answer, FakeClock, FakeCluster, refusal

RUNNING = {"d": "started"}


def restarted(
    *,
    stops: tuple[Answer, ...] = (None,),
    starts: tuple[Answer, ...] = (None,),
    looks: tuple[Mapping[str, str] | EsmlError, ...] = (RUNNING,),
    state: str = "started",
) -> tuple[Result, list[str]]:
    """Return the result of a restart of deployment d, and the requests that were sent."""
    cluster = FakeCluster(stops=list(stops), starts=list(starts), looks=list(looks))
    reader = Reader(cluster, Deadline(60, FakeClock()), lambda _: None)
    target = Target("d", Outcome.WOULD_RESTART, deployment("d", "m", state=state))
    restarts = Restarts(reader, Flags(), wait_for="started", again="`esml restore f`")
    final = restarts.carry_out([Result.planned(target)], Progress(), parallel=1)
    (result,) = final.results
    return result, cluster.asked


def test_a_deployment_is_stopped_started_and_checked() -> None:
    """A restart sends one stop, one start and one check; the result contains the previous state."""
    result, requests = restarted(state="failed")
    assert (result.outcome, result.error, result.attempts) == (Outcome.RESTARTED, None, 2)
    assert requests == ["stop d", "start d started", "look d"]
    assert result.target.deployment
    assert result.target.deployment.state == "failed"


@pytest.mark.parametrize(
    ("stop", "outcome"),
    [
        (refusal(409), Outcome.IN_USE),
        (refusal(500), Outcome.FAILED),
        (SILENT, Outcome.UNKNOWN),
    ],
)
def test_a_deployment_that_did_not_stop_is_not_started(stop: EsmlError, outcome: Outcome) -> None:
    """If the stop fails, the restart has its outcome and sends no start."""
    result, requests = restarted(stops=(stop,), looks=(RUNNING,))
    assert result.outcome is outcome
    assert "start" not in " ".join(requests)


def test_a_deployment_stopped_by_someone_else_is_started() -> None:
    """A deployment that someone else has already stopped is started."""
    result, requests = restarted(stops=(MISSING,))
    assert (result.outcome, requests[:2]) == (Outcome.RESTARTED, ["stop d", "start d started"])


@pytest.mark.parametrize(
    ("start", "outcome", "status", "message"),
    [
        (
            refusal(429, reason="Could not start"),
            Outcome.FAILED,
            1,
            "It stopped, but was not started again. No ",
        ),
        (BUSY, Outcome.FAILED, 1, "It stopped, but was not started again. It is busy."),
        (
            SILENT,
            Outcome.UNKNOWN,
            7,
            "It stopped, but it is not known whether it was started again. It did not answer.",
        ),
    ],
)
def test_a_failed_start_reports_that_the_deployment_stopped(
    start: EsmlError, outcome: Outcome, status: int, message: str
) -> None:
    """A failed start reports that the deployment stopped, with the reason, the save file and the start's exit code."""
    result, _ = restarted(starts=(start,), looks=({},))
    assert result.error
    assert (result.outcome, result.error.exit_status) == (outcome, status)
    assert result.error.message.startswith(message)
    assert result.attempts > 1
    refused, _ = restarted(starts=(refusal(404),), looks=({},))
    assert refused.error
    assert "then run `esml restore f`" in (refused.error.hint or "")


def test_the_state_after_the_start_determines_the_outcome() -> None:
    """After the start, a starting deployment is reported as starting, and a failed or missing one as failed."""
    assert restarted(looks=({"d": "starting"},))[0].outcome is Outcome.STARTING
    assert restarted(looks=({"d": "failed"},))[0].outcome is Outcome.FAILED
    gone = restarted(looks=({},))[0]
    assert (gone.outcome, gone.error and gone.error.message) == (
        Outcome.FAILED,
        "It was started, but is no longer listed.",
    )


def interrupted(stage: str, looks: Mapping[str, str]) -> Result:
    """Return the result of a restart that a signal interrupts in the stop, in the start or between the two."""
    cluster = FakeCluster(looks=[looks])
    restarts = Restarts(
        Reader(cluster, Deadline(60, FakeClock()), lambda _: None), Flags(), wait_for="started", again="X"
    )
    if stage != "stop":
        restarts.stopped.add("d")
    target = Target("d", Outcome.WOULD_RESTART, deployment("d"))
    sent = EsmlError("The request was sent.", exit_status=7)
    outcome = Outcome.NOT_ATTEMPTED if stage == "between" else Outcome.UNKNOWN
    result = restarts.settled(Result(target, outcome, error=sent), deployment("d", state=looks["d"]) if looks else None)
    return restarts.as_restart(result, interrupted=True)


@pytest.mark.parametrize(
    ("stage", "looks", "outcome", "message"),
    [
        ("stop", {}, Outcome.STOPPED, None),
        ("stop", {"d": "stopping"}, Outcome.STOPPING, "The request was sent."),
        ("stop", {"d": "started"}, Outcome.UNKNOWN, "The request was sent."),
        ("between", {}, Outcome.FAILED, "It stopped, but esml was interrupted before it was started again."),
        ("start", {"d": "started"}, Outcome.RESTARTED, None),
        ("start", {"d": "starting"}, Outcome.STARTING, "The request was sent."),
        (
            "start",
            {},
            Outcome.UNKNOWN,
            "It stopped, but it is not known whether it was started again. The request was sent.",
        ),
    ],
)
def test_after_a_signal_the_state_determines_the_outcome(
    stage: str, looks: Mapping[str, str], outcome: Outcome, message: str | None
) -> None:
    """After a signal, the listed state determines whether the deployment stopped or started."""
    result = interrupted(stage, looks)
    assert (result.outcome, result.error and result.error.message) == (outcome, message)
