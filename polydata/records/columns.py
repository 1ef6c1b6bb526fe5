"""Tables of records: which column of a user's table is which field, and the template that users fill in."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from polydata.errors import UsageError
from polydata.files.atomic import other_file, replacing, writing_to
from polydata.records.record import FIELDS, schema
from polydata.resources import schemas


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "_", name.strip().lower()).strip("_")


def parse_map(words: Iterable[str]) -> dict[str, str]:
    """Field -> column, from words like ``morphology=Phase structure``.

    Raises:
        UsageError: for a word without ``=`` or a field that records do not have.
    """
    chosen = {}
    for word in words:
        field, sign, column = word.partition("=")
        if not sign or field.strip() not in FIELDS:
            raise UsageError(f"--map {word}: it takes FIELD=COLUMN.", f"Fields: {', '.join(FIELDS)}.")
        chosen[field.strip()] = column.strip()
    return chosen


def map_columns(columns: Iterable[str], chosen: Mapping[str, str] | None = None) -> dict[str, str]:
    """Field -> the column that holds it, for the fields that a table has. Other columns are kept in ``raw`` alone.

    Args:
        columns: of the table.
        chosen: field -> column, said by the user; it goes before all names.

    Raises:
        UsageError: if a chosen column is not there.
    """
    columns, chosen = list(columns), dict(chosen or {})
    missing = sorted(set(chosen.values()) - set(columns))
    if missing and columns:
        raise UsageError(f"There is no column {missing[0]!r}.", f"Columns: {', '.join(map(str, columns))[:300]}.")
    known = {_plain(column): column for column in reversed(columns) if column not in chosen.values()}
    found = chosen if columns else {}
    for field in [name for name in FIELDS if name not in found]:
        names = (field, *schema()["properties"][field].get("aliases", ()))
        column = next((known[name] for name in names if name in known), None)
        if column is not None:
            found[field] = column
    return found


def cell_text(value: Any) -> str:
    """A cell as text: lists joined by ``; ``, objects as JSON, nothing as an empty text."""
    if value is None:
        return ""
    if isinstance(value, list):
        return "; ".join(cell_text(v) for v in value)
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


def template(kind: Literal["csv", "xlsx"] = "csv") -> bytes:
    """The table that users fill in, with two example rows: as CSV (UTF-8), or a workbook that explains the columns."""
    data = (schemas() / "records.template.csv").read_bytes()
    return _workbook(csv.reader(io.StringIO(data.decode("utf-8"), newline=""))) if kind == "xlsx" else data


def write_template(path: Path, kind: Literal["csv", "xlsx"] = "csv") -> None:
    """Write the table that users fill in; a file that is there may be one that somebody filled in.

    Raises:
        InputError: if the file cannot be written.
        RefusedError: if it is there and not empty.
    """
    with writing_to(path):
        if path.is_file() and path.stat().st_size:
            raise other_file(path)
        with replacing(path) as out:
            out.write(template(kind))


def explanations() -> list[tuple[str, str]]:
    """Column and what belongs into it, as the schema says."""
    return [(name, schema()["properties"][name].get("description", "")) for name in FIELDS]


def _workbook(rows: Iterable[list[str]]) -> bytes:
    import openpyxl

    book = openpyxl.Workbook()
    sheets = {"records": rows, "columns": [("column", "what belongs into it"), *explanations()]}
    for place, (title, lines) in enumerate(sheets.items()):
        sheet = book.create_sheet(title, place)
        for line in lines:
            sheet.append(list(line))
    del book["Sheet"]
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
