import pytest

from tests.support.raw_cluster import RawCluster
from tests.support.runner import Run


@pytest.fixture
def run(cluster: RawCluster) -> Run:
    """Return the function that runs esml on the cluster of a test."""
    return Run(cluster)


@pytest.fixture(scope="module")
def run_read_only(kept: RawCluster) -> Run:
    """Return the function that runs commands that change nothing on the cluster of a module."""
    return Run(kept)
