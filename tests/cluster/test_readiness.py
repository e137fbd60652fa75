from esml_stop.cluster.reader import Reader
from esml_stop.cluster.readiness import MOST_LOOKED_UP, models_of_aliases, start_blocker
from esml_stop.errors import EsmlError
from esml_stop.runtime.deadline import Deadline
from tests.support.builders import deployment
from tests.support.fakes import FakeClock, FakeCluster, refusal


def reader(cluster: FakeCluster) -> Reader:
    """Return a reader of a cluster."""
    return Reader(cluster, Deadline(60, FakeClock()), lambda _: None)


class RestrictedCluster(FakeCluster):
    """A cluster on which the node versions, upgrade mode and models cannot be read."""

    def node_versions(self, timeout: float) -> tuple[str, ...]:
        """Raise the error for a missing privilege."""
        raise refusal(403)

    def upgrade_mode(self, timeout: float) -> bool:
        """Raise the error for an API that the server does not have."""
        raise refusal(405)

    def model(self, name: str, timeout: float) -> None:
        """Raise the error for a missing privilege."""
        self.asked.append(name)
        raise refusal(403)


def error_code(found: EsmlError | None) -> str | None:
    """Return the code of an error, or None if there is no error."""
    return found.code if found else None


def test_an_upgrade_and_upgrade_mode_block_starts() -> None:
    """Nodes of different versions and upgrade mode block a start, each with its own error code."""
    assert error_code(start_blocker(reader(FakeCluster()))) is None
    assert error_code(start_blocker(reader(FakeCluster(versions=("8.18.0", "8.19.0"))))) == "upgrading"
    assert error_code(start_blocker(reader(FakeCluster(upgrading=True)))) == "upgrade_mode"


def test_failed_look_ups_do_not_block_starts() -> None:
    """Failed look-ups do not block a start, and after the first failure no more aliases are requested."""
    cluster = RestrictedCluster()
    assert start_blocker(reader(cluster)) is None
    assert models_of_aliases(reader(cluster), [deployment("a"), deployment("b")]) == {}
    assert cluster.asked == ["a"]


def test_deployment_ids_that_are_aliases_are_found() -> None:
    """Only deployment IDs that differ from the model ID are looked up, at most MOST_LOOKED_UP of them."""
    cluster = FakeCluster(models={"alias": "m", "other": "other"})
    found = [deployment("m"), deployment("alias"), deployment("other"), deployment("d")]
    assert models_of_aliases(reader(cluster), found) == {"alias": "m"}
    assert cluster.asked == ["model alias", "model other", "model d"]
    many = FakeCluster()
    models_of_aliases(reader(many), [deployment(f"d{number}") for number in range(MOST_LOOKED_UP + 9)])
    assert len(many.asked) == MOST_LOOKED_UP
