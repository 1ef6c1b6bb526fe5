"""Brings tables of records into the catalogue: every row checked, nothing half imported."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from polydata.catalogue.connect import Catalogue
from polydata.catalogue.records import (
    PARTS,
    names_of_papers,
    note_rows,
    records_by_id,
    records_of_files,
    replace_parts,
    supersede_records,
)
from polydata.catalogue.session import Session
from polydata.errors import InputError
from polydata.files.find import files_below
from polydata.files.tables import SUFFIXES
from polydata.records.reading import BadRow, Columns, Meanings, ReadRecords, read_records, repeats
from polydata.records.record import FIELDS, Record
from polydata.records.rules import TEXTS, VoteReport, write_votes
from polydata.records.words import (
    keep_columns,
    keep_meanings,
    kept_columns,
    kept_meanings,
    mending,
    together,
    unknown_words,
)
from polydata.text.reference import file_key, paper_named
from polydata.types import Progress, quiet

LOOKED_FOR = 20
"""Names of files that no paper has for which the nearest name is looked for."""
SHOWN = 60
"""Characters of a value that a replacement shows."""


@dataclass(frozen=True)
class Replacement:
    """A record whose content another row of the same key and reference took the place of.

    Attributes:
        record_key: its own key, None where it has none.
        was, now: names of the files that said the one and the other.
        changes: field -> what stood there and what stands there now; of columns that are no field the texts.
    """

    record_id: str
    record_key: str | None
    was: str
    now: str
    changes: Mapping[str, tuple[Any, Any]]

    def __str__(self) -> str:
        said = "; ".join(f"{name}: {_short(old)} -> {_short(new)}" for name, (old, new) in self.changes.items())
        came = self.now if self.was == self.now else f"{self.now} instead of {self.was}"
        return f"{self.record_key or self.record_id} ({came}): {said}"


def _short(value: Any) -> str:
    text = "nothing" if value is None else repr(value)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 4]}...{text[-1]}"


def _replacement(old: Mapping[str, Any], new: Mapping[str, Any]) -> Replacement:
    """What tells two rows of the table of records apart, which have one id."""
    fields = {name: (old[name], new[name]) for name in FIELDS if old[name] != new[name]}
    if not fields:  # what is no field is named where nothing else is
        raw = [json.loads(row["raw"]) for row in (old, new)]
        fields = {n: (raw[0].get(n), raw[1].get(n)) for n in {**raw[0], **raw[1]} if raw[0].get(n) != raw[1].get(n)}
    return Replacement(new["record_id"], new["record_key"], old["source"], new["source"], fields)


@dataclass(frozen=True)
class ImportReport:
    """What an import did.

    Attributes:
        imported, replaced, unchanged: numbers of records; all 0 where nothing was imported because of bad rows.
        replacements: what each of the replaced ones said before, and says now.
        repeated: rows that say nothing that another row does not say, each with that row; they make one record.
        bad: rows that are no records.
        doubtful: rows that were imported as they stand although something in them looks wrong.
        columns: for each file, which of its columns became which field.
        notices: what the user should know of how each file was read.
        warnings: what no record says although all are read for it.
        unknown_words: words for the label that the task does not spell -> number of records.
        mending: what to do about these words, options of the import; empty where there is none.
        shown: the records as they are written, or would be; of a trial alone.
        done: whether anything was written (or already stood there).
    """

    imported: int
    replaced: int
    unchanged: int
    replacements: tuple[Replacement, ...]
    repeated: tuple[BadRow, ...]
    bad: tuple[BadRow, ...]
    doubtful: tuple[BadRow, ...]
    columns: tuple[Columns, ...] = ()
    notices: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    unknown_words: Mapping[str, int] = field(default_factory=dict)
    mending: str = ""
    shown: tuple[Mapping[str, Any], ...] = ()
    done: bool = True


@dataclass(frozen=True)
class Imported:
    """What an import of records did: to the records, and to the labels of those that were linked before."""

    records: ImportReport
    votes: VoteReport


def _files(paths: Sequence[Path]) -> list[Path]:
    """Files as they are named, and the tables below folders, by name."""
    found: list[Path] = []
    for path in paths:
        if not path.is_dir():
            found.append(path)
            continue
        below = files_below(path, SUFFIXES)
        if not below:
            raise InputError(f"{path} holds no table.", f"Names of tables end in {', '.join(SUFFIXES)}.")
        found += below
    return found


@dataclass(frozen=True)
class Saved:
    """What writing records did: numbers of new and unchanged ones, and what the others replaced."""

    fresh: int
    unchanged: int
    replacements: tuple[Replacement, ...]


def save(catalogue: Catalogue, records: Iterable[Record], *, dry_run: bool = False) -> Saved:
    """Write records, or say what that would do. Call it inside a transaction.

    A record that stands there with the same content is left alone, whatever file it came from. One of the same file
    that stands there under the id which it had when places did not count keeps that id, and what hangs on it.
    """
    named = list(records)
    before = records_by_id(catalogue, [one for record in named for one in (record.record_id, record.former_id) if one])
    every = {}
    for record in named:
        former = before.get(record.former_id)
        stays = former is not None and former["source"] == record.source and record.record_id not in before
        known_as = record.former_id if stays else record.record_id
        every[known_as] = replace(record, record_id=known_as)
    rows = {key: record.as_row() for key, record in every.items()}
    known = {key: before[key] for key in rows if key in before}
    earlier = _earlier_readings(catalogue, rows)
    fresh = [key for key in rows if key not in known and key not in earlier]
    changed = [
        key
        for key, row in rows.items()
        if key in known and key not in earlier and known[key] | {"source": row["source"]} != row
    ]
    if not dry_run:
        written = [*fresh, *changed, *earlier]
        for table, parts in zip(PARTS, ("components", "properties"), strict=True):
            replace_parts(catalogue, table, {key: getattr(every[key], parts) for key in written})
        catalogue.upsert("records", [rows[key] for key in written])
        note_rows(catalogue, {key: (record.source, record.row) for key, record in every.items()})
        supersede_records(catalogue, {old["record_id"]: key for key, old in earlier.items()}, rows)
    replaced = [_replacement(known[key], rows[key]) for key in changed]
    replaced += [_replacement(old, rows[key]) for key, old in earlier.items()]
    return Saved(len(fresh), len(rows) - len(fresh) - len(replaced), tuple(replaced))


def _earlier_readings(catalogue: Catalogue, rows: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Records that are other readings of these rows, such as under other columns for the fields, by the new id.

    Such a record came from a file of the same name, its row says the same in every cell, and no other row of the file
    does. One that says the same in all fields too stands elsewhere, as on another sheet: that is no other reading.
    """
    of_row: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for one in records_of_files(catalogue, sorted({row["source"] for row in rows.values()})):
        of_row[one["source"], one["raw"]].append(one)
    times = Counter((row["source"], row["raw"]) for row in rows.values())
    alone = {cells: olds[0] for cells, olds in of_row.items() if len(olds) == times[cells] == 1}
    found = {}
    for key, row in rows.items():
        old = alone.get((row["source"], row["raw"]))
        if old and old["record_id"] != key and any(old[name] != row[name] for name in FIELDS):
            found[key] = old
    return found


