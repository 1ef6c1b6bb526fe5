"""Tables as lines of text whose cells commas, semicolons, tabs or strokes part."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from polydata.errors import InputError
from polydata.files.cells import LOOK, Known, Line, find_header, header_text, letters, original

DELIMITERS = (",", ";", "\t", "|")
MAX_CELL = 1_000_000
_SAID = re.compile(r"\s*\"?sep=(.)\"?\s*\n", re.IGNORECASE)
"""A first line in which a spreadsheet says what parts its cells."""


def _first_lines(text: str, delimiter: str) -> list[Line]:
    reader = csv.reader(io.StringIO(text[:MAX_CELL], newline=""), delimiter=delimiter)
    try:
        return [Line(number, cells) for number, cells in enumerate(islice(reader, LOOK), start=1)]
    except csv.Error:
        return []


def _delimiter(text: str, known: Known | None) -> tuple[str, int]:
    """What parts the cells, and how many the header has: where most names are known, else where there are most."""
    found = []
    for delimiter in DELIMITERS:
        lines = _first_lines(text, delimiter)
        header = lines[find_header(lines, known)].cells if lines else []
        count = known([header_text(cell) for cell in header]) if known else 0
        found.append((count, len(header), delimiter))
    _, width, delimiter = max(found, key=lambda one: one[:2])
    return delimiter, width


def _swallowed(cells: list[str], delimiter: str, width: int) -> int | None:
    """Place of a cell that holds what looks like rows of its own: a quote before it was never closed."""
    if width < 2:
        return None
    for place, cell in enumerate(cells):
        first, *more = cell.split("\n")
        after = [len(cells) - place - 1 if number == len(more) else 0 for number in range(1, len(more) + 1)]
        if any(part.count(delimiter) + rest == width - 1 for part, rest in zip(more, after, strict=True) if part):
            return place if delimiter in cell[len(first) :] else None
    return None


def _problem(cells: list[str], raw: str, delimiter: str, width: int, number: int) -> str:
    """What cannot be right in a row that a person or another program wrote."""
    place = _swallowed(cells, delimiter, width)
    if place is not None:
        return f"cell {letters(place)}{number} holds lines that look like rows of their own: a quote is not closed"
    if re.search(rf"(?:^|{re.escape(delimiter)}) +\"(?!\")", raw):
        for place, cell in enumerate(cells):
            if re.match(r" +\"", cell):
                return f"cell {letters(place)}{number} has a space before its quote: where it ends cannot be told"
    if raw.count('"') % 2:
        place = next((place for place, cell in enumerate(cells) if '"' in cell), 0)
        return f"cell {letters(place)}{number} holds a quote without its partner: where it ends cannot be told"
    return ""


def read_lines(text: str, path: Path, known: Known | None) -> Iterator[Line]:
    """The rows of a text, its header among them.

    Args:
        known: counts names of columns; given for tables that others wrote, whose quotes are looked at more closely.

    Raises:
        InputError: if a quote is opened and not closed, at the line where it is opened.
    """
    text = text.replace("\0", "")
    said = _SAID.match(text)
    if said:
        text = text[said.end() :]
    delimiter, width = _delimiter(text, known)
    if said:
        delimiter = said[1]
        width = max((len(line.cells) for line in _first_lines(text, delimiter)), default=0)
    csv.field_size_limit(MAX_CELL)
    raw: list[str] = []  # the lines of the row that is being read
    lines = (raw.append(line) or line for line in io.StringIO(text, newline=""))  # type: ignore[func-returns-value]
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    above, number = int(said is not None), int(said is not None)
    while True:
        begins = reader.line_num + above + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise InputError(
                f"{path} is not a table: the row that begins in line {begins} cannot be read: {error}.",
                "Most often a quote is opened there and not closed.",
            ) from error
        number += 1
        problem = _problem(cells, "".join(raw), delimiter, width, number) if known else ""
        raw.clear()
        yield Line(number, [original(cell) for cell in cells], problem)
