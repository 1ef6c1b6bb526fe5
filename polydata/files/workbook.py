"""Workbooks (XLSX) read as what somebody typed: merged cells filled, what a program made of it marked as odd."""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from polydata.errors import InputError
from polydata.files.cells import LOOK, MAX_CELLS, Known, Line, Odd, Table, as_table, filled, header_text, limited
from polydata.types import Progress, quiet

MAX_UNPACKED = 150_000_000
"""Workbooks that unpack to more bytes are refused."""
MAX_SHEETS = 100
MAX_MERGED = 100_000
SHEET = "sample_export"
"""The sheet that PoLyInfo's exports fill."""
_FAULTS = (
    *(zipfile.BadZipFile, zlib.error, EOFError, LookupError, ValueError, TypeError, OSError, SyntaxError),
    *(AttributeError, ArithmeticError, RuntimeError),
)
"""What the packages raise that read damaged workbooks."""
_DATES = (dt.datetime, dt.date, dt.time, dt.timedelta)
_FRACTION = re.compile(r"[?#0]\s*/\s*[?\d]")
_RANGE = re.compile(r"\$?([A-Z]{1,3})\$?(\d{1,7})(?::\$?([A-Z]{1,3})\$?(\d{1,7}))?")


@dataclass(frozen=True)
class _Merged:
    """Merged cells; rows and columns from 1, both ends included."""

    top: int
    bottom: int
    left: int
    right: int
    name: str


@dataclass
class _Marks:
    """What the values of a sheet do not say: merged cells, formulas without a value, hidden rows."""

    merged: list[_Merged] = field(default_factory=list)
    uncalculated: dict[tuple[int, int], str] = field(default_factory=dict)
    hidden: list[int] = field(default_factory=list)


def _local(tag: Any) -> str:
    return str(tag).rpartition("}")[2]


def _marks(source: Any, path: Path) -> _Marks:
    from openpyxl.utils import column_index_from_string
    from openpyxl.xml.functions import iterparse

    marks, cells, row, column = _Marks(), 0, 0, 0
    for event, element in iterparse(source, events=("start", "end")):
        tag = _local(element.tag)
        if event == "start":
            if tag == "row":
                row, column = int(element.get("r", row + 1)), 0
                if element.get("hidden") in ("1", "true"):
                    marks.hidden.append(row)
        elif tag == "c":
            cells += 1
            if cells > MAX_CELLS:
                raise InputError(f"{path} has more than {MAX_CELLS:,} cells.", "Cut it into several files.")
            at = _RANGE.fullmatch(element.get("r", ""))
            column = column_index_from_string(at[1]) if at else column + 1
            parts = {_local(part.tag): part for part in element}
            known = "is" in parts or ("v" in parts and (element.get("t") == "str" or parts["v"].text))
            if "f" in parts and not known:
                marks.uncalculated[row, column] = f"={parts['f'].text or ''}"
        elif tag == "row":
            element.clear()
        elif tag == "mergeCell" and (found := _RANGE.fullmatch(element.get("ref", ""))) and found[3]:
            box = (int(found[2]), int(found[4]), column_index_from_string(found[1]), column_index_from_string(found[3]))
            marks.merged.append(_Merged(*box, found[0]))
            if len(marks.merged) > MAX_MERGED:
                raise InputError(f"{path} has more than {MAX_MERGED:,} merged cells.")
    return marks


def _value(cell: Any, formula: str | None) -> Any:
    value = cell.value
    if value is None:
        if formula is None:
            return None
        return Odd(formula, "holds a formula that no program has calculated yet: open and save the workbook once")
    if isinstance(value, _DATES):
        shown = (
            value.strftime("%Y-%m-%d") if isinstance(value, dt.datetime) and value.time() == dt.time() else str(value)
        )
        return Odd(
            shown, f"holds a date or time ({shown}), which a program makes of what looks like one: type it as text"
        )
    if cell.data_type == "e":
        return Odd(str(value), f"holds the error {value}")
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _shown(value, cell.number_format or "General")
    return value


