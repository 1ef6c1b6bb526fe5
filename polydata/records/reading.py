"""Tables of records read: every row a checked record, or named with what is wrong with it."""

from __future__ import annotations

import dataclasses
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from polydata.errors import InputError
from polydata.files.cells import STEP, Odd, Row, Table
from polydata.files.tables import read_sheet
from polydata.ids import content_id
from polydata.records.columns import (
    FIGURES,
    JOINED,
    MAYBE_LABEL,
    SURE_KEYS,
    cell_text,
    examples,
    forms,
    map_columns,
    nearest,
    recognised,
    unit_of,
)
from polydata.records.evidence import FEWEST_WORDS, words_of
from polydata.records.polyinfo import FOLDER, cells_of, is_sample, unwrap
from polydata.records.record import Record, make_record
from polydata.text.composition import UNITS
from polydata.types import Progress, quiet

YEARS = range(1800, 2101)

_MONTH = "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}"
_DATE = re.compile(
    rf"\d{{1,2}}[- ]{_MONTH}(?:[- ]\d{{2,4}})?|{_MONTH}[- ]\d{{1,4}}|\d{{4}}[-/]\d{{1,2}}[-/]\d{{1,2}}(?:[ T][\d:.]+)?"
    r"|\d{1,2}[/.]\d{1,2}[/.]\d{4}(?: [\d:]+)?|\d+ days?, [\d:.]+|\d{1,4}:\d{2}:00(?:\.0+)?|\d{1,2}:\d{2} ?[ap]m"
    r"|\d{1,2}\u6708\d{1,2}\u65e5",
    re.IGNORECASE,
)
"""Texts that a spreadsheet writes for what it took for a date or time: Oct-90, 1990/10/1, 60:40:00."""
_SHORTENED = re.compile(r"\d(?:\.\d+)?E\+\d{1,3}", re.IGNORECASE)
NOT_DATES = ("composition_ratio", "pages", "figure", "panel", "volume", "issue", "polymers", "page", "scale_um")
"""Fields in which such a text was never typed."""
NOT_SHORTENED = ("record_key", "sample_id", "reference_no", *NOT_DATES)
ERRORS = ("#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!")
_FIGURE = re.compile(r"(?P<number>[sS]?\d{1,3})\s?[(]?(?P<panel>[a-z](?:\s?[-,]\s?[a-z])*)?[)]?")


@dataclass(frozen=True)
class BadRow:
    """A row that is no record of its own, or a doubtful one, and why."""

    file: str
    row: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file}, row {self.row}: {self.reason}"


@dataclass(frozen=True)
class Columns:
    """How the columns of a file were taken.

    Attributes:
        file, sheet: names; ``sheet`` is empty where there is none.
        fields: field -> its columns.
        left: columns that no field has and that are kept in the raw row alone -> the fields with the nearest names.
        no_key: the column that is called as a key and is none, since its words repeat; empty where there is none.
        repeating: rows that repeat such a word and say something else.
        said: fields whose columns somebody named with ``--map``, now or before.
    """

    file: str
    sheet: str
    fields: Mapping[str, tuple[str, ...]]
    left: Mapping[str, tuple[str, ...]]
    no_key: str = ""
    repeating: int = 0
    said: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)

    @property
    def headings(self) -> tuple[str, ...]:
        """Of all columns, in the order of the alphabet."""
        return tuple(
            sorted({one for its in self.fields.values() for one in its} | set(self.left) | {self.no_key} - {""})
        )


@dataclass(frozen=True)
class ReadRecords:
    """What a file holds.

    Attributes:
        records: each once.
        repeated, bad, doubtful: as in ``ImportReport``.
        columns: which became which field.
        notices: what the user should know of how the file was read.
    """

    records: tuple[Record, ...]
    repeated: tuple[BadRow, ...]
    bad: tuple[BadRow, ...]
    doubtful: tuple[BadRow, ...]
    columns: Columns
    notices: tuple[str, ...]


Meanings = Mapping[str, Mapping[str, str]]
"""By the plain name of a column: word in lower case -> the label that it means there."""


