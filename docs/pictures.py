"""Takes the pictures in README anew: `ESML_TEST_URL=... python -m docs.pictures`, from real runs on a terminal.

The cluster is reset; without one it is a sandbox. Each picture is what a run wrote to a terminal.
"""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.text import Text

from esml_stop.sandbox import serve
from tests.support.raw_cluster import RawCluster
from tests.support.screen import on_terminal
from tests.support.target import node_from_environment

COLUMNS = {"refusal": 90, "list": 120, "stop": 90}
FOLDER = Path(__file__).parent
RUNS = {
    "refusal": ("stop", "reviews_for_ingest", "my-elser"),
    "list": ("list",),
    "stop": ("stop", "my_model_for_search", "ci-*", "old_model", "--yes"),
}


def main() -> None:
    """Set up the example deployments, run each command once and save its screen."""
    with cluster() as target:
        scene(target)
        for name, arguments in RUNS.items():
            shown = on_terminal(*arguments, environment=target.environment(), columns=COLUMNS[name])
            words = " ".join(f"'{word}'" if "*" in word else word for word in arguments)
            save(name, f"$ esml {words}\n{last_screen(shown.raw)}")


@contextmanager
def cluster() -> Iterator[RawCluster]:
    """Yield an empty cluster."""
    node = node_from_environment()
    if node:
        node.reset()
        yield node
        node.reset()
    else:
        with serve(empty=True) as sandbox:
            yield RawCluster(sandbox.url)


def scene(target: RawCluster) -> None:
    """Start a few deployments, and create pipelines and endpoints that use some of them."""
    for model, deployments in SCENE.items():
        target.model(model)
        for name in deployments:
            target.deployment(name, model)
            target.fault(name, stop_ms=100)
    target.pipeline("reviews-pipeline", "reviews_for_ingest")
    target.endpoint("my-elser", model_id="elser")
    now = int(time.time() * 1000)
    for name, minutes in LAST_USE.items():
        target.fault(name, last_access=now - minutes * 60_000, inference_count=42)


LAST_USE = {"my_model_for_search": 3, "reviews_for_ingest": 13_000, "my-elser": 70, "ci-4711": 200, "ci-4712": 190}
SCENE = {"my_model": ("my_model_for_search",), "reviews": ("reviews_for_ingest",), "e5-small": ("ci-4711", "ci-4712")}


def last_screen(raw: str) -> str:
    """Return the final screen of a run, without progress lines that were overwritten."""
    return raw.rpartition("\r\x1b[K")[2].replace("\r\n", "\n").rstrip()


def save(name: str, ansi: str) -> None:
    """Write a picture."""
    console = Console(record=True, width=COLUMNS[name], file=StringIO(), force_terminal=True)
    console.print(Text.from_ansi(ansi), soft_wrap=True)
    svg = console.export_svg(title="esml", unique_id=name)
    # Do not load fonts from the network.
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL).replace("Fira Code, monospace", "monospace")
    # Without this, some viewers drop leading spaces.
    svg = svg.replace("<svg ", '<svg xml:space="preserve" ', 1)
    (FOLDER / f"{name}.svg").write_text("\n".join(line.rstrip() for line in svg.splitlines()) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
