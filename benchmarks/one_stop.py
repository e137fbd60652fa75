"""What one stop goes through inside esml: `python -m benchmarks.one_stop [NAME]`.

Counts the modules of esml that run code, the functions, how often the main thread changes from one module to another,
the threads, and the imports that stand inside functions. The stop runs on a practice cluster in a process of its own.
"""

import ast
import inspect
import os
import subprocess
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any

import esml_stop

PACKAGE = Path(esml_stop.__file__).parent


class Trace:
    """Trace function that counts the calls of esml's functions."""

    def __init__(self) -> None:
        self.functions: set[tuple[str, str]] = set()
        self.threads = 1
        self.changes = 0
        self.last = ""

    @property
    def modules(self) -> set[str]:
        """Return the modules that ran code."""
        return {module for module, _ in self.functions}

    def __call__(self, frame: FrameType, event: str, _: Any) -> None:
        """Count one call event."""
        module = str(frame.f_globals.get("__name__", ""))
        if event != "call" or not module.startswith("esml_stop") or is_import(frame):
            return
        self.functions.add((module, frame.f_code.co_qualname if sys.version_info >= (3, 11) else frame.f_code.co_name))
        if threading.current_thread() is threading.main_thread():
            self.changes += module != self.last
            self.last = module


def is_import(frame: FrameType) -> bool:
    """Return whether a call happens during an import: a body of a module or class, or a function called from it."""
    caller = frame.f_back
    called_there = caller is not None and not caller.f_code.co_flags & inspect.CO_OPTIMIZED
    return not frame.f_code.co_flags & inspect.CO_OPTIMIZED or called_there or frame.f_code.co_name == "__create_fn__"


def local_imports() -> int:
    """Return how many imports stand inside functions."""
    count = 0
    for path in PACKAGE.rglob("*.py"):
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(function, ast.FunctionDef):
                count += sum(isinstance(node, ast.Import | ast.ImportFrom) for node in ast.walk(function))
    return count


def traced(name: str) -> Trace:
    """Stop a deployment on the cluster at ESML_URL and return the trace."""
    from esml_stop.cli.main import run

    trace = Trace()
    start = threading.Thread.start

    def counted(thread: threading.Thread) -> None:
        trace.threads += 1
        start(thread)

    threading.Thread.start = counted  # type: ignore[assignment, method-assign]
    threading.setprofile(trace)
    sys.setprofile(trace)
    run(["stop", name])
    sys.setprofile(None)
    threading.setprofile(None)
    return trace


def main(name: str) -> None:
    """Print the counts."""
    command = [sys.executable, "-m", "esml_stop", "sandbox"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as sandbox:
        assert sandbox.stdout
        os.environ["ESML_URL"] = sandbox.stdout.readline().removeprefix("export ESML_URL=").strip()
        trace = traced(name)
        sandbox.terminate()
    print(f"modules {len(trace.modules)}, functions {len(trace.functions)}, module changes {trace.changes}")
    print(f"threads {trace.threads}, imports inside functions {local_imports()}")
    print(f"modules in all {sum(1 for _ in PACKAGE.rglob('*.py'))}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "my_model_for_search")
