from collections.abc import Callable

import pytest

from tests.support.command import Ended, esml
from tests.support.raw_cluster import RawCluster


@pytest.fixture
def run(cluster: RawCluster) -> Callable[..., Ended]:
    """Run the command against the cluster."""

    def against(*arguments: str, **options: str) -> Ended:
        return esml(*arguments, environment=cluster.environment(), **options)  # type: ignore[arg-type]

    return against
