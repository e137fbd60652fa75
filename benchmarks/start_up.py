"""Start-up time of esml compared with a minimal script: `python -m benchmarks.start_up [RUNS]`.

The stop is measured on the cluster that ESML_TEST_URL names, which is reset, else on a sandbox in a process of its own.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.turns import in_turns, show
from tests.support.raw_cluster import RawCluster
from tests.support.target import node_from_environment

PYTHON, NAME = sys.executable, "benchmark"
ESML = (PYTHON, "-m", "esml_stop")


def main(runs: int) -> None:
    """Print both comparisons."""
    show("Without a cluster (at most 1.20 x)", in_turns(WITHOUT_CLUSTER, runs, {}, lambda: None))
    with cluster() as target:
        target.reset()
        target.model(NAME)

        def start() -> None:
            if not target.running():
                target.deployment(NAME, NAME)

        show(f"One stop on {target.url} (at most 0.95 x)", in_turns(STOP, runs, target.environment(), start))
        target.reset()


WITHOUT_CLUSTER = {
    "python -c 'import click'": (PYTHON, "-c", "import click"),
    "esml --version": (*ESML, "--version"),
    "esml --help": (*ESML, "--help"),
    "esml stop --help": (*ESML, "stop", "--help"),
    "esml stop --no-such-option": (*ESML, "stop", "--no-such-option"),
}
STOP = {
    "minimal script with the official client": (PYTHON, "-m", "benchmarks.minimal", NAME),
    "esml stop": (*ESML, "stop", NAME),
}


@contextmanager
def cluster() -> Iterator[RawCluster]:
    """Yield the cluster to measure on."""
    if node := node_from_environment():
        yield node
        return
    with subprocess.Popen([*ESML, "sandbox"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as sandbox:
        assert sandbox.stdout
        yield RawCluster(sandbox.stdout.readline().removeprefix("export ESML_URL=").strip())
        sandbox.terminate()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
