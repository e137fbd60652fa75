import pytest

from tests.support.raw_cluster import RawCluster
from tests.support.runner import Run


@pytest.fixture
def run(cluster: RawCluster) -> Run:
    """Return the function that runs esml on the cluster of this test."""
    return Run(cluster)


@pytest.fixture(scope="module")
def look(kept: RawCluster) -> Run:
    """Return the function that runs read-only commands on the cluster of this module."""
    return Run(kept)
