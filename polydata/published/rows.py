"""Rows of the catalogue from the seed authors' data set, and what it says of its papers and panels."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from polydata.choices import Kind
from polydata.ids import content_id
from polydata.published.layout import Key, parse_key
from polydata.records.record import Record
from polydata.text.mentions import panel_mentions
from polydata.text.quoted import split_quoted
from polydata.text.reference import reference_keys
from polydata.types import ImageInfo

SOURCE = "published"
"""What ``papers.source`` and the split are called."""
FILE_SOURCE = "file"

Rows = Mapping[str, Sequence[Mapping[str, Any]]]
"""Rows of every table, by its name."""


@dataclass(frozen=True)
class Stored:
    """An image of the data set that lies in the store, and its label by the file's name."""

    path: Path
    key: Key
    info: ImageInfo
    label: str


def _id(kind: str, name: str) -> str:
    return content_id(kind, SOURCE, name)


def make_rows(stored: Sequence[Stored], records: Sequence[Record]) -> dict[str, list[dict[str, Any]]]:
    """Rows of every table, by its name."""
    stored = sorted(stored, key=lambda one: one.key.text)  # a figure's caption is that of its first panel
    by_key: dict[str, list[Record]] = defaultdict(list)
    by_paper: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        by_key[str(record.values["record_key"])].append(record)
        by_paper[parse_key(str(record.values["record_key"])).paper].append(record)
    figures: dict[str, list[Stored]] = defaultdict(list)
    for one in stored:
        figures[one.key.figure].append(one)
    papers = {one.key.paper: one.key for one in stored}
    return {
        "papers": [_paper_row(key, by_paper[paper]) for paper, key in sorted(papers.items())],
        "figures": [
            _figure_row(ones[0].key, [r for one in ones for r in by_key[one.key.text]])
            for ones in figures.values()
        ],
        "panels": [
            _panel_row(one, position, by_key[one.key.text])
            for ones in figures.values()
            for position, one in enumerate(sorted(ones, key=lambda o: o.key.text))
        ],
        "images": list({one.info.sha256: asdict(one.info) for one in stored}.values()),
        "records": [record.as_row() for record in records],
        "links": [
            {
                "panel_id": _id("panel", one.key.text),
                "record_id": record.record_id,
                "method": "key",
                "score": round(1 / len(by_key[one.key.text]), 4),
            }
            for one in stored
            for record in by_key[one.key.text]
        ],
        "label_votes": [
            {
                "panel_id": _id("panel", one.key.text),
                "source": FILE_SOURCE,
                "record_id": "",
                "label": one.label,
                "evidence": one.path.name,
            }
            for one in stored
        ],
    }  # fmt: skip


def _paper_row(key: Key, records: Sequence[Record]) -> dict[str, Any]:
    """A paper; where one id names several references, the one that most of its records give."""
    named = Counter(r.values["reference"] for r in records if r.values["reference"]).most_common(1)
    record = next((r for r in records if named and r.values["reference"] == named[0][0]), None)
    return {
        "paper_id": _id("paper", key.paper),
        "source": SOURCE,
        "file_name": f"{SOURCE} {key.paper}",
        **{name: record.values[name] if record else None for name in ("doi", "journal", "year")},
        "citation": record.values["reference"] if record else None,
        "status": "imported",
        "extractor": SOURCE,
    }


def _figure_row(key: Key, records: Sequence[Record]) -> dict[str, Any]:
    captions = list(dict.fromkeys(r.values["caption"] for r in records if r.values["caption"]))
    stem = split_quoted(captions[0]).stem or captions[0] if captions else None
    return {
        "figure_id": _id("figure", key.figure),
        "paper_id": _id("paper", key.paper),
        "page": key.page,
        "label": None if key.image is None else f"image{key.image}",
        "caption": captions[0] if len(captions) == 1 else stem,
        "kind": str(Kind.MICROGRAPH),
        "method": SOURCE,
        "confidence": 1.0,
    }


def _panel_row(one: Stored, position: int, records: Sequence[Record]) -> dict[str, Any]:
    key = one.key
    caption = next((r.values["caption"] for r in records if r.values["caption"]), None)
    parts = split_quoted(caption)
    own = parts.own(key.panel) if parts.panels else caption
    mentions = panel_mentions(caption, parts.stem, own if parts.panels else None, key.panel)
    return {
        "panel_id": _id("panel", key.text),
        "figure_id": _id("figure", key.figure),
        "position": position,
        "label": key.panel,
        "caption": own,
        "caption_stem": parts.stem or None,
        "kind": str(Kind.MICROGRAPH),
        "mentions": json.dumps([asdict(m) for m in mentions]) if mentions else None,
        "image_sha256": one.info.sha256,
        "file_name": one.path.name,
    }


def references_of(rows: Rows, records: Sequence[Record]) -> dict[str, frozenset[str]]:
    """What names each paper, by its id: the paper's row, and the records that are linked to its panels."""
    nothing = dict.fromkeys(("journal", "volume", "pages", "year"))
    found = {row["paper_id"]: reference_keys({**row, **nothing}) for row in rows["papers"]}
    linked = {link["record_id"] for link in rows["links"]}
    for record in records:
        if record.record_id in linked:
            keys = reference_keys({**record.as_row(), "citation": record.values["reference"]})
            found[_id("paper", parse_key(str(record.values["record_key"])).paper)] |= keys
    return found


def panel_facts(rows: Rows, records: Sequence[Record]) -> dict[str, dict[str, Any]]:
    """DOI, journal and year of each panel's paper and the length of its scale bar, by the panel's id."""
    papers = {row["paper_id"]: {name: row[name] for name in ("doi", "journal", "year")} for row in rows["papers"]}
    figures = {row["figure_id"]: papers[row["paper_id"]] for row in rows["figures"]}
    scales = {record.record_id: record.values["scale_um"] for record in records}
    lengths: dict[str, float] = {}
    for link in sorted(rows["links"], key=lambda one: str(one["record_id"])):
        if (length := scales[link["record_id"]]) is not None:
            lengths.setdefault(link["panel_id"], length)
    return {
        row["panel_id"]: {**figures[row["figure_id"]], "scale_um": lengths.get(row["panel_id"])}
        for row in rows["panels"]
    }
