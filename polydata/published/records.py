"""Records of the published data set, from the blocks of its text file."""

from __future__ import annotations

from pathlib import Path

from polydata.errors import InputError
from polydata.published.blocks import BadBlock, parse_blocks
from polydata.published.layout import parse_key
from polydata.records.record import BadRowError, Record, make_record
from polydata.text.normalise import decode


def read_published_records(path: Path) -> tuple[list[Record], list[str]]:
    """Records of the authors' text file, and what could not be read.

    Raises:
        InputError: if there is no reading the file at all.
    """
    records: dict[str, Record] = {}
    problems = []
    try:
        text = decode(path.read_bytes())
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from error
    for block in parse_blocks(text):
        if isinstance(block, BadBlock):
            problems.append(f"{path.name}, block {block.number}: {block.reason}")
            continue
        cells = block.cells
        key = parse_key(cells["key"])
        named = {
            "record_key": cells["key"],
            "caption": cells["caption"],
            "morphology": cells["polyinfo_morphology"],
            "literature_description": cells["literature_description"],
            "scale_um": cells["scale"],
            "compatibility": cells["label"],
            "reference": cells["reference"],
            "page": "" if key.page is None else str(key.page),
            "figure": "" if key.image is None else str(key.image),
            "panel": key.panel or "",
        }
        try:
            record = make_record(named, source=path.name, raw=cells)
        except BadRowError as error:
            problems.append(f"{path.name}, block {block.number} ({cells['key']}): {error}")
            continue
        if records.setdefault(record.record_id, record) != record:
            problems.append(
                f"{path.name}, block {block.number} ({cells['key']}): its key and reference stand above already"
            )
    return list(records.values()), problems