Spells = Callable[[str], str | None]
"""The label that a task means by a word; None where it spells none so."""

Kept = Mapping[tuple[str, ...], Mapping[str, Sequence[str]]]
"""By the headings of a table, in the order of the alphabet: field -> its columns, as somebody said before."""


class _Plain:
    """Makes cells of the fields from the rows of a plain table; words of the column ``beside`` are no key."""

    def __init__(self, table: Table, fields: Mapping[str, Sequence[str]], meanings: Meanings, beside: str = "") -> None:
        self.table, self.fields, self.beside = table, fields, beside
        self.units = {field: unit_of(columns[0]) for field, columns in fields.items()}
        names = {forms(column)[0] for column in fields.get("compatibility", ())}
        self.words = {word: label for name in names for word, label in meanings.get(name, {}).items()}

    def cells(self, row: Row) -> dict[str, str]:
        """Texts by field.

        Raises:
            ValueError: naming every cell that does not hold what somebody typed.
        """
        wrong, cells = [], {}
        for field, columns in self.fields.items():
            texts = []
            for column in columns:
                value = row.values.get(column)
                text = cell_text(value).strip()
                why = value.why if isinstance(value, Odd) else _not_typed(field, text)
                if why:
                    wrong.append(f"{field}: {self.table.cell(row, column)} {why}")
                texts.append(text)
            cells[field] = JOINED.get(field, " ").join(filter(None, texts))
        wrong += self._gaps(row)
        if wrong:
            raise ValueError("; ".join(wrong))
        if words := cell_text(row.values.get(self.beside)).strip():
            # So many words may be a caption's; fewer, held against captions, would only speak against all of them.
            is_caption = len(words_of(words)) >= FEWEST_WORDS and not cells.get("caption")
            field = "caption" if is_caption else "characteristics"
            cells[field] = "; ".join(filter(None, (cells.get(field), words)))
        return self._completed(cells)

    def _gaps(self, row: Row) -> list[str]:
        """A component without its part beside another part without its component: whose it is cannot be told."""
        parted = {f: its for f, its in self.fields.items() if f in JOINED and len(its) > 1}
        empty = {f: [c for c in its if not cell_text(row.values.get(c)).strip()] for f, its in parted.items()}
        names, parts = (parted.get(field, ()) for field in ("polymers", "composition_ratio"))
        if len(names) != len(parts):
            return []
        gaps = [
            (name, part)
            for name, part in zip(names, parts, strict=True)
            if (name in empty["polymers"]) != (part in empty["composition_ratio"])
        ]
        if len({name in empty["polymers"] for name, _ in gaps}) < 2:
            return []
        return [f"composition_ratio: {self.table.cell(row, part)} does not go with {name!r}" for name, part in gaps[:2]]

    def _completed(self, cells: dict[str, str]) -> dict[str, str]:
        """With what the columns' names say of their cells."""
        for field in ("composition_ratio", "scale_um", "glass_transition"):
            cell, unit = cells.get(field, ""), self.units.get(field, "")
            fits = field != "composition_ratio" or any(pattern.search(unit) for _, pattern in UNITS)
            if cell and unit and fits and not re.search(r"[A-Za-z%\u00b5\u03bc]", cell):
                cells[field] = f"{cell} {unit}"
        column = self.fields.get("figure", ("",))[0]
        found = _FIGURE.fullmatch(re.sub(r"\.0$", "", cells.get("figure", "")))
        if found and not FIGURES.isdisjoint(forms(column)):
            cells["figure"] = f"Figure {found['number']}"
            if found["panel"] and not cells.get("panel"):
                cells["panel"] = found["panel"]
        word = " ".join(cells.get("compatibility", "").lower().split())
        if word in self.words:
            cells["compatibility"] = self.words[word]
        return cells


def _not_typed(field: str, text: str) -> str:
    """Why a text cannot be what somebody typed into a field; empty where it can."""
    if text in ERRORS:
        return f"holds the error {text}"
    if field in NOT_DATES and _DATE.fullmatch(text):
        return f"holds {text!r}, a date or time that a spreadsheet makes of what looks like one: type it as text"
    if field in NOT_SHORTENED and _SHORTENED.fullmatch(text):
        return f"holds {text!r}, a long number that a spreadsheet shortened: type it as text"
    return ""


