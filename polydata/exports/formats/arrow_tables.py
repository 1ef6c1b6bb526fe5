"""Parquet tables with the images inside, written in pieces so that memory stays bounded."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from polydata.exports.content import Advance, Content, Entry, row_of

GROUP = 100
"""Images a row group."""
NUMBERS = {"width": pa.int32(), "height": pa.int32(), "year": pa.int32(), "page": pa.int32(), "scale_um": pa.float64()}
LEFT_OUT = ("file", "side")
"""Columns of a flat row that a table of one side has otherwise."""


def columns(entry: Entry) -> list[str]:
    """Names of a table's columns beside ``image`` and ``label``."""
    return [name for name in row_of(entry, "") if name not in (*LEFT_OUT, "label")]


def write_table(
    content: Content,
    entries: Sequence[Entry],
    path: Path,
    advance: Advance,
    *,
    metadata: Mapping[str, Any],
    numbered: bool = False,
) -> None:
    """Write some entries as one Parquet file: ``image`` {bytes, path} (null where withheld), ``label``, all else.

    Args:
        entries: at least one.
        metadata: put into the file as JSON, by key.
        numbered: write labels as numbers in the order of the split's classes.
    """
    names = columns(entries[0])
    fields = [
        ("image", pa.struct([("bytes", pa.binary()), ("path", pa.string())])),
        ("label", pa.int64() if numbered else pa.string()),
        *((name, NUMBERS.get(name, pa.string())) for name in names),
    ]
    schema = pa.schema(fields, metadata={key: json.dumps(value) for key, value in metadata.items()})
    waiting = iter(entries)
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        while batch := list(islice(waiting, GROUP)):
            rows = []
            for one in batch:
                flat = row_of(one, "")
                image = None if one.file is None else {"bytes": content.data(one), "path": one.file}
                label = content.split.classes.index(one.item.label) if numbered else one.item.label
                rows.append({"image": image, "label": label, **{name: flat[name] for name in names}})
                advance(1)
            writer.write_table(pa.Table.from_pylist(rows, schema=schema))