def import_records(
    session: Session,
    files: Sequence[Path],
    *,
    sheet: str | None = None,
    columns: Mapping[str, Sequence[str]] | None = None,
    encoding: str | None = None,
    meanings: Meanings | None = None,
    skip_bad: bool = False,
    dry_run: bool = False,
    progress: Progress = quiet,
) -> Imported:
    """Import tables of records; labels of panels that are linked to them follow in the same transaction.

    Where any row of any file is bad, nothing is written unless ``skip_bad``.

    Args:
        files: tables, or folders of them.
        sheet: of a workbook; None takes PoLyInfo's export, else that with the most known columns.
        columns: by field, the columns that are meant, where headers are not recognised; they are kept in the
            workspace and count again for a table with the same headings.
        encoding: of texts; None takes what their bytes show.
        meanings: of words in columns that are asked as questions; they are kept in the workspace.
        skip_bad: import the good rows although others are bad.
        dry_run: write nothing.
        progress: told of rows that are read.

    Raises:
        InputError: if a file is no table, or a folder holds none.
        UsageError: if a column that was named for a field is not there.
    """
    said, kept = together(kept_meanings(session.workspace), meanings or {}), kept_columns(session.workspace)
    read = [
        read_records(
            path,
            sheet,
            columns,
            kept=kept,
            encoding=encoding,
            meanings=said,
            spells=session.task.label_of,
            progress=progress,
        )
        for path in _files(files)
    ]
    records: dict[str, Record] = {}
    places, replaced, repeated = dict[str, str](), list[Replacement](), list[BadRow]()
    for one in read:
        repeated += one.repeated
        for record in one.records:  # of two files the later one speaks
            other = records.get(record.record_id)
            if other is not None and other.as_row() | {"source": record.source} != record.as_row():
                replaced.append(_replacement(other.as_row(), record.as_row()))
            elif other is not None:
                reason = repeats(record, places[record.record_id])
                repeated.append(BadRow(one.columns.file, record.row or 0, reason))
            records[record.record_id], places[record.record_id] = record, f"{one.columns.file}, row {record.row}"
    bad = tuple(row for one in read for row in one.bad)
    doubtful = tuple(row for one in read for row in one.doubtful)
    nothing, unknown = VoteReport({}, {}, changed=False), unknown_words(session.task, records.values())
    report = ImportReport(
        imported=0,
        replaced=0,
        unchanged=0,
        replacements=(),
        repeated=tuple(repeated),
        bad=bad,
        doubtful=doubtful,
        columns=tuple(one.columns for one in read),
        notices=tuple(
            f"{one.columns.file}: {notice}" for one in read for notice in (*one.notices, *_again(one, columns or {}))
        ),
        warnings=(*_unsaid(records.values()), *_strangers(session.catalogue, records, places)),
        unknown_words=unknown,
        mending=mending(session.task, unknown, _label_column(read)),
        shown=tuple(_shown(record) for record in records.values()) if dry_run else (),
        done=False,
    )
    if bad and not skip_bad:
        return Imported(report, nothing)
    with session.catalogue.transaction():
        saved = save(session.catalogue, records.values(), dry_run=dry_run)
        votes = nothing if dry_run else write_votes(session)
    if meanings and not dry_run:
        keep_meanings(session.workspace, said)
    if columns and not dry_run:
        keep_columns(session.workspace, kept, [one.columns for one in read])
    report = replace(
        report,
        imported=saved.fresh,
        replaced=len(saved.replacements),
        unchanged=saved.unchanged,
        replacements=(*replaced, *saved.replacements),
        done=True,
    )
    return Imported(report, votes)


