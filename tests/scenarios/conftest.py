import pytest

from tests.support.raw_cluster import RawCluster
from tests.support.runner import Run


@pytest.fixture
def run(cluster: RawCluster) -> Run:
    """Run the command against the cluster, with names as the test gives them."""
    return Run(cluster)


@pytest.fixture(scope="module")
def look(kept: RawCluster) -> Run:
    """Run commands that change nothing against the scene of this module."""
    return Run(kept)
