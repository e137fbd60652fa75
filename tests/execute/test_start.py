from collections.abc import Mapping

import pytest

from esml_stop.cluster.reader import Reader
from esml_stop.errors import BadAnswer, EsmlError, Unreachable
from esml_stop.execute.start import Start, start_all, watched
from esml_stop.outcomes import Outcome, Result, Target
from esml_stop.output.progress import Progress
from esml_stop.runtime.deadline import Deadline
from tests.support.builders import deployment
from tests.support.fakes import BUSY, REFUSED, RESET, SILENT, Answer, FakeClock, FakeCluster, refusal

GONE, STOPPING, STARTING = dict[str, str](), {"d": "stopping"}, {"d": "starting"}


def started(
    *starts: Answer,
    looks: tuple[dict[str, str] | EsmlError, ...] = (GONE,),
    state: str = "stopped",
    seconds: float = 60,
) -> tuple[Result, list[str]]:
    """Return the result of a start of deployment d, and the requests that were sent."""
    cluster = FakeCluster(starts=list(starts), looks=list(looks))
    target = Target("d", Outcome.WOULD_START, deployment("d", "m", state=state))
    deadline = Deadline(seconds, FakeClock())
    return Start(cluster, target, "fully_allocated", deadline, lambda _: None).run(), cluster.asked


def outcome_and_attempts(result: Result) -> tuple[str, int]:
    """Return the outcome and the number of attempts of a start without an error."""
    assert result.error is None
    return result.outcome.value, result.attempts


def test_an_accepted_start_is_one_request() -> None:
    """An accepted start is one request, which contains the state to wait for."""
    result, requests = started(None)
    assert (outcome_and_attempts(result), requests) == (("started", 1), ["start d fully_allocated"])


def test_a_start_waits_until_the_deployment_has_stopped() -> None:
    """The start is sent when the deployment is no longer stopping, because the server would refuse it before."""
    result, requests = started(None, looks=(STOPPING, STOPPING, GONE), state="stopping")
    assert (result.outcome, requests) == (Outcome.STARTED, ["look d"] * 3 + ["start d fully_allocated"])


def test_a_start_blocked_by_a_stop_is_not_attempted() -> None:
    """If the deployment is still stopping at the deadline, nothing is sent and the start is not attempted."""
    result, requests = started(None, looks=(STOPPING,), state="stopping", seconds=10)
    assert (result.outcome, result.attempts) == (Outcome.NOT_ATTEMPTED, 0)
    assert "start" not in " ".join(requests)


@pytest.mark.parametrize("lost", [RESET, BUSY])
def test_a_lost_start_is_not_repeated_if_the_deployment_is_listed(lost: Unreachable) -> None:
    """After a lost response, the start is not sent again if the deployment is listed."""
    result, requests = started(lost, looks=(STARTING,))
    assert (result.outcome, requests) == (Outcome.STARTED, ["start d fully_allocated", "look d"])


def test_a_start_without_effect_is_sent_again() -> None:
    """After a lost response, the start is sent again if the deployment is not listed."""
    result, requests = started(RESET, None)
    assert (outcome_and_attempts(result), requests) == (
        ("started", 2),
        ["start d fully_allocated", "look d", "start d fully_allocated"],
    )


def test_a_start_that_keeps_failing_has_failed() -> None:
    """After four failed attempts the start has failed, with exit code 1 and a hint to restore again."""
    result, requests = started(BUSY)
    assert (result.outcome, result.attempts, requests.count("start d fully_allocated")) == (Outcome.FAILED, 4, 4)
    assert result.error
    assert (result.error.exit_status, result.error.hint) == (
        1,
        "It is not running. Restore it again when the cluster is healthy.",
    )


def test_after_a_timeout_the_state_determines_the_outcome() -> None:
    """Without a response, the start succeeded if the deployment is listed, else it is unknown, with exit code 7."""
    assert started(SILENT, looks=(STARTING,))[0].outcome is Outcome.STARTED
    result = started(SILENT)[0]
    assert (result.outcome, result.error and result.error.exit_status) == (Outcome.UNKNOWN, 7)


def test_a_start_that_was_not_sent_is_not_attempted() -> None:
    """If the connection is refused, the start is not attempted and the exit code is 6."""
    result = started(REFUSED)[0]
    assert (result.outcome, result.error and result.error.exit_status) == (Outcome.NOT_ATTEMPTED, 6)


