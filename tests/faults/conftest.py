from collections.abc import Iterator

import pytest

from esml_stop.sandbox.state import State
from tests.support.faulty_server import FaultyServer, misbehaving


@pytest.fixture
def state() -> State:
    """Return the initial state of the server, which is empty."""
    return State()


@pytest.fixture
def server(state: State) -> Iterator[FaultyServer]:
    """Yield a server whose responses can be replaced by faults."""
    with misbehaving(state) as server:
        yield server
