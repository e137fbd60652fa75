import pytest

from esml_stop.cli.options import OutputOptions
from esml_stop.cli.session import Session
from esml_stop.config.settings import ConnectionOptions
from esml_stop.output import stderr
from esml_stop.runtime.deadline import Deadline
from esml_stop.runtime.signals import Interrupted
from tests.support.fakes import FakeClock
from tests.support.signals import hearing, send


@pytest.fixture
def session() -> Session:
    """Return the session of a command with ten seconds of its own time."""
    one = Session(ConnectionOptions(url="http://localhost:9"), OutputOptions(), timeout=10)
    one.reader.deadline = Deadline(10, FakeClock())
    return one


@pytest.mark.parametrize(("typed", "agreed"), [("y\n", True), ("YES \n", True), ("n\n", False), ("", False)])
def test_the_time_of_an_answer_does_not_count(
    session: Session, typed: str, agreed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever thinks longer than --timeout gets what was agreed to."""

    def ask(_: str) -> str:
        session.reader.deadline.clock.sleep(500)
        return typed

    monkeypatch.setattr(stderr, "ask", ask)
    assert (session.confirmed("Stop it?"), session.reader.deadline.remaining) == (agreed, 10)


def test_a_question_is_left_at_a_signal(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """A read from a terminal does not end by itself."""
    monkeypatch.setattr(stderr, "ask", lambda _: send())
    with hearing(), pytest.raises(Interrupted):
        session.confirmed("Stop it?")
