"""How captions mark the panels of a figure: letters, Roman numerals, numbers and places in any notation."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

PLAIN = str.maketrans("（）［］：；，。、．～∼〜−‐‑–—′’´`＝／", "()[]:;,...~~~-----''''=/")
"""Signs of other scripts and of typography by the one that means the same; one for one, so that places stay."""

ALPHABETS = (
    tuple("abcdefghijklmnopqrstuvwxyz"),
    tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    tuple("абвгдежзиклмнопрстуфхцчшщэюя"),
    tuple("АБВГДЕЖЗИКЛМНОПРСТУФХЦЧШЩЭЮЯ"),
)
ROMAN = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii")
NUMBERS = tuple(str(number) for number in range(1, 27))
ONE = r"[A-Za-zА-Яа-я](?:\d{1,2})?'{0,2}(?!\w)"
JOINT = re.compile(r"(?<=[\w'])\s?(?:[-~/,&+]|\b(?:and|to|und|et|y|и)\b)\s?(?:(?:and|&)\s)?")
START = rf"(?:(?<=^)|(?<=[.;:,?(]\s)|(?<=\()(?!{ONE},[\s\w,]*\)))"
"""Where a letter without brackets of its own may stand: first, after a sign, or after an opening bracket, where no list
of letters stands in the brackets."""

LED = r"(?:(?<=\b(?:of|in|by)\s)|(?<=\b(?:for|and)\s))"
"""Words before a letter that nothing but type sets apart."""

ALSO_LED = (
    r"(?:(?<=\b(?:at|on|to)\s)|(?<=\bvia\s)|(?<=\b(?:with|from)\s)|(?<=\b(?:after|under|using)\s)|(?<=\bbefore\s))"
    r"(?=[a-z]\s(?:[A-Z\d-]|pH\b))"
)
"""Words that as often stand before the article: what follows the letter must begin as no English noun does."""

FIRST = r"(?<=\w\s)(?P<half>a)(?=\s(?:with|without|before|after|under)\s)"
"""The first letter behind what all show, "films a with x, b with y": no article stands there."""

SAYS = r"\s(?:(?:is|are)\s)?(?:show|present|represent|depict|illustrat|display|correspond|refer)(?:e?s|e|n|ing|ed)?\b"
"""Verbs behind a letter that a sentence is about: "A and B are presenting the blend, C shows the polymer"."""

SIDE = (
    r"(?:(?:top|bottom|upper|lower|middle|cent(?:er|re))(?:[\s-](?:left|right|middle|cent(?:er|re)))?|left|right)"
    r"(?:[\s-]hand)?(?:\s(?:panel|image|picture|micrograph|side|row|column|part|half|corner)s?)?"
)
SIGN = re.compile(r"[.:;,|]\s?$")
EQUATION = r"(?<!eq\.\s)(?<!eqs\.\s)(?<!ref\.\s)(?<!refs\.\s)(?<!equation\s)"
MAX_PANELS = 26


def _run(one: str, name: str = "letters") -> str:
    """One name, a range or a list of them."""
    return rf"(?P<{name}>{one}(?:{JOINT.pattern}{one}){{0,11}})"


@dataclass(frozen=True)
class _Notation:
    """A way in which captions mark the parts of a figure.

    Attributes:
        sort: of what it names: ``letters``, ``roman``, ``sides`` or ``numbers``.
        form: of a mark; the group ``letters`` is what it names.
        sure: it hardly means anything else; names of the others must follow each other from the first, without a gap.
    """

    sort: str
    form: re.Pattern[str]
    sure: bool = False


def _notations() -> tuple[_Notation, ...]:
    letters, numbers = _run(ONE), _run(r"\d{1,2}(?!\w)")
    roman = _run(r"(?:x?(?:i{1,3}|iv|vi{0,3}|ix)|xi{0,2})(?!\w)")
    small = letters.replace("A-Z", "").replace("А-Я", "")
    half = rf"(?:(?<=^)|(?<=[\s;,.:])|(?<=\)[-~])){_run(ONE, 'half')}\)(?=[\s,~-])"
    return (
        _Notation("letters", re.compile(rf"\(\s?{letters}(?:,\s{SIDE})?\s?\)|{half}"), sure=True),
        _Notation("letters", re.compile(rf"\[\s?{letters}\s?\]"), sure=True),
        _Notation("letters", re.compile(rf"{START}{letters}\s?:(?=\s)")),
        _Notation("letters", re.compile(rf"{START}{letters}\s?/(?=\s)")),
        _Notation("letters", re.compile(rf"{START}{letters}\s[-=]\s")),
        _Notation("letters", re.compile(rf"(?:{START}|(?<=\bof\s)|(?<=\band\s)){small}\.(?=\s)")),
        _Notation("letters", re.compile(rf"{START}{letters}(?:,(?=\s)|(?=\s[A-ZА-Я(\d]))")),
        _Notation("letters", re.compile(rf"(?:{START}|{LED}|{ALSO_LED}){small}(?=\s[\w-])|{FIRST}")),
        _Notation("roman", re.compile(rf"\(\s?{roman}\s?\)")),
        _Notation(
            "sides", re.compile(rf"(?:\(\s?|{START})(?P<letters>{SIDE})(?:\s?\)|:(?=\s))", re.IGNORECASE), sure=True
        ),
        _Notation("numbers", re.compile(rf"{EQUATION}\(\s?{numbers}\s?\)", re.IGNORECASE)),
        _Notation("numbers", re.compile(rf"{START}{numbers}(?:\)(?=\s)|\s[-=]\s|:\s|\.\s(?=[A-Z]))")),
    )


NOTATIONS = _notations()
IN_SENTENCES = _Notation(
    "letters",
    re.compile(
        rf"(?:(?:(?<=^)|(?<=[.;]\s))(?=[Aa])|(?:{START}|(?<=\band\s)|(?<=\bwhile\s))(?![Aa])){_run(ONE)}(?P<half>)?(?={SAYS})"
    ),
)
"""Letters of which sentences speak, from one on that begins with the first: zones and phases are lettered so too, so it
counts where nothing else names panels."""
IN_BOLD = _Notation("letters", re.compile(rf"(?<![\w(\[]){_run(ONE)}(?P<half>)?(?=[.:,;]?$)"), sure=True)
"""What ends a bold part of a caption, not within brackets."""
BEHIND = re.compile(r"\w|\s?=|\s?(?:and\s\S\s)?(?:axis|axes|directions?|lattice|planes?|parameters?)\b")
"""What stands behind a bold letter that is a word's, or a symbol."""
SORTS = tuple(dict.fromkeys(one.sort for one in NOTATIONS))
"""The first sort of which a caption names two panels or more is the one that it means."""