def _again(read: ReadRecords, now: Mapping[str, Sequence[str]]) -> list[str]:
    """What is said of columns that were named in an import before."""
    before = [
        f"--map {name}={column!r}" for name, its in read.columns.said.items() if name not in now for column in its
    ]
    return [f"as an import before said: {', '.join(before)}"] if before else []


SAY_WHAT = {
    ("compatibility", *TEXTS): "says a label, or words that suggest one: name the column, --map compatibility=COLUMN",
    ("reference", "doi", "reference_no", "journal"): (
        "names its paper, so captions alone tell it: name the column, --map paper=COLUMN (or doi, reference)"
    ),
}
"""Fields of which a record should have one, and what is said where none has."""
_WITH_PANEL = re.compile(r"\d\s?\(?[a-zA-Z]\b")
"""A figure's label with a panel's letter behind it."""


def _unsaid(records: Collection[Record]) -> list[str]:
    """What none of the records says."""
    figures = [record.values["figure"] or "" for record in records]
    panels = any(record.values["panel"] for record in records) or any(map(_WITH_PANEL.search, figures))
    letters = "none of {} records names a panel, only its figure: name the column, --map panel=COLUMN"
    return [letters.format(len(records))] * (any(figures) and not panels) + [
        f"none of {len(records)} records {words}"
        for fields, words in SAY_WHAT.items()
        if records and not any(record.values[name] for record in records for name in fields)
    ]


def _strangers(catalogue: Catalogue, records: dict[str, Record], places: Mapping[str, str]) -> Iterator[str]:
    """Names of PDF files that records say and no paper has, where papers were read: some with the nearest one.

    Args:
        catalogue: with the papers.
        records: by their ids.
        places: file and row of each; where several say one name the first is named.
    """
    known = {file_key(name): name for name in names_of_papers(catalogue)}
    said = Counter(record.values["reference"] for record in records.values() if known)
    first = {record.values["reference"]: places[record_id] for record_id, record in reversed(records.items())}
    named = ((reference, paper_named(reference)) for reference in said)
    strange = [(text, name) for text, name in named if text and name and name not in known]
    strange.sort(key=lambda one: not one[0].lower().endswith(".pdf"))  # those come first that are surely files
    for reference, name in strange[:LOOKED_FOR]:  # to look for near names takes time
        close = get_close_matches(name, known, n=1, cutoff=0.8)
        near = (
            f"; the nearest is {known[close[0]]}: correct the cell, or read it: polydata extract PATH" if close else ""
        )
        if close or reference.lower().endswith(".pdf"):
            how_many = f"{said[reference]} record{'s' * (said[reference] != 1)}"
            mend = near or ": read it (polydata extract PATH) or correct the cell"
            yield f"{first[reference]}: no paper is called {reference!r} ({how_many}){mend}"
    rest = sum(text.lower().endswith(".pdf") for text, _ in strange[LOOKED_FOR:])
    if rest:
        yield f"no paper is called as {rest} more PDF files that records name: read them, or correct the cells"


def _label_column(read: Sequence[ReadRecords]) -> str:
    """The column in which the first table that has one gives the label."""
    return next((column for one in read for column in one.columns.fields.get("compatibility", ())), "COLUMN")


def _shown(record: Record) -> dict[str, Any]:
    """What a record says, empty fields left out."""
    said = {name: value for name, value in record.values.items() if value is not None}
    return {"record_id": record.record_id, **said}