def _columns(
    path: Path, table: Table, chosen: Mapping[str, Sequence[str]] | None, kept: Kept, spells: Spells
) -> Columns:
    """Which column of the plain rows is which field; what is said now goes before what was kept."""
    plain = (row for row in table.rows if not row.problem and not is_sample(row.values))
    names = dict.fromkeys(name for row in plain for name in row.values)
    if names and table.places is not None:
        names = dict.fromkeys(table.columns)
    before = kept.get(tuple(sorted(names)), {})
    now = {column for its in (chosen or {}).values() for column in its}
    said = {name: tuple(its) for name, its in before.items() if now.isdisjoint(its)}
    said |= {name: tuple(its) for name, its in (chosen or {}).items()}
    fields = map_columns(names, said)
    if names and not fields:
        raise InputError(
            f"{path} has no column that is known: {', '.join(map(repr, list(names)[:8]))}.",
            "See the columns with: polydata records template; name yours with --map FIELD=COLUMN",
        )
    taken = {column for its in fields.values() for column in its}
    for column in names if "compatibility" not in fields else ():
        if column not in taken and not MAYBE_LABEL.isdisjoint(forms(column)) and _by_words(table, column, spells):
            fields["compatibility"] = (column,)
            taken.add(column)
            break
    left = {column: nearest(column) or _by_words(table, column, spells) for column in names if column not in taken}
    return Columns(path.name, table.sheet, fields, left, said=said if names else {})


def _by_words(table: Table, column: str, spells: Spells) -> tuple[str, ...]:
    """The field of the label where the task spells every word in a column; () otherwise."""
    words = {cell_text(row.values.get(column)).strip() for row in table.rows} - {""}
    return ("compatibility",) if words and all(map(spells, words)) else ()


def _notices(table: Table, columns: Columns) -> list[str]:
    scale = columns.fields.get("scale_um", ("",))[0]
    bare = scale and not unit_of(scale) and not {"um", "\u00b5m", "\u03bcm"} & set(forms(scale)[0].split("_"))
    said = [f"numbers in the column {scale!r} were taken for micrometres"] if bare else []
    empty = [] if table.rows else ["it holds no row below its header"]
    repeats = f"the column {columns.no_key!r} was not taken for the key of a record: {columns.repeating} rows repeat a "
    repeats += "word of it and say something else (to take it all the same: --map record_key=COLUMN)"
    return [*table.notices, *said, *empty, *([repeats] if columns.no_key else [])]


def read_records(
    path: Path,
    sheet: str | None = None,
    columns: Mapping[str, Sequence[str]] | None = None,
    *,
    kept: Kept | None = None,
    encoding: str | None = None,
    meanings: Meanings | None = None,
    spells: Spells = lambda _: None,
    progress: Progress = quiet,
) -> ReadRecords:
    """Records of one file: a plain table, or samples in PoLyInfo's own shape.

    Args:
        path: of the file. A folder's name may hold the reference number of its samples.
        sheet: of a workbook; None takes PoLyInfo's, else that with the most known columns.
        columns: field -> columns, where the user says so.
        kept: what the user said before of tables with these headings.
        encoding: of a text; None takes what its bytes show.
        meanings: what words of a column mean that is asked as a question.
        spells: the label that the task means by a word.

    Raises:
        InputError: if the file is no table, none of its columns is known, or its encoding cannot be told.
        UsageError: if a column that was named for a field is not there.
    """
    said = {one for its in (columns or {}).values() for one in its}
    said |= {one for its in (kept or {}).values() for names in its.values() for one in names}
    table = read_sheet(
        path,
        sheet,
        known=lambda cells: recognised([cell for cell in cells if cell not in said]) + len(said & set(cells)),
        encoding=encoding,
        progress=progress,
    )
    taken = _columns(path, table, columns, kept or {}, spells)
    rows = _read_rows(path, table, _Plain(table, taken.fields, meanings or {}), progress)
    key = taken.fields.get("record_key", ("",))[0]
    guessed = key and "record_key" not in (columns or {}) and SURE_KEYS.isdisjoint(forms(key)[:1])
    if rows.clashes and guessed:
        fields = {field: its for field, its in taken.fields.items() if field != "record_key"}
        taken = replace(taken, fields=fields, no_key=key, repeating=rows.clashes)
        # Ids of an import when no key repeated yet.
        keyed = {record.row: record_id for record_id, record in rows.records.items()}
        rows = _read_rows(path, table, _Plain(table, fields, meanings or {}, key), progress)
        for record_id, record in rows.records.items():
            if record.row in keyed:
                rows.records[record_id] = replace(record, former_id=keyed[record.row])
    return ReadRecords(
        records=tuple(rows.records.values()),
        repeated=tuple(rows.repeated),
        bad=tuple(rows.bad),
        doubtful=tuple(rows.doubtful),
        columns=taken,
        notices=tuple(_notices(table, taken)),
    )


