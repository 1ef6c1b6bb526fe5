"""A folder for Hugging Face ``datasets``: Parquet with declared features, and a card that says where the files are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa

from polydata.exports.content import Advance, Content, Entry
from polydata.exports.formats.arrow_tables import NUMBERS, columns, write_table

SPLITS = {"val": "validation"}
"""Sides that are called otherwise there."""


def place(entry: Entry) -> str:
    """``data/SIDE-00000-of-00001.parquet``."""
    return f"data/{entry.side}-00000-of-00001.parquet"


def write(content: Content, folder: Path, advance: Advance) -> None:
    """Write ``data/`` and ``README.md``."""
    (folder / "data").mkdir()
    metadata = {"huggingface": {"info": {"features": _features(content)}}, "polydata": content.marks}
    for side in content.sides:
        entries = content.of(side)
        write_table(content, entries, folder / place(entries[0]), advance, metadata=metadata, numbered=True)
    (folder / "README.md").write_text(_front_matter(content) + content.card, encoding="utf-8")


def _features(content: Content) -> dict[str, Any]:
    values = {name: str(NUMBERS.get(name, pa.string())) for name in columns(content.entries[0])}
    return {
        "image": {"_type": "Image"},
        "label": {"_type": "ClassLabel", "names": list(content.split.classes)},
        **{name: {"_type": "Value", "dtype": "float64" if v == "double" else v} for name, v in values.items()},
    }


def _front_matter(content: Content) -> str:
    """YAML written as JSON, which YAML contains."""
    licences = list(content.marks["licences"])
    known = licences[0].lower() if len(licences) == 1 and licences[0] != "unknown" else "other"
    facts = {
        "pretty_name": content.split.name,
        "license": known,
        "task_categories": ["image-classification"],
        "configs": [
            {
                "config_name": "default",
                "data_files": [
                    {"split": SPLITS.get(side, side), "path": f"data/{side}-*.parquet"} for side in content.sides
                ],
            }
        ],
        "polydata": content.marks,
    }
    lines = [f"{key}: {json.dumps(value)}" for key, value in facts.items()]
    return "\n".join(["---", *lines, "---", "", ""])
