"""Tables that users bring (CSV, XLSX, JSON and JSON Lines), row by row, with limits; tables of people's answers; and
tables that are written."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from polydata.errors import InputError, UsageError
from polydata.files.atomic import other_file, refuse_other_file, replacing, writing_to
from polydata.files.cells import MAX_CELLS, MAX_ROWS, Known, Odd, Row, Table, as_table, filled, harmless, limited
from polydata.files.delimited import read_lines
from polydata.files.workbook import read_workbook
from polydata.task import Task
from polydata.text.encodings import read_text
from polydata.types import Progress, quiet

if TYPE_CHECKING:
    import pandas as pd

MAX_BYTES = 100_000_000
"""Larger files are refused; of JSON, of which one object may be all of it, those larger than"""
MAX_JSON = 20_000_000
MAX_LINE = 1_000_000
"""Signs of a line of JSON Lines; a longer one is a bad row."""
SUFFIXES = (".csv", ".tsv", ".txt", ".xlsx", ".json", ".jsonl", ".ndjson")


def read_sheet(
    path: Path,
    sheet: str | None = None,
    *,
    known: Known | None = None,
    encoding: str | None = None,
    progress: Progress = quiet,
) -> Table:
    """A file as a table, empty rows left out.

    Args:
        sheet: name of a workbook's sheet; None takes PoLyInfo's export, else the first with the most known columns.
        known: counts the names of columns among the cells of a row: so the header is found below a title. None: the
            first filled row is the header.
        encoding: of a text; None takes what its bytes show.

    Raises:
        InputError: if the file cannot be read as a table at all, is too large, or its encoding cannot be told.
        UsageError: if a sheet is named for a file that has none, or there is no such encoding.
    """
    kind = path.suffix.lower()
    if kind not in SUFFIXES:
        raise InputError(f"{path} is no table: its name must end in {', '.join(SUFFIXES)}.")
    if sheet is not None and kind != ".xlsx":
        raise UsageError(f"--sheet is for workbooks; {path} is none.")
    try:
        limit, hint = (MAX_JSON, "Write it as JSON Lines.") if kind == ".json" else (MAX_BYTES, "")
        if path.stat().st_size > limit:
            raise InputError(f"{path} is larger than {limit // 1_000_000} MB.", hint or "Cut it into several files.")
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from error
    if kind == ".xlsx":
        return read_workbook(data, path, sheet, known, progress)
    text, taken = read_text(data, str(path), encoding, foreign=known is not None)
    del data
    notices = (f"it was read as {taken}; if signs look wrong, say --encoding",) if taken == "Windows-1252" else ()
    if kind in (".csv", ".tsv", ".txt"):
        table = as_table(limited(read_lines(text, path, known), path, progress), path, known)
        return replace(table, notices=(*notices, *table.notices))
    return _objects(partial(_json, text, path) if kind == ".json" else partial(_json_lines, text), path, notices)


def read_table(path: Path, sheet: str | None = None) -> list[Row]:
    """All rows of a table whose first filled row is its header; raises as ``read_sheet``."""
    return list(read_sheet(path, sheet).rows)


class _Objects(Collection[Row]):
    """Rows that are made anew each time they are gone through, one at a time.

    Args:
        read: makes them, the same each time; rows without a value are left out.
        count: how many are left.
    """

    def __init__(self, read: Callable[[], Iterable[Row]], count: int) -> None:
        self._read, self._count = read, count

    def __iter__(self) -> Iterator[Row]:
        return (row for row in self._read() if row.problem or filled(row.values.values()))

    def __len__(self) -> int:
        return self._count

    def __contains__(self, row: object) -> bool:
        return any(one == row for one in self)


def _objects(read: Callable[[], Iterable[Row]], path: Path, notices: tuple[str, ...]) -> Table:
    """A table of objects, of which the text alone stays in memory."""
    columns: dict[str, None] = {}
    count = cells = 0
    for count, row in enumerate(_Objects(read, 0), start=1):
        columns |= dict.fromkeys(row.values)
        cells += _value_count(row.values)
        if count > MAX_ROWS or cells > MAX_CELLS:
            limit = f"{MAX_ROWS:,} rows or {MAX_CELLS:,} values"
            raise InputError(f"{path} has more than {limit}.", "Cut it into several files.")
    return Table(tuple(columns), _Objects(read, count), notices=notices)


def _value_count(value: Any) -> int:
    """How many values an object holds, lists and objects within it and what they hold among them."""
    count, left = -1, [value]
    while left:
        one = left.pop()
        count += 1
        left += one.values() if isinstance(one, dict) else one if isinstance(one, list) else ()
    return count


def _object(number: int, value: Any) -> Row:
    if not isinstance(value, dict):
        return Row(number, {}, f"it is no object but {json.dumps(value, default=str)[:60]}")
    return Row(number, value)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON in which no key stands twice: of two values the first would be lost."""
    made = dict(pairs)
    if len(made) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the key {next(n for n in names if names.count(n) > 1)!r} stands twice in one object")
    return made


