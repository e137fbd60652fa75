"""Lays out tables for the width of the terminal: less important columns are left out, values are never truncated."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import NamedTuple

from esml_stop.text import columns_of

GAP = "  "


class Cell(NamedTuple):
    """A value, which must already be clean, and its ANSI style."""

    text: str
    style: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """The values of one row by column title, the lines of its last column, and the notes below the row."""

    cells: Mapping[str, Cell]
    last: Sequence[str] = ()
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of a table, in order.

    `optional` are the columns that may be left out, most important first. `last` is the title of the last column, which
    can have several lines; without room beside the row, they are shown below it. `right` are the right-aligned columns.
    """

    titles: Sequence[str]
    optional: Sequence[str] = ()
    last: str = ""
    right: frozenset[str] = frozenset()


def lines(layout: Layout, rows: Sequence[Row], room: int | None, *, coloured: bool = False) -> Iterator[str]:
    """Yield the lines of a table, at most `room` columns wide unless a single value is wider; None means no limit."""
    widths = {title: widest([title, *(row.cells[title].text for row in rows)]) for title in layout.titles}
    used = [line for row in rows for line in row.last]
    tail = len(GAP) + widest([layout.last, *used]) if used else 0
    shown, fits = choose_layout(layout, rows, widths, tail, room)
    beside = bool(used) and fits
    painter = Painter(shown, layout.right, coloured=coloured)
    yield painter.head(layout.last if beside else "")
    for row in rows:
        yield from painter.row(row, "" if beside else layout.last)
        yield from (f"{GAP}{part}" for note in row.notes for part in folded(note, room))


def choose_layout(
    layout: Layout, rows: Sequence[Row], widths: Mapping[str, int], tail: int, room: int | None
) -> tuple[dict[str, int], bool]:
    """Return the widths of the columns that are shown, and whether the last column, `tail` wide, fits beside them."""
    if room is None:
        return dict(widths), True
    usual = without_outliers(widths, rows, room)
    for candidate in (widths, usual):
        shown = visible_widths(layout, candidate, room - tail)
        if total(shown) + tail <= room:
            return shown, True
    return narrow_first_column(visible_widths(layout, usual, room), rows, room), False


def without_outliers(widths: Mapping[str, int], rows: Sequence[Row], room: int) -> Mapping[str, int]:
    """Return the widths; a few very long values in the first column do not make it wider."""
    first = next(iter(widths))
    sizes = [columns_of(row.cells[first].text) for row in rows]
    usual = [size for size in sizes if size <= room // 3]
    few = len(sizes) - len(usual) <= len(sizes) // 4
    return {**widths, first: max([columns_of(first), *usual])} if few else widths


def folded(note: str, room: int | None) -> Sequence[str]:
    """Return a note as lines, wrapped at word boundaries."""
    if room is None:
        return [note]
    return wrap(note, max(room - len(GAP), 20), subsequent_indent=GAP, break_long_words=False, break_on_hyphens=False)


def visible_widths(layout: Layout, widths: Mapping[str, int], room: int) -> dict[str, int]:
    """Return the widths of the columns that fit; the least important ones are left out first."""
    shown = dict(widths)
    for title in reversed(layout.optional):
        if total(shown) <= room:
            break
        del shown[title]
    return shown


def narrow_first_column(widths: dict[str, int], rows: Sequence[Row], room: int) -> dict[str, int]:
    """Return the widths with a first column that fits; values that are longer are shown on a separate line."""
    first, *others = widths
    left = room - total({title: widths[title] for title in others}) - len(GAP)
    texts = (row.cells[first].text for row in rows)
    return {**widths, first: widest([first, *(text for text in texts if columns_of(text) <= left)])}


def total(widths: Mapping[str, int]) -> int:
    """Return the total width of the columns, with the gaps between them."""
    return sum(widths.values()) + len(GAP) * (len(widths) - 1)


def widest(texts: Sequence[str]) -> int:
    """Return the width of the widest text, in terminal columns."""
    return max(map(columns_of, texts))


class Painter:
    """Formats rows for columns of known widths."""

    def __init__(self, widths: Mapping[str, int], right: frozenset[str], *, coloured: bool) -> None:
        self.widths = widths
        self.right = right
        self.coloured = coloured
        self.first = next(iter(widths))

    def head(self, last: str) -> str:
        """Return the header line."""
        titles = {title: Cell(title, "1") for title in self.widths}
        return f"{self.line(titles)}{GAP}{self.painted(Cell(last, '1'))}".rstrip()

    def row(self, row: Row, below: str) -> Iterator[str]:
        """Yield the lines of a row; `below` is the title of the last column if that is shown below the row."""
        cells = dict(row.cells)
        if columns_of(cells[self.first].text) > self.widths[self.first]:
            yield self.painted(cells[self.first])
            cells[self.first] = Cell("")
        if below:
            yield self.line(cells).rstrip()
            yield from (f"{GAP}{below.lower()}: {text}" for text in row.last)
            return
        beside, *others = row.last or [""]
        yield f"{self.line(cells)}{GAP}{beside}".rstrip()
        indent = " " * (total(self.widths) + len(GAP))
        yield from (f"{indent}{text}" for text in others)

    def line(self, cells: Mapping[str, Cell]) -> str:
        """Return one line of cells, each padded to the width of its column."""
        return GAP.join(self.padded(cells[title], width, title in self.right) for title, width in self.widths.items())

    def padded(self, cell: Cell, width: int, right: bool) -> str:  # noqa: FBT001 - right or left
        """Return a cell padded to a width, aligned to the right or left."""
        space, text = " " * (width - columns_of(cell.text)), self.painted(cell)
        return f"{space}{text}" if right else f"{text}{space}"

    def painted(self, cell: Cell) -> str:
        """Return the value of a cell with its ANSI style, if the output is coloured."""
        return f"\x1b[{cell.style}m{cell.text}\x1b[0m" if self.coloured and cell.style and cell.text else cell.text
