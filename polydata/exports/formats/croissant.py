"""Croissant (MLCommons): ``croissant.json`` describes the table of images and the image files themselves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from polydata.exports.content import Content
from polydata.exports.formats import Format
from polydata.ids import sha256_bytes
from polydata.resources import TEMPLATES
from polydata.types import Progress

TABLE = "images.csv"
TYPES = {"png": "image/png", "jpg": "image/jpeg"}
NUMBERS = {"width": "sc:Integer", "height": "sc:Integer", "year": "sc:Text", "page": "sc:Text", "target": "sc:Float"}


def _write(content: Content, folder: Path, progress: Progress) -> None:
    """Write ``images/``, ``images.csv`` and ``croissant.json``."""
    content.write_pictures(folder, croissant.place, progress)
    table = content.table(croissant.place)
    (folder / TABLE).write_text(table, encoding="utf-8", newline="")
    text = json.dumps(_document(content, table), indent=2, ensure_ascii=False) + "\n"
    (folder / "croissant.json").write_text(text, encoding="utf-8")


def _document(content: Content, table: str) -> dict[str, Any]:
    marks = content.marks
    suffixes = sorted({one.file.rpartition(".")[2] for one in content.entries if one.file})
    whole_table = {
        "@type": "cr:FileObject",
        "@id": TABLE,
        "name": TABLE,
        "description": "One row an image: label, side, licence, provenance.",
        "contentUrl": TABLE,
        "encodingFormat": "text/csv",
        "sha256": sha256_bytes(table.encode()),
    }
    pictures = {
        "@type": "cr:FileSet",
        "@id": "image-files",
        "name": "image-files",
        "description": "The images, whose names end in the SHA-256 of the image in its source.",
        "encodingFormat": [TYPES[suffix] for suffix in suffixes],
        "includes": "images/*",
    }
    return {
        "@context": json.loads((TEMPLATES / "croissant-context.json").read_text(encoding="utf-8")),
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": content.split.name,
        "description": content.summary,
        "version": f"1.0.0+{content.split.digest[:16]}",
        "identifier": f"sha256:{content.split.digest}",
        "license": list(marks["licences"]),
        "keywords": [f"{key}: {json.dumps(marks[key], ensure_ascii=False)}" for key in ("leakage", "release", "fold")],
        "creator": {"@type": "sc:Organization", "name": marks["made_by"]},
        "citeAs": f"Split {content.split.name}, digest {content.split.digest}; cite the papers in {TABLE} too.",
        "distribution": [whole_table, *([pictures] if suffixes else [])],
        "recordSet": [_table_records(list(content.entries[0].row(""))), *([_picture_records()] if suffixes else [])],
    }


def _field(record_set: str, name: str, kind: str, source: dict[str, Any], **more: Any) -> dict[str, Any]:
    names = {"@type": "cr:Field", "@id": f"{record_set}/{name}", "name": name, "dataType": kind}
    return {**names, "source": source, **more}


def _column(name: str) -> dict[str, Any]:
    return {"fileObject": {"@id": TABLE}, "extract": {"column": name}}


def _table_records(columns: list[str]) -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": "images",
        "name": "images",
        "description": "Every image of the partition, those that are withheld too.",
        "key": {"@id": "images/image_sha256"},
        "field": [_field("images", name, NUMBERS.get(name, "sc:Text"), _column(name)) for name in columns],
    }


def _picture_records() -> dict[str, Any]:
    def of_file(what: str) -> dict[str, Any]:
        return {"fileSet": {"@id": "image-files"}, "extract": {"fileProperty": what}}

    key = {**of_file("filename"), "transform": {"regex": "^.*([0-9a-f]{64})"}}

    return {
        "@type": "cr:RecordSet",
        "@id": "pictures",
        "name": "pictures",
        "description": "The images that are here, with label and side.",
        "field": [
            _field("pictures", "image_sha256", "sc:Text", key, references=_column("image_sha256")),
            _field("pictures", "image", "sc:ImageObject", of_file("content")),
            _field("pictures", "label", "sc:Text", _column("label")),
            _field("pictures", "side", "sc:Text", _column("side")),
        ],
    }


croissant = Format(lambda one: f"images/{one.file}", _write)
