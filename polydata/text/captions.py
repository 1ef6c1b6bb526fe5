"""A caption taken apart: what is said of each panel, and what all panels share."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from itertools import pairwise

from polydata.text.caption_marks import NOTATIONS, PLAIN, Mark, marked, split_names
from polydata.text.caption_words import (
    LEAD,
    PICTURES,
    SENTENCE,
    SHARED,
    UNFINISHED,
    joined,
    spread,
    tidy,
    with_leads,
    with_object,
    without_remarks,
)
from polydata.text.figure_labels import LOST_DASH, read_label

BETWEEN = re.compile(r"^[\s,;&]*(?:and|to|through|[~-])?[\s,;&]*$")
PREPOSITION = re.compile(r"^\s*(?:in|at|for|on|from|with|after|before|under|during|by|as)\b")
ADDED = re.compile(rf"{PREPOSITION.pattern}[^,;.]*(?=[,;])")
"""What is said of a panel behind its mark, where words come first: "an EFTEM image (b) with an inset, and ... (c)"."""


LISTED, LISTING = re.compile(r"\s*(?:,|;|and\b)"), re.compile(r"(?:[,;:.]|\band)\s*$")
"""What goes on in a list behind a mark, and what announces the next mark."""
LAST_LISTED = re.compile(r"\s*,?\s*and\s+(?!with\b)\w[^.;]*$")
"""The last words of a list whose marks follow them: no words of a panel begin so."""

FEW_WORDS = 3
"""Words behind the last mark of a list that belong to its names, "anatase (a) and rutile (b) grains"."""

TRAILING = re.compile(rf"^\s*(?P<pictures>{PICTURES}\s)?(?:of|for)\b(?P<number>\s*[\d(])?")
"""What the marks of a list share behind the last of them: "TEM (a) and HR-TEM (b) images of a blend"."""

_ONE = re.compile(r"\b(?:photo)?(?:micrograph|graph)\b|\b(?:image|picture|photo)\b(?! (?:analysis|processing))", re.I)
_SEVERAL = re.compile(
    r"\b(?:(?:photo)?(?:micro)?graphs|images|pictures|photos|left|right|top|bottom|upper|lower|middle|cent(?:er|re)|rows?|"
    r"columns?|insets?|respectively|enlarge\w*|magnified|corresponding|before|after|series|both|two|three|four|pairs?|"
    r"different|various|varying|times|and|or|with|at)\b|\d\s*(?:,|and|to|[-–])\s*\d",
    re.IGNORECASE,
)
"""Words with which one image may be several: anything that a condition or a second thing can follow."""


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
    def count(self) -> int | None:
        """How many panels the caption names; one where it speaks of a single picture, None where it does not say."""
        single = _ONE.search(self.stem) and not _SEVERAL.search(self.stem)
        return len(self.panels) or (1 if single else None)

    @property
    def only(self) -> str | None:
        """The label, where the caption names exactly one panel."""
        return self.panels[0][0] if len(self.panels) == 1 else None

    def own(self, label: str | None) -> str | None:
        """The words of one panel; of the only panel that is named where no label is known."""
        return dict(self.panels).get(label or self.only or "")


def _body(caption: str) -> str:
    label = read_label(caption)
    return re.sub(rf"^(?:{LOST_DASH}|[\s.:|│–—。：．-]+)", "", caption[label.end :]) if label else caption.strip()


PREPOSITIONS = r"(?:of|for|in|at|with|after|from|under|by|on)"
AGAIN = re.compile(rf"\b({PREPOSITIONS})\s(?:[\w-]+\s)?$")
"""What leads to a list that names panels once more, or to its first words where these come first."""
LED_TO = re.compile(rf"\b{PREPOSITIONS}\s*$")
SENTENCE_OF = re.compile(
    r"\s*(?:is|are|was|were|has|have|shows?|indicates?|marks?|represents?|denotes?|corresponds?)\b"
)
LENGTH_ALONE = re.compile(r"\W*(?:and\s)?\d+(?:[.,]\d+)?\s?(?:nm|[µμu]m|mm|cm)\b\W*(?:(?:and|for|in)\W*)?")
OF_OTHER_THINGS = re.compile(
    r"\b(?:scales?|(?:scale)?[ -]?bars?|magnifications?|reprinted|reproduced|adapted|permission|refs?|references?)\b",
    re.IGNORECASE,
)
"""Words of sentences whose lists say nothing of what the panels show."""
ENDS = re.compile(r"(?:(?<=[a-z0-9]{3})|(?<=[)%]))\.\s+(?=[A-Z])")
"""The end of a sentence that is surely no abbreviation, "vs. PBS", "E. Coli"."""
CLAUSE = re.compile(SENTENCE.pattern.replace(r"\.", "[.;]"))


def _said_again(panels: list[tuple[str, str | None]], tail: str) -> tuple[list[tuple[str, str | None]], str]:
    """Panels with the sentences that name them again behind all of them ("Circles in (b) mark pores"), and the rest."""
    words, rest = dict(panels), []
    for sentence in SENTENCE.split(tail):
        plain = sentence.translate(PLAIN)
        found = [match["letters"] or match["half"] for match in NOTATIONS[0].form.finditer(plain)]
        names = {name for some in found for name in split_names(some)}
        if names and names <= words.keys() and not SHARED.search(f". {sentence}"):
            words |= {name: joined(words[name] or "", tidy(sentence)) for name in names}
        else:
            rest.append(sentence)
    return list(words.items()), joined(*rest)


def _second_list(words: str, marks: Sequence[Mark]) -> tuple[str, Parts] | None:
    """A list that names panels once more: "(a, c) x and (b, d) y of (a, b) z and (c, d) w", "(a-d) x. (a) y, (b) z".

    The list may leave one panel out, as authors do. One of single letters begins with a clause, and each of its marks
    stands behind a sign; else they are mentioned. It is neither a sentence nor about scale bars and sources.

    Args:
        words: behind the last of the marks.
        marks: of the first list; one of them, or of the second, names several panels.

    Returns:
        The words before the list, and what it says, with the sign that parts it from what was said before; None where
        there is none.
    """
    labels = {name for mark in marks for name in mark.letters}
    again = marked(words.translate(PLAIN), min(labels))
    named = [name for mark in again for name in mark.letters]
    bracketed = NOTATIONS[0].form.finditer(words.translate(PLAIN))
    mentioned = {name for one in bracketed for name in split_names(one["letters"] or one["half"])}
    if len(again) < 2 or not {*named, *mentioned} <= labels or len(named) < len(labels) - 1:
        return None
    head, between = words[: again[0].start], [words[a.end : b.start] for a, b in pairwise(again)]
    last, clauses = words[again[-1].end :], list(re.finditer(r"[.;:]\s+", head))
    begins = [one.end() for one in SENTENCE.finditer(head)]
    if OF_OTHER_THINGS.search(head, begins[-1] if begins else 0) or any(
        "=" in words[one.start : one.end] for one in again
    ):
        return None
    pieces = (re.split(r"[.;:=]\s", head)[-1], *between, _sentence(last))
    lengths = sum(LENGTH_ALONE.fullmatch(one) is not None for one in pieces)
    if any(SENTENCE_OF.match(one) for one in (*between, last)) or lengths >= len(again):
        return None
    if any(BETWEEN.match(one.translate(PLAIN)) for one in between):
        return None
    grouped = any(len(mark.letters) > 1 for mark in again)
    if not grouped and all(len(mark.letters) == 1 for mark in marks):
        return None
    lead = AGAIN.search(head)
    if grouped and lead and re.search(r"\w", last) and not any(LED_TO.search(one) for one in between):
        before, start, sign = words[: lead.start()], lead.end(1), f" {lead[1]} "
    elif clauses:
        before, start, sign = words[: clauses[-1].end()], clauses[-1].end(), ". "
        listed = all(re.search(r"(?:^|[.;:,]|\band)\s*$", words[start : mark.start]) for mark in again)
        if not (listed or (grouped and _words_come_first(words[start : again[0].start], between, last))):
            return None
    else:
        return None
    said = _by_marks(words, start, again, lists=False)
    return before, replace(said, panels=tuple((name, own and f"{sign}{own}") for name, own in said.panels))


def _with_second(first: Parts, second: Parts) -> Parts:
    """Panels with what a second list says of them too."""
    more = dict(second.panels)
    panels = tuple((label, tidy(f"{own or ''}{more.get(label) or ''}") or None) for label, own in first.panels)
    return Parts(joined(first.stem, second.stem), panels)


def _words_come_first(head: str, between: list[str], last: str) -> bool:
    """Whether marks stand after their words ("brushes (a) and films (b)") and not before them."""
    if not re.search(r"\w", head) or re.search(r"(?:[:.;,]|\b(?:of|for|in|the|with|and|are|is|at|by|from))\s*$", head):
        return False
    if all(BETWEEN.match(gap.translate(PLAIN)) for gap in between):
        return False
    own, goes_on = _sentence(last), [_goes_on(gap) for gap in between]
    if not re.search(r"\w", own) or (all(goes_on) and PREPOSITION.match(own)):
        return True
    if all(goes_on) and LAST_LISTED.match(between[-1]) and not any(LISTING.search(gap) for gap in between):
        return True  # "x (a) and y (b) staining shows no decrease"
    of_names = len(own.split()) <= FEW_WORDS and not re.match(r"\s*(?:is|are|was|were|has|have)\b", own)
    if of_names and all(goes_on) and not any(LISTING.search(gap) for gap in between):
        return True  # "anatase (a) and rutile (b) grains"
    lists = goes_on[0] and all(one or not LISTING.search(gap) for one, gap in zip(goes_on, between, strict=True))
    return lists and bool(TRAILING.match(own))


def _goes_on(gap: str) -> bool:
    """Whether a list of words before marks goes on behind a mark."""
    return bool(LISTED.match(gap) or re.match(r"\s*,.*\w", ADDED.sub("", gap)))


def _sentence(text: str) -> str:
    """Up to the end of the sentence, or the semicolon."""
    return re.split(r"[.;]\s|[.;]$", text)[0]


def split_caption(caption: str) -> Parts:
    """Take a caption apart.

    Understands letters in brackets of any sort, before or after their words, alone, in lists and in ranges
    (``(a) ... (b) ...``, ``... (a) and ... (b)``, ``(a: ...; b: ...)``, ``a) ...``, ``[a] ...``, ``(a-c) ...``);
    letters that nothing but type sets apart (``a Words. b Words.``, ``a, Words``, ``a. words``, ``of a x, b y``);
    Latin or Cyrillic letters, with numbers or primes, Roman numerals, numbers, places (``Left: ...``, ``(top left)``).
    Never raises.
    """
    text = _body(caption)
    marks = marked(text.translate(PLAIN))
    if not marks:
        return Parts(tidy(text), ())
    return _by_marks(text, 0, marks)


def _by_marks(text: str, start: int, marks: list[Mark], *, lists: bool = True) -> Parts:
    """A caption's words by marks, from a place before the first of them on; ``lists`` says to look for second ones."""
    groups = [mark for mark in marks if lists and len(mark.letters) > 1]
    if lists and (again := _second_list(text[marks[-1].end :], marks)):
        return _with_second(_by_marks(text[: marks[-1].end] + again[0], start, marks, lists=False), again[1])
    head = text[start : marks[0].start]
    between = [text[a.end : b.start] for a, b in pairwise(marks)]
    last = text[marks[-1].end :]
    if _words_come_first(head, between, last):
        return _suffixed(head, marks, between, last)
    for number, gap in enumerate(between, 1):  # "x (a), y (b). (c) z"
        if re.search(r"\w[^.]*\.\s+$", gap) and _words_come_first(head, between[: number - 1], gap):
            first = _suffixed(head, marks[:number], between[: number - 1], gap)
            rest = _by_marks(text, marks[number].start, marks[number:])
            return Parts(joined(first.stem, rest.stem), (*first.panels, *rest.panels))
    for number, gap in enumerate(between[:-1], 1):  # "(a) x. TEM (b) and EDX (c) of y"
        found = list(CLAUSE.finditer(gap))
        later = gap[found[-1].end() :] if found else ""
        if found and _words_come_first(later, between[number:], last):
            first = _by_marks(text[: marks[number].start - len(later)], start, marks[:number])
            if re.search(UNFINISHED, first.stem):  # it is said of these alone
                first = Parts("", tuple((letter, tidy(f"{first.stem} {said or ''}")) for letter, said in first.panels))
            rest = _suffixed(later, marks[number:], between[number:], last)
            return Parts(joined(first.stem, rest.stem), (*first.panels, *rest.panels))
    head, between, leads = with_leads(head, between)
    after, seconds = [*between, last], []
    for number, mark in enumerate(marks):  # "(a-c) x. (a) y, (b) z, ..."
        if mark in groups and (again := _second_list(after[number], [mark])):
            after[number] = again[0]
            seconds.append(again[1])
    own, tail = without_remarks([tidy(one) if not BETWEEN.match(one.translate(PLAIN)) else "" for one in after])
    for index in range(len(own) - 2, -1, -1):  # "(a) and (b) words": both have the words
        if not own[index] and not leads[index + 1] and not re.search(r"[;.]", after[index]):
            own[index] = own[index + 1]
    own = [tidy(f"{lead} {words}") for lead, words in zip(spread(leads, between), with_object(own, after), strict=True)]
    panels = [(letter, words or None) for mark, words in zip(marks, own, strict=True) for letter in mark.letters]
    panels, tail = _said_again(panels, tidy(tail))
    return reduce(_with_second, seconds, Parts(joined(tidy(head), tidy(tail)), _in_order(panels)))


