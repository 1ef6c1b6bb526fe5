"""A caption taken apart: what is said of each panel, and what all panels share."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from polydata.text.figure_labels import QUOTED_LABEL, read_label
from polydata.text.normalise import clean

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
JOINT = re.compile(r"\s?(?:[-~/,&+]|\b(?:and|to|und|et|y|и)\b)\s?(?:(?:and|&)\s)?")
START = rf"(?:(?<=^)|(?<=[.;:,?(]\s)|(?<=\()(?!{ONE},[\s\w,]*\)))"
"""Where a letter without brackets of its own may stand: first, after a sign, or after an opening bracket, where no list
of letters stands in the brackets."""

SIDE = (
    r"(?:(?:top|bottom|upper|lower|middle|cent(?:er|re))(?:[\s-](?:left|right|middle|cent(?:er|re)))?|left|right)"
    r"(?:[\s-]hand)?(?:\s(?:panel|image|picture|micrograph|side|row|column|part|half|corner)s?)?"
)
SIGN = re.compile(r"[.:;,]\s?$")
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
    half = rf"(?:(?<=^)|(?<=[\s;,.:])){_run(ONE, 'half')}\)(?=[\s,])"
    return (
        _Notation("letters", re.compile(rf"\(\s?{letters}\s?\)|{half}"), sure=True),
        _Notation("letters", re.compile(rf"\[\s?{letters}\s?\]"), sure=True),
        _Notation("letters", re.compile(rf"{START}{letters}\s?:(?=\s)")),
        _Notation("letters", re.compile(rf"{START}{letters}\s?/(?=\s)")),
        _Notation("letters", re.compile(rf"{START}{letters}\s[-=]\s")),
        _Notation("letters", re.compile(rf"(?:{START}|(?<=\bof\s)|(?<=\band\s)){small}\.(?=\s)")),
        _Notation("letters", re.compile(rf"{START}{letters}(?:,(?=\s)|(?=\s[A-ZА-Я(\d]))")),
        _Notation("letters", re.compile(rf"(?:{START}|(?<=\b(?:of|in|by)\s)|(?<=\b(?:for|and)\s)){small}(?=\s\w)")),
        _Notation("roman", re.compile(rf"\(\s?{roman}\s?\)")),
        _Notation(
            "sides", re.compile(rf"(?:\(\s?|{START})(?P<letters>{SIDE})(?:\s?\)|:(?=\s))", re.IGNORECASE), sure=True
        ),
        _Notation("numbers", re.compile(rf"{EQUATION}\(\s?{numbers}\s?\)", re.IGNORECASE)),
        _Notation("numbers", re.compile(rf"{START}{numbers}(?:\)(?=\s)|\s[-=]\s|:\s|\.\s(?=[A-Z]))")),
    )


NOTATIONS = _notations()
SORTS = tuple(dict.fromkeys(one.sort for one in NOTATIONS))
"""The first sort of which a caption names two panels or more is the one that it means."""

LOST_RANGE = re.compile(r"(?<=[(\[\s])([a-z])w([a-z])(?=[:)\]])")
"""A range whose sign a journal's font gives as a letter: "(awc)" for "(a∼c)"."""

SHARED = re.compile(
    r"(?:[.;,]\s+|\s*\(\s*)(?P<words>(?:the\s+|all\s+|each\s+|every\s+|original\s+|white\s+|black\s+|length\s+of\s+)*"
    r"(?:scale[ -]?bars?|scales?\b|bars?\b|magnifications?|(?:micrographs|images|pictures|samples)\b)[^;]{0,200})$",
    re.IGNORECASE,
)
"""A closing remark on all panels: scale bars, magnification, how all were taken."""

LEAD = re.compile(
    r"\b(?:images?|micrographs?|photo\w{0,20}|pictures?|spectr\w{1,4}|patterns?|curves?|plots?|maps?|diagrams?)\s(?:of|for)\s"
)
"""What begins a list of its own within a caption, and is said of all that it lists."""

UNFINISHED = r"[^.;]*\b(?:of|for|in|from|with|by|under|at|on|after|between|show(?:s|ing)?)(?:\s(?:the|a|an))?\s*$"
FIRST_LEAD = re.compile(rf"(?:^|(?<=[.;]\s)){UNFINISHED}")
NEXT_LEAD = re.compile(rf"(?<=[.;]\s){UNFINISHED}|(?:(?<=,\s)|(?<=\band\s))(?:[\w()-]+\s){{0,8}}?{LEAD.pattern}$")
"""What stands before a mark and goes on behind it: "(a) Curves of a blend. Images of (b) x and (c) y"."""

