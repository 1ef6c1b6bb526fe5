"""Tables that users bring (CSV, XLSX, JSON and JSON Lines), row by row, with limits; tables of people's answers; and
tables that are written."""

from __future__ import annotations

import csv
import html
import io
import json
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from polydata.errors import InputError, UsageError
from polydata.files.atomic import other_file, refuse_other_file, replacing, writing_to
from polydata.task import Task
from polydata.text.normalise import decode

if TYPE_CHECKING:
    import pandas as pd

MAX_BYTES = 500_000_000
"""Larger files, and workbooks that unpack to more, are refused."""
SHEET = "sample_export"
"""The sheet that PoLyInfo's exports fill."""
MAX_COLUMNS = 1000
MAX_CELL = 1_000_000
SUFFIXES = (".csv", ".tsv", ".txt", ".xlsx", ".json", ".jsonl", ".ndjson")


@dataclass(frozen=True)
class Row:
    """One row of a table.

    Attributes:
        number: as a spreadsheet or an editor counts it, from 1, the header included.
        values: column -> value as it stands; empty where ``problem`` says why it could not be read.
    """

    number: int
    values: Mapping[str, Any]
    problem: str = ""


_FORMULA = re.compile("'*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
"""How a cell begins that a spreadsheet would work out, or one that was made harmless; the last signs are full-width."""
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+|inf|nan)([eE][+-]?[0-9]+)?")


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


def read_table(path: Path, sheet: str | None = None) -> list[Row]:
    """All rows of a file, empty ones left out.

    Args:
        sheet: name of a workbook's sheet; None takes PoLyInfo's export, else the first.

    Raises:
        InputError: if the file cannot be read as a table at all.
        UsageError: if a sheet is named for a file that has none.
    """
    kind = path.suffix.lower()
    if kind not in SUFFIXES:
        raise InputError(f"{path} is no table: its name must end in {', '.join(SUFFIXES)}.")
    if sheet is not None and kind != ".xlsx":
        raise UsageError(f"--sheet is for workbooks; {path} is none.")
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"{path} is larger than {MAX_BYTES // 1_000_000} MB.", "Cut it into several files.")
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from error
    if kind == ".xlsx":
        rows: Iterable[Row] = _xlsx(data, path, sheet)
    elif kind == ".json":
        rows = _json(data, path)
    elif kind in (".jsonl", ".ndjson"):
        rows = _json_lines(data)
    else:
        rows = _csv(decode(data), path)
    return [row for row in rows if row.problem or any(v not in (None, "") for v in row.values.values())]


def _header(cells: list[str], path: Path) -> list[str]:
    names = [cell.strip() for cell in cells]
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


def _filled(number: int, names: list[str], cells: list[Any]) -> Row:
    if any(c not in (None, "") for c in cells[len(names) :]):
        return Row(number, {}, f"it has {len(cells)} cells under a header of {len(names)}")
    return Row(number, {n: c for n, c in zip(names, cells, strict=False) if n})


def _csv(text: str, path: Path) -> Iterator[Row]:
    first = text.split("\n", 1)[0]
    delimiter = max((",", ";", "\t"), key=first.count)
    csv.field_size_limit(MAX_CELL)
    reader = csv.reader(io.StringIO(text.replace("\0", ""), newline=""), delimiter=delimiter)
    try:
        names = _header([original(cell) for cell in next(reader, [])], path)
        for number, cells in enumerate(reader, start=2):
            yield _filled(number, names, [original(cell) for cell in cells])
    except csv.Error as error:
        raise InputError(f"{path} is not a table, line {reader.line_num}: {error}.") from error


