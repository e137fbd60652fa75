"""Enforces the table of allowed imports between packages."""

import ast
import re
import sys
from collections.abc import Iterator
from functools import cache
from importlib.metadata import requires
from pathlib import Path

import pytest

import esml_stop

TOP = Path(esml_stop.__file__).parent
MODULES = {".".join(path.relative_to(TOP).with_suffix("").parts): path for path in TOP.rglob("*.py")}

LEAVES = {
    "errors",
    "exit_status",
    "invocation",
    "json_values",
    "models",
    "outcomes",
    "settings_report",
    "text",
}
ROOMS = {
    "cli": {"execute", "output", "savefile", "cluster", "config", "plan", "runtime", "sandbox"},
    "execute": {"cluster", "plan", "runtime"},
    "output": {"plan"},
    "savefile": {"plan"},
    "cluster": {"config", "plan", "runtime"},
    "config": set(),
    "plan": set(),
    "runtime": set(),
}
# The practice cluster must be independent of the code that it tests.
APART = {"sandbox"}
# Packages that only some packages of esml import. Certificate files are checked before the first request.
ONLY_IN = {
    "elastic_transport": ("cluster.http",),
    "urllib3": ("cluster.http",),
    "ssl": ("cluster.http", "config.credentials"),
    "click": ("cli",),
    "rich": ("output",),
}
# Distributions whose import name differs from their own.
IMPORT_NAMES = {"pyyaml": "yaml"}
# Rarely needed and slow to import: tables and progress on a terminal, YAML files, proxy variables.
LAZY = {"rich", "yaml", "urllib"}
WRITERS = {"print", "sys.stdout.write", "click.echo"}
# Pure modules import none of these, except for the start time of an invocation.
OUTSIDE = {"os", "sys", "socket", "time", "threading", "subprocess", "pathlib", "click", "rich", "urllib3"}
# `calendar` reads no clock.
CALENDAR = {"time.gmtime", "time.strftime"}
PURE = sorted(
    name for name in MODULES if name.startswith("plan.") or name in LEAVES - {"invocation"} | {"savefile.document"}
)


@cache
def tree(name: str) -> ast.Module:
    """Return the syntax tree of a module."""
    return ast.parse(MODULES[name].read_text(encoding="utf-8"))


def room(name: str) -> str:
    """Return the package of a module, or the name of a module at the top."""
    return name.partition(".")[0]


def imported(node: ast.AST) -> Iterator[str]:
    """Yield the modules of an import statement."""
    if isinstance(node, ast.Import):
        yield from (one.name for one in node.names)
    if isinstance(node, ast.ImportFrom) and node.module:
        yield node.module
        yield from (f"{node.module}.{one.name}" for one in node.names)


def for_types(name: str) -> set[ast.AST]:
    """Return the statements in TYPE_CHECKING blocks, which do not run."""
    blocks = [
        one for one in ast.walk(tree(name)) if isinstance(one, ast.If) and ast.unparse(one.test) == "TYPE_CHECKING"
    ]
    return {inner for block in blocks for inner in ast.walk(block)}


def imports(name: str) -> set[str]:
    """Return every module that a module imports, at its top or in a function."""
    return {one for node in set(ast.walk(tree(name))) - for_types(name) for one in imported(node)}


def ours(name: str) -> set[str]:
    """Return the modules of esml that a module imports."""
    return {one.removeprefix("esml_stop.") for one in imports(name) if one.startswith("esml_stop.")} & MODULES.keys()


def theirs(name: str) -> set[str]:
    """Return the external packages that a module imports."""
    return {one.partition(".")[0] for one in imports(name)} - {"esml_stop"}


@pytest.mark.parametrize("name", sorted(MODULES))
def test_imports_point_down(name: str) -> None:
    """Each package imports only itself, the packages in its row of the table, and the modules at the top."""
    if name == "__main__":
        return
    allowed = {room(name)} | (set() if room(name) in APART else LEAVES | ROOMS.get(room(name), set()))
    assert {one for one in ours(name) if room(one) not in allowed} == set()


@pytest.mark.parametrize("package", ONLY_IN)
def test_some_libraries_are_imported_in_their_own_packages_only(package: str) -> None:
    """The transport, TLS, click and rich are each imported in their own packages only."""
    users = [name for name in MODULES if package in theirs(name) and room(name) not in APART]
    assert [name for name in users if not f"{name}.".startswith(tuple(f"{one}." for one in ONLY_IN[package]))] == []


@pytest.mark.parametrize("name", sorted(MODULES))
def test_every_imported_package_is_a_declared_dependency(name: str) -> None:
    """Each imported package is a declared dependency, so that an installation without extras works."""
    declared = {re.split("[<>=;! ]", one)[0].lower() for one in requires("esml") or () if "extra ==" not in one}
    known = {IMPORT_NAMES.get(one, one.replace("-", "_")) for one in declared} | sys.stdlib_module_names
    assert theirs(name) - known == set()


# The entry point handles signals before slow imports.
@pytest.mark.parametrize("name", sorted(name for name in MODULES if room(name) not in {"cli", "__main__"}))
def test_imports_stand_at_the_top(name: str) -> None:
    """Outside of `cli`, functions import only slow modules that are rarely needed."""
    functions = [one for one in ast.walk(tree(name)) if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)]
    late = {one for function in functions for node in ast.walk(function) for one in imported(node)}
    assert {one for one in late if one.partition(".")[0] not in LAZY} == set()


@pytest.mark.parametrize("name", PURE)
def test_pure_modules_have_no_side_effects(name: str) -> None:
    """Pure modules use no files, clocks, network or terminal."""
    statements = [node for node in ast.walk(tree(name)) if isinstance(node, ast.Import | ast.ImportFrom)]
    # In `from time import gmtime` the name counts, not the module.
    names = {one for node in statements for one in list(imported(node))[isinstance(node, ast.ImportFrom) :]}
    assert {one for one in names - CALENDAR if one.partition(".")[0] in OUTSIDE} == set()


@pytest.mark.parametrize("name", sorted(MODULES))
def test_only_output_writes_results(name: str) -> None:
    """Only `output` prints or writes to standard output."""
    calls = {ast.unparse(one.func) for one in ast.walk(tree(name)) if isinstance(one, ast.Call)}
    # Without a command the group prints its help, like --help.
    assert not calls & WRITERS or room(name) == "output" or (name, calls & WRITERS) == ("cli.main", {"click.echo"})


def test_imports_are_not_circular() -> None:
    """Imports are not circular."""
    left = {name: ours(name) - {name} for name in MODULES}
    while ready := [name for name, needs in left.items() if not needs & left.keys()]:
        for name in ready:
            del left[name]
    assert left == {}
