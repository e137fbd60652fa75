from esml_stop.cluster.reader import Reader
from esml_stop.cluster.readiness import MOST_LOOKED_UP, aliased, obstacle
from esml_stop.errors import EsmlError
from esml_stop.runtime.deadline import Deadline
from tests.support.builders import deployment
from tests.support.fakes import FakeClock, FakeCluster, refusal


def reader(cluster: FakeCluster) -> Reader:
    """Return a reader of a cluster."""
    return Reader(cluster, Deadline(60, FakeClock()), lambda _: None)


class Silent(FakeCluster):
    """A cluster on which nothing but deployments may be read."""

    def node_versions(self, timeout: float) -> tuple[str, ...]:
        """Refuse."""
        raise refusal(403)

    def upgrade_mode(self, timeout: float) -> bool:
        """Refuse."""
        raise refusal(405)

    def model(self, name: str, timeout: float) -> None:
        """Refuse."""
        self.asked.append(name)
        raise refusal(403)


def code(found: EsmlError | None) -> str | None:
    """Return the code of an error, if there is one."""
    return found.code if found else None


def test_an_upgrade_and_upgrade_mode_are_seen() -> None:
    """Before anything is stopped."""
    assert code(obstacle(reader(FakeCluster()))) is None
    assert code(obstacle(reader(FakeCluster(versions=("8.18.0", "8.19.0"))))) == "upgrading"
    assert code(obstacle(reader(FakeCluster(upgrading=True)))) == "upgrade_mode"


def test_what_may_not_be_read_is_no_obstacle() -> None:
    """The start itself finds out; one refusal is enough to ask for no more aliases."""
    cluster = Silent()
    assert obstacle(reader(cluster)) is None
    assert aliased(reader(cluster), [deployment("a"), deployment("b")]) == {}
    assert cluster.asked == ["a"]


def test_deployment_ids_that_are_aliases_are_found() -> None:
    """A deployment named like its model needs no look-up, and a long list is left to the starts."""
    cluster = FakeCluster(models={"alias": "m", "other": "other"})
    found = [deployment("m"), deployment("alias"), deployment("other"), deployment("d")]
    assert aliased(reader(cluster), found) == {"alias": "m"}
    assert cluster.asked == ["model alias", "model other", "model d"]
    many = FakeCluster()
    aliased(reader(many), [deployment(f"d{number}") for number in range(MOST_LOOKED_UP + 9)])
    assert len(many.asked) == MOST_LOOKED_UP