BETWEEN = re.compile(r"^[\s,;&]*(?:and|to)?[\s,;&]*$")
PREPOSITION = re.compile(r"^\s*(?:in|at|for|on|from|with|after|before|under|during|by|as)\b")


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
    """Names that a range leaves out: between a and d, a1 and a3, 2 and 4."""
    if sort == "letters" and len(first) > 1 and first[0] == last[0] and first[1:].isdigit() and last[1:].isdigit():
        return [f"{first[0]}{number}" for number in range(int(first[1:]) + 1, int(last[1:]))]
    order = _sequence(first, sort)
    if first not in order or last not in order:
        return []
    return list(order[order.index(first) + 1 : order.index(last)])


def _goes_on(names: tuple[str, ...], seen: list[str], notation: _Notation) -> bool:
    """Whether names continue those seen, or fill the gap that "(a, c) ... (b, d)" leaves."""
    if notation.sort == "sides":
        return True
    whole, name = notation.sort != "letters", names[0]
    order = _sequence(name, notation.sort)
    key = name if whole else name[0]
    if key not in order:
        return False
    gap = 4 if notation.sure and name[0].islower() else 1
    if not seen:
        return order.index(key) < gap
    last = seen[-1] if whole else seen[-1][0]
    if last not in order:
        return False
    ahead = order.index(key) - order.index(last)
    if (ahead == 0 and name > seen[-1]) or 0 < ahead <= gap:
        return True
    missing = [one for one in order[: order.index(max(one[0] for one in seen))] if one not in seen] if not whole else []
    return notation.sure and bool(missing) and len(names) > 1 and name == missing[0]


def _marks(text: str, notation: _Notation, before: Sequence[_Mark] = ()) -> list[_Mark]:
    """Marks whose names go on from one to the next; repeated mentions of a name are left out.

    Args:
        text: of the caption.
        notation: in which they are written.
        before: marks in another notation, behind which these go on.
    """
    marks = list(before)
    seen = [name for mark in marks for name in mark.letters]
    for match in notation.form.finditer(text, marks[-1].end if marks else 0):
        names = split_names(match["letters"] or match["half"], notation.sort)
        if not notation.sure and len(marks) == 1 and names == marks[0].letters and SIGN.search(text[: match.start()]):
            marks, seen = [], []  # what stood there was an article
        if not set(names).isdisjoint(seen) or not _goes_on(names, seen, notation):
            continue
        seen += names
        marks.append(_Mark(names, match.start(), match.end()))
    return marks if 2 <= len(seen) <= MAX_PANELS else []


def _mended(match: re.Match[str]) -> str:
    return f"{match[1]}~{match[2]}" if match[1] < match[2] else match[0]


def _marked(text: str) -> list[_Mark]:
    """The marks of a caption's panels, in the notation that names most of them.

    Behind bare letters, letters in brackets go on with them: "a Scheme and b structure. Images of (c) x and (d) y".
    """
    for sort in SORTS:
        found = [_marks(text, notation) for notation in NOTATIONS if notation.sort == sort]
        if sort == "letters":
            found = [_marks(text, NOTATIONS[0], marks) if marks else marks for marks in found]
        best = max(found, key=lambda marks: sum(len(mark.letters) for mark in marks))
        if best:
            return best
    return []


OPENING, CLOSING = " \t\n;,.:|；，。：–—-", " \t\n;,.:；，。：([（"
"""Signs that are no words where a part of a caption begins and ends."""


def tidy(text: str) -> str:
    """Without the signs and joining words at either end, and without a bracket that belongs to what stood around."""
    text = text.lstrip(OPENING)
    while re.match(r"and\s", text):
        text = text[3:].lstrip(OPENING)
    return _closed(text)


def _closed(text: str) -> str:
    text = text.lstrip(" ;,.:")
    while True:
        short = text.rstrip(CLOSING)
        if re.search(r"\sand$", short[-4:]):
            short = short[:-3]
        elif short.endswith(")") and short.count(")") > short.count("("):
            short = short[:-1]
        if short == text:
            return text
        text = short


def _body(caption: str) -> str:
    label = read_label(caption)
    return re.sub(r"^[\s.:|│–—。：．-]+", "", caption[label.end :]) if label else caption.strip()


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
        return rest, _joined(more, tidy(shared["words"]))
    return _sentences(own)


def _joined(*sentences: str) -> str:
    return ". ".join(filter(None, sentences))


SENTENCE = re.compile(r"(?<=[A-Za-z0-9)%])\.\s+(?=[A-Z])")


def _sentences(own: list[str]) -> tuple[list[str], str]:
    if any(SENTENCE.search(text) for text in own[:-1]):
        return own, ""
    pieces = SENTENCE.split(own[-1], maxsplit=1)
    return ([*own[:-1], pieces[0]], pieces[1]) if len(pieces) == 2 else (own, "")