def _shown(value: float, form: str) -> Any:
    """A number as its format shows it, where that says more than the number."""
    if "%" in form:
        return f"{round(value * 100, 6):.12g}%"
    if _FRACTION.search(form):
        return Odd(str(value), f"holds the number {value} shown as a fraction: type it as text")
    if isinstance(value, int) and re.fullmatch("0{2,20}", form):
        return str(value).zfill(len(form))
    return value


class _Fill:
    """Gives the cells of merged ranges their value, row by row."""

    def __init__(self, merged: list[_Merged]) -> None:
        self._waiting = sorted(merged, key=lambda one: one.top, reverse=True)
        self._open: list[tuple[_Merged, Any]] = []

    def row(self, number: int, cells: list[Any]) -> list[Any]:
        self._open = [(one, value) for one, value in self._open if one.bottom >= number]
        while self._waiting and self._waiting[-1].top <= number:
            one = self._waiting.pop()
            if one.bottom >= number:
                self._open.append((one, cells[one.left - 1] if one.left <= len(cells) else None))
        for one, value in self._open:
            if not filled([value]):
                continue
            if one.left > len(cells):
                cells += [None] * (one.left - len(cells))
            cells[one.left - 1] = value
            for place in range(one.left, min(one.right, len(cells))):
                why = f"belongs to the merged cells {one.name}: whether their value is meant for it cannot be told"
                cells[place] = Odd("", why)
        return cells


def _lines(page: Any, marks: _Marks) -> Iterator[Line]:
    fill = _Fill(marks.merged)
    for number, cells in enumerate(page.iter_rows(), start=1):
        values = [_value(cell, marks.uncalculated.get((number, at))) for at, cell in enumerate(cells, start=1)]
        yield Line(number, fill.row(number, values))


def _score(page: Any, known: Known) -> int:
    """How many known names the likeliest header of a sheet has."""
    page.reset_dimensions()
    rows = page.iter_rows(max_row=LOOK, values_only=True)
    return max((known([header_text(cell) for cell in row]) for row in rows), default=0)


def _choose(book: Any, path: Path, sheet: str | None, known: Known | None) -> tuple[str, list[str]]:
    """The sheet to read, and what to say of others."""
    titles = [page.title for page in book.worksheets]
    if sheet is not None and sheet not in titles:
        raise InputError(f"{path} has no sheet {sheet!r}.", f"Its sheets: {', '.join(titles)}.")
    if not titles or len(titles) > MAX_SHEETS:
        raise InputError(f"{path} has {'no sheet with cells' if not titles else f'more than {MAX_SHEETS} sheets'}.")
    if sheet is not None or SHEET in titles or known is None:
        return sheet or (SHEET if SHEET in titles else titles[0]), []
    scores = {page.title: _score(page, known) for page in book.worksheets}
    best = max(titles, key=lambda title: scores[title])
    others = [title for title in titles if title != best and scores[title] > 1]
    return best, [f"sheet {title!r} looks like records too and was not read: --sheet {title!r}" for title in others]


def read_workbook(
    data: bytes,
    path: Path,
    sheet: str | None = None,
    known: Known | None = None,
    progress: Progress = quiet,
) -> Table:
    """A sheet of a workbook.

    Args:
        data: the file.
        sheet: its name; None takes PoLyInfo's export, else the sheet with the most known columns, else the first.

    Raises:
        InputError: if the workbook cannot be read, is too large, or has no such sheet.
    """
    import openpyxl

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
        if unpacked > MAX_UNPACKED:
            raise InputError(
                f"{path} unpacks to {unpacked // 1_000_000} MB, more than {MAX_UNPACKED // 1_000_000} MB.",
                "Cut it into several files, and clear what lies beyond the table.",
            )
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        wanted, notices = _choose(book, path, sheet, known)
        page: Any = book[wanted]
        page.reset_dimensions()  # a workbook may lie about how wide and long its sheets are
        with page._get_source() as source:
            marks = _marks(source, path)
        table = as_table(limited(_lines(page, marks), path, progress), path, known, wanted)
    except _FAULTS as error:
        raise InputError(f"{path} is not a workbook that can be read: {error}.") from error
    numbers = {row.number for row in table.rows}
    notices += [f"row {number} is hidden in the workbook and was read" for number in marks.hidden if number in numbers]
    return Table(table.columns, table.rows, wanted, table.places, (*table.notices, *notices))
