"""Checks that a run on a cluster leaves nothing there, changes nothing of other users and shows no secret."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from esml_stop.sandbox import serve
from tests.support.clean import cleaner
from tests.support.markdown import TOP
from tests.support.raw_cluster import MODELS, RawCluster

SECRET = "a-pass-word-of-ours"
OTHERS = ["esml-test-d", "esml-test-data-d", "esml-test-abcdefg-d", "my-esml-test-abcdef-d", "prod"]


@dataclass(frozen=True)
class Cluster:
    """A practice cluster with models of other users, and a folder for the tests that run on it."""

    raw: RawCluster
    folder: Path

    def pytest(self, body: str, *options: str, status: int) -> str:
        """Run one test on the cluster, check the exit code of the run, and return its output."""
        (self.folder / "conftest.py").write_text("from tests.conftest import *\n")
        (self.folder / "test_it.py").write_text(f"import os, signal\nfrom tests.support.clean import Cleaner\n\n{body}")
        ended = subprocess.run(
            [sys.executable, "-m", "pytest", "-n0", "-p", "no:cacheprovider", *options, "test_it.py"],
            cwd=self.folder,
            env={
                **os.environ,
                "PYTHONPATH": str(TOP),
                "ESML_TEST_URL": self.raw.url,
                "ESML_TEST_USERNAME": "somebody",
                "ESML_TEST_PASSWORD": SECRET,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert ended.returncode == status, ended.stdout
        return ended.stdout

    def models(self) -> list[str]:
        """Return the models on the cluster."""
        configs = self.raw.do("GET", f"{MODELS}/_all?size=1000")["trained_model_configs"]
        return sorted(one["model_id"] for one in configs)


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[Cluster]:
    """Yield a cluster with models of other users, and check afterwards that these are unchanged."""
    with serve(empty=True) as server:
        cluster = Cluster(RawCluster(server.url), tmp_path)
        for name in OTHERS:
            cluster.raw.model(name)
        yield cluster
        assert cluster.models() == sorted(OTHERS)


def test_a_failing_test_leaves_nothing_and_shows_no_secret(shared: Cluster) -> None:
    """A failed test leaves nothing on the cluster, and its report does not contain the password."""
    body = """
def test_fails(cluster):
    cluster.model("m")
    compare(cluster.environment(), cluster.authorization)

def compare(environment, header):
    print(environment)
    assert environment == header
"""
    text = shared.pytest(body, "--showlocals", status=1)
    assert "environment = {" in text
    assert SECRET not in text
    assert "left on the cluster: nothing" in text


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda one: one.name)
@pytest.mark.parametrize("when", ["in the test", "in its clean-up"])
def test_a_signal_ends_the_run_after_its_clean_up(shared: Cluster, number: signal.Signals, when: str) -> None:
    """A signal ends the run before the next test and after the clean-up, even if it arrives during clean-up."""
    body = f"""
adopt = Cleaner.adopt

def interrupted(self):
    os.kill(os.getpid(), {number})
    adopt(self)

def test_ends(cluster, monkeypatch):
    cluster.model("m")
    cluster.deployment("d", "m")
    Cleaner.adopt = interrupted
    if {when == "in the test"}:
        os.kill(os.getpid(), {number})

def test_never_begins(cluster):
    print("it began")
"""
    text = shared.pytest(body, "-s", status=2)
    assert "left on the cluster: nothing" in text
    assert "it began" not in text


def test_clean_removes_the_leftovers_of_a_killed_run(shared: Cluster) -> None:
    """--clean removes and counts only names with the prefix of a test run."""
    body = """
def test_is_killed(cluster):
    cluster.model("m")
    cluster.deployment("d", "m")
    cluster.pipeline("p", "d")
    os.kill(os.getpid(), signal.SIGKILL)
"""
    shared.pytest(body, status=-signal.SIGKILL)
    assert len(shared.models()) == len(OTHERS) + 1
    text = shared.pytest(body, "--clean", status=0)
    assert "3 removed from" in text
    assert shared.models() == sorted(OTHERS)


def test_leftovers_fail_the_run_and_are_named(shared: Cluster) -> None:
    """A run that cannot remove something fails, names it and suggests --clean."""
    body = """
from tests.support.raw_cluster import RawCluster

ask = RawCluster.ask

def refusing(self, method, path, body=None):
    return (500, "disk full") if method == "DELETE" else ask(self, method, path, body)

def test_leaves(cluster):
    cluster.model("m")
    RawCluster.ask = refusing
"""
    text = shared.pytest(body, status=1)
    assert "left on the cluster: AssertionError: ('models', 'esml-test-" in text
    assert "disk full" in text
    assert "pytest -m scenario --clean" in text
    assert len(cleaner(shared.raw).clean()["models"]) == 1