def test_an_unexpected_start_response_is_unknown() -> None:
    """An unexpected response to the start makes its outcome unknown."""
    assert started(BadAnswer("odd"))[0].outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("status", [400, 409])
def test_an_existing_id_is_left_to_the_final_check(status: int) -> None:
    """If the ID already exists, the start counts as started, because the final check compares the settings."""
    for reason in ("because an existing deployment with the same id [d] exist", "it has already been started"):
        assert started(refusal(status, reason=reason))[0].outcome is Outcome.STARTED


def test_a_timeout_on_the_server_is_not_a_failure() -> None:
    """After a timeout on the server the deployment is starting, with exit code 7, as the start continues there."""
    result = started(refusal(408, "model_deployment_timeout_exception", "Timed out after [9s]"))[0]
    assert (result.outcome, result.error and result.error.exit_status) == (Outcome.STARTING, 7)


@pytest.mark.parametrize(
    ("status", "reason", "code", "hint"),
    [
        (
            403,
            "Cannot start model deployment [d] while cluster upgrade is in progress.",
            "upgrading",
            "every node is up",
        ),
        (403, "current license is non-compliant for [ml]", "license", "GET _license"),
        (404, "No known trained model with model_id [m]", "model_missing", "Upload the model first"),
        (404, "Could not find trained model definition [m]", "definition_missing", "Upload the model again"),
        (408, "Model download task is currently running. Wait for trained model [m]", "downloading", "has finished"),
        (409, "cannot create new assignment while feature reset is in progress.", "feature_reset", "has finished"),
        (
            429,
            "Cannot perform X action while upgrade mode is enabled",
            "upgrade_mode",
            "set_upgrade_mode?enabled=false",
        ),
        (
            429,
            "Could not start model deployment because existing deployments reached the limit of [100]",
            "too_many_deployments",
            "reached the limit of [100]. Stop deployments",
        ),
        (
            429,
            "Could not start deployment because no ML nodes with sufficient capacity were found",
            "no_capacity",
            "Add capacity",
        ),
        (
            429,
            "Could not start deployment because there are not enough resources to provide all requested allocations",
            "no_capacity",
            "Add capacity",
        ),
        (400, "odd", "refused", ""),
    ],
)
def test_each_refusal_has_its_code_and_hint(status: int, reason: str, code: str, hint: str) -> None:
    """Each refusal has its own code and hint, keeps the server's reason, is not retried and exits with 1."""
    result, requests = started(refusal(status, reason=reason))
    assert (result.outcome, requests) == (Outcome.FAILED, ["start d fully_allocated"])
    assert result.error
    assert (result.error.code, result.error.exit_status) == (code, 1)
    assert (result.error.http_status, result.error.reason) == (status, reason)
    assert hint in (result.error.hint or "")


NAME_IS_A_MODEL = refusal(400, reason="Deployment id [d] is the same as an another model which is not the model being")


def alias_start(models: dict[str, str], *starts: Answer, through_alias: bool) -> tuple[Result, list[str]]:
    """Start a deployment whose ID is or was a model alias; return the result and the requests."""
    cluster = FakeCluster(starts=list(starts), models=models)
    target = Target("d", Outcome.WOULD_START, deployment("d", state="stopped", through_alias=through_alias))
    result = Start(cluster, target, "started", Deadline(60, FakeClock()), lambda _: None).run()
    return result, cluster.asked


@pytest.mark.parametrize("known", [True, False])
def test_a_deployment_is_started_through_its_alias(known: bool) -> None:
    """A deployment started through an alias is started through it again, even if only a refusal reveals the alias."""
    starts = [None] if known else [NAME_IS_A_MODEL, None]
    result, requests = alias_start({"d": "m"}, *starts, through_alias=known)
    assert result.outcome is Outcome.STARTED
    assert requests == [*["start d started"][known:], "model d", "start d started"]
    assert result.target.deployment
    assert result.target.deployment.through_alias


def test_nothing_is_started_if_the_alias_belongs_to_another_model() -> None:
    """If the alias now belongs to another model, the start fails with the error code alias_reassigned."""
    for known, starts in ((True, [None]), (False, [NAME_IS_A_MODEL])):
        result, requests = alias_start({"d": "n"}, *starts, through_alias=known)
        assert (result.outcome, result.error and result.error.code) == (Outcome.FAILED, "alias_reassigned")
        assert requests[-1] == "model d"


