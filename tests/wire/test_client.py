import ast
import subprocess
import sys
from pathlib import Path

import elasticsearch

from esml_stop.wire.client import ASYNC_CLIENT, SYNC_CLIENT, holds_api_class
from tests.raw import RawCluster
from tests.running import esml

PACKAGE = Path(elasticsearch.__file__).parent


def test_what_is_left_out_holds_api_classes_and_nothing_else() -> None:
    """Every module of the client that is not imported only defines one class, whose name ends in Client."""
    modules = sorted((PACKAGE / "_sync" / "client").glob("*.py"))
    left_out = [path for path in modules if holds_api_class(f"{SYNC_CLIENT}.{path.stem}")]
    assert len(left_out) > 30
    for path in left_out:
        imported = ast.Import | ast.ImportFrom | ast.If  # `if t.TYPE_CHECKING:`
        defined = [one for one in ast.parse(path.read_text(encoding="utf-8")).body if not isinstance(one, imported)]
        assert [one.name.endswith("Client") for one in defined if isinstance(one, ast.ClassDef)] == [True], path
        assert len(defined) == 1, path
    assert not any(map(holds_api_class, (SYNC_CLIENT, f"{SYNC_CLIENT}._base", "elasticsearch.helpers")))


def test_esml_imports_the_client_without_them() -> None:
    """In a process of its own, esml's client has no API classes, and the import system is as before."""
    program = (
        "import sys; before = list(sys.meta_path); import esml_stop.wire.client as client; import elasticsearch;"
        "one = client.Elasticsearch('http://localhost:9200');"
        f"print(type(one.ml).__name__, sys.modules['{ASYNC_CLIENT}'].__spec__.origin, before == sys.meta_path)"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stdout == "Unneeded None True\n"


def test_the_client_works_without_them(cluster: RawCluster) -> None:
    """A command that asks every question and stops a deployment works, in a process that imports the client so."""
    cluster.model("m")
    cluster.deployment("d", "m")
    assert esml("stop", "d", environment=cluster.environment()).outcomes == {"d": "stopped"}