@dataclass
class _Rows:
    """What the rows of a table are; ``clashes`` counts those that have another's key and other content."""

    records: dict[str, Record] = dataclasses.field(default_factory=dict)
    bad: list[BadRow] = dataclasses.field(default_factory=list)
    doubtful: list[BadRow] = dataclasses.field(default_factory=list)
    repeated: list[BadRow] = dataclasses.field(default_factory=list)
    clashes: int = 0


def _read_rows(path: Path, table: Table, plain: _Plain, progress: Progress) -> _Rows:
    """Every row of a table, checked."""
    found, invented = _Rows(), examples()
    number = FOLDER.search(path.parent.name)
    place = (path.name, table.sheet)
    for done, row in enumerate(table.rows):
        if done % STEP == 0:
            progress(f"Checking {path.name}", done, len(table.rows))
        try:
            if row.problem:
                raise ValueError(row.problem)
            if is_sample(row.values):
                raw: Mapping[str, Any] = unwrap(row.values, number[1] if number else None)
                cells, properties = cells_of(raw)
            else:
                raw, properties, cells = row.values, [], plain.cells(row)
            record = make_record(cells, source=path.name, raw=raw, properties=properties, place=place, row=row.number)
            if record.record_id in invented:
                raise ValueError("it is an example of the template: replace it with a row of your own, or delete it")
        except ValueError as error:
            found.bad.append(BadRow(path.name, row.number, str(error)))
            continue
        year = record.values["year"]
        if year is not None and year not in YEARS:
            found.doubtful.append(BadRow(path.name, row.number, f"year: {year} can hardly be right"))
        same = found.records.get(record.record_id, record)
        if same != record and not (record.values["record_key"] or record.values["sample_id"]):
            here = content_id("record", record.record_id, *place, row.number)
            record = replace(record, record_id=here, former_id="")  # two samples may say the same of themselves
            same = found.records.get(here, record)
        first = found.records.setdefault(record.record_id, record).row
        if same != record:
            said = f"it has the key and reference of row {first}, and other content: {_key_of(plain, record)}"
            found.bad.append(BadRow(path.name, row.number, said))
            found.clashes += 1
        elif first != row.number:
            found.repeated.append(BadRow(path.name, row.number, repeats(record, f"row {first}")))
    return found


def repeats(record: Record, other: str) -> str:
    """What is said of a row that makes the same record as another one: of one figure they may be two pictures."""
    said = f"it says what {other} says"
    if not record.values["figure"]:
        return said
    known_as = record.values["record_key"] or record.record_id
    return f"{said}; if each is a picture of its own: polydata link {shlex.quote(known_as)} PANEL, once for each panel"


def _key_of(plain: _Plain, record: Record) -> str:
    """The key of a record and what to do where another has it."""
    key = record.values["record_key"] or record.values["sample_id"]
    column = plain.fields.get("record_key", ("record_key",))[0]
    return f"{column} is {key!r} in both; a column whose words differ is named with --map record_key=COLUMN"
