"""Tables of records: which column of a user's table is which field, and the template that users fill in."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, Literal

from polydata.errors import UsageError
from polydata.files.atomic import refuse_any_file, replacing, writing_to
from polydata.records.record import FIELDS, PAPER, make_record, schema
from polydata.resources import schemas
from polydata.text.composition import UNITS

MAX_NAME = 200
"""Characters of a column's name; a longer text is none."""

JOINED = {"polymers": "; ", "polymer_ids": "; ", "composition_ratio": "/"}
"""Fields that a table may part into a column for each component, and what stands between their texts."""

LETTERED = {
    "polymers": ("polymer", "component", "polymer_name", "name", "blend_component"),
    "polymer_ids": ("polymer_id",),
    "composition_ratio": (
        "ratio", "wt", "vol", "mol", "phr", "weight", "fraction", "weight_fraction", "wt_fraction", "content", "amount",
        "composition", "share", "percent", "part", "parts",
    ),
}  # fmt: skip
"""Names that, with a letter or number behind them, are columns of one component: Polymer A, wt% B."""

SURE_KEYS = frozenset({"record_key", "key", "record_id", "record", "id"})
"""Columns that are the key of a record whatever stands in them; others (Sample) only where no key repeats."""

FIGURES = frozenset({"fig", "fig_no", "fig_number", "figure_no", "figure_number", "figure_label"})
"""Columns in which a bare number is the number of a figure, not of an image on its page."""

MAYBE_LABEL = frozenset({"mixing"})
"""Columns that are the label where the task spells every word in them; others are about how a sample was made."""

PAPER_NAMES = (
    "paper", "pdf", "pdf_file", "pdf_name", "pdf_file_name", "pdf_filename", "paper_file", "paper_name", "paper_id",
    "source_pdf", "source_file", "article", "document", "file", "file_name", "filename",
)  # fmt: skip
"""Columns that name the paper by its PDF file or its id, the likelier first."""

_UNIT_WORDS = frozenset({"wt", "vol", "mol", "w", "v", "um", "µm", "μm", "nm", "mm", "percent", "phr"})
_PLACES = {**{letter: place for place, letter in enumerate("abcdef")}, **{str(n): n - 1 for n in range(1, 7)}}
_RATIO_OF_LETTERS = re.compile(r"a_b(_c(_d)?)?(_ratio|_composition)?|(ratio|composition)_(of_)?a_b(_c(_d)?)?")
_BRACKETS = re.compile(r"[(\[{]([^)\]}]*)[)\]}]")
_FOR_NOTHING = frozenset({"raw", "notes", "note", "remark", "remarks", "comment", "comments"})


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "_", name.strip().lower()).strip("_")


@cache
def _names() -> dict[str, str]:
    """Every name of a field, plain -> the field; ``PAPER`` is one too."""
    fields = {field: field for field in FIELDS}
    aliases = {_plain(n): f for f in FIELDS for n in schema()["properties"][f].get("aliases", ())}
    return dict.fromkeys(PAPER_NAMES, PAPER) | aliases | fields


def names_of(field: str) -> tuple[str, ...]:
    """The names by which a column is known as a field's, plain, the likeliest first."""
    if field == PAPER:
        return PAPER_NAMES
    return (field, *map(_plain, schema()["properties"][field].get("aliases", ())))


def forms(column: str) -> list[str]:
    """A column's name as it may be known: whole, without what stands in brackets, without a unit at its end."""
    whole, bare = _plain(column), _plain(_BRACKETS.sub(" ", column))
    words = bare.split("_")
    while len(words) > 1 and words[-1] in _UNIT_WORDS:
        words.pop()
    return list(dict.fromkeys(filter(None, (whole, bare, "_".join(words)))))


def field_of(column: str) -> str | None:
    """The field that a column's name alone tells."""
    form = next((form for form in forms(column) if form in _names()), None)
    if form is None:
        return "composition_ratio" if any(map(_RATIO_OF_LETTERS.fullmatch, forms(column))) else None
    return _names()[form]


def unit_of(column: str) -> str:
    """The unit that a column's name bears beside it: ``wt%`` of ``Ratio (wt%)``, ``nm`` of ``Scale, nm``."""
    if _plain(column) in _names():
        return ""
    brackets = [part.strip() for part in _BRACKETS.findall(column)]
    last = re.split(r"[\s,_]+", column.strip())[-1]
    first = re.match(r"(?:wt|vol|mol)\.?\s?%|phr", column.strip(), re.IGNORECASE)
    named = [*brackets, *([last] if _plain(last) in _UNIT_WORDS else []), *([first[0]] if first else [])]
    return named[0] if named else ""


def _component(column: str) -> tuple[str, str, int] | None:
    """Field, common name and place of a column that holds one component: ``Polymer B`` is the second of polymers."""
    for form in forms(column):
        words = [word for word in form.split("_") if word != "of"]
        for place in (-1, 0):
            rest = words[:place] if place else words[1:]
            if not rest or words[place] not in _PLACES:
                continue
            name = "_".join(rest)
            field = next((field for field, names in LETTERED.items() if name in names), None)
            if field == "polymers" and any(pattern.search(unit_of(column)) for _, pattern in UNITS):
                field = "composition_ratio"  # "Polymer A (wt%)" is how much of it there is
            if field:
                return field, name, _PLACES[words[place]]
        amount = [word for word in words if word not in LETTERED["composition_ratio"]]
        if len(amount) < len(words) and "_".join(amount[:-1]) in LETTERED["polymers"] and amount[-1] in _PLACES:
            return "composition_ratio", "amount", _PLACES[amount[-1]]
    return None


