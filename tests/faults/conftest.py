from collections.abc import Iterator

import pytest

from esml_stop.sandbox.state import State
from tests.support.faulty_server import FaultyServer, misbehaving


@pytest.fixture
def state() -> State:
    """Return the empty initial state of the server."""
    return State()


@pytest.fixture
def server(state: State) -> Iterator[FaultyServer]:
    """Yield a practice cluster whose responses a test can replace by faults."""
    with misbehaving(state) as server:
        yield server
