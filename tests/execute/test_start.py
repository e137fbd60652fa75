import pytest

from esml_stop.errors import BadAnswer, EsmlError, Unreachable
from esml_stop.execute.start import Start
from esml_stop.outcomes import Ending, Outcome, Target
from esml_stop.runtime.deadline import Deadline
from tests.support.builders import deployment
from tests.support.fakes import BUSY, REFUSED, RESET, SILENT, Answer, FakeClock, FakeCluster, refusal

GONE, STOPPING, RUNS = dict[str, str](), {"d": "stopping"}, {"d": "starting"}


def started(
    *starts: Answer,
    looks: tuple[dict[str, str] | EsmlError, ...] = (GONE,),
    state: str = "stopped",
    seconds: float = 60,
) -> tuple[Ending, list[str]]:
    """Return how a start of `d` ends, and what was asked."""
    cluster = FakeCluster(starts=list(starts), looks=list(looks))
    target = Target("d", Outcome.WOULD_START, deployment("d", "m", state=state))
    deadline = Deadline(seconds, FakeClock())
    return Start(cluster, target, "fully_allocated", deadline, lambda _: None).run(), cluster.asked


def test_an_accepted_start_takes_one_request() -> None:
    """How far it has to be goes along."""
    assert started(None) == (Ending(Outcome.STARTED, None, 1), ["start d fully_allocated"])


def test_what_is_still_stopping_is_waited_for() -> None:
    """A start in between would be refused."""
    ending, asked = started(None, looks=(STOPPING, STOPPING, GONE), state="stopping")
    assert (ending.outcome, asked) == (Outcome.STARTED, ["look d*"] * 3 + ["start d fully_allocated"])


def test_what_never_stops_stopping_was_not_started() -> None:
    """Nothing was sent, and the time is over."""
    ending, asked = started(None, looks=(STOPPING,), state="stopping", seconds=10)
    assert (ending.outcome, ending.attempts) == (Outcome.NOT_STARTED, 0)
    assert "start" not in " ".join(asked)


@pytest.mark.parametrize("lost", [RESET, BUSY])
def test_a_lost_answer_is_not_sent_again_when_it_arrived(lost: Unreachable) -> None:
    """The deployment is there: that is what was asked for."""
    ending, asked = started(lost, looks=(RUNS,))
    assert (ending.outcome, asked) == (Outcome.STARTED, ["start d fully_allocated", "look d*"])


def test_a_lost_start_is_sent_again_only_after_a_look() -> None:
    """It is not there, so it did not arrive."""
    ending, asked = started(RESET, None)
    assert (ending, asked) == (
        Ending(Outcome.STARTED, None, 2),
        ["start d fully_allocated", "look d*", "start d fully_allocated"],
    )


def test_a_start_that_keeps_failing_has_failed() -> None:
    """Four tries, and what to do then."""
    ending, asked = started(BUSY)
    assert (ending.outcome, ending.attempts, asked.count("start d fully_allocated")) == (Outcome.FAILED, 4, 4)
    assert ending.error
    assert (ending.error.exit_status, ending.error.hint) == (
        1,
        "It does not run. Restore again when the cluster is well.",
    )


def test_silence_is_settled_by_the_state() -> None:
    """There is started; not there may still be on its way."""
    assert started(SILENT, looks=(RUNS,))[0].outcome is Outcome.STARTED
    ending = started(SILENT)[0]
    assert (ending.outcome, ending.error and ending.error.exit_status) == (Outcome.UNKNOWN, 7)


def test_what_never_left_was_not_started() -> None:
    """Nothing listens: nothing happened, and the exit code says that the cluster cannot be reached."""
    ending = started(REFUSED)[0]
    assert (ending.outcome, ending.error and ending.error.exit_status) == (Outcome.NOT_STARTED, 6)


def test_an_odd_answer_is_unknown() -> None:
    """Never called started."""
    assert started(BadAnswer("odd"))[0].outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("status", [400, 409])
def test_an_id_that_is_taken_is_left_to_the_last_look(status: int) -> None:
    """Somebody else was faster; whether with the same parameters is looked at for all at once."""
    for reason in ("because an existing deployment with the same id [d] exist", "it has already been started"):
        assert started(refusal(status, reason=reason))[0].outcome is Outcome.STARTED


def test_the_servers_own_time_out_is_no_failure() -> None:
    """It goes on in the background, as its message says."""
    ending = started(refusal(408, "model_deployment_timeout_exception", "Timed out after [9s]"))[0]
    assert (ending.outcome, ending.error and ending.error.exit_status) == (Outcome.STARTING, 7)


@pytest.mark.parametrize(
    ("status", "reason", "message", "hint"),
    [
        (404, "No known model", "The model m is not on this cluster.", "Load it first, for instance with eland"),
        (
            429,
            "Could not start deployment because no ML nodes with sufficient capacity were found",
            "The cluster's machine learning nodes have not enough memory or processors left for it.",
            "Elasticsearch says: Could not start deployment because no ML nodes",
        ),
        (400, "odd", "HTTP 400: odd", None),
    ],
)
def test_refusals_are_told_apart(status: int, reason: str, message: str, hint: str | None) -> None:
    """A missing model, too little room, anything else: once asked, never again."""
    ending, asked = started(refusal(status, reason=reason))
    assert (ending.outcome, len(asked)) == (Outcome.FAILED, 1)
    assert ending.error
    assert (ending.error.message, ending.error.status, ending.error.reason) == (message, status, reason)
    assert (ending.error.hint or "").startswith(hint or "")
