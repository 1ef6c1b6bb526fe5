"""Parquet: one file a side, images inside."""

from __future__ import annotations

from pathlib import Path

from polydata.exports.content import Advance, Content, Entry
from polydata.exports.formats.arrow_tables import write_table


def place(entry: Entry) -> str:
    """``SIDE.parquet``."""
    return f"{entry.side}.parquet"


def write(content: Content, folder: Path, advance: Advance) -> None:
    """Write ``train.parquet`` and ``test.parquet``; their metadata hold the marks under ``polydata``."""
    for side in content.sides:
        metadata = {"polydata": content.marks}
        write_table(content, content.of(side), folder / f"{side}.parquet", advance, metadata=metadata)