def _said_again(panels: list[tuple[str, str | None]], tail: str) -> tuple[list[tuple[str, str | None]], str]:
    """Panels with the sentences that name them again behind all of them ("Circles in (b) mark pores"), and the rest."""
    words, rest = dict(panels), []
    for sentence in SENTENCE.split(tail):
        plain = sentence.translate(PLAIN)
        found = [match["letters"] or match["half"] for match in NOTATIONS[0].form.finditer(plain)]
        names = {name for some in found for name in split_names(some)}
        if names and names <= words.keys() and not SHARED.search(f". {sentence}"):
            words |= {name: _joined(words[name] or "", tidy(sentence)) for name in names}
        else:
            rest.append(sentence)
    return list(words.items()), _joined(*rest)


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

    Understands letters in brackets of any sort, before or after their words, alone, in lists and in ranges
    (``(a) ... (b) ...``, ``... (a) and ... (b)``, ``(a: ...; b: ...)``, ``a) ...``, ``[a] ...``, ``(a-c) ...``);
    letters that nothing but type sets apart (``a Words. b Words.``, ``a, Words``, ``a. words``, ``of a x, b y``);
    Latin or Cyrillic letters, with numbers or primes, Roman numerals, numbers, places (``Left: ...``, ``(top left)``).
    Never raises.
    """
    text = _body(caption)
    marks = _marked(LOST_RANGE.sub(_mended, text.translate(PLAIN)))
    if not marks:
        return Parts(tidy(text), ())
    head = text[: marks[0].start]
    between = [text[a.end : b.start] for a, b in pairwise(marks)]
    last = text[marks[-1].end :]
    if _words_come_first(head, between, last):
        return _suffixed(head, marks, between, last)
    head, between, leads = _leads(head, between)
    after = [*between, last]
    own, tail = _tail([tidy(one) if not BETWEEN.match(one) else "" for one in after])
    for index in range(len(own) - 2, -1, -1):  # "(a) and (b) words": both have the words
        if not own[index] and not leads[index + 1] and not re.search(r"[;.]", after[index]):
            own[index] = own[index + 1]
    own = [tidy(f"{lead} {words}") for lead, words in zip(_spread(leads, between), own, strict=True)]
    panels = [(letter, words or None) for mark, words in zip(marks, own, strict=True) for letter in mark.letters]
    panels, tail = _said_again(panels, tidy(tail))
    return Parts(_joined(tidy(head), tidy(tail)), _in_order(panels))


def _leads(head: str, between: list[str]) -> tuple[str, list[str], list[str]]:
    """Words before marks without those that go on behind the next mark, and those words of each mark, or none.

    Where no mark but the first has such words, those before the first are said of all and stay where they are.
    """
    rest, leads = [], [""]
    for gap in between:
        found = NEXT_LEAD.search(gap)
        whole = found is not None and re.search(r"\w", gap[: found.start()])
        rest.append(gap[: found.start()] if found and whole else gap)
        leads.append(found[0].strip() if found and whole else "")
    found = FIRST_LEAD.search(head)
    if any(leads) and found:
        head, leads[0] = head[: found.start()], found[0].strip()
    return head, rest, leads


def _spread(leads: list[str], between: list[str]) -> list[str]:
    """The words that each mark goes on from: its own, else those of the mark before within the same list.

    A list ends with its sentence, and at a semicolon where its first two marks are parted otherwise.
    """
    out, ends = [leads[0]], r"[.;]\s"
    for index, (lead, gap) in enumerate(zip(leads[1:], between, strict=True)):
        if leads[index]:
            ends = r"\.\s" if ";" in gap else r"[.;]\s"
        out.append(lead or ("" if re.search(ends, gap) else out[-1]))
    return out


def _in_order(panels: list[tuple[str, str | None]]) -> tuple[tuple[str, str | None], ...]:
    """Panels by their letters where these are single ones: "(a, c) ... (b, d)" names them in another order."""
    single = all(len(label) == 1 for label, _ in panels)
    return tuple(sorted(panels, key=lambda one: one[0]) if single else panels)


def _suffixed(head: str, marks: list[_Mark], between: list[str], last: str) -> Parts:
    """Words before their mark: "poly(MPC) (a) and poly(METAI) brushes (b) in air"."""
    pieces, stem, words = [head, *between], "", []
    lead = ""
    if any(LEAD.search(piece) for piece in between):  # "SEM images of A (a) and B (b); TEM images of C (c)"
        for piece in pieces:
            own = LEAD.search(piece)
            words.append(tidy(piece) if own else tidy(f"{lead} {tidy(piece)}"))
            lead = tidy(piece[: own.end()]) if own else lead
    else:
        cut = list(re.finditer(r"(?::|\bof\b|\bfor\b)\s", head))
        if cut:
            stem, pieces[0] = head[: cut[-1].start()], head[cut[-1].end() :]
        words = [tidy(piece) for piece in pieces]
    panels = [(letter, own or None) for mark, own in zip(marks, words, strict=True) for letter in mark.letters]
    panels, last = _said_again(panels, tidy(last))
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
