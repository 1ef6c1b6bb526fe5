"""Records of the published data set, from the blocks of its text file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from polydata.errors import InputError
from polydata.published.layout import parse_key
from polydata.records.record import BadRowError, Record, make_record
from polydata.text.normalise import decode

LINES = ("key", "caption", "polyinfo_morphology", "literature_description", "scale", "label", "reference")
MAX_LINES = 60
KEY = re.compile(r"\S{1,100}")


@dataclass(frozen=True)
class Block:
    """One block.

    Attributes:
        number: from 1, in the order of the file.
        cells: text by the names of ``LINES``, as it stands.
    """

    number: int
    cells: dict[str, str]


@dataclass(frozen=True)
class BadBlock:
    """A block that could not be read, and why."""

    number: int
    reason: str


def parse_blocks(text: str) -> list[Block | BadBlock]:
    """Blocks of the file in their order; any text is accepted."""
    lines = [line.strip() for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    groups: list[list[str]] = [[]]
    for line in lines:
        if line:
            groups[-1].append(line)
        elif groups[-1]:
            groups.append([])
    return [_block(number, group) for number, group in enumerate((g for g in groups if g), start=1)]


def _block(number: int, lines: list[str]) -> Block | BadBlock:
    if not len(LINES) <= len(lines) <= MAX_LINES:
        return BadBlock(
            number, f"it has {len(lines)} lines where {len(LINES)} are expected (it begins {lines[0][:40]!r})"
        )
    if not KEY.fullmatch(lines[0]):
        return BadBlock(number, f"it does not begin with a key: {lines[0][:60]!r}")
    values = [*lines[:3], " ".join(lines[3:-3]), *lines[-3:]]
    return Block(number, dict(zip(LINES, values, strict=True)))


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
