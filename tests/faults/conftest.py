from collections.abc import Iterator

import pytest

from esml_stop.sandbox.state import State
from tests.support.faulty_server import FaultyServer, misbehaving


@pytest.fixture
def state() -> State:
    """Return what the server knows: nothing yet."""
    return State()


@pytest.fixture
def server(state: State) -> Iterator[FaultyServer]:
    """Yield a server that can misbehave."""
    with misbehaving(state) as server:
        yield server
