"""What a table consists of before anything is made of it: rows of cells, odd ones marked, and where its header is."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

from polydata.errors import InputError
from polydata.types import Progress, quiet

MAX_COLUMNS = 1000
MAX_ROWS = 100_000
MAX_CELLS = 2_000_000
"""Larger tables are refused; a collection of samples has some thousands of rows."""
LAST_ROW = 1_048_576
"""The last row that a spreadsheet has; numbers of rows beyond it are lies."""
LOOK = 30
"""Rows in which a header is looked for."""
STEP = 500
"""Rows after which progress is told."""

Known = Callable[[Sequence[str]], int]
"""How many of these cells are names of columns that the reader knows."""


_FORMULA = re.compile("'*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
"""How a cell begins that a spreadsheet would work out, or one that was made harmless; the last signs are full-width."""
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+|inf|nan)([eE][+-]?[0-9]+)?")


class Odd(str):
    """A cell that does not hold what somebody typed.

    Attributes:
        why: what is wrong with it, as the end of a sentence that begins with the cell.
    """

    why: str
    __slots__ = ("why",)

    def __new__(cls, text: str, why: str) -> Odd:
        """The text that stands there, and what is wrong with it."""
        made = super().__new__(cls, text)
        made.why = why
        return made


@dataclass(frozen=True)
class Line:
    """One row as it stands, header or not; ``problem`` says why it cannot be right."""

    number: int
    cells: Sequence[Any]
    problem: str = ""


@dataclass(frozen=True)
class Row:
    """One row of a table.

    Attributes:
        number: as a spreadsheet or an editor counts it, from 1, the header included.
        values: column -> value as it stands; ``Odd`` where nobody typed it; empty where ``problem`` says why the
            row could not be read.
    """

    number: int
    values: Mapping[str, Any]
    problem: str = ""


@dataclass(frozen=True)
class Table:
    """A table that was read.

    Attributes:
        columns: names of its columns, in their order.
        rows: without empty ones. Those of JSON are made anew from its text each time they are gone through.
        sheet: of a workbook, else empty.
        places: column -> its place from 0 in a spreadsheet; empty for JSON.
        notices: what the user should know of how it was read.
    """

    columns: tuple[str, ...]
    rows: Collection[Row]
    sheet: str = ""
    places: Mapping[str, int] | None = None
    notices: tuple[str, ...] = ()

    def cell(self, row: Row, column: str) -> str:
        """What a message calls a cell: ``cell records!K2``."""
        if self.places is None or column not in self.places:
            return f"key {column!r}"
        plain = self.sheet.isidentifier() and self.sheet.isascii()
        sheet = f"{self.sheet}!" if plain else f"'{self.sheet}'!" if self.sheet else ""
        return f"cell {sheet}{letters(self.places[column])}{row.number}"


def letters(place: int) -> str:
    """What a spreadsheet calls a column: 0 is A, 26 is AA."""
    return (letters(place // 26 - 1) if place >= 26 else "") + chr(ord("A") + place % 26)


def harmless(cell: Any) -> Any:
    """A cell for a CSV file: a text that a spreadsheet would take for a formula gets an apostrophe before it.

    A text that bears apostrophes before such a sign already gets one more, so that ``original`` knows all of them.
    Numbers, also those that are written as text, and nothing stay as they are.
    """
    if cell is None or isinstance(cell, int | float):
        return cell
    text = str(cell)
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def original(cell: str) -> str:
    """The text of a cell of a CSV file, which ``harmless`` may have written."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def filled(cells: Iterable[Any]) -> bool:
    """Whether any cell holds something."""
    return any(cell is not None and cell != "" for cell in cells)


def header_text(cell: Any) -> str:
    """A cell as the name of a column."""
    return "" if cell is None else " ".join(str(cell).split())


def find_header(lines: Sequence[Line], known: Known | None) -> int:
    """Where the header stands among the first lines: that with the most known names, else the first filled one."""
    places = [place for place, line in enumerate(lines) if filled(line.cells)]
    if known is None or not places:
        return places[0] if places else 0
    return max(places, key=lambda place: (known([header_text(cell) for cell in lines[place].cells]), -place))


def _header(cells: Sequence[Any], path: Path) -> list[str]:
    names = [header_text(cell) for cell in cells]
    while names and not names[-1]:
        names.pop()
    twice = sorted({n for n in names if n and names.count(n) > 1})
    if not any(names):
        raise InputError(f"{path} has no header.", "See the columns with: polydata records template")
    if twice:
        raise InputError(f"{path} has the column {twice[0]!r} twice.")
    if len(names) > MAX_COLUMNS:
        raise InputError(f"{path} has more than {MAX_COLUMNS} columns.")
    return names


def _row(line: Line, names: Sequence[str]) -> Row:
    cells = line.cells
    if line.problem:
        return Row(line.number, {}, line.problem)
    if filled(cells[len(names) :]):
        return Row(line.number, {}, f"it has {len(cells)} cells under a header of {len(names)}")
    pairs = zip(names, cells, strict=False)
    values = {n or f"column {letters(at)}": c for at, (n, c) in enumerate(pairs) if n or filled([c])}
    return Row(line.number, values)


def limited(lines: Iterable[Line], path: Path, progress: Progress = quiet) -> Iterator[Line]:
    """The same lines, counted.

    Raises:
        InputError: at the line that is one too many.
    """
    rows = cells = 0
    for line in lines:
        rows, cells = rows + filled(line.cells), cells + len(line.cells)
        if rows > MAX_ROWS or cells > MAX_CELLS or line.number > LAST_ROW:
            limit = f"{MAX_ROWS:,} rows or {MAX_CELLS:,} cells"
            raise InputError(f"{path} has more than {limit}.", "Cut it into several files.")
        if line.number % STEP == 0:
            progress(f"Reading {path.name}", line.number, None)
        yield line


def as_table(lines: Iterable[Line], path: Path, known: Known | None, sheet: str = "") -> Table:
    """A table from its lines: the header found, what stands above it named.

    Raises:
        InputError: if there is no header, or one that cannot be used.
    """
    stream = iter(lines)
    first = list(islice(stream, LOOK))
    at = find_header(first, known)
    names = _header(first[at].cells if first else (), path)
    above = [(line.number, next(filter(None, map(header_text, line.cells)), "")) for line in first[:at]]
    rows = tuple(
        row
        for row in (_row(line, names) for line in chain(first[at + 1 :], stream) if line.problem or filled(line.cells))
        if row.problem or filled(row.values.values())
    )
    columns = dict.fromkeys([*filter(None, names), *(name for row in rows for name in row.values)])
    places = {name or f"column {letters(place)}": place for place, name in enumerate(names)}
    notices = tuple(f"row {n} stands above the header and was not read: {text!r}" for n, text in above if text)
    return Table(tuple(columns), rows, sheet, places, notices)