def _xlsx(data: bytes, path: Path, sheet: str | None) -> list[Row]:
    import openpyxl

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
        if unpacked > MAX_BYTES:
            raise InputError(f"{path} unpacks to more than {MAX_BYTES // 1_000_000} MB.")
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        titles = [s.title for s in book.worksheets]
        if sheet is not None and sheet not in titles:
            raise InputError(f"{path} has no sheet {sheet!r}.", f"Its sheets: {', '.join(titles)}.")
        if not titles:
            raise InputError(f"{path} has no sheet with cells.")
        wanted = sheet if sheet is not None else SHEET if SHEET in titles else titles[0]
        page = book.worksheets[titles.index(wanted)]
        page.reset_dimensions()  # a workbook may lie about how wide and long its sheets are
        rows = page.iter_rows(values_only=True)
        names = _header(["" if c is None else str(c) for c in next(rows, ())], path)
        return [_filled(number, names, list(cells)) for number, cells in enumerate(rows, start=2)]
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, ValueError, TypeError, OSError, SyntaxError) as error:
        raise InputError(f"{path} is not a workbook that can be read: {error}.") from error


def _object(number: int, value: Any) -> Row:
    if not isinstance(value, dict):
        return Row(number, {}, f"it is no object but {json.dumps(value, default=str)[:60]}")
    return Row(number, value)


def _json(data: bytes, path: Path) -> Iterator[Row]:
    try:
        value = json.loads(decode(data))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not JSON: {error}.") from error
    if isinstance(value, dict):
        value = value["records"] if isinstance(value.get("records"), list) else [value]
    if not isinstance(value, list):
        raise InputError(f"{path} holds neither a list of records nor one record.")
    yield from (_object(number, item) for number, item in enumerate(value, start=1))


def _json_lines(data: bytes) -> Iterator[Row]:
    for number, line in enumerate(decode(data).split("\n"), start=1):
        if line.strip():
            try:
                yield _object(number, json.loads(line))
            except (ValueError, RecursionError) as error:
                yield Row(number, {}, f"it is not JSON: {error}")


