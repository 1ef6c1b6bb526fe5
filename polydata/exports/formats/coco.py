"""COCO JSON: each image with one annotation whose box is the whole image and whose category is its label."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from polydata.exports.content import Advance, Content, Entry, Side, row_of

ELSEWHERE = ("file", "side", "licence")
"""Columns of a flat row that COCO has places of its own for."""


def place(entry: Entry) -> str:
    """``SIDE/SHA256.SUFFIX``."""
    return f"{entry.side}/{entry.file}"


def write(content: Content, folder: Path, advance: Advance) -> None:
    """Write ``train/``, ``test/`` and ``annotations/instances_SIDE.json``."""
    content.write_pictures(folder, place, advance)
    (folder / "annotations").mkdir()
    for side in content.sides:
        text = json.dumps(_document(content, side), indent=1, ensure_ascii=False)
        (folder / "annotations" / f"instances_{side}.json").write_text(text, encoding="utf-8")


def _document(content: Content, side: Side) -> dict[str, Any]:
    licences = {name: number for number, name in enumerate(content.marks["licences"], start=1)}
    categories = {label: number for number, label in enumerate(content.split.classes, start=1)}
    images, annotations = [], []
    for number, one in enumerate(content.of(side), start=1):
        row = row_of(one, "")
        kept = {key: value for key, value in row.items() if value is not None and key not in ELSEWHERE}
        name = {} if one.file is None else {"file_name": one.file}
        images.append({"id": number, **name, **kept, "license": licences[one.licence]})
        annotations.append(
            {
                "id": number,
                "image_id": number,
                "category_id": categories[one.item.label],
                "bbox": [0, 0, one.width, one.height],
                "area": one.width * one.height,
                "iscrowd": 0,
            }
        )
    return {
        "info": {"description": content.summary, **content.marks, "side": side},
        "licenses": [{"id": number, "name": name, "url": ""} for name, number in licences.items()],
        "images": images,
        "annotations": annotations,
        "categories": [{"id": n, "name": label, "supercategory": ""} for label, n in categories.items()],
    }
