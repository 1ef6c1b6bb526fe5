"""Rows of text laid out for a terminal: columns that hold what is copied are never broken, others give way."""

from __future__ import annotations

import re
import shutil
import textwrap
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from typing import Any

GAP = "  "
NARROWEST = 12
"""Columns to which a text is cut or wrapped at least, and up to which it always stands whole."""
DIGITS = 8
"""Digits of an id that a list shows, unless more are needed to tell its rows apart."""
IDENTIFIER = re.compile(r"(?:(?:paper|figure|panel|record|edit)-([0-9a-f]{16,64})|([0-9a-f]{64}))")
WORD = re.compile("[^\\W\\d_]")
"""A letter, which no column of figures holds."""


def terminal_width() -> int:
    """Columns of the terminal, 80 where there is none."""
    return shutil.get_terminal_size((80, 24)).columns


def width_of(text: str) -> int:
    """Columns that a line takes: East Asian signs take two, marks above others none."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def shortened(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows whose ids and hashes are cut to as many digits as tell them apart, which every command takes for them."""
    columns: dict[str, list[Any]] = {name: [row[name] for row in rows] for name in rows[0]} if rows else {}
    for name, values in columns.items():
        digits = [m[1] or m[2] if isinstance(v, str) and (m := IDENTIFIER.fullmatch(v)) else None for v in values]
        whole, length = {d for d in digits if d}, DIGITS
        while len({d[:length] for d in whole}) < len(whole):
            length += 1
        columns[name] = [d[:length] if d else v for d, v in zip(digits, values, strict=True)]
    return [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]


def clipped(text: str, width: int) -> str:
    """A text of at most so many columns, with ``…`` at the place where it goes on."""
    if width_of(text) <= width:
        return text
    text = text[: 2 * width]  # marks above others take no column, but seldom stand on every letter
    while width_of(text) >= width:
        text = text[:-1]
    return f"{text.rstrip()}…"


def lay_out(rows: Sequence[Sequence[str]], right: Collection[int], width: int | None, *, clip: bool) -> list[str]:
    """The lines of a table, the first row its head.

    The first column and all that hold no text longer than ``NARROWEST`` keep their width. Where lines are not clipped,
    columns without a space keep it too: ids, paths, addresses.

    Args:
        rows: cells, which may have several lines.
        right: columns that are set to the right.
        width: columns of the terminal; None for as many as it takes.
        clip: cut what is too long, a line a row; otherwise wrap it between words.
    """
    columns = list(zip(*rows, strict=True))
    widths = [max(width_of(line) for cell in column for line in cell.split("\n")) for column in columns]
    spare = (width or 0) - len(GAP) * (len(widths) - 1)
    soft = [
        number
        for number, column in enumerate(columns)
        if widths[number] > NARROWEST and (number if clip else any(" " in cell for cell in column[1:]))
    ]
    while width and soft and sum(widths) > spare:
        widest = max(soft, key=widths.__getitem__)
        if widths[widest] == NARROWEST:
            break
        widths[widest] -= 1
    lines = []
    for number, row in enumerate(rows):
        cells = [_broken(cell, wide, clip=clip) for cell, wide in zip(row, widths, strict=True)]
        for line in range(max(map(len, cells))):
            texts = [cell[line] if line < len(cell) else "" for cell in cells]
            padded = (_padded(t, w, right=n in right) for n, (t, w) in enumerate(zip(texts, widths, strict=True)))
            lines.append(GAP.join(padded).rstrip())
        if number == 0:
            lines.append("─" * (sum(widths) + len(GAP) * (len(widths) - 1)))
    return lines


def _broken(cell: str, width: int, *, clip: bool) -> list[str]:
    if clip:
        return [clipped(cell, width)]
    how: Any = {"break_long_words": False, "break_on_hyphens": False}
    lines = (textwrap.wrap(line, max(1, width), **how) for line in cell.split("\n"))
    return [part for line in lines for part in line or [""]]


def _padded(text: str, width: int, *, right: bool) -> str:
    space = " " * (width - width_of(text))
    return space + text if right else text + space
