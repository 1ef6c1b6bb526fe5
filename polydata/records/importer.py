"""Brings tables of records into the catalogue: every row checked, nothing half imported."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from polydata.catalogue.connect import Catalogue
from polydata.catalogue.records import records_by_id, save_records
from polydata.errors import InputError
from polydata.records.columns import cell_text, map_columns
from polydata.records.record import BadRowError, Record, make_record
from polydata.records.tables import read_table


@dataclass(frozen=True)
class BadRow:
    """A row that is no record."""

    file: str
    row: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file}, row {self.row}: {self.reason}"


@dataclass(frozen=True)
class ImportReport:
    """What an import did.

    Attributes:
        imported, replaced, unchanged: numbers of records; all 0 where nothing was imported because of bad rows.
        bad: rows that are no records.
        done: whether anything was written (or already stood there).
    """

    imported: int
    replaced: int
    unchanged: int
    bad: tuple[BadRow, ...]
    done: bool


def read_records(path: Path, sheet: str | None = None) -> tuple[list[Record], list[BadRow]]:
    """Records and bad rows of one file.

    Raises:
        InputError: if the file is no table, or none of its columns is known.
    """
    rows = read_table(path, sheet)
    records: dict[str, tuple[int, Record]] = {}
    bad = [BadRow(path.name, row.number, row.problem) for row in rows if row.problem]
    fields = map_columns(dict.fromkeys(name for row in rows for name in row.values))
    if rows and not fields and len(bad) < len(rows):
        raise InputError(f"{path} has no column that is known.", "See the columns with: polydata records template")
    for row in rows:
        if row.problem:
            continue
        cells = {field: cell_text(row.values.get(column)) for field, column in fields.items()}
        try:
            record = make_record(cells, source=path.name, raw=row.values)
        except BadRowError as error:
            bad.append(BadRow(path.name, row.number, str(error)))
            continue
        first, same = records.setdefault(record.record_id, (row.number, record))
        if same != record:
            bad.append(BadRow(path.name, row.number, f"it has the key and reference of row {first}, and other content"))
    return [record for _, record in records.values()], sorted(bad, key=lambda b: b.row)


def save(catalogue: Catalogue, records: Iterable[Record]) -> tuple[int, int, int]:
    """Write records; numbers of new, replaced and unchanged ones. Call it inside a transaction.

    A record that stands there with the same content is left alone, whatever file it came from.
    """
    rows = {record.record_id: record.as_row() for record in records}
    known = records_by_id(catalogue, list(rows))
    fresh = [row for key, row in rows.items() if key not in known]
    changed = [row for key, row in rows.items() if key in known and _content(row) != _content(known[key])]
    if fresh or changed:
        save_records(catalogue, fresh + changed)
    return len(fresh), len(changed), len(rows) - len(fresh) - len(changed)


def _content(row: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in row.items() if name != "source"}


def import_records(
    catalogue: Catalogue, files: Sequence[Path], *, sheet: str | None = None, skip_bad: bool = False
) -> ImportReport:
    """Import tables into the catalogue. Call it inside a transaction, for labels are to follow in the same one.

    Where any row of any file is bad, nothing is written unless ``skip_bad``.

    Raises:
        InputError: if a file is no table.
    """
    records: dict[str, Record] = {}
    bad: list[BadRow] = []
    for path in files:
        found, faults = read_records(path, sheet)
        bad += faults
        records.update({record.record_id: record for record in found})  # of two files the later one speaks
    if bad and not skip_bad:
        return ImportReport(0, 0, 0, tuple(bad), done=False)
    return ImportReport(*save(catalogue, records.values()), tuple(bad), done=True)
