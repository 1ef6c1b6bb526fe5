"""A caption taken apart: the figure's label, what is said of each panel, and what all panels share."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from polydata.text.normalise import clean

WORDS = {"figure": "figure", "fig": "figure", "図": "figure", "图": "figure", "圖": "figure", "スキーム": "scheme"}
WORDS |= {word: word for word in ("scheme", "chart", "plate", "graph")}
"""The words by which captions call a figure, in small letters, each with the one that is meant."""

_PRINTED = "|".join(dict.fromkeys(form for word in WORDS for form in (word.upper(), word.capitalize())))
LABEL = re.compile(
    rf"^\W{{0,2}}(?P<label>(?P<word>{_PRINTED}|fig)"
    r"\.?\s*(?P<number>S?[A-Z]?\.?\s?\d+(?:[-–.]\d+)*[a-z]?|[IVX]+))(?![\w])"
)
"""The label of a figure at the beginning of a printed line; small letters there begin a sentence's mention of one."""

LABEL_ALONE = re.compile(rf"^\W*(?:{'|'.join(WORDS)}|table)\.?\s*[A-Z]?\.?[\dIVX]+[-.\d]*[.:]?$", re.IGNORECASE)
"""A line that holds a label, a table's too, and nothing else."""

QUOTED_LABEL = re.compile(
    rf"^\s*(?:figs|{'|'.join(WORDS)})\b\.?\s*(?:(?P<number>S?\d+)(?:[a-z]\b)?|[a-z]\b)?\s*[.:|]?\s*", re.IGNORECASE
)
"""The label at the beginning of a caption that was copied by hand: any case, perhaps without a number."""
ONE = r"[A-Za-z]\d?"
RUN = rf"{ONE}(?:\s*[-–—]\s*{ONE}|(?:\s*(?:,|and|&)\s*{ONE})+)?"
BRACKETED = re.compile(rf"\(\s*(?P<letters>{RUN})\s*\)")
HALF = re.compile(rf"(?:(?<=^)|(?<=[\s;,.:]))(?P<letters>{RUN})\)(?=\s)")
COLON = re.compile(r"(?:(?<=^)|(?<=[.;:,]\s))(?P<letters>[A-Z])(?=[:,]\s)")
SIDES = re.compile(
    r"(?:(?<=^)|(?<=[.;:,]\s))(?P<letters>Left|Right|Top|Middle|Bottom|left|right|top|middle|bottom)(?=:\s)"
)
SIDE = r"left|right|top|middle|bottom|upper|lower|cent(?:er|re)"
BRACKETED_SIDES = re.compile(
    rf"\(\s*(?P<letters>{SIDE})(?:[ -]hand)?(?:\s+(?:panel|image|picture|side|row|column|part))?\s*\)", re.IGNORECASE
)
ROMAN = re.compile(r"\(\s*(?P<letters>i{1,3}|iv|vi{0,3}|ix|x)\s*\)")
NUMERALS = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x")
DOTTED = re.compile(r"(?:(?<=^)|(?<=[.;:,]\s)|(?<=\bof\s)|(?<=\band\s))(?P<letters>[a-z])\.(?=\s)")
SHARED = re.compile(
    r"(?:[.;,]\s+|\s*\(\s*)(?P<words>(?:the\s+|all\s+|each\s+|every\s+|original\s+|white\s+|black\s+|length\s+of\s+)*"
    r"(?:scale[ -]?bars?|scales?\b|bars?\b|magnifications?|(?:micrographs|images|pictures|samples)\b)[^;]{0,200})$",
    re.IGNORECASE,
)
"""A closing remark on all panels: scale bars, magnification, how all were taken."""

BETWEEN = re.compile(r"^[\s,;&]*(?:and|to)?[\s,;&]*$")
PREPOSITION = re.compile(r"^\s*(?:in|at|for|on|from|with|after|before|under|during|by|as)\b")
MAX_PANELS = 26


