"""Captions as records quote them: cut down to one or a few panels, typed or pasted."""

from __future__ import annotations

import re

from polydata.text.caption_words import closed
from polydata.text.captions import Parts
from polydata.text.figure_labels import QUOTED_LABEL
from polydata.text.normalise import clean

_QUOTED_MARKS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"\(\s*(?P<letter>[a-z]\d?)\s*\)",
        r"(?:(?<=[\s,;:.])|^)(?P<letter>[a-z]\d?)\s?[):](?=\s)",
        r"(?:(?<=[:;,] )|(?<=\band ))(?P<letter>(?-i:[a-l]))\s+(?=[\d(]|(?-i:[A-Z]))",
    )
)
LONGEST_QUOTE = 4000


def split_quoted(caption: str | None) -> Parts:
    """Take apart a caption as a record quotes it: cut down to one or a few panels, typed or pasted.

    So one letter alone counts, letters may come in any order, and each has the words up to the next one. Read are
    ``(a) one; (b) two``, ``a) one b) two``, ``a: one``, ``: a one, b two``, and letters that follow their words
    (``one (a); two (b)``), which is taken so where nothing follows the last letter. Never raises.

    Returns:
        Labels are small letters.
    """
    text = clean((caption or "")[:LONGEST_QUOTE]) or ""
    label = QUOTED_LABEL.match(text)
    number, text = (label["number"], text[label.end() :]) if label else (None, text)
    found = next((marks for marks in (list(one.finditer(text)) for one in _QUOTED_MARKS) if marks), [])
    marks: dict[str, re.Match[str]] = {}
    for mark in found:
        marks.setdefault(mark["letter"].lower(), mark)
    if not marks:
        return Parts(closed(text), (), number)
    starts, ends = [mark.start() for mark in marks.values()], [mark.end() for mark in marks.values()]
    words = [closed(text[end:start]) for end, start in zip(ends, [*starts[1:], len(text)], strict=True)]
    if not words[-1]:
        words = [closed(text[end:start]) for end, start in zip([0, *ends[:-1]], starts, strict=True)]
    panels = tuple((letter, own or None) for letter, own in zip(marks, words, strict=True))
    return Parts(closed(text[: starts[0]]), panels, number)
