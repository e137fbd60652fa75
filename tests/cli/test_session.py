import json
import signal

import pytest

from esml_stop.cli.options import OutputOptions
from esml_stop.cli.session import Session
from esml_stop.config.settings import ConnectionOptions
from esml_stop.errors import ConfigError
from esml_stop.invocation import ClusterIdentity, Invocation
from esml_stop.outcomes import Outcome, Report, Result, Target
from esml_stop.output import stderr
from esml_stop.runtime.deadline import Deadline
from esml_stop.runtime.signals import Interrupted, raise_if_interrupted
from tests.support.fakes import FakeClock
from tests.support.signals import hearing, send


@pytest.fixture
def session() -> Session:
    """Return the session of a command with a time limit of 10 seconds on a fake clock."""
    new_session = Session(ConnectionOptions(url="http://localhost:9"), OutputOptions(Invocation()), timeout=10)
    new_session.reader.deadline = Deadline(10, FakeClock())
    return new_session


@pytest.mark.parametrize(("typed", "agreed"), [("y\n", True), ("YES \n", True), ("n\n", False), ("", False)])
def test_the_prompt_does_not_count_against_the_timeout(
    session: Session, typed: str, agreed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Waiting at the prompt does not count against --timeout, and only y or yes confirms."""

    def ask(_: str) -> str:
        session.reader.deadline.clock.sleep(500)
        return typed

    monkeypatch.setattr(stderr, "prompt", ask)
    assert (session.confirmed("Stop it?"), session.reader.deadline.remaining) == (agreed, 10)


def test_a_signal_ends_the_prompt(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """A signal ends the confirmation prompt."""
    monkeypatch.setattr(stderr, "prompt", lambda _: send())
    with hearing(), pytest.raises(Interrupted):
        session.confirmed("Stop it?")


def test_a_signal_during_the_last_request_does_not_prevent_the_report(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A signal after all stops, while the cluster's name is read, sets the exit code, and the report is written."""
    stop_session = Session(
        ConnectionOptions(url="http://localhost:9"), OutputOptions(Invocation("stop", "json")), timeout=10
    )

    def identity() -> ClusterIdentity:
        send(signal.SIGTERM)
        raise_if_interrupted()
        raise AssertionError

    monkeypatch.setattr(stop_session.reader, "identity", identity)
    with hearing():
        stopped = Result(Target("a", Outcome.WOULD_STOP), Outcome.STOPPED, attempts=1)
        assert stop_session.finish(Report("stop", (stopped,))) == 143
    assert json.loads(capsys.readouterr().out)["deployments"][0]["outcome"] == "stopped"


def test_no_input_prevents_the_password_prompt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without prompts, a missing password is an error, even on a terminal."""
    monkeypatch.setattr("esml_stop.cli.session.password_prompt", lambda: pytest.fail("the password was prompted for"))
    options = ConnectionOptions(url="http://localhost:9", username="u")
    with pytest.raises(ConfigError, match="esml cannot prompt for it"):
        Session(options, OutputOptions(Invocation()), timeout=10, prompts=False)