def _in_order(panels: list[tuple[str, str | None]]) -> tuple[tuple[str, str | None], ...]:
    """Panels by their letters where these are single ones: "(a, c) ... (b, d)" names them in another order."""
    single = all(len(label) == 1 for label, _ in panels)
    return tuple(sorted(panels, key=lambda one: one[0]) if single else panels)


def _suffixed(head: str, marks: list[Mark], between: list[str], last: str) -> Parts:
    """Words before their mark: "poly(MPC) (a) and poly(METAI) brushes (b) in air"."""
    pieces, stem, words = [head, *between], "", []
    lead = ""
    trailing = TRAILING.match(_sentence(last))
    shared = _sentence(last) if trailing else ""
    of_last = trailing and not trailing["pictures"] and (trailing["number"] or any(map(ADDED.match, between)))
    begins = [0, *(n for n, gap in enumerate(between, 1) if not _goes_on(gap))]  # where a list does
    if any(LEAD.search(piece) for piece in between):  # "SEM images of A (a) and B (b); TEM images of C (c)"
        for piece in pieces:
            own = LEAD.search(piece)
            words.append(tidy(piece) if own else tidy(f"{lead} {tidy(piece)}"))
            lead = tidy(piece[: own.end()]) if own else lead
    else:
        before = [one.end() for one in ENDS.finditer(head)][-1:]
        stem, head = (head[: before[0]], head[before[0] :]) if before else ("", head)
        cut, pieces[0] = list(re.finditer(r"(?::|\bof\b|\bfor\b)\s", head)), head
        if cut and shared and len(begins) > 1:  # said of the first list alone
            lead, pieces[0] = head[: cut[-1].end()], head[cut[-1].end() :]
        elif cut:
            stem, pieces[0] = stem + head[: cut[-1].start()], head[cut[-1].end() :]
        added = [found[0] if (found := ADDED.match(piece)) else "" for piece in [*pieces[1:], ""]]
        pieces = [pieces[0], *(ADDED.sub("", piece) for piece in pieces[1:])]
        words = [tidy(f"{tidy(piece)}{more.rstrip()}") for piece, more in zip(pieces, added, strict=True)]
        if lead:
            words[: begins[1]] = [f"{lead}{own}" for own in words[: begins[1]]]
    if shared:
        last = last[len(shared) :]
        first = len(words) - 1 if of_last else begins[-1]  # "x (a), y (b) of 70/30" says it of the last
        words[first:] = [tidy(f"{one} {shared.strip()}") for one in words[first:]]
    panels = [(letter, own or None) for mark, own in zip(marks, words, strict=True) for letter in mark.letters]
    panels, last = _said_again(panels, tidy(last))
    return Parts(joined(tidy(stem), tidy(last)), _in_order(panels))
