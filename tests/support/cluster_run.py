"""Pytest hooks for a whole run: they clean up the cluster under test, and report duration and skipped tests."""

import time
from collections import Counter
from collections.abc import Generator

import pytest
from urllib3.exceptions import HTTPError

from esml_stop.config.connection import Connection, redacted
from esml_stop.errors import EsmlError
from tests.support.clean import cleaner
from tests.support.interrupts import INTERRUPTS
from tests.support.raw_cluster import RawCluster
from tests.support.target import PREFIXES, connection_from_environment, node_from_environment

OUTCOMES = ("passed", "failed", "error", "skipped", "xfailed", "xpassed")


class Summary:
    """Reports the duration of a run, and the skipped tests by reason, at its end."""

    def __init__(self) -> None:
        self.began = time.monotonic()

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Write the summary to the terminal."""
        stats = terminalreporter.stats
        counts = ", ".join(f"{len(stats[name])} {name}" for name in OUTCOMES if stats.get(name))
        terminalreporter.section(self.where())
        terminalreporter.line(f"{counts or 'nothing ran'} in {time.monotonic() - self.began:.0f} s")
        reasons = Counter(one.longrepr[2].removeprefix("Skipped: ") for one in stats.get("skipped", []))
        for reason, count in reasons.most_common():
            terminalreporter.line(f"skipped {count}: {reason}")

    def where(self) -> str:
        """Return the title of the summary: where the scenarios ran."""
        return "scenarios run on a practice cluster each"


class ClusterRun(Summary):
    """Cleans up the cluster under test at the end of a run, and masks the cluster's secrets in reports."""

    def __init__(self, node: RawCluster, connection: Connection) -> None:
        super().__init__()
        self.node = node
        self.connection = connection
        self.left = "unknown"

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Mask the cluster's secrets in the report and the captured output of a test."""
        report = yield
        text = str(report.longrepr)
        if report.failed and redacted(text, self.connection) != text:
            report.longrepr = redacted(text, self.connection)
        report.sections = [(title, redacted(content, self.connection)) for title, content in report.sections]
        return report

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, None, None]:
        """Remove what an interrupted test could not remove; fail the run if anything is left."""
        with INTERRUPTS.hold():
            try:
                yield
            finally:
                self.left = left_after_cleaning(self.node)
                if self.left != "nothing":
                    session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Write the summary, and which objects are left on the cluster."""
        super().pytest_terminal_summary(terminalreporter)
        terminalreporter.line(f"left on the cluster: {self.left}")

    def where(self) -> str:
        """Return the title of the summary: the URL and the version of the cluster."""
        try:
            return f"{self.node.url}, Elasticsearch {self.node.do('GET', '/')['version']['number']}"
        except (AssertionError, HTTPError):
            return f"{self.node.url} does not answer"


def left_after_cleaning(node: RawCluster) -> str:
    """Remove the objects of this run from the cluster, and return the error if this failed, else "nothing"."""
    try:
        if PREFIXES:
            cleaner(node, PREFIXES).clean()
    except (AssertionError, HTTPError) as error:
        return f"{type(error).__name__}: {error}; remove it with `pytest -m scenario --clean`"
    return "nothing"


def usable_cluster() -> tuple[RawCluster, Connection]:
    """Return the cluster under test and its connection; end the run with a usage error if it cannot be used."""
    try:
        node, connection = node_from_environment(), connection_from_environment()
        status, answer = node.ask("GET", "/") if node else (0, "ESML_TEST_URL is not set")
    except (EsmlError, HTTPError) as error:
        raise pytest.UsageError(f"the cluster under test cannot be used: {error}") from None
    if node is None or status != 200:
        raise pytest.UsageError(f"the cluster under test cannot be used: {answer}")
    return node, connection
