from collections.abc import Callable, Iterator

import pytest

from tests.raw import RawCluster, node_from_environment
from tests.running import Ended, esml


@pytest.fixture(params=["sandbox", "node"])
def cluster(request: pytest.FixtureRequest) -> Iterator[RawCluster]:
    """Yield an empty cluster: the sandbox, and the one that ESML_TEST_URL names."""
    if request.param == "sandbox":
        from esml_stop.sandbox import serve

        with serve(empty=True) as server:
            yield RawCluster(server.url)
        return
    node = node_from_environment()
    if node is None:
        pytest.skip("ESML_TEST_URL names no cluster")
    node.reset()
    yield node
    node.reset()


@pytest.fixture
def run(cluster: RawCluster) -> Callable[..., Ended]:
    """Run the command against the cluster."""

    def against(*arguments: str, **options: str) -> Ended:
        return esml(*arguments, environment=cluster.environment(), **options)  # type: ignore[arg-type]

    return against
