"""One record: its fields, how raw cells become them, and its id."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from polydata.ids import content_id
from polydata.records.polyinfo import Property
from polydata.resources import schemas
from polydata.text.composition import Component, components_of
from polydata.text.normalise import clean, fold
from polydata.text.reference import find_doi, parse_citation, with_paper, without_name

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

UNREADABLE_SCALES = frozenset(("unclear", "unknown", "illegible", "?"))
"""Words for a scale that nobody could read: no scale, and no fault of the row."""

_UNITS = {"": 1.0, "um": 1.0, "micron": 1.0, "microns": 1.0, "nm": 1e-3, "mm": 1e3, "a": 1e-4, "angstrom": 1e-4}
_SCALE = re.compile(r"(\d+(?:\.\d+)?|\.\d+)\s*([a-z]*)(?:\s*/\s*[x×]?\s*\d+(?:\.\d+)?)?")


@cache
def schema() -> Any:
    """The JSON schema of a record, with a description of each field."""
    return json.loads((schemas() / "records.schema.json").read_text(encoding="utf-8"))


FIELDS: tuple[str, ...] = tuple(schema()["properties"])
"""The columns of a table of records, in the order on which the ids of records without a key depend."""


PAPER = "paper"
"""A column that names the paper's PDF file, or the paper's id; what stands there becomes part of the reference."""

_NO_PAPER = re.compile(r"\.(?:png|jpe?g|tiff?|gif|bmp|webp|csv|xlsx?|json|txt)", re.IGNORECASE)


@dataclass(frozen=True)
class Record:
    """A record as the catalogue keeps it.

    Attributes:
        record_id: depends on the record's own key and reference, or where it has no key on its content; without
            a reference also on where it stands (see ``identify``).
        former_id: that of a record as it was when places did not count, or when the name of its paper's file was not
            read, else empty.
        row: in which it stands in its table, as a spreadsheet counts; None where that says nothing.
        source: name of the file it came from.
        raw: the row as it was read, JSON.
        values: by the names of ``FIELDS``, None where nothing is known; schemas/records.schema.json describes them.
        components: of the blend.
        properties: measured values, where it came in PoLyInfo's own shape.
    """

    record_id: str
    source: str
    raw: str
    values: Mapping[str, Any]
    components: tuple[Component, ...] = ()
    properties: tuple[Property, ...] = ()
    former_id: str = ""
    row: int | None = field(default=None, compare=False)

    def as_row(self) -> dict[str, Any]:
        """Columns of the catalogue's table."""
        return {"record_id": self.record_id, "source": self.source, **self.values, "raw": self.raw}


class BadRowError(ValueError):
    """A row that is no record; the message holds every reason."""


def parse_scale(text: str) -> float | None:
    """Micrometres from ``10``, ``10 µm``, ``500 nm`` or ``100/300`` (a scale and a magnification, as some write it).

    Returns:
        None for a word that says the scale could not be read.

    Raises:
        ValueError: if the text is no scale.
    """
    word = fold(text).replace("μ", "u").replace("µ", "u")
    if word in UNREADABLE_SCALES:
        return None
    match = _SCALE.fullmatch(word)
    if not match or match[2] not in _UNITS:
        raise ValueError(f"{text!r} is no length")
    return float(match[1]) * _UNITS[match[2]]


def _whole(text: str) -> int | str:
    """A whole number, also one that a spreadsheet turned into 2009.0; the text itself where it is none."""
    match = re.fullmatch(r"\+?(\d{1,9})(\.0*)?", text.strip())
    return int(match[1]) if match else text


def _convert(name: str, text: str) -> Any:
    if name in ("year", "page"):
        return _whole(text)
    if name == "scale_um":
        return parse_scale(text)
    if name == "doi":
        return find_doi(text) or text
    if name == "panel":
        return text.strip("()[]{} .").lower() or None
    if name in ("volume", "issue", "figure", "reference_no", "sample_id"):
        return re.sub(r"(?<=\d)\.0$", "", text)  # a spreadsheet's 5.0
    return text


