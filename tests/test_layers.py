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

TOP_MODULES = {
    "errors",
    "exit_status",
    "invocation",
    "json_values",
    "models",
    "outcomes",
    "settings_report",
    "text",
}
ALLOWED_IMPORTS = {
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
INDEPENDENT = {"sandbox"}
# External packages, and the only packages or modules of esml that may import them.
# `config.credentials` uses ssl to check certificate files before the first request.
ALLOWED_USERS = {
    "elastic_transport": ("cluster.http",),
    "urllib3": ("cluster.http",),
    "ssl": ("cluster.http", "config.credentials"),
    "click": ("cli",),
    "rich": ("output",),
}
# Distributions whose import name differs from their own.
IMPORT_NAMES = {"pyyaml": "yaml"}
# Packages that are slow to import and rarely needed: for tables and progress, YAML files, proxy variables.
LAZY = {"rich", "yaml", "urllib"}
OUTPUT_CALLS = {"print", "sys.stdout.write", "click.echo"}
# Modules that pure modules must not import. `invocation` is not pure, because it reads the clock.
IMPURE = {"os", "sys", "socket", "time", "threading", "subprocess", "pathlib", "click", "rich", "urllib3"}
# Functions of `time` that pure modules may import, because they do not read the clock.
CLOCK_FREE = {"time.gmtime", "time.strftime"}
PURE = sorted(
    name for name in MODULES if name.startswith("plan.") or name in TOP_MODULES - {"invocation"} | {"savefile.document"}
)


@cache
def tree(name: str) -> ast.Module:
    """Return the syntax tree of a module."""
    return ast.parse(MODULES[name].read_text(encoding="utf-8"))


def package_of(name: str) -> str:
    """Return the package of a module, or the name of a module at the top."""
    return name.partition(".")[0]


def imported(node: ast.AST) -> Iterator[str]:
    """Yield the modules that a statement imports; nothing for other statements."""
    if isinstance(node, ast.Import):
        yield from (one.name for one in node.names)
    if isinstance(node, ast.ImportFrom) and node.module:
        yield node.module
        yield from (f"{node.module}.{one.name}" for one in node.names)


def type_checking_nodes(name: str) -> set[ast.AST]:
    """Return the statements in TYPE_CHECKING blocks, which do not run."""
    blocks = [
        one for one in ast.walk(tree(name)) if isinstance(one, ast.If) and ast.unparse(one.test) == "TYPE_CHECKING"
    ]
    return {inner for block in blocks for inner in ast.walk(block)}


def imports(name: str) -> set[str]:
    """Return every module that a module imports, at its top or in a function, but not for type checking."""
    return {one for node in set(ast.walk(tree(name))) - type_checking_nodes(name) for one in imported(node)}


def own_imports(name: str) -> set[str]:
    """Return the modules of esml that a module imports."""
    return {one.removeprefix("esml_stop.") for one in imports(name) if one.startswith("esml_stop.")} & MODULES.keys()


def external_imports(name: str) -> set[str]:
    """Return the external packages that a module imports."""
    return {one.partition(".")[0] for one in imports(name)} - {"esml_stop"}


@pytest.mark.parametrize("name", sorted(MODULES))
def test_each_package_imports_only_allowed_packages(name: str) -> None:
    """Each package imports only itself, the packages in its row of the table, and the modules at the top."""
    if name == "__main__":
        return
    allowed = {package_of(name)} | (
        set() if package_of(name) in INDEPENDENT else TOP_MODULES | ALLOWED_IMPORTS.get(package_of(name), set())
    )
    assert {one for one in own_imports(name) if package_of(one) not in allowed} == set()


@pytest.mark.parametrize("package", ALLOWED_USERS)
def test_some_libraries_are_imported_in_their_own_packages_only(package: str) -> None:
    """The packages in ALLOWED_USERS are imported only by the modules listed there."""
    users = [name for name in MODULES if package in external_imports(name) and package_of(name) not in INDEPENDENT]
    assert [
        name for name in users if not f"{name}.".startswith(tuple(f"{one}." for one in ALLOWED_USERS[package]))
    ] == []


@pytest.mark.parametrize("name", sorted(MODULES))
def test_every_imported_package_is_a_declared_dependency(name: str) -> None:
    """Each imported package is a declared dependency, so that an installation without extras works."""
    declared = {re.split("[<>=;! ]", one)[0].lower() for one in requires("esml") or () if "extra ==" not in one}
    known = {IMPORT_NAMES.get(one, one.replace("-", "_")) for one in declared} | sys.stdlib_module_names
    assert external_imports(name) - known == set()


# `__main__` installs the signal handlers before slow imports.
@pytest.mark.parametrize("name", sorted(name for name in MODULES if package_of(name) not in {"cli", "__main__"}))
def test_imports_are_at_the_top_of_the_module(name: str) -> None:
    """Outside of `cli`, functions import only slow modules that are rarely needed."""
    functions = [one for one in ast.walk(tree(name)) if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)]
    imported_in_functions = {one for function in functions for node in ast.walk(function) for one in imported(node)}
    assert {one for one in imported_in_functions if one.partition(".")[0] not in LAZY} == set()


@pytest.mark.parametrize("name", PURE)
def test_pure_modules_have_no_side_effects(name: str) -> None:
    """Pure modules import nothing that uses files, clocks, the network or the terminal."""
    statements = [node for node in ast.walk(tree(name)) if isinstance(node, ast.Import | ast.ImportFrom)]
    # For `from time import gmtime`, check `time.gmtime` instead of `time`.
    names = {one for node in statements for one in list(imported(node))[isinstance(node, ast.ImportFrom) :]}
    assert {one for one in names - CLOCK_FREE if one.partition(".")[0] in IMPURE} == set()


@pytest.mark.parametrize("name", sorted(MODULES))
def test_only_output_writes_results(name: str) -> None:
    """Only `output` prints or writes to standard output, except for the help of `esml`."""
    calls = {ast.unparse(one.func) for one in ast.walk(tree(name)) if isinstance(one, ast.Call)}
    # `esml` without a command prints its help to stdout, as `esml --help` does.
    assert (
        not calls & OUTPUT_CALLS
        or package_of(name) == "output"
        or (name, calls & OUTPUT_CALLS) == ("cli.main", {"click.echo"})
    )


def test_imports_are_not_circular() -> None:
    """Imports are not circular."""
    remaining = {name: own_imports(name) - {name} for name in MODULES}
    while ready := [name for name, needs in remaining.items() if not needs & remaining.keys()]:
        for name in ready:
            del remaining[name]
    assert remaining == {}
