"""The text file in which the published data set keeps its records.

Blocks of lines with an empty line between them, seven lines each: key, caption, PoLyInfo's morphology, the
literature's description, scale in micrometres, label, reference. A description broken over several lines makes
a block longer; it is read from both ends, so that only the description grows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

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