RANGE = re.compile(r"\s?(?:[-~]|\b(?:to|through)\b)\s?")
"""What stands between two marks that name all panels from the one to the other: "(a)-(c)"."""

BETWEEN = re.compile(r"\s?(?:[-~/,&+]|\band\b)?\s?")
"""What stands between the letters of a list, or between two lines."""

LOST_RANGE = re.compile(
    r"(?<=[(\[\s])([a-z])[we]([a-z])(?=[:)\]])|(?:(?<=^\()|(?<=\s\())(?![CNOSPH]e[CNOSPHF])([A-Z])e([A-Z])(?=\))"
)
"""A range whose sign a journal's font gives as a letter: "(awc)" for "(a∼c)", "(aec)" for "(a–c)", "(AeC)"; "(CeH)" is
a bond."""

LENGTH = re.compile(r"\d\s?(?:nm|[µμu]m|mm|cm)\s?$")
"""What stands before a mark that only tells the length of a scale bar: "Scale bars = 5 µm (A), 10 µm (B)"."""


@dataclass(frozen=True)
class Mark:
    """Where panels are named.

    Attributes:
        letters: their names.
        start, end: of the mark in the caption.
    """

    letters: tuple[str, ...]
    start: int
    end: int


def _sequence(name: str, sort: str) -> tuple[str, ...]:
    """The sequence that a name belongs to: an alphabet, the numbers or the Roman numerals."""
    if sort != "letters":
        return ROMAN if sort == "roman" else NUMBERS
    return next((alphabet for alphabet in ALPHABETS if name[0] in alphabet), ALPHABETS[0])


def split_names(text: str, sort: str = "letters") -> tuple[str, ...]:
    """What a mark names: ``a-c`` -> a, b, c; ``a1-a3`` -> a1, a2, a3; ``a, d`` -> a, d; ``top left`` -> Top left."""
    if sort == "sides":
        return (
            re.sub(
                r"[\s-](?:hand|panel|image|picture|micrograph|side|row|column|part|half|corner)s?\b", "", text
            ).capitalize(),
        )
    pieces, joints = JOINT.split(text), JOINT.findall(text)
    out = [pieces[0]]
    for joint, piece in zip(joints, pieces[1:], strict=True):
        if re.search(r"[-~]|to", joint):
            out += _between(out[-1], piece, sort)
        out.append(piece)
    return tuple(out)


