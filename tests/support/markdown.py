"""Reads code blocks, links and prose from README, CONTRIBUTING, CHANGELOG and docs."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TOP = Path(__file__).parent.parent.parent
PAGES = (*(TOP / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")), *sorted(TOP.glob("docs/*.md")))

FENCE = re.compile(
    r"(?:^<!-- test: (?P<mark>[^\n]*?) -->\n)?^```(?P<language>[^\n]*)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE
)
LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s]+)\)")
HEADING = re.compile(r"^#+ (?P<title>.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A code block; `mark` is the instruction for its test, from a comment directly above it."""

    page: str
    line: int
    language: str
    text: str
    mark: str | None

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks(page: Path) -> Iterator[Block]:
    """Yield the code blocks of a page."""
    text = page.read_text(encoding="utf-8")
    for found in FENCE.finditer(text):
        line = text.count("\n", 0, found.start("language")) + 1
        yield Block(page.name, line, found["language"], found["text"], found["mark"])


def all_blocks(*languages: str) -> list[Block]:
    """Return the code blocks in these languages of README and docs."""
    pages = [page for page in PAGES if page.name not in {"CONTRIBUTING.md", "CHANGELOG.md"}]
    return [block for page in pages for block in blocks(page) if block.language in languages]


def links(page: Path) -> list[str]:
    """Return the targets of the links and pictures on a page, except for those in code blocks."""
    return [found["target"] for found in LINK.finditer(FENCE.sub("", page.read_text(encoding="utf-8")))]


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub creates for a page's headings."""
    prose = FENCE.sub("", page.read_text(encoding="utf-8"))
    titles = (re.sub(r"[^\w\- ]", "", found["title"].lower()) for found in HEADING.finditer(prose))
    return {title.replace(" ", "-") for title in titles}


def prose(page: Path) -> Iterator[tuple[int, str]]:
    """Yield each line of a page outside of code blocks, with its number and without inline code."""
    text = FENCE.sub(lambda found: "\n" * found[0].count("\n"), page.read_text(encoding="utf-8"))
    for number, line in enumerate(text.splitlines(), 1):
        if not line.startswith("    "):
            yield number, re.sub(r"`[^`]*`|\]\([^)]*\)", "", line)
