import pytest

from esml_stop.cli.runs.stop import StopRequest, resolve
from esml_stop.cluster.reader import Reader
from esml_stop.errors import EsmlError, NotAllowed, NotAuthenticated, Refused, Unreachable
from esml_stop.invocation import ClusterIdentity
from esml_stop.models import Flags
from esml_stop.output.progress import Progress
from esml_stop.plan.patterns import Selection
from esml_stop.runtime.deadline import Deadline
from tests.support.fakes import RESET, FakeClock, FakeCluster, refusal


class ClusterWithVersion(FakeCluster):
    """A cluster on which `d` is running, and whose identity request returns a version or raises an error."""

    def __init__(self, version: str | EsmlError) -> None:
        super().__init__(looks=[{"d": "started"}])
        self.version_or_error = version

    def identity(self, timeout: float) -> ClusterIdentity:
        """Return the identity with the version of the test, or raise its error."""
        if isinstance(self.version_or_error, EsmlError):
            raise self.version_or_error
        return ClusterIdentity(self.label, version=self.version_or_error)


def lookups_before_stop(version: str | EsmlError) -> list[str]:
    """Return the look-ups that `esml stop d --no-check` makes before the stop."""
    cluster = ClusterWithVersion(version)
    reader = Reader(cluster, Deadline(60, FakeClock()), lambda _: None)
    targets = resolve(StopRequest(Selection(("d",)), Flags(), check=False), reader, Progress())
    assert [one.deployment_id for one in targets] == ["d"]
    return cluster.asked


@pytest.mark.parametrize("version", ["8.8.0", "8.19.0", "9.1.0", "10.0.0-SNAPSHOT"])
def test_from_8_8_on_no_deployments_are_listed_before_the_stop(version: str) -> None:
    """From 8.8 on, no deployments are listed, because the stop response shows whether the deployment existed."""
    assert lookups_before_stop(version) == []


@pytest.mark.parametrize(
    "version", ["8.0.1", "8.7.1", "7.17.0", "unusual", "", NotAllowed("no", http_status=403), refusal(500)]
)
def test_before_8_8_deployments_are_listed_before_the_stop(version: str | EsmlError) -> None:
    """Before 8.8, or with an unknown version, the deployments are listed before the stop."""
    assert lookups_before_stop(version) == ["look d"]


@pytest.mark.parametrize("error", [NotAuthenticated("no", http_status=401), RESET])
def test_an_unreachable_cluster_ends_the_command_before_the_stop(error: Refused | Unreachable) -> None:
    """An unreachable cluster or rejected credentials end the command before the stop is sent."""
    with pytest.raises(type(error)):
        lookups_before_stop(error)