def recognised(columns: Sequence[str]) -> int:
    """How many of these are names of columns that a table of records may have."""
    return sum(bool(c) and len(c) < MAX_NAME and (field_of(c) or _component(c)) is not None for c in columns)


def parse_map(words: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Field -> columns, from words like ``morphology=Phase structure``; of a field that is named again both columns.

    A field may be called by any of its names: ``pdf=File`` is ``paper=File``.

    Raises:
        UsageError: for a word without ``=``, a field that records do not have, or one that takes one column.
    """
    chosen: dict[str, tuple[str, ...]] = {}
    there = f"Fields: {', '.join((PAPER, *FIELDS))}."
    for word in words:
        name, sign, column = (part.strip() for part in word.partition("="))
        field = _names().get(_plain(name), "")
        if not sign or not column:
            raise UsageError(f"--map {word}: it takes FIELD=COLUMN.", there)
        if not field:
            raise UsageError(f"--map {word}: records have no field {name!r}.", there)
        chosen[field] = (*chosen.get(field, ()), column)
        if len(chosen[field]) > 1 and field not in JOINED:
            raise UsageError(f"--map {word}: {field} takes one column.", f"Several take: {', '.join(JOINED)}.")
    return chosen


def map_columns(
    columns: Iterable[str], chosen: Mapping[str, Sequence[str]] | None = None
) -> dict[str, tuple[str, ...]]:
    """Field -> the columns that hold it, for the fields that a table has. Other columns are kept in ``raw`` alone.

    A field has one column, or one a component (see ``JOINED``).

    Args:
        columns: of the table.
        chosen: field -> columns, said by the user; it goes before all names.

    Raises:
        UsageError: if a chosen column is not there.
    """
    columns, found = list(columns), {field: tuple(its) for field, its in (chosen or {}).items()}
    missing = sorted({column for its in found.values() for column in its} - set(columns))
    if missing and columns:
        raise UsageError(f"There is no column {missing[0]!r}.", f"Columns: {', '.join(map(str, columns))[:300]}.")
    if not columns:
        return {}
    free = [column for column in columns if column not in {one for its in found.values() for one in its}]
    exact = {_plain(column): column for column in reversed(free)}
    loose = {form: column for column in reversed(free) for form in forms(column)[1:]}
    taken: set[str] = set()
    for known in (exact, loose):
        for field in [name for name in (*FIELDS, PAPER) if name not in found]:
            named = (known[name] for name in names_of(field) if name in known)
            column = next((one for one in named if one not in taken), None)
            if column is not None:
                found[field] = (column,)
                taken.add(column)
    free = [column for column in free if column not in taken]
    for field, its in _of_components(free).items():
        found.setdefault(field, its)
    ratio = next((column for column in free if field_of(column) == "composition_ratio"), None)
    if ratio is not None:
        found.setdefault("composition_ratio", (ratio,))
    return found


def _of_components(columns: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Fields whose parts stand in columns of their own, in the order of the components."""
    groups: dict[tuple[str, str], dict[int, str]] = {}
    for column in columns:
        part = _component(column)
        if part is not None:
            groups.setdefault(part[:2], {}).setdefault(part[2], column)
    found: dict[str, tuple[str, ...]] = {}
    for (field, _), places in sorted(groups.items(), key=lambda item: -len(item[1])):
        if len(places) > 1 and sorted(places) == list(range(len(places))):  # A and C are not taken for A and B
            found.setdefault(field, tuple(places[place] for place in sorted(places)))
    return found


def nearest(column: str) -> tuple[str, ...]:
    """The fields, at most two, whose names are most like that of a column which no field has; () for notes or where
    none is like it."""
    names = list(_names())
    alike = dict[str, None]()
    for form in reversed(forms(column)):
        words = form.split("_")
        if form in _FOR_NOTHING:
            return ()
        close = get_close_matches(form, names, n=2, cutoff=0.75) or [word for word in words if word in names]
        alike |= dict.fromkeys(_names()[name] for name in close)
        if not MAYBE_LABEL.isdisjoint(words):
            alike["compatibility"] = None
    for word in () if alike else re.findall(r"[^\W_]{4,}", column.lower()):
        alike |= dict.fromkeys(_names()[name] for name in get_close_matches(word, names, n=2, cutoff=0.7))
    return tuple(alike)[:2]


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
    refuse_any_file(path)
    with writing_to(path), replacing(path) as out:
        out.write(template(kind))


@cache
def examples() -> frozenset[str]:
    """Ids of the records that the rows of the untouched template would make."""
    rows = csv.DictReader(io.StringIO(template().decode("utf-8"), newline=""))
    return frozenset(make_record(row, source="template", raw=row).record_id for row in rows)


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
