"""Brings tables of records into the catalogue: every row checked, nothing half imported."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from polydata.catalogue.connect import Catalogue
from polydata.catalogue.records import records_by_id, replace_parts
from polydata.catalogue.session import Session
from polydata.errors import InputError
from polydata.files.tables import SUFFIXES, read_table
from polydata.records.columns import cell_text, map_columns
from polydata.records.polyinfo import FOLDER, cells_of, is_sample, unwrap
from polydata.records.record import Record, make_record
from polydata.records.rules import VoteReport, write_votes

YEARS = range(1800, 2101)


@dataclass(frozen=True)
class BadRow:
    """A row that is no record."""

    file: str
    row: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file}, row {self.row}: {self.reason}"


@dataclass(frozen=True)
class ReadRecords:
    """What a file holds.

    Attributes:
        records: each once.
        repeated: number of rows that repeat one of them.
        bad, doubtful: as in ``ImportReport``.
    """

    records: tuple[Record, ...]
    repeated: int
    bad: tuple[BadRow, ...]
    doubtful: tuple[BadRow, ...]


@dataclass(frozen=True)
class ImportReport:
    """What an import did.

    Attributes:
        imported, replaced, unchanged: numbers of records; all 0 where nothing was imported because of bad rows.
        repeated: rows that say nothing that another row does not say; they make one record.
        bad: rows that are no records.
        doubtful: rows that were imported as they stand although something in them looks wrong.
        done: whether anything was written (or already stood there).
    """

    imported: int
    replaced: int
    unchanged: int
    repeated: int
    bad: tuple[BadRow, ...]
    doubtful: tuple[BadRow, ...]
    done: bool


@dataclass(frozen=True)
class Imported:
    """What an import of records did: to the records, and to the labels of those that were linked before."""

    records: ImportReport
    votes: VoteReport


def read_records(path: Path, sheet: str | None = None, columns: Mapping[str, str] | None = None) -> ReadRecords:
    """Records of one file: a plain table, or samples in PoLyInfo's own shape.

    Args:
        path: of the file. A folder's name may hold the reference number of its samples.
        sheet: of a workbook; None takes PoLyInfo's, else the first.
        columns: field -> column, where the user says so.

    Raises:
        InputError: if the file is no table, or none of its columns is known.
        UsageError: if a column that was named for a field is not there.
    """
    rows = read_table(path, sheet)
    records: dict[str, tuple[int, Record]] = {}
    bad = [BadRow(path.name, row.number, row.problem) for row in rows if row.problem]
    doubtful: list[BadRow] = []
    repeated = 0
    plain = [row for row in rows if not row.problem and not is_sample(row.values)]
    fields = map_columns(dict.fromkeys(name for row in plain for name in row.values), columns)
    if plain and not fields:
        raise InputError(f"{path} has no column that is known.", "See the columns with: polydata records template")
    number = FOLDER.search(path.parent.name)
    for row in rows:
        if row.problem:
            continue
        try:
            if is_sample(row.values):
                raw: Mapping[str, Any] = unwrap(row.values, number[1] if number else None)
                cells, properties = cells_of(raw)
            else:
                raw, properties = row.values, []
                cells = {field: cell_text(raw.get(column)) for field, column in fields.items()}
            record = make_record(cells, source=path.name, raw=raw, properties=properties)
        except ValueError as error:
            bad.append(BadRow(path.name, row.number, str(error)))
            continue
        year = record.values["year"]
        if year is not None and year not in YEARS:
            doubtful.append(BadRow(path.name, row.number, f"year: {year} can hardly be right"))
        first, same = records.setdefault(record.record_id, (row.number, record))
        if same != record:
            bad.append(BadRow(path.name, row.number, f"it has the key and reference of row {first}, and other content"))
        elif first != row.number:
            repeated += 1
    bad.sort(key=lambda b: b.row)
    return ReadRecords(tuple(record for _, record in records.values()), repeated, tuple(bad), tuple(doubtful))


def _files(paths: Sequence[Path]) -> list[Path]:
    """Files as they are named, and the tables below folders, by name."""
    found: list[Path] = []
    for path in paths:
        if not path.is_dir():
            found.append(path)
            continue
        below = sorted(one for one in path.rglob("*") if one.suffix.lower() in SUFFIXES and one.is_file())
        if not below:
            raise InputError(f"{path} holds no table.", f"Names of tables end in {', '.join(SUFFIXES)}.")
        found += below
    return found


def save(catalogue: Catalogue, records: Iterable[Record]) -> tuple[int, int, int]:
    """Write records; numbers of new, replaced and unchanged ones. Call it inside a transaction.

    A record that stands there with the same content is left alone, whatever file it came from.
    """
    every = {record.record_id: record for record in records}
    rows = {key: record.as_row() for key, record in every.items()}
    known = records_by_id(catalogue, list(rows))
    fresh = [key for key in rows if key not in known]
    changed = [key for key, row in rows.items() if key in known and known[key] | {"source": row["source"]} != row]
    for table, parts in (("record_components", "components"), ("record_properties", "properties")):
        replace_parts(catalogue, table, {key: getattr(every[key], parts) for key in fresh + changed})
    catalogue.upsert("records", [rows[key] for key in fresh + changed])
    return len(fresh), len(changed), len(rows) - len(fresh) - len(changed)


def import_records(
    session: Session,
    files: Sequence[Path],
    *,
    sheet: str | None = None,
    columns: Mapping[str, str] | None = None,
    skip_bad: bool = False,
) -> Imported:
    """Import tables of records; labels of panels that are linked to them follow in the same transaction.

    Where any row of any file is bad, nothing is written unless ``skip_bad``.

    Args:
        files: tables, or folders of them.
        sheet: of a workbook; None takes PoLyInfo's export, else the first.
        columns: by field, the column that is meant, where headers are not recognised.
        skip_bad: import the good rows although others are bad.

    Raises:
        InputError: if a file is no table, or a folder holds none.
        UsageError: if a column that was named for a field is not there.
    """
    read = [read_records(path, sheet, columns) for path in _files(files)]
    records = {record.record_id: record for one in read for record in one.records}  # of two files the later one speaks
    bad = tuple(row for one in read for row in one.bad)
    doubtful = tuple(row for one in read for row in one.doubtful)
    repeated = sum(one.repeated + len(one.records) for one in read) - len(records)
    if bad and not skip_bad:
        return Imported(ImportReport(0, 0, 0, 0, bad, doubtful, done=False), VoteReport({}, {}, changed=False))
    with session.catalogue.transaction():
        report = ImportReport(*save(session.catalogue, records.values()), repeated, bad, doubtful, done=True)
        return Imported(report, write_votes(session))