def _inlined(part: Any) -> Any:
    """A part of the schema with its definitions in place: looking them up for every cell takes most of an import."""
    if isinstance(part, list):
        return [_inlined(one) for one in part]
    if not isinstance(part, dict):
        return part
    named = part.get("$ref", "").removeprefix("#/$defs/")
    whole = {**schema()["$defs"][named], **part} if named else part
    return {name: _inlined(one) for name, one in whole.items() if name not in ("$ref", "$defs")}


@cache
def _validator() -> Draft202012Validator:
    from jsonschema import Draft202012Validator

    return Draft202012Validator(_inlined(schema()))


def _reasons(values: Mapping[str, Any]) -> list[str]:
    reasons = []
    for error in sorted(_validator().iter_errors(dict(values)), key=lambda e: [str(p) for p in e.absolute_path]):
        where = ".".join(str(p) for p in error.absolute_path)
        if error.validator == "anyOf":
            reasons.append(
                "nothing identifies it: no key, doi, reference, sample_id, reference_no, caption, or journal with pages"
            )
        else:
            reasons.append(f"{where}: {error.message[:160]}")
    return reasons


def identify(values: Mapping[str, Any], place: Sequence[str] = ()) -> str:
    """The id of a record from its fields.

    The key of the record (else PoLyInfo's sample) together with its reference, in which a file's name counts only
    where nothing else says what it is; where there is no key, all of its fields. Spaces, case and punctuation of the
    reference do not count.

    Args:
        place: name of the file and of its sheet. They count only where no reference, DOI or number of a reference
            tells the sample from that of another table with the same key; a bare number as the reference tells none.
    """
    cited = without_name(values["reference"]) or values["doi"] or values["reference_no"] or values["reference"] or ""
    where = re.sub(r"[\W_]+", "", fold(str(cited)))
    stands = () if where and not (values["reference"] or "").isdecimal() else place
    if values["record_key"]:
        return content_id("record", "key", values["record_key"], where, *stands)
    if values["sample_id"]:
        return content_id("record", "sample", values["sample_id"], where, *stands)
    return content_id("record", "content", *(values[name] for name in FIELDS), *stands)


def _completed(values: Mapping[str, Any]) -> dict[str, Any]:
    """With the parts of the reference that have no cell of their own."""
    parsed = parse_citation(without_name(values["reference"]))
    parts = ("authors", "journal", "volume", "issue", "pages", "year", "doi")
    return {**values, **{name: getattr(parsed, name) for name in parts if values[name] is None}}


def make_record(
    cells: Mapping[str, str],
    *,
    source: str,
    raw: Mapping[str, Any],
    properties: Sequence[Property] = (),
    place: Sequence[str] = (),
    row: int | None = None,
) -> Record:
    """A record from the cells of a row whose columns already bear the names of ``FIELDS``.

    Parts of the reference that have no cell of their own are read from ``reference``; the name of the paper's file
    stands behind it, or takes its place.

    Args:
        cells: texts by the names of the fields, and by ``PAPER``.
        source: name of the file.
        raw: the row as it was read.
        properties: measured values.
        place: as in ``identify``; empty for a collection of which there is one in the world.
        row: in which it stands.

    Raises:
        BadRowError: with every reason why the row is no record.
    """
    values: dict[str, Any] = dict.fromkeys(FIELDS)
    reasons = []
    for name, cell in cells.items():
        text = clean(cell)
        if text is None or name == PAPER:
            continue
        try:
            values[name] = _convert(name, text)
        except ValueError as error:
            reasons.append(f"{name}: {error}")
    unnamed, paper = _completed(values), clean(cells.get(PAPER, ""))
    named = bool(paper) and not _NO_PAPER.search(str(paper)[-5:])
    values = _completed(values | {"reference": with_paper(values["reference"], str(paper))}) if named else unnamed
    reasons += _reasons(values)
    if reasons:
        raise BadRowError("; ".join(reasons))
    text = json.dumps(raw, ensure_ascii=False, sort_keys=True, default=str)
    record_id = identify(values, place)
    former_id = identify(unnamed, place) if named else identify(values)
    return Record(
        record_id=record_id,
        former_id="" if former_id == record_id else former_id,
        source=source,
        raw=text,
        values=values,
        components=components_of(values["polymers"], values["composition_ratio"], values["polymer_ids"]),
        properties=tuple(properties),
        row=row,
    )
