"""A caption taken apart: what it says of each panel, and what all panels share."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from polydata.extract.captions import LABEL

ONE = r"[A-Za-z]\d?"
RUN = rf"{ONE}(?:\s*[-–—]\s*{ONE}|(?:\s*(?:,|and|&)\s*{ONE})+)?"
BRACKETED = re.compile(rf"\(\s*(?P<letters>{RUN})\s*\)")
HALF = re.compile(rf"(?:(?<=^)|(?<=[\s;,.:]))(?P<letters>{RUN})\)(?=\s)")
COLON = re.compile(r"(?:(?<=^)|(?<=[.;:,]\s))(?P<letters>[A-Z])(?=[:,]\s)")
SIDES = re.compile(
    r"(?:(?<=^)|(?<=[.;:,]\s))(?P<letters>Left|Right|Top|Middle|Bottom|left|right|top|middle|bottom)(?=:\s)"
)
BETWEEN = re.compile(r"^[\s,;&]*(?:and|to)?[\s,;&]*$")
PREPOSITION = re.compile(r"^\s*(?:in|at|for|on|from|with|after|before|under|during|by|as)\b")
MAX_PANELS = 26


@dataclass(frozen=True)
class Parts:
    """A caption's words by panel.

    Attributes:
        stem: what all panels share, without the figure's label.
        panels: label and own words of each panel, in the caption's order; empty where it names none.
    """

    stem: str
    panels: tuple[tuple[str, str | None], ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels of the panels, in reading order."""
        return tuple(label for label, _ in self.panels)


@dataclass(frozen=True)
class _Mark:
    letters: tuple[str, ...]
    start: int
    end: int


def _letters(text: str) -> tuple[str, ...]:
    """``a-c`` -> a, b, c; ``a, d`` -> a, d; ``Left`` -> Left."""
    if len(text) > 1 and text.isalpha():
        return (text.capitalize(),)
    found = re.findall(rf"\b{ONE}\b", text)
    if len(found) == 2 and len(found[0]) == len(found[1]) == 1 and re.search(r"[-–—]", text) and found[0] < found[1]:
        return tuple(chr(code) for code in range(ord(found[0]), ord(found[1]) + 1))
    return tuple(found)


def _follows(last: str | None, letter: str) -> bool:
    """Whether a letter may come after another: c after a or b, a2 after a1; capitals without a gap."""
    small = letter[0].islower()
    if last is None:
        return ord(letter[0]) - ord("a" if small else "A") < (4 if small else 1)
    gap = ord(letter[0]) - ord(last[0])
    if last[0].islower() != small or gap < 0:
        return False
    return letter > last if gap == 0 else gap <= (4 if small else 1)


def _marks(text: str, pattern: re.Pattern[str]) -> list[_Mark]:
    """Marks whose letters go on from one to the next; repeated mentions of a letter are left out."""
    marks: list[_Mark] = []
    seen: list[str] = []
    for match in pattern.finditer(text):
        letters = _letters(match["letters"])
        fresh = [letter for letter in letters if letter not in seen]
        if fresh != list(letters) or not letters:
            continue
        if len(letters[0]) <= 2 and not _follows(seen[-1] if seen else None, letters[0]):
            continue
        seen += letters
        marks.append(_Mark(letters, match.start(), match.end()))
    return marks if 2 <= len(seen) <= MAX_PANELS else []


def tidy(text: str) -> str:
    """Without the signs and joining words at either end."""
    text = re.sub(r"^(?:[\s;,.:|–—-]+|and\s+)+", "", text.strip())
    return re.sub(r"(?:[\s;,.:]+|\s+and)+$", "", text)


def _body(caption: str) -> str:
    match = LABEL.match(caption)
    return re.sub(r"^[\s.:|│–—-]+", "", caption[match.end() :]) if match else caption.strip()


def _tail(own: list[str]) -> tuple[list[str], str]:
    """Sentences after the last panel's own words, where no other panel has more than one sentence."""
    sentence = re.compile(r"(?<=[A-Za-z0-9)%])\.\s+(?=[A-Z])")
    if any(sentence.search(text) for text in own[:-1]):
        return own, ""
    pieces = sentence.split(own[-1], maxsplit=1)
    return ([*own[:-1], pieces[0]], pieces[1]) if len(pieces) == 2 else (own, "")


def _words_come_first(head: str, between: list[str], last: str) -> bool:
    """Whether marks stand after their words ("brushes (a) and films (b)") and not before them."""
    if not re.search(r"\w", head) or re.search(r"(?:[:.;,]|\b(?:of|for|in|the|with|and|are|is|at|by|from))\s*$", head):
        return False
    if all(BETWEEN.match(gap) for gap in between):
        return False
    own = re.split(r"[.;]\s|[.;]$", last)[0]
    listed = all(re.match(r"\s*(?:,|;|and\b)", gap) for gap in between)
    return not re.search(r"\w", own) or (listed and bool(PREPOSITION.match(own)))


def split_caption(caption: str) -> Parts:
    """Take a caption apart.

    Understands ``(a) ... (b) ...``, ``... (a) and ... (b)``, ``(a) and (b) ...``, ``(a-c) ...``, ``a) ...``,
    ``A: ... B: ...``, ``Left: ... Right: ...``. Never raises.
    """
    text = _body(caption)
    marks: list[_Mark] = []
    for pattern in (BRACKETED, HALF, COLON, SIDES):
        marks = _marks(text, pattern)
        if marks:
            break
    if not marks:
        return Parts(tidy(text), ())
    head = text[: marks[0].start]
    between = [text[a.end : b.start] for a, b in pairwise(marks)]
    last = text[marks[-1].end :]
    after = [*between, last]
    if _words_come_first(head, between, last):
        return _suffixed(head, marks, between, last)
    own, tail = _tail([tidy(one) if not BETWEEN.match(one) else "" for one in after])
    for index in range(len(own) - 2, -1, -1):  # "(a) and (b) words": both have the words
        if not own[index] and not re.search(r"[;.]", after[index]):
            own[index] = own[index + 1]
    panels = [(letter, words or None) for mark, words in zip(marks, own, strict=True) for letter in mark.letters]
    stem = tidy(head)
    return Parts(f"{stem}. {tidy(tail)}" if stem and tidy(tail) else stem or tidy(tail), tuple(panels))


def _suffixed(head: str, marks: list[_Mark], between: list[str], last: str) -> Parts:
    """Words before their mark: "poly(MPC) (a) and poly(METAI) brushes (b) in air"."""
    stem, own_first = "", head
    cut = list(re.finditer(r"(?::|\bof\b|\bfor\b)\s", head))
    if cut:
        stem, own_first = head[: cut[-1].start()], head[cut[-1].end() :]
    words = [tidy(one) for one in (own_first, *between)]
    panels = [(letter, own or None) for mark, own in zip(marks, words, strict=True) for letter in mark.letters]
    rest = tidy(last)
    stem = tidy(stem)
    return Parts(f"{stem}. {rest}" if stem and rest else stem or rest, tuple(panels))