def _between(first: str, last: str, sort: str) -> list[str]:
    """Names that a range leaves out: between a and d, a1 and a3, a1 and d1, 2 and 4."""
    if sort == "letters" and first[1:] == last[1:] != "":
        return [letter + first[1:] for letter in _between(first[0], last[0], sort)]
    if sort == "letters" and len(first) > 1 and first[0] == last[0] and first[1:].isdigit() and last[1:].isdigit():
        return [f"{first[0]}{number}" for number in range(int(first[1:]) + 1, int(last[1:]))]
    order = _sequence(first, sort)
    if first not in order or last not in order:
        return []
    return list(order[order.index(first) + 1 : order.index(last)])


def _goes_on(names: tuple[str, ...], seen: list[str], notation: _Notation, named: Collection[str]) -> bool:
    """Whether names continue those seen, or fill the gap that "(a, c) ... (b, d)" leaves.

    Args:
        names: of one mark.
        seen: names of the marks before it.
        notation: of both.
        named: all names of the caption in this notation.
    """
    if notation.sort == "sides":
        return True
    whole, name = notation.sort != "letters", names[0]
    order = _sequence(name, notation.sort)
    key = name if whole else name[0]
    if key not in order:
        return False
    after = order.index(seen[-1][0]) + 1 if seen and not whole and seen[-1][0] in order else 0
    between = order[after : order.index(key)]
    gap = 4 if notation.sure and (name[0].islower() or (not whole and {*between} <= {*named})) else 1
    if not seen:
        return order.index(key) < gap
    last = seen[-1] if whole else seen[-1][0]
    if last not in order:
        return False
    if not whole and name[1:].isdigit() and f"{name[0]}{int(name[1:]) - 1}" in seen:  # "(a1-c1) x; (a2-c2) y"
        return True
    ahead = order.index(key) - order.index(last)
    if (ahead == 0 and name > seen[-1]) or 0 < ahead <= gap:
        return True
    if whole or not notation.sure or not (len(names) > 1 or name.isupper()):
        return False
    furthest = max(order.index(one[0]) for one in seen if one[0] in order)
    return name in order[:furthest] and name not in seen


def _marks(text: str, notation: _Notation, before: Sequence[Mark] = ()) -> list[Mark]:
    """Marks in a notation; ``before`` are marks in another one, behind which these go on."""
    return _going_on(text, notation, list(notation.form.finditer(text, before[-1].end if before else 0)), before)


def _going_on(
    text: str, notation: _Notation, found: Sequence[re.Match[str]], before: Sequence[Mark] = ()
) -> list[Mark]:
    """Marks whose names go on from one to the next; names that were mentioned before are left out.

    Args:
        text: of the caption.
        notation: in which they are written.
        found: what may be marks in it.
        before: marks in another notation, behind which these go on.
    """
    marks = list(before)
    seen = [name for mark in marks for name in mark.letters]
    each = [split_names(match["letters"] or match["half"], notation.sort) for match in found]
    for at in range(1, len(found)):
        if notation.sort != "sides" and RANGE.fullmatch(text[found[at - 1].end() : found[at].start()]):
            each[at] = (*_between(each[at - 1][-1], each[at][0], notation.sort), *each[at])
    last = {name: at for at, names in enumerate(each) for name in names}
    for at, (match, names) in enumerate(zip(found, each, strict=True)):
        if (
            not notation.sure
            and len(marks) == 1
            and names == marks[0].letters
            and SIGN.search(text, max(0, match.start() - 3), match.start())
        ):
            marks, seen = [], []  # what stood there was an article
        new = tuple(name for name in names if name not in seen)
        later = len(new) < len(names) and any(last[name] > at for name in new)
        if new and not later and _goes_on(new, seen, notation, last.keys()):
            seen += new
            marks.append(Mark(new, match.start(), match.end()))
    if notation.sure and notation.sort == "letters" and not before:
        marks = max(marks, _in_any_order(text, found, each), key=_named)
    return marks if 2 <= _named(marks) <= MAX_PANELS else []


def _in_any_order(text: str, found: Sequence[re.Match[str]], each: Sequence[tuple[str, ...]]) -> list[Mark]:
    """Marks of letters none of which is left out, "(a) x, (d) y; (b) z, (e) w"; none where one is.

    A letter is marked where it first stands behind a sign, for it may be mentioned before, else where it stands first.

    Args:
        text: of the caption.
        found: its marks.
        each: their names.
    """
    signs = [bool(SIGN.search(text, max(0, match.start() - 3), match.start())) for match in found]
    place: dict[str, int] = {}
    for at in sorted(range(len(found)), key=lambda at: (not signs[at], at)):
        for name in each[at]:
            place.setdefault(name, at)
    if not place or sorted(place) != list(_sequence(min(place), "letters")[: len(place)]):
        return []
    named = ((at, tuple(name for name in each[at] if place[name] == at)) for at in sorted({*place.values()}))
    return [Mark(names, found[at].start(), found[at].end()) for at, names in named]


