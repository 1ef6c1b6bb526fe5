"""Parquet with the images inside, a file a side; and the same for Hugging Face ``datasets``, with a card.

Tables are written in pieces, so that memory stays bounded.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from polydata.exports.content import UNKNOWN, Content, Entry
from polydata.exports.formats import Format
from polydata.splits.manifest import TARGET
from polydata.types import Progress

GROUP = 100
"""Images a row group."""
NUMBERS = {
    **dict.fromkeys(("width", "height", "year", "page"), pa.int32()),
    **dict.fromkeys(("scale_um", TARGET), pa.float64()),
}
SPLITS = {"val": "validation"}
"""Sides that Hugging Face calls otherwise."""


def _columns(content: Content) -> dict[str, pa.DataType]:
    """A table's columns beside ``image`` and ``label``."""
    names = (name for name in content.entries[0].facts if name not in ("side", "label"))
    return {name: NUMBERS.get(name, pa.string()) for name in names}


def _write_table(
    content: Content, entries: Iterator[Entry], path: Path, metadata: Mapping[str, Any], *, numbered: bool = False
) -> None:
    """Write some entries as one file: ``image`` {bytes, path} (null where withheld), ``label``, all else.

    Args:
        metadata: put into the file as JSON, by key.
        numbered: write labels as numbers in the order of the split's classes.
    """
    columns = _columns(content)
    schema = pa.schema(
        {
            "image": pa.struct([("bytes", pa.binary()), ("path", pa.string())]),
            "label": pa.int64() if numbered else pa.string(),
            **columns,
        },
        metadata={key: json.dumps(value) for key, value in metadata.items()},
    )
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        while batch := list(islice(entries, GROUP)):
            rows = [
                {
                    "image": None if one.file is None else {"bytes": content.data(one), "path": one.file},
                    "label": content.split.classes.index(one.item.label) if numbered else one.item.label,
                    **{name: one.facts[name] for name in columns},
                }
                for one in batch
            ]
            writer.write_table(pa.Table.from_pylist(rows, schema=schema))


def _write_parquet(content: Content, folder: Path, progress: Progress) -> None:
    """``SIDE.parquet``, whose metadata hold the marks under ``polydata``."""
    for side, entries in content.by_side(progress):
        _write_table(content, entries, folder / f"{side}.parquet", {"polydata": content.marks})


def _write_hf(content: Content, folder: Path, progress: Progress) -> None:
    """``data/`` with declared features, and ``README.md``, the card, which says where the files are."""
    (folder / "data").mkdir()
    metadata = {"huggingface": {"info": {"features": _features(content)}}, "polydata": content.marks}
    for side, entries in content.by_side(progress):
        _write_table(content, entries, folder / _hf_place(side), metadata, numbered=True)
    (folder / "README.md").write_text(_front_matter(content) + content.card, encoding="utf-8")


def _hf_place(side: str) -> str:
    return f"data/{side}-00000-of-00001.parquet"


def _features(content: Content) -> dict[str, Any]:
    kinds = {name: str(kind).replace("double", "float64") for name, kind in _columns(content).items()}
    return {
        "image": {"_type": "Image"},
        "label": {"_type": "ClassLabel", "names": list(content.split.classes)},
        **{name: {"_type": "Value", "dtype": kind} for name, kind in kinds.items()},
    }


def _front_matter(content: Content) -> str:
    """YAML written as JSON, which YAML contains."""
    licences = list(content.marks["licences"])
    files = [{"split": SPLITS.get(side, side), "path": f"data/{side}-*.parquet"} for side in content.sides]
    facts = {
        "pretty_name": content.split.name,
        "license": licences[0].lower() if len(licences) == 1 and licences[0] != UNKNOWN else "other",
        "task_categories": ["image-classification"],
        "configs": [{"config_name": "default", "data_files": files}],
        "polydata": content.marks,
    }
    lines = [f"{key}: {json.dumps(value)}" for key, value in facts.items()]
    return "\n".join(["---", *lines, "---", "", ""])


parquet = Format(lambda one: f"{one.side}.parquet", _write_parquet)
hf = Format(lambda one: _hf_place(one.side), _write_hf)
