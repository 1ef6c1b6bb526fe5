"""What a record's caption says of one panel: the stem that all share, the panel's letter and its own words."""

from __future__ import annotations

import re
from dataclasses import dataclass

from polydata.text.normalise import clean

MAX_LENGTH = 4000

_PARENTHESISED = re.compile(r"\(\s*([a-z]\d?)\s*\)", re.IGNORECASE)
_HALF = re.compile(r"(?:(?<=[\s,;:.])|^)([a-z]\d?)\s?[):](?=\s)", re.IGNORECASE)
_BARE = re.compile(r"(?:(?<=[:;,] )|(?<=\band ))([a-l])\s+(?=[\dA-Z(])")
_LABEL = re.compile(r"^\s*(?:fig(?:ure|s)?|scheme|plate)\b\.?\s*S?\d*[a-z]?\s*[.:|]?\s*", re.IGNORECASE)
_ENDS = " ;,.:"
_LAST_AND = re.compile(r"[\s;,]+and$")


@dataclass(frozen=True)
class CaptionParts:
    """A caption taken apart.

    Attributes:
        label: number of the figure where the caption names it (``10``).
        stem: the words before the first letter; the whole caption where it names no panel.
        parts: letter -> its own words, in the order of the caption.
    """

    label: str | None
    stem: str
    parts: tuple[tuple[str, str], ...]

    def own(self, letter: str | None) -> str | None:
        """The words of one panel; of the only panel that is named where no letter is known."""
        if letter is None:
            return self.parts[0][1] or None if len(self.parts) == 1 else None
        return next((words or None for name, words in self.parts if name == letter), None)

    def letter(self) -> str | None:
        """The letter, where the caption names exactly one panel."""
        return self.parts[0][0] if len(self.parts) == 1 else None


def _tidy(text: str) -> str:
    return _LAST_AND.sub("", text.strip(_ENDS)).strip(_ENDS)


def take_apart(caption: str | None) -> CaptionParts:
    """Stem, letters and own words of a caption; any text is accepted.

    Read are ``(a) one; (b) two``, ``a) one b) two``, ``a: one``, ``: a one, b two``, and letters that follow
    their words (``one (a); two (b)``), which is taken so where nothing follows the last letter.
    """
    text = clean((caption or "")[:MAX_LENGTH]) or ""
    label = re.match(r"\s*(?:fig(?:ure|s)?|scheme|plate)\b\.?\s*(S?\d+)", text, re.IGNORECASE)
    text = _LABEL.sub("", text, count=1)
    marks = next((m for m in (list(p.finditer(text)) for p in (_PARENTHESISED, _HALF, _BARE)) if m), [])
    marks = [m for i, m in enumerate(marks) if m[1].lower() not in {k[1].lower() for k in marks[:i]}]
    if not marks:
        return CaptionParts(label and label[1], _tidy(text), ())
    starts, ends = [m.start() for m in marks], [m.end() for m in marks]
    words = [_tidy(text[end:start]) for end, start in zip(ends, [*starts[1:], len(text)], strict=True)]
    if not words[-1]:  # the letters follow their words
        words = [_tidy(text[end:start]) for end, start in zip([0, *ends[:-1]], starts, strict=True)]
    letters = [m[1].lower() for m in marks]
    return CaptionParts(label and label[1], _tidy(text[: starts[0]]), tuple(zip(letters, words, strict=True)))