LOST_BRACKET = re.compile(r"(?<=\s)[CG{<\[lI]([b-z])(?=\)[\s,])")
"""A letter whose opening bracket OCR reads as another sign: "(b) x Cc) y"."""


def _with_brackets(text: str) -> str:
    """A caption with the brackets that OCR lost, where the letter before is named so and this one nowhere else."""
    for match in LOST_BRACKET.finditer(text):
        before, after = text[: match.start()], f"({match[1]})"
        opened = before.count("(") > before.count(")")
        if not opened and f"({chr(ord(match[1]) - 1)})" in before and after not in text:
            text = f"{text[: match.start()]}({text[match.start() + 1 :]}"
    return text


def _mended(match: re.Match[str]) -> str:
    first, last = match[1] or match[3], match[2] or match[4]
    return f"{first}~{last}" if first < last else match[0]


def _tells_length(text: str, mark: Mark) -> bool:
    """Whether a length stands before a mark, which may tell no more than that."""
    return bool(LENGTH.search(text, max(0, mark.start - 12), mark.start))


def marked(text: str, first: str = "") -> list[Mark]:
    """The marks of a caption's panels, in the notation that names most of them; one that only tells scales, "A, x.
    B, y. Scale bars = 5 µm (A), 10 µm (B)", where no other names any.

    Behind bare letters, letters in brackets go on with them: "a Scheme and b structure. Images of (c) x and (d) y".

    Args:
        text: of the caption, or a part of it.
        first: the letter with which the marks begin there.
    """
    text = _with_brackets(LOST_RANGE.sub(_mended, text))
    order = _sequence(first, "letters") if first else ()
    before = [Mark((order[order.index(first) - 1],), 0, 0)] if first in order[1:] else []
    for sort in SORTS:
        found = [_marks(text, one, before)[len(before) :] for one in NOTATIONS if one.sort == sort]
        if sort == "letters":
            more = [_marks(text, NOTATIONS[0], marks)[len(marks) :] if marks else [] for marks in found]
            found = [
                [*marks, *(one for one in others if not _tells_length(text, one))]
                for marks, others in zip(found, more, strict=True)
            ]
        best = max(found, key=lambda marks: (any(not _tells_length(text, one) for one in marks), _named(marks)))
        if best:
            return best
    return _marks(text, IN_SENTENCES)


def bracketed(text: str, bold: Sequence[tuple[int, int]]) -> str:
    """A caption whose letters nothing but bold type sets apart, with brackets around them, for text has no type.

    Captions that tell their panels as well without are left as they are: "Micrographs of a blend a before, b after
    annealing" is told by its type alone, "Micrographs of (a) x and (b) y" and "a, SEM. b, TEM." by their signs.
    Symbols, as of the axes of a crystal, are no letters of panels.

    Args:
        text: of the caption, without its label.
        bold: where its bold parts begin and end, in order, without white space at their ends.
    """
    plain = text.translate(PLAIN)
    found, parts = [], list(bold[:1])
    for start, end in bold[1:]:
        if BETWEEN.fullmatch(plain, parts[-1][1], start):  # one list of letters, whose commas are not bold
            parts[-1] = parts[-1][0], end
        else:
            parts.append((start, end))
    for start, end in parts:
        match = None if BEHIND.match(plain, end) else IN_BOLD.form.search(plain, start, end)
        if match and (match.start() == start or SIGN.search(plain, max(0, match.start() - 3), match.start())):
            found.append(match)
    marks, told = _going_on(plain, IN_BOLD, found), marked(plain)
    if not marks or marks[0].letters[0] not in ("a", "A") or _named(told) > _named(marks):
        return text
    if [mark.letters for mark in told] == [mark.letters for mark in marks] and all(
        a.start <= b.start < a.end for a, b in zip(told, marks, strict=True)
    ):
        return text
    for mark in reversed(marks):
        text = f"{text[: mark.start]}({text[mark.start : mark.end]}){text[mark.end :]}"
    return text


def _named(marks: Sequence[Mark]) -> int:
    """How many panels marks name."""
    return sum(len(mark.letters) for mark in marks)