def test_without_its_alias_a_deployment_is_started_through_its_model() -> None:
    """If the alias was deleted, the deployment is started through its model."""
    result, requests = alias_start({}, None, through_alias=True)
    assert (result.outcome, requests) == (Outcome.STARTED, ["model d", "start d started"])
    assert result.target.deployment
    assert not result.target.deployment.through_alias


def test_an_id_that_is_another_model_is_not_started_through_it() -> None:
    """If the ID is the ID of another model, the start fails and is not sent again."""
    result, requests = alias_start({"d": "d"}, NAME_IS_A_MODEL, through_alias=False)
    assert (result.outcome, requests) == (Outcome.FAILED, ["start d started", "model d"])


def planned(name: str, outcome: Outcome = Outcome.WOULD_START, state: str = "stopped") -> Result:
    """Return the plan for a saved deployment."""
    return Result(Target(name, outcome, deployment(name, state=state)), outcome)


def fake_reader(*looks: Mapping[str, str] | EsmlError, seconds: float = 60) -> tuple[Reader, FakeCluster, FakeClock]:
    """Return a reader for a fake cluster with these successive listings, the cluster and its clock."""
    cluster, clock = FakeCluster(looks=list(looks)), FakeClock()
    return Reader(cluster, Deadline(seconds, clock), lambda _: None), cluster, clock


def test_only_planned_deployments_are_started_in_order() -> None:
    """Only planned deployments are started, and the results keep their order."""
    reader, cluster, _ = fake_reader({})
    differs = Result(planned("b", Outcome.DIFFERS).target, Outcome.DIFFERS, error=EsmlError("other"))
    plan = [planned("a"), differs, planned("c", Outcome.ALREADY_RUNNING), planned("d")]
    results, signal = start_all(reader, plan, Progress(), wait_for="started", parallel=1)
    assert ([one.outcome.value for one in results], signal) == (
        ["started", "differs", "already_running", "started"],
        None,
    )
    assert results[1].error == differs.error
    assert cluster.asked == ["start a started", "start d started"]


def accepted_start(name: str) -> Result:
    """Return the result of an accepted start."""
    return Result(planned(name).target, Outcome.STARTED, attempts=1)


def test_one_request_at_a_time_polls_all_deployments() -> None:
    """One request at a time polls all deployments, with growing pauses, until the last has started."""
    reader, cluster, clock = fake_reader(
        {"a": "starting", "b": "started"}, {"a": "starting", "b": "started"}, {"a": "started", "b": "started"}
    )
    seen = watched([accepted_start("a"), accepted_start("b"), planned("x", Outcome.NOT_FOUND)], reader, "started")
    assert [one.outcome.value for one in seen] == ["started", "started", "not_found"]
    assert (cluster.asked, clock.slept) == (["look a,b"] * 3, [0.5, 1.0])


def test_an_already_starting_deployment_is_not_reported_as_started() -> None:
    """A deployment that was already starting is reported as already running, not as started."""
    reader, _, _ = fake_reader({"a": "starting"}, {"a": "started"})
    (one,) = watched([planned("a", Outcome.ALREADY_RUNNING, "starting")], reader, "started")
    assert one.outcome is Outcome.ALREADY_RUNNING


def test_at_the_deadline_a_deployment_is_still_starting() -> None:
    """A deployment that is still starting at the deadline is reported as starting, with exit code 7."""
    reader, _, _ = fake_reader({"a": "starting"}, seconds=5)
    (one,) = watched([accepted_start("a")], reader, "started")
    assert (one.outcome, one.error and one.error.exit_status) == (Outcome.STARTING, 7)


def test_no_request_is_made_if_nothing_is_starting() -> None:
    """No request is made for failed or running deployments."""
    reader, cluster, _ = fake_reader({})
    results = [planned("a", Outcome.FAILED), planned("b", Outcome.ALREADY_RUNNING, "started")]
    assert watched(results, reader, "started") == results
    assert cluster.asked == []


def test_if_the_check_fails_the_start_response_counts() -> None:
    """If the state cannot be read, the accepted start counts as started."""
    reader, _, _ = fake_reader(refusal(403))
    (one,) = watched([accepted_start("a")], reader, "started")
    assert one.outcome is Outcome.STARTED