@dataclass(frozen=True)
class Parts:
    """A caption's words by panel.

    Attributes:
        stem: what all panels share, without the figure's label.
        panels: label and own words of each panel, in the letters' order; empty where it names none.
        number: of the figure, where the caption was quoted with it (``10``, ``S3``).
    """

    stem: str
    panels: tuple[tuple[str, str | None], ...]
    number: str | None = None

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels of the panels, in reading order."""
        return tuple(label for label, _ in self.panels)

    @property
    def only(self) -> str | None:
        """The label, where the caption names exactly one panel."""
        return self.panels[0][0] if len(self.panels) == 1 else None

    def own(self, label: str | None) -> str | None:
        """The words of one panel; of the only panel that is named where no label is known."""
        return dict(self.panels).get(label or self.only or "")


@dataclass(frozen=True)
class _Mark:
    letters: tuple[str, ...]
    start: int
    end: int


def _letters(text: str) -> tuple[str, ...]:
    """``a-c`` -> a, b, c; ``a, d`` -> a, d; ``Left`` -> Left."""
    if text in NUMERALS[1:]:
        return (text,)
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
        if not letters or not set(letters).isdisjoint(seen):
            continue
        if not (letters == NUMERALS[len(seen) : len(seen) + 1] if pattern is ROMAN else _goes_on(letters, seen)):
            continue
        seen += letters
        marks.append(_Mark(letters, match.start(), match.end()))
    if pattern is DOTTED and seen != [chr(97 + place) for place in range(len(seen))]:
        return []  # units are letters with a dot too
    return marks if 2 <= len(seen) <= MAX_PANELS else []


def _goes_on(letters: tuple[str, ...], seen: list[str]) -> bool:
    """Whether letters continue those seen, or fill the gap that "(a, c) ... (b, d)" leaves."""
    if len(letters[0]) > 2 or _follows(seen[-1] if seen else None, letters[0]):
        return True
    gaps = [chr(code) for code in range(ord(min(seen)[0]), ord(max(seen)[0])) if chr(code) not in seen] if seen else []
    return bool(gaps) and len(letters) > 1 and letters[0] == gaps[0]


def tidy(text: str) -> str:
    """Without the signs and joining words at either end."""
    return _closed(re.sub(r"^(?:[\s;,.:|–—-]+|and\s+)+", "", text.strip()))


def _closed(text: str) -> str:
    return re.sub(r"(?:[\s;,.:]+|\s+and)+$", "", text.lstrip(" ;,.:"))


def _body(caption: str) -> str:
    match = LABEL.match(caption)
    return re.sub(r"^[\s.:|│–—-]+", "", caption[match.end() :]) if match else caption.strip()


def _tail(own: list[str]) -> tuple[list[str], str]:
    """What follows the last panel's own words and speaks of all panels.

    Sentences where no other panel has more than one, and remarks on scale bars and the like where no other
    panel has its own.
    """
    shared = SHARED.search(own[-1])
    if (
        shared
        and shared.start() > 0
        and not any(SHARED.search(f". {text}") or SHARED.search(text) for text in own[:-1])
    ):
        rest, more = _sentences([*own[:-1], tidy(own[-1][: shared.start()])])
        return rest, _joined(more, tidy(_unbracketed(shared["words"])))
    return _sentences(own)


def _joined(*sentences: str) -> str:
    return ". ".join(filter(None, sentences))


def _unbracketed(words: str) -> str:
    """Without a closing bracket that was opened before the words."""
    words = words.strip()
    return words[:-1] if words.endswith(")") and words.count(")") > words.count("(") else words


def _sentences(own: list[str]) -> tuple[list[str], str]:
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
    ``a. ... b. ...``, ``A: ... B: ...``, ``(i) ... (ii) ...``, ``Left: ... Right: ...``, ``... (left) and ...
    (right)``. Never raises.
    """
    text = _body(caption)
    marks: list[_Mark] = []
    for pattern in (BRACKETED, ROMAN, HALF, COLON, DOTTED, SIDES, BRACKETED_SIDES):
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
    return Parts(_joined(tidy(head), tidy(tail)), _in_order(panels))


def _in_order(panels: list[tuple[str, str | None]]) -> tuple[tuple[str, str | None], ...]:
    """Panels by their letters where these are single ones: "(a, c) ... (b, d)" names them in another order."""
    single = all(len(label) == 1 for label, _ in panels)
    return tuple(sorted(panels, key=lambda one: one[0]) if single else panels)


def _suffixed(head: str, marks: list[_Mark], between: list[str], last: str) -> Parts:
    """Words before their mark: "poly(MPC) (a) and poly(METAI) brushes (b) in air"."""
    stem, own_first = "", head
    cut = list(re.finditer(r"(?::|\bof\b|\bfor\b)\s", head))
    if cut:
        stem, own_first = head[: cut[-1].start()], head[cut[-1].end() :]
    words = [tidy(one) for one in (own_first, *between)]
    panels = [(letter, own or None) for mark, own in zip(marks, words, strict=True) for letter in mark.letters]
    return Parts(_joined(tidy(stem), tidy(last)), tuple(panels))


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
        return Parts(_closed(text), (), number)
    starts, ends = [mark.start() for mark in marks.values()], [mark.end() for mark in marks.values()]
    words = [_closed(text[end:start]) for end, start in zip(ends, [*starts[1:], len(text)], strict=True)]
    if not words[-1]:
        words = [_closed(text[end:start]) for end, start in zip([0, *ends[:-1]], starts, strict=True)]
    panels = tuple((letter, own or None) for letter, own in zip(marks, words, strict=True))
    return Parts(_closed(text[: starts[0]]), panels, number)
