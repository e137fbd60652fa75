import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import pytest
from urllib3.exceptions import HTTPError

from esml_stop.errors import EsmlError
from tests.support.clean import clean, leftovers
from tests.support.raw_cluster import RawCluster
from tests.support.target import PREFIXES, made_for_tests, names_a_cluster, node_from_environment, workspace

CONNECTION_PREFIXES = ("ESML_", "ELASTICSEARCH_", "ELASTIC_", "ES_", "ESCLI_", "ESCLIENT_", "CLOUD_ID")
OUTPUT_NAMES = {"NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "COLUMNS", "LINES"}
BEGAN = pytest.StashKey[float]()
TARGET = "node" if names_a_cluster() else "sandbox"


# A shell starts background jobs with SIGINT ignored, nohup ignores SIGHUP, and esml respects both; the tests of signals
# would wait for ever.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_xdist_auto_num_workers() -> int:
    """Let tests take turns when there is a node, which is one for all; else two for each processor, as most wait."""
    return 0 if names_a_cluster() or "ESML_RECORD" in os.environ else 2 * (os.cpu_count() or 1)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that removes what a killed run left behind."""
    text = "only remove everything called esml-test-* from the cluster that ESML_TEST_URL names"
    parser.addoption("--clean", action="store_true", help=text)


def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """With --clean, remove what a killed run left on the cluster, and run nothing."""
    if not config.getoption("--clean"):
        return None
    node = usable()
    removed = clean(node)
    print(*(f"removed {what}: {', '.join(names)}" for what, names in removed.items()), sep="\n")
    print(f"{sum(map(len, removed.values()))} removed from {node.url}")
    return 0


def pytest_configure(config: pytest.Config) -> None:
    """Let a run on a cluster that is asked to end clean up first, as after Ctrl-C."""
    if names_a_cluster():
        signal.signal(signal.SIGTERM, interrupt)


def pytest_sessionstart(session: pytest.Session) -> None:
    """Note when the run began, and end it when the cluster that it is for cannot be used."""
    session.config.stash[BEGAN] = time.monotonic()
    if names_a_cluster():
        usable()


def usable() -> RawCluster:
    """Return the cluster under test, and end the run when it cannot be used."""
    try:
        node = node_from_environment()
        status, answer = node.ask("GET", "/") if node else (0, "ESML_TEST_URL is not set")
    except (EsmlError, HTTPError) as error:
        node, answer = None, error
    if node is None or status != 200:
        raise pytest.UsageError(f"the cluster under test cannot be used: {answer}")
    return node


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """After a run on a cluster, say where it ran and how long, what was skipped and why, and what was left there."""
    node = node_from_environment()
    if node is None:
        return
    stats = terminalreporter.stats
    reasons = Counter(one.longrepr[2].removeprefix("Skipped: ") for one in stats.get("skipped", []))
    counts = ", ".join(f"{len(stats.get(name, []))} {name}" for name in ("passed", "failed", "error", "skipped"))
    terminalreporter.section(found_at(node))
    terminalreporter.line(f"{counts} in {time.monotonic() - config.stash[BEGAN]:.0f} s")
    for reason, count in reasons.most_common():
        terminalreporter.line(f"skipped {count}: {reason}")
    terminalreporter.line(f"left on the cluster: {left_on(node)}")


def found_at(node: RawCluster) -> str:
    """Return the URL of the cluster with its version."""
    try:
        return f"{node.url}, Elasticsearch {node.do('GET', '/')['version']['number']}"
    except (AssertionError, HTTPError) as error:
        return f"{node.url} does not answer: {error}"


def left_on(node: RawCluster) -> str:
    """Return what this run has left on the cluster, in words."""
    try:
        left = [f"{what}: {', '.join(names)}" for one in PREFIXES for what, names in leftovers(node, one).items()]
    except (AssertionError, HTTPError):
        return "unknown; `pytest -m scenario --clean` removes it when the cluster answers again"
    return "; ".join(left) or "nothing"


def interrupt(number: int, frame: FrameType | None) -> None:
    """End the run in order."""
    raise KeyboardInterrupt


@pytest.fixture(autouse=True)
def _nothing_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test sees the settings, the home directory or the proxies of whoever runs it."""
    for name in list(os.environ):
        outer = name.startswith(CONNECTION_PREFIXES) and not name.startswith(("ESML_TEST_", "ESML_RECORD"))
        if outer or name in OUTPUT_NAMES or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("TERM", "dumb")


@pytest.fixture(params=[TARGET])
def cluster(request: pytest.FixtureRequest) -> Iterator[RawCluster]:
    """Yield a cluster for one test: an empty sandbox, or the cluster that ESML_TEST_URL names under a prefix.

    A test marked `faults` may call `_testnode`, and runs only where that is answered.
    """
    faults = request.node.get_closest_marker("faults") is not None
    if faults and request.param == "node" and not made_for_tests():
        pytest.skip("needs a node made for tests (one that answers _testnode)")
    with workspace(request.param, faults=faults) as found:
        yield found


@pytest.fixture(params=[TARGET], scope="module")
def kept(request: pytest.FixtureRequest) -> Iterator[RawCluster]:
    """Yield a cluster for those tests of a module that only look: a scene on it is set up once for all of them."""
    with workspace(request.param) as found:
        yield found
