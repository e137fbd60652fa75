import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.clean import COMMON_PREFIX, cleaner
from tests.support.cluster_run import ClusterRun, Summary, usable_cluster
from tests.support.interrupts import INTERRUPTS
from tests.support.raw_cluster import RawCluster
from tests.support.target import made_for_tests, names_a_cluster, workspace

CONNECTION_PREFIXES = ("ESML_", "ELASTICSEARCH_", "ELASTIC_", "ES_", "ESCLI_", "ESCLIENT_", "CLOUD_ID")
OUTPUT_NAMES = {"NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "COLUMNS", "LINES"}
TARGET = "node" if names_a_cluster() else "sandbox"
HANGUP_IGNORED = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


# Shells ignore SIGINT in background jobs, and nohup ignores SIGHUP. esml respects that, so tests of signals would hang.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_xdist_auto_num_workers() -> int:
    """Use one worker with a cluster, which all tests share, else two for each processor, because most tests wait."""
    return 0 if names_a_cluster() or "ESML_RECORD" in os.environ else 2 * (os.cpu_count() or 1)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that removes the leftovers of a killed run."""
    text = f"only remove what is called {COMMON_PREFIX}<six letters>-* from the cluster that ESML_TEST_URL names"
    parser.addoption("--clean", action="store_true", help=text)


def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """With --clean, remove what killed runs left on the cluster, and run nothing."""
    if not config.getoption("--clean"):
        return None
    node, _ = usable_cluster()
    removed = cleaner(node).clean()
    for what, names in removed.items():
        print(f"removed {what}: {', '.join(names)}")
    print(f"{sum(map(len, removed.values()))} removed from {node.url}")
    return 0


def pytest_sessionstart(session: pytest.Session) -> None:
    """Prepare the summary, and on a cluster the clean-up after a signal; end when the cluster cannot be used."""
    if names_a_cluster():
        run: Summary = ClusterRun(*usable_cluster())
        INTERRUPTS.install(hangup=not HANGUP_IGNORED)
    else:
        run = Summary()
    session.config.pluginmanager.register(run)


@pytest.fixture(autouse=True)
def _nothing_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Hide the settings, the home directory and the proxies of the user who runs the tests."""
    for name in list(os.environ):
        outer = name.startswith(CONNECTION_PREFIXES) and not name.startswith(("ESML_TEST_", "ESML_RECORD"))
        if outer or name in OUTPUT_NAMES or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("TERM", "dumb")


@pytest.fixture(params=[TARGET])
def cluster(request: pytest.FixtureRequest) -> Iterator[RawCluster]:
    """Yield a cluster for one test: an empty practice cluster, or the cluster in ESML_TEST_URL, with a prefix.

    A test marked `faults` can call `_testnode`, and is skipped on clusters without it.
    """
    faults = request.node.get_closest_marker("faults") is not None
    if faults and request.param == "node" and not made_for_tests():
        pytest.skip("needs a node made for tests (one that answers _testnode)")
    with workspace(request.param, faults=faults) as found:
        yield found


@pytest.fixture(params=[TARGET], scope="module")
def kept(request: pytest.FixtureRequest) -> Iterator[RawCluster]:
    """Yield a cluster for the tests of a module that change nothing; its scene is created once for all of them."""
    with workspace(request.param) as found:
        yield found
