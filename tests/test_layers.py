"""What may know what: the layout in CONTRIBUTING.md, held to by reading every import."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import esml_stop

TOP = Path(esml_stop.__file__).parent
MODULES = {".".join(path.relative_to(TOP).with_suffix("").parts): path for path in TOP.rglob("*.py")}
PURE = (
    *(name for name in sorted(MODULES) if name.startswith("plan.")),
    "savefile.document",
    "json_values",
)
# What a module that only reckons has no use for.
OUTSIDE = {"os", "sys", "socket", "time", "threading", "subprocess", "pathlib", "click", "rich", "urllib3"}


def imports(name: str) -> Iterator[str]:
    """Yield every module that a module imports, here or in a function, but not only for types."""
    tree = ast.parse(MODULES[name].read_text(encoding="utf-8"))
    for_types = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import) and id(node) not in for_types:
            yield from (one.name for one in node.names)
        if isinstance(node, ast.ImportFrom) and node.module and id(node) not in for_types:
            yield node.module
            yield from (f"{node.module}.{one.name}" for one in node.names)


def ours(name: str) -> set[str]:
    """Return the modules of esml that a module imports."""
    return {one.removeprefix("esml_stop.") for one in imports(name) if one.startswith("esml_stop.")} & MODULES.keys()


def parts(name: str) -> set[str]:
    """Return the first parts of what a module imports from elsewhere."""
    return {one.partition(".")[0] for one in imports(name)} - {"esml_stop"}


@pytest.mark.parametrize("name", sorted(MODULES))
def test_only_the_wire_knows_the_client(name: str) -> None:
    """Everything else speaks of clusters, not of HTTP."""
    client = parts(name) & {"elasticsearch", "elastic_transport", "urllib3", "ssl", "socket"}
    # A certificate file is read before the first request, so that a wrong one is named.
    assert not client or name.startswith("cluster.http.") or (name, client) == ("config.certificates", {"ssl"})


@pytest.mark.parametrize("name", sorted(MODULES))
def test_nothing_looks_up_to_the_commands(name: str) -> None:
    """Commands are at the top: cli finds them by name, nobody else does."""
    above = {one for one in ours(name) if one.startswith("cli.")}
    assert not above or name == "__main__" or name.startswith("cli.")


@pytest.mark.parametrize("name", [name for name in sorted(MODULES) if name.startswith("sandbox")])
def test_the_practice_cluster_is_on_its_own(name: str) -> None:
    """It imports nothing else of the package, so it can be held against it."""
    assert all(one.startswith("sandbox") for one in ours(name))


@pytest.mark.parametrize("name", PURE)
def test_what_only_reckons_touches_nothing(name: str) -> None:
    """No files, no clock, no network, no screen."""
    outside = parts(name) & OUTSIDE
    # A report says how long its command took.
    assert not outside or (name, outside) == ("report", {"time"})


@pytest.mark.parametrize("name", [name for name in sorted(MODULES) if name.startswith("config")])
def test_settings_know_neither_client_nor_command_line(name: str) -> None:
    """Where the connection comes from is decided without making it."""
    assert not parts(name) & {"click", "rich"}
    assert not {one for one in ours(name) if one.startswith(("cluster", "cli"))}


@pytest.mark.parametrize("name", sorted(MODULES))
def test_only_render_writes_results(name: str) -> None:
    """sys.stdout.write and print are nowhere else."""
    calls = [
        node for node in ast.walk(ast.parse(MODULES[name].read_text(encoding="utf-8"))) if isinstance(node, ast.Call)
    ]
    writers = {"print", "sys.stdout.write", "click.echo"} & {ast.unparse(one.func) for one in calls}
    # Without a command the group shows its help, as click does with --help.
    assert not writers or name.startswith("output.") or (name, writers) == ("cli.main", {"click.echo"})


def test_imports_make_no_circle() -> None:
    """Every module can be understood after those that it imports."""
    done: set[str] = set()
    left = {name: ours(name) - {name} for name in MODULES}
    while ready := [name for name, needs in left.items() if not {one for one in needs if one in left}]:
        done.update(ready)
        for name in ready:
            del left[name]
    assert left == {}