_SIGN = re.compile(r"[^ \t\n\r]")


def _after_space(text: str, at: int = 0) -> int:
    """Where the next sign stands, or the end."""
    found = _SIGN.search(text, at)
    return found.start() if found else len(text)


def _json(text: str, path: Path) -> Iterator[Row]:
    """The rows one by one; those of a list are let go of as they are read."""
    try:
        if text.startswith("[", _after_space(text)):
            items: Iterable[Any] = _items(text)
        else:
            value = json.loads(text, object_pairs_hook=_unique)
            if not isinstance(value, dict):
                raise InputError(f"{path} holds neither a list of records nor one record.")
            items = value["records"] if isinstance(value.get("records"), list) else [value]
        yield from (_object(number, item) for number, item in enumerate(items, start=1))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not JSON: {error}.") from error


def _items(text: str) -> Iterator[Any]:
    """What a list of JSON holds.

    Raises:
        ValueError, RecursionError: at the first sign that cannot be JSON.
    """
    read = json.JSONDecoder(object_pairs_hook=_unique).raw_decode
    at = _after_space(text, _after_space(text) + 1)
    more = text[at : at + 1] != "]"
    while more:
        item, at = read(text, at)
        yield item
        at = _after_space(text, at)
        more = text[at : at + 1] == ","
        at = _after_space(text, at + 1) if more else at
    if text[at : at + 1] != "]":
        raise json.JSONDecodeError("Expecting ',' delimiter", text, at)
    at = _after_space(text, at + 1)
    if at < len(text):
        raise json.JSONDecodeError("Extra data", text, at)


def _json_lines(text: str) -> Iterator[Row]:
    """The rows one by one; of what is no object, or too long for one, nothing is held."""
    for number, line in enumerate(re.finditer("(.*)(?:\n|$)", text), start=1):
        if len(line[1]) > MAX_LINE:
            yield Row(number, {}, f"it has more than {MAX_LINE:,} signs")
        elif line[1].strip():
            try:
                yield _object(number, json.loads(line[1], object_pairs_hook=_unique))
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
        InputError: if the file cannot be read, lacks a column, has no row with all answers, or an answer that nobody
            typed (see ``files.cells.Odd``).
    """
    sheet = read_sheet(path)
    read = [row for row in sheet.rows if not row.problem]
    header = list(dict.fromkeys(name for row in read for name in row.values))
    if first not in header:
        raise InputError(f"{path} has no column {first!r}.", f"Its columns: {', '.join(header)}." if read else "")
    columns = column_patterns(path, header, raters, leave_out=(first,))
    rows: list[dict[str, str]] = []
    left_out: list[dict[str, Any]] = []
    for row in read:
        for name in (first, *columns):
            if isinstance(odd := row.values.get(name), Odd):
                raise InputError(f"{path}: {sheet.cell(row, name)} {odd.why}.")
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
