"""WebDataset: tar archives in which the files of one sample share a name: image, ``cls`` (class number), ``json``."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

from polydata.exports.content import Advance, Content, Entry, Side, row_of

SHARD_BYTES = 250_000_000
SHARD_IMAGES = 10_000


def place(entry: Entry) -> str:
    """``SIDE-*.tar``."""
    return f"{entry.side}-*.tar"


def write(content: Content, folder: Path, advance: Advance) -> None:
    """Write ``SIDE-000000.tar``, ...; images that are withheld stand in the table alone.

    The archives hold neither times nor owners, so the same split gives the same bytes.
    """
    for side in content.sides:
        _write_side(content, side, folder, advance)


def _write_side(content: Content, side: Side, folder: Path, advance: Advance) -> None:
    entries = content.of(side)
    number = 0
    while entries:
        size = count = 0
        with tarfile.open(folder / f"{side}-{number:06d}.tar", "w", format=tarfile.USTAR_FORMAT) as shard:
            while entries and size < SHARD_BYTES and count < SHARD_IMAGES:
                one = entries.pop(0)
                advance(1)
                if one.file is None:
                    continue
                data = content.data(one)
                facts = {**row_of(one, one.file), "split": content.split.name, "digest": content.split.digest}
                key = one.item.image_sha256
                _add(shard, one.file, data)
                _add(shard, f"{key}.cls", str(content.split.classes.index(one.item.label)).encode())
                _add(shard, f"{key}.json", json.dumps(facts, ensure_ascii=False).encode())
                size, count = size + len(data), count + 1
        number += 1


def _add(shard: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    shard.addfile(info, io.BytesIO(data))
