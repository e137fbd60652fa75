"""Collects the texts that users read, and finds words that the glossary rules out."""

import ast
import json
import re
from collections.abc import Iterator
from typing import Any

from tests.support.markdown import PAGES, TOP, prose

PACKAGE = TOP / "esml_stop"
# Modules with Elasticsearch's own error messages.
SERVERS_WORDS = ("model_routes.py", "other_routes.py", "problems.py", "server.py", "state.py", "stats.py")

# Words that the glossary rules out, and their replacements.
GLOSSARY = {
    r"names? (the|its|this) (deployment|model)|that name it\b|names it\b": "references",
    r"\bowns\b|\bowned by\b": "created",
    r"\basked for\b|\bwas asked\b|\bcan be asked\b|nothing was asked": "requested, prompts, contacted",
    r"\bof what\b|\bone may be\b|\bone, such\b|\bone a line\b|\bfor so long\b": "say it with a noun",
    r"\bwants?\b|\bwanted\b|\bit takes\b": "requires",
    r"\bleft alone\b|\bnot touched\b|\buntouched\b": "skipped, not attempted",
    r"\ball the same\b": "anyway",
    r"\bas it was\b|\bwith (the same|other) parameters\b": "with the same settings",
    r"\bexcludes? each other\b": "cannot be used together",
    r"\bis over\b|\bwas over\b": "timed out",
    r"\bdrips?\b|\bmends?\b|\bfor your eyes\b|\btwice is\b|\bcluster (is )?well\b": "say what happens",
    r"\baccept these credentials\b": "rejected the credentials",
    r"\bexists? already\b|\bis there already\b": "already exists",
    r"(?<!esml )(?<!`)\bsandbox\b(?! --)": "practice cluster",
    r"colour|behaviour|favour|recognis|authoris": "American spelling",
    r"\u2014|\u2013": "a comma, a colon or a full stop",
}


def problems(text: str) -> list[str]:
    """Return each word of a text that the glossary rules out, with its replacement."""
    found = ((re.search(pattern, text, re.IGNORECASE), better) for pattern, better in GLOSSARY.items())
    return [f"{match[0]!r}: {better}" for match, better in found if match]


def sentences() -> Iterator[tuple[str, str]]:
    """Yield each text that users read, after its file and line."""
    for path in sorted(PACKAGE.rglob("*.py")):
        if path.parent.name != "sandbox" or path.name not in SERVERS_WORDS:
            for line, text in strings(ast.parse(path.read_text(encoding="utf-8"))):
                if " " in text.strip():
                    yield f"{path.relative_to(TOP)}:{line}", text
    for path in sorted(PACKAGE.glob("schemas/*.json")):
        for text in descriptions(json.loads(path.read_text(encoding="utf-8"))):
            yield str(path.relative_to(TOP)), text
    for page in PAGES:
        yield from ((f"{page.relative_to(TOP)}:{line}", text) for line, text in prose(page))


def strings(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield line and text of each string in a module, with ... for values; docstrings only if they are help texts."""
    hidden = {id(node) for node in ast.walk(tree) if not is_help(node) for node in docstring(node)}
    hidden |= {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = (part.value if isinstance(part, ast.Constant) else "..." for part in node.values)
            yield node.lineno, "".join(map(str, parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in hidden:
            yield node.lineno, node.value


def docstring(node: ast.AST) -> Iterator[ast.Constant]:
    """Yield the node of a module's, class's or function's docstring, if there is one."""
    if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.body:
        first = node.body[0]
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
            yield first.value


def is_help(node: ast.AST) -> bool:
    """Return whether a node is the function of a click command, whose docstring is its help text."""
    return isinstance(node, ast.FunctionDef) and any(
        re.search(r"click\.(command|group)", ast.unparse(decorator)) for decorator in node.decorator_list
    )


def descriptions(node: Any) -> Iterator[str]:
    """Yield the descriptions and titles in a JSON Schema."""
    if isinstance(node, dict):
        yield from (text for key in ("title", "description") if isinstance(text := node.get(key), str))
        yield from (text for value in node.values() for text in descriptions(value))
    elif isinstance(node, list):
        yield from (text for value in node for text in descriptions(value))
