"""Runs README's recipes unchanged on a practice cluster."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from esml_stop.sandbox import serve
from tests.support.command import Ended, run_script
from tests.support.markdown import all_blocks
from tests.support.raw_cluster import RawCluster

VARIABLES = dict.fromkeys(("BUILD_ID", "GITHUB_RUN_ID", "CI_PIPELINE_ID", "BUILD_NUMBER"), "7")


def texts(language: str) -> list[str]:
    """Return README's code blocks in a language."""
    return [block.text for block in all_blocks(language) if block.page == "README.md"]


def teardown_scripts() -> Iterator[tuple[str, str]]:
    """Yield the name of each CI system with the script of its recipe."""
    actions, gitlab = (yaml.safe_load(one) for one in texts("yaml"))
    yield "GitHub Actions", actions[-1]["run"]
    yield "GitLab CI", "\n".join(gitlab["test"]["after_script"])
    yield "Jenkins", re.findall(r"sh 'esml/bin/(.*)'", texts("groovy")[0])[0]


@pytest.fixture
def cluster() -> Iterator[RawCluster]:
    """Yield a practice cluster with three deployments of build 7, one of build 8, and one last used in 2023."""
    with serve(empty=True) as server:
        found = RawCluster(server.url)
        found.model("m")
        for name in ("ci-7", "ci-7-a", "ci-7-b", "ci-8-a", "old"):
            found.deployment(name, "m")
        found.fault("old", inference_count=1, last_access=1_700_000_000_000)
        yield found


def run(script: str, cluster: RawCluster, folder: Path) -> Ended:
    """Run a script as a CI system does: without a terminal, with `esml` on the PATH."""
    (folder / "esml").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m esml_stop "$@"\n')
    (folder / "esml").chmod(0o755)
    environment = {**cluster.environment(), **VARIABLES, "PATH": f"{folder}:/usr/bin:/bin"}
    return run_script(script, environment=environment, folder=folder)


@pytest.mark.parametrize(
    "script", [script for _, script in teardown_scripts()], ids=[name for name, _ in teardown_scripts()]
)
def test_a_teardown_step_stops_only_its_own_deployments(script: str, cluster: RawCluster, tmp_path: Path) -> None:
    """A teardown step stops only its own deployments, and exits with 0 if run again."""
    assert run(script, cluster, tmp_path).status == 0
    assert cluster.running() == ["ci-7", "ci-8-a", "old"]
    assert run(script, cluster, tmp_path).status == 0


def scripts() -> dict[str, str]:
    """Return each shell recipe by a word that only it contains."""
    found: dict[str, str] = {}
    for word in ('"ci-$BUILD_ID" --force', "--idle", "--save", "case"):
        (found[word],) = [one for one in texts("sh") if one.startswith("set ") and word in one]
    return found


def test_a_script_stops_the_deployments_of_its_build(cluster: RawCluster, tmp_path: Path) -> None:
    """With `set -e`, the script succeeds whether the deployment is running or not."""
    script = scripts()['"ci-$BUILD_ID" --force']
    assert run(script, cluster, tmp_path).status == 0
    assert "ci-7" not in cluster.running()
    assert run(script, cluster, tmp_path).status == 0


def test_idle_deployments_are_listed_and_stopped(cluster: RawCluster, tmp_path: Path) -> None:
    """Only idle deployments are stopped; one that is idle but in use keeps running and causes no failure."""
    script = scripts()["--idle"]
    cluster.model("used")
    cluster.deployment("old-used", "used")
    cluster.fault("old-used", inference_count=1, last_access=1_700_000_000_000)
    cluster.pipeline("p", "old-used")
    assert run(script, cluster, tmp_path).status == 0
    assert cluster.running() == ["ci-7", "ci-7-a", "ci-7-b", "ci-8-a", "old-used"]


def test_an_upgrade_restarts_all_deployments(cluster: RawCluster, tmp_path: Path) -> None:
    """The upgrade recipe stops all deployments and starts them again."""
    before = cluster.running()
    ended = run(scripts()["--save"], cluster, tmp_path)
    assert (ended.status, cluster.running()) == (0, before)
    assert ended.out.count("\tstopped\t") >= len(before)


@pytest.mark.parametrize(
    ("situation", "message"),
    [("there", "stopped"), ("gone", "not running"), ("used", "in use: see above for what uses it")],
)
def test_exit_codes_select_the_branch_of_a_script(
    cluster: RawCluster, tmp_path: Path, situation: str, message: str
) -> None:
    """The script distinguishes stopped, missing and used deployments by their exit codes."""
    if situation == "gone":
        cluster.do("POST", "/_ml/trained_models/ci-7/deployment/_stop")
    if situation == "used":
        cluster.pipeline("p", "ci-7")
    ended = run(scripts()["case"], cluster, tmp_path)
    assert ended.out.splitlines()[-1] == message
