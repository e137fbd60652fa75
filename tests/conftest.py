import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.raw_cluster import RawCluster, node_from_environment

CONNECTION_PREFIXES = ("ESML_", "ELASTICSEARCH_", "ELASTIC_", "ES_", "ESCLI_", "ESCLIENT_", "CLOUD_ID")
OUTPUT_NAMES = {"NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "COLUMNS", "LINES"}


# A shell starts background jobs with SIGINT ignored, and esml respects that; the tests of Ctrl-C would wait for ever.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_xdist_auto_num_workers() -> int:
    """Let tests take turns when there is a node, which is one for all; else two for each processor, as most wait."""
    return 0 if os.environ.keys() & {"ESML_TEST_URL", "ESML_RECORD"} else 2 * (os.cpu_count() or 1)


@pytest.fixture(autouse=True)
def _nothing_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test sees the settings, the home directory or the proxies of whoever runs it."""
    for name in list(os.environ):
        outer = name.startswith(CONNECTION_PREFIXES) and not name.startswith(("ESML_TEST_", "ESML_RECORD"))
        if outer or name in OUTPUT_NAMES or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("TERM", "dumb")


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
