"""Benchmark of `esml stop` with a thousand deployments: time ratios, memory, and the number of concurrent stops.

    python -m benchmarks.load [--deployments 1000] [--pipelines 2000] [--parallel 4]

The cluster is the practice one, in a process of its own; each stop takes 50 ms there, so the ideal is
deployments x 50 ms / parallel. A bare client that only sends the same stops shows how much of the rest is the practice
cluster's; what is left is esml's start, its look-ups, and what it does between two stops.
"""

import argparse
import http.client
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import Connection
from urllib.parse import urlsplit

from esml_stop.sandbox.state import State
from tests.support.faulty_server import deployments, misbehaving

STOP_MS = 50
OTHER_MODELS = 1_500  # so that the listing has more than one page
FORK = multiprocessing.get_context("fork")


def serve(pipe: Connection, count: int, pipelines: int) -> None:
    """Serve until the parent process asks for the counts of stops, other requests and what is left."""
    state = State()
    for number in range(count):
        deployments(state, f"ci-{number}", model=f"model-{number}", stop_ms=STOP_MS)
    state.models |= {f"other-{number}": "pytorch" for number in range(OTHER_MODELS)}
    for number in range(pipelines):
        inference = {"model_id": f"other-{number % OTHER_MODELS}"}
        state.pipelines[f"pipeline-{number}"] = {"processors": [{"inference": inference}]}
    with misbehaving(state) as server:
        pipe.send(server.url)
        pipe.recv()
        gets = sum(one.line.startswith("GET") for one in server.received)
        pipe.send((len(server.received) - gets, gets, server.most_in_flight, len(state.deployments)))


@contextmanager
def cluster(count: int, pipelines: int) -> Iterator[tuple[str, Callable[[], tuple[int, int, int, int]]]]:
    """Yield the URL of a fresh cluster, and a function that returns its counts."""
    ours, theirs = FORK.Pipe()
    process = FORK.Process(target=serve, args=(theirs, count, pipelines))
    process.start()

    def seen() -> tuple[int, int, int, int]:
        ours.send(None)
        found: tuple[int, int, int, int] = ours.recv()
        return found

    yield ours.recv(), seen
    process.join()


def bare(url: str, count: int, parallel: int) -> None:
    """Send a stop for each deployment, several concurrently, without any checks."""

    def some(first: int) -> None:
        client = http.client.HTTPConnection(urlsplit(url).netloc)
        for number in range(first, count, parallel):
            path = f"/_ml/trained_models/ci-{number}/deployment/_stop"
            client.request("POST", path, b'{"force": false}', {"content-type": "application/json"})
            client.getresponse().read()
        client.close()

    with ThreadPoolExecutor(parallel) as pool:
        list(pool.map(some, range(parallel)))


def esml(url: str, parallel: int) -> tuple[int, float]:
    """Run the command and return its exit code and its largest memory in MB."""
    command = [sys.executable, "-m", "esml_stop", "stop", "ci-*", "--yes", "--parallel", str(parallel)]
    env = {**os.environ, "ESML_URL": url, "HOME": tempfile.gettempdir()}
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    return os.waitstatus_to_exitcode(status), usage.ru_maxrss / 1024


def main() -> None:
    """Run both once and print what came out."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--deployments", type=int, default=1_000)
    parser.add_argument("--pipelines", type=int, default=2_000)
    parser.add_argument("--parallel", type=int, default=4)
    given = parser.parse_args()
    ideal = given.deployments * STOP_MS / 1000 / given.parallel
    with cluster(given.deployments, given.pipelines) as (url, seen):
        began = time.perf_counter()
        bare(url, given.deployments, given.parallel)
        floor = time.perf_counter() - began
        seen()
    with cluster(given.deployments, given.pipelines) as (url, seen):
        began = time.perf_counter()
        status, megabytes = esml(url, given.parallel)
        seconds = time.perf_counter() - began
        stops, gets, most, left = seen()
    print(f"{given.deployments} deployments, {given.pipelines} pipelines, --parallel {given.parallel}")
    print(f"  ideal       {ideal:6.2f} s")
    print(f"  bare client {floor:6.2f} s   {floor / ideal:.2f} x the ideal")
    print(
        f"  esml        {seconds:6.2f} s   {seconds / ideal:.2f} x the ideal, {seconds / floor:.2f} x the bare client"
    )
    print(f"  exit code {status}, {megabytes:.0f} MB, {stops} stops, {gets} other requests")
    print(f"  at most {most} stops at the same time; {left} deployments left")


if __name__ == "__main__":
    main()