def csv_text(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """Rows as CSV with a header; see ``csv_line``."""
    return csv_line(columns) + "".join(csv_line([row[name] for name in columns]) for row in rows)


def csv_line(cells: Iterable[Any]) -> str:
    """A line of CSV: None as an empty cell, texts made ``harmless`` and quoted where needed, ended by a line feed."""
    out = io.StringIO()
    # Python versions differ in whether they quote a lone carriage return; where it may end a line, all do.
    csv.writer(out, lineterminator="\r\n").writerow(map(harmless, cells))
    return out.getvalue()[:-2] + "\n"


def refuse_other_table(path: Path, columns: Sequence[str]) -> None:
    """Refuse to take the place of a table that this program did not write.

    Args:
        path: of a CSV, JSON or Parquet file.
        columns: that every such table begins with.

    Raises:
        InputError: if it cannot be read.
        RefusedError: if it is there and begins otherwise, or is no table.
    """
    if path.suffix.lower() != ".parquet":
        begun = {".json": r"\A\s*\[\s*(\]|\{\s*" + re.escape(json.dumps(columns[0])) + ":)"}
        refuse_other_file(path, begun.get(path.suffix.lower(), r"\A" + re.escape(",".join(columns)) + "[,\n]"))
    elif path.is_file() and path.stat().st_size:
        from pyarrow import parquet

        try:
            found = parquet.read_schema(path).names
        except (OSError, ValueError):  # Arrow's are kinds of these
            found = []
        if found[: len(columns)] != list(columns):
            raise other_file(path)


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows as CSV (see ``csv_text``), the file whole or not at all.

    Raises:
        InputError: if it cannot be written.
    """
    with writing_to(path), replacing(path) as out:
        out.write(csv_text(columns, rows).encode("utf-8"))


FRAMES = (".csv", ".json", ".parquet")
"""What ``write_frame`` can write."""


def write_frame(path: Path, frame: pd.DataFrame) -> None:
    """Write a data frame, whole or not at all, as one of ``FRAMES`` by the file's suffix.

    Raises:
        InputError: if the file cannot be written.
    """
    with writing_to(path), replacing(path) as out:
        if path.suffix.lower() == ".csv":
            names, known = list(frame.columns), frame.astype(object).where(frame.notna(), None)
            rows = (dict(zip(names, row, strict=True)) for row in known.itertuples(index=False))
            out.write(csv_text(names, rows).encode("utf-8"))
        elif path.suffix.lower() == ".json":
            frame.to_json(out, orient="records", indent=2)
        else:
            frame.to_parquet(out, index=False)


def plain(value: object) -> str:
    """A value as text in one line in which no sign means anything."""
    return re.sub(r"([\\`*_\[\]|#<>])", r"\\\1", html.escape(" ".join(str(value).split()), quote=False))


def table(rows: Sequence[Mapping[str, object]]) -> list[str]:
    """Rows of the same keys as the lines of a table; None is an empty cell."""
    if not rows:
        return []
    lines = [" | ".join(map(plain, rows[0])), " | ".join("---" for _ in rows[0])]
    lines += [" | ".join("" if v is None else plain(v) for v in row.values()) for row in rows]
    return [f"| {line} |" for line in lines]


@dataclass(frozen=True)
class AnswerTable:
    """Rows on which the first column and all raters have an answer.

    Attributes:
        raters: their columns, in the table's order.
        rows: column -> answer, of the first column and of every rater.
        left_out: the other rows, each with its number, first cell and what is missing.
    """

    raters: tuple[str, ...]
    rows: tuple[Mapping[str, str], ...]
    left_out: tuple[dict[str, Any], ...]


def read_answers(path: Path, first: str, raters: Sequence[str]) -> AnswerTable:
    """Read a table of answers.

    Args:
        path: CSV, XLSX, JSON or JSON Lines.
        first: column that every row must fill too: the true answers, or the names of the images.
        raters: shell patterns of the raters' columns, such as ``R*``.

    Raises:
        InputError: if the file cannot be read, lacks a column, or has no row with all answers.
    """
    read = [row for row in read_table(path) if not row.problem]
    header = list(dict.fromkeys(name for row in read for name in row.values))
    if first not in header:
        raise InputError(f"{path} has no column {first!r}.", f"Its columns: {', '.join(header)}." if read else "")
    columns = column_patterns(path, header, raters, leave_out=(first,))
    rows: list[dict[str, str]] = []
    left_out: list[dict[str, Any]] = []
    for row in read:
        cells = {name: answer_text(row.values.get(name)) for name in (first, *columns)}
        if missing := [name for name, answer in cells.items() if not answer]:
            named = answer_text(next(iter(row.values.values()), None))
            left_out.append({"row": row.number, "first_cell": named, "missing": missing})
        else:
            rows.append(cells)
    if not rows:
        blank = [name for name in (first, *columns) if all(name in row["missing"] for row in left_out)]
        hint = f"These columns are empty: {', '.join(blank)}." if blank else "Leave the raters out who skipped most."
        raise InputError(f"{path} has no row with {first!r} and all {len(columns)} answers.", hint)
    return AnswerTable(tuple(columns), tuple(rows), tuple(left_out))


def column_patterns(
    path: Path, columns: Sequence[str], patterns: Sequence[str], *, leave_out: Sequence[str] = ()
) -> list[str]:
    """The columns that shell patterns name, in the table's order.

    Raises:
        InputError: if a pattern names none.
    """
    found = [c for c in columns if c not in leave_out and any(fnmatchcase(c, p) for p in patterns)]
    for pattern in patterns:
        if not any(fnmatchcase(column, pattern) for column in found):
            raise InputError(f"{path} has no column of raters {pattern!r}.", f"Its columns: {', '.join(columns)}.")
    return found


def answer_text(value: Any) -> str:
    """A cell as an answer: trimmed text, whole numbers without a point, empty for nothing."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return " ".join(str(value).split())


def meaning(task: Task, word: str) -> str | None:
    """The label that an answer of a table means: a label itself, a spelling of it, or its 0 or 1 in file names."""
    return word if word in task.labels else task.file_suffixes.get(word) or task.label_of(word)


def positive_answer(task: Task, words: set[str], wanted: str | None) -> str:
    """The positive answer as the table writes it.

    Raises:
        UsageError: if it was named and does not occur, or the task cannot tell.
    """
    fitting = {wanted} & words if wanted is not None else {w for w in words if meaning(task, w) == task.positive}
    if len(fitting) != 1:
        what = (
            f"No answer is {wanted!r}." if wanted is not None else "It is not clear which answer is the positive one."
        )
        raise UsageError(what, f"Name one with --positive: {', '.join(sorted(words)[:20])}")
    return fitting.pop()
