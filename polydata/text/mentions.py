"""What a caption says in single words: polymers, the microscope, the magnification."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from polydata.text.polymers import WORD, vocabulary
from polydata.types import Mention

MAX_TEXT = 10_000
"""Characters of a caption that are searched."""

EVEN = str.maketrans({"‐": "-", "‑": "-", "\u00ad": "-", "\u00a0": " ", "\u202f": " ", "\u2009": " "})
GAP = r"[\s-]{1,3}"
POLARISED = r"polari[sz](?:ed|ing|ation)"
TECHNIQUES = {
    "AFM": rf"(?:[A-Z]{{1,3}}-)?AFM|(?i:(?:atomic|scanning){GAP}force|(?:tapping|intermittent{GAP}contact){GAP}mode)",
    "TEM": r"(?:[A-Z]{1,4}-|HR|EF|S|[Cc]ryo-?)?TEMs?"
    rf"|(?i:(?:scanning{GAP})?transmission{GAP}electron|transmission{GAP}micrograph)",
    "SEM": r"(?:[A-Z]{1,4}-|FEG?|E|LV|HR|[Cc]ryo-?)?SEMs?"
    rf"|(?i:scanning{GAP}electron|back[\s-]?scattered{GAP}electron)",
    "optical": r"POM|PLOM|PLM|CLSM|LSCM|LCSM|CPOM|OM(?=[\s-](?:image|micro|photo|picture))"
    rf"|(?i:(?:{POLARISED}{GAP})?optical(?={GAP}(?:micro|image|photo|picture|texture))"
    rf"|{POLARISED}{GAP}(?:light|micro)|crossed{GAP}polar"
    rf"|(?:light|confocal|fluorescence)(?:{GAP}(?:laser|scanning)){{0,2}}{GAP}(?:micro|image)"
    rf"|phase{GAP}contrast{GAP}(?:(?:optical|light){GAP})?micro)",
}
TECHNIQUE = re.compile("|".join(rf"(?P<{name}>(?<![A-Za-z0-9])(?:{words}))" for name, words in TECHNIQUES.items()))
ERROR_OF_MEAN = re.compile(r"(?:±|\bmeans?\b|\berrors?\b)[^A-Za-z]{0,4}$", re.IGNORECASE)
ACETAL = re.compile(r"\s*(?:/|-[gbc]|[(]?\d|blends?\b|matrix\b|phase\b|chains?\b|content\b|resin\b)")
"""What follows POM the polymer and never POM the polarising microscope."""

GROUPED = r"\d{1,3}(?:[,\u2009\u202f\u00a0 ]\d{3})+(?!\d)"
NUMBER = rf"(?:{GROUPED}|\d{{1,7}}(?:\.\d{{1,2}})?)(?:\s?[kK](?![A-Za-z]))?"
TIMES = "[×✕xX]"
OF_LENGTH = r"(?!\s?(?:[nµμumck]?m\b|wt|vol|mol|phr|%|°|h\b|min\b|s\b|[×✕xX/:]|\d|10[\s^]?[-−]))"
BEFORE = re.compile(rf"(?<![\w.×✕)])(?<!\d\s){TIMES}\s?(?P<number>{NUMBER})(?![\w.]\w){OF_LENGTH}")
AFTER = re.compile(rf"(?<![\w.,])(?P<number>{NUMBER})\s?{TIMES}(?![A-Za-z0-9])(?!\s?\d)")
POWER = re.compile(rf"(?<![\w.,])(?P<number>{NUMBER})\s?{TIMES}?\s?magnif")
SAID = re.compile(
    rf"[Mm]agnifications?(?:\s(?:of|was|were|is|are|at|about|ca\.?|approximately))*\s?[:=(,]{{0,2}}\s?"
    rf"(?P<list>[×✕xX?]?\s?{NUMBER}\s?[×✕xX?]?(?:\s?\([a-z, ]{{1,9}}\))?"
    rf"(?:(?:\s?[,;]\s?|\s)(?:and\s|or\s)?[×✕xX?]?\s?{NUMBER}\s?[×✕xX?]?(?:\s?\([a-z, ]{{1,9}}\))?){{0,5}})"
)
LOWEST, HIGHEST = 10, 2_000_000
"""Magnifications that microscopes have."""

POLY = re.compile(r"(?<![A-Za-z])[Pp]oly\s?[\[(]")
UNLISTED = re.compile(
    r"(?<![A-Za-z])[Pp]oly(?!mer|disper|crystal|hedr|gon|blend|electrolyt|ethers?\b|chromat|condens|addition|ol\b)"
    r"[a-z]{2,25}(?:ene|ide|ate|ane|ine|ether|ester|amide|imide|ol|one|acid|acetal|urea)s?\b"
)
CODE = re.compile(r"[A-Za-z0-9]+")
PIECE = re.compile(r"[A-Za-z]+|\d+")
AMIDE = re.compile(
    r"(?<![A-Za-z0-9])(?:PA|[Nn]ylon)[\s-]{0,2}(?P<digits>6[,./]?6|6[,./]?10|6[,./]?12|4[,./]?6|6T|6I|9T|6|11|12)"
    r"(?![A-Za-z0-9]|[.,]\d|\s?(?:wt|vol|mol|%|phr|:))(?!/\d)"
)
WEAK = frozenset(("NR", "CR", "BR", "SB", "EP", "PK", "PF", "UF", "PI", "PAM", "COP"))
"""Abbreviations that mean other things too: read only in a blend's company."""
COMPANY_BEFORE = re.compile(r"(?:[/+–-]|(?:%|phr|wt|vol)(?: of)?|blends? of|with|pure|neat)\s?$")
COMPANY_AFTER = re.compile(
    r"\s?[/+–]|-[gb]-|\s(?:blend|matrix|phase|rubber|composite|vulcani[sz]ate|latex|resin|and [A-Z]{2})"
)
GRAFT = r"(?:g|b|co|graft|block|alt|ran|stat|random|r)"
JOINED = re.compile(rf"-{GRAFT}-(?:poly)?(?:\([A-Za-z ,\-]{{2,40}}\)|[A-Za-z0-9]{{1,12}})")
LONGEST_NAME = 80


def find_mentions(text: str | None) -> tuple[Mention, ...]:
    """Polymers, techniques and magnifications in a caption, in their order; no two overlap. Never raises.

    Polymers are those of ``schemas/polymers.csv`` by abbreviation or name, what is called ``poly(...)``, and
    copolymers that a hyphen joins to them (``PP-g-MA``). Techniques are ``SEM``, ``TEM``, ``optical`` and ``AFM``.

    Args:
        text: a caption; the first 10,000 characters are read.
    """
    text = evened(written := (text or "")[:MAX_TEXT])
    found = [*_techniques(text), *_magnifications(text), *_polymers(text)]
    kept: list[Mention] = []
    for one in sorted(found, key=lambda m: (m.start, -m.end)):
        if not kept or one.start >= kept[-1].end:
            kept.append(replace(one, text=written[one.start : one.end]))
    return tuple(kept)


def evened(text: str) -> str:
    """The same text, sign by sign, with plain hyphens and spaces."""
    return text.translate(EVEN)


def panel_mentions(
    caption: str | None, stem: str | None, own: str | None, label: str | None = None
) -> tuple[Mention, ...]:
    """What a caption says of one panel: in its own words and in those that all panels share.

    Args:
        caption: of the figure, whole; the positions count in it.
        stem: what all panels share.
        own: the panel's own words; None for a figure of one panel, which the whole caption speaks of.
        label: of the panel, which tells its words from equal ones of another panel.

    Returns:
        Words that cannot be found again in the caption say nothing.
    """
    mentions = find_mentions(caption)
    if not caption or own is None:
        return mentions
    spans = [*_spans(caption, stem), *_own_span(caption, own, label)]
    return tuple(one for one in mentions if any(start <= one.start and one.end <= end for start, end in spans))


def _spans(caption: str, part: str | None) -> list[tuple[int, int]]:
    """Where a part of the caption stands: whole, or its sentences one by one."""
    if not part:
        return []
    for pieces in ([part], part.split(". ")):
        places = [(caption.find(piece), len(piece)) for piece in pieces if piece]
        if all(start >= 0 for start, _ in places):
            return [(start, start + length) for start, length in places]
    return []


def _own_span(caption: str, own: str, label: str | None) -> list[tuple[int, int]]:
    """Where the panel's own words stand; those nearest to its label, where they stand more than once."""
    starts = [match.start() for match in re.finditer(re.escape(own), caption)][:50] if own else []
    if not starts:
        return _spans(caption, own) or _led_span(caption, own)
    mark = rf"\(\s?{re.escape(label)}\s?\)|\b{re.escape(label)}[):]" if label else r"(?!)"
    marks = [match.start() for match in re.finditer(mark, caption)][:50]
    start = min(starts, key=lambda place: min((abs(place - mark) for mark in marks), default=0))
    return [(start, start + len(own))]


def _led_span(caption: str, own: str) -> list[tuple[int, int]]:
    """Where words stand that begin with what is said of a whole list: "SEM images of" and "B" of "A (a) and B (b)"."""
    for gap in [match.start() for match in re.finditer(" ", own)][:40]:
        lead, rest = own[:gap], own[gap + 1 :]
        if lead in caption and rest in caption:
            return [
                (caption.find(lead), caption.find(lead) + gap),
                (caption.find(rest), caption.find(rest) + len(rest)),
            ]
    return []


def _techniques(text: str) -> Iterator[Mention]:
    for match in TECHNIQUE.finditer(text):
        if match[0] == "SEM" and ERROR_OF_MEAN.search(text[max(0, match.start() - 12) : match.start()]):
            continue
        if match[0] == "POM" and not _is_microscope(text, match):
            continue
        yield Mention("technique", match.lastgroup or "", match[0], match.start(), match.end())


def _is_microscope(text: str, match: re.Match[str]) -> bool:
    """Whether POM is polarised optical microscopy, not polyoxymethylene."""
    if ACETAL.match(text, match.end()) or text[match.start() - 1 : match.start()] == "/":
        return False
    return bool(re.match(r"[\s-]+(?:image|micro|photo|picture|observ)", text[match.end() : match.end() + 20])) or bool(
        re.search(r"(?:[Pp]olari[sz]|[Mm]icrosc|\bby\b)[^.;]{0,40}$", text[max(0, match.start() - 60) : match.start()])
    )


def _number(text: str) -> float:
    factor = 1000.0 if text[-1] in "kK" else 1.0
    return float(re.sub(r"[^\d.]", "", text)) * factor


def _magnifications(text: str) -> Iterator[Mention]:
    for said in SAID.finditer(text):
        for match in re.finditer(NUMBER, said["list"]):
            yield from _magnification(text, said.start("list") + match.start(), match[0])
    for pattern in (BEFORE, AFTER, POWER):
        for match in pattern.finditer(text):
            yield from _magnification(text, match.start("number"), match["number"], match.span())


def _magnification(text: str, start: int, number: str, span: tuple[int, int] | None = None) -> Iterator[Mention]:
    value = _number(number)
    if LOWEST <= value <= HIGHEST:
        first, last = span or (start, start + len(number))
        yield Mention("magnification", f"{value:.0f}", text[first:last], first, last)


def _polymers(text: str) -> Iterator[Mention]:
    amides = (("PA" + re.sub(r"[,./]", "", match["digits"]), *match.span()) for match in AMIDE.finditer(text))
    unlisted = ((match[0].lower().removesuffix("s"), *match.span()) for match in UNLISTED.finditer(text))
    for value, start, end in (*amides, *_named(text), *_bracketed(text), *unlisted, *_codes(text)):
        tail, finish = "", end
        while (match := JOINED.match(text, finish)) and finish - start < LONGEST_NAME:
            tail, finish = tail + match[0], match.end()
        yield Mention("polymer", value + tail, text[start:finish], start, finish)


def _named(text: str) -> Iterator[tuple[str, int, int]]:
    """Names of the vocabulary, longest first; hyphens and spaces within them do not matter."""
    known = vocabulary()
    tokens = [(match[0].lower(), match.start(), match.end()) for match in WORD.finditer(text)]
    for index, (word, start, _) in enumerate(tokens):
        for length in known.lengths.get(word, ()) or known.lengths.get(word.removesuffix("s"), ()):
            here = tokens[index : index + length]
            words = tuple(one for one, _, _ in here)
            value = known.names.get(words) or known.names.get((*words[:-1], words[-1].removesuffix("s")))
            if value and here[-1][2] - start <= LONGEST_NAME and not _split(text, here):
                yield value, start, here[-1][2]
                break


def _split(text: str, tokens: Sequence[tuple[str, int, int]]) -> bool:
    """Whether more than hyphens, commas and spaces stand between the words of a name: "styrene/butadiene" is none."""
    gaps = (text[a[2] : b[1]] for a, b in pairwise(tokens))
    return not all(re.fullmatch(r"[\s,'’–-]{0,3}(?:(?:co|b|block|g|r|ran|alt)-)?", gap) for gap in gaps)


def _bracketed(text: str) -> Iterator[tuple[str, int, int]]:
    """``poly(...)`` with the brackets that belong together, whatever stands in them."""
    open_at: list[int] = []
    closed: dict[int, int] = {}
    for place, sign in enumerate(text):
        if sign in "([":
            open_at.append(place)
        elif sign in ")]" and open_at:
            closed[open_at.pop()] = place + 1
    for match in POLY.finditer(text):
        end = closed.get(match.end() - 1, len(text) + LONGEST_NAME)
        name = " ".join(text[match.start() : end].split()) if end - match.start() <= LONGEST_NAME else ""
        if re.search(r"[A-Za-z]{2}", name[5:]):
            yield "p" + name[1:], match.start(), end


def _codes(text: str) -> Iterator[tuple[str, int, int]]:
    """Abbreviations: alone (``PLA``, ``iPP``), with numbers (``35PS``, ``PLA80PBAT20``)."""
    known = vocabulary().abbreviations
    for match in CODE.finditer(text):
        run, base = match[0], match.start()
        if len(run) > 30 or (base and text[base - 1] in "@_"):
            continue
        if run in WEAK and not (
            COMPANY_BEFORE.search(text[max(0, base - 20) : base]) or COMPANY_AFTER.match(text, match.end())
        ):
            continue
        value = known.get(run) or _prefixed(run)
        if value:
            yield value, base, match.end()
        elif any(sign.isdigit() for sign in run):
            yield from ((v, base + s, base + e) for v, s, e in _in_code(run))


def _prefixed(run: str) -> str | None:
    """``iPP``, ``mPE``, ``rPET``, ``PLAs``: the polymer behind one small letter before or a plural's after."""
    known = vocabulary().abbreviations
    if len(run) > 2 and run[-1] == "s" and run[:-1] in known:
        return known[run[:-1]]
    return known.get(run[1:]) if run[0] in "iasrmhucpln" and len(run) > 2 else None


def _in_code(run: str) -> list[tuple[str, int, int]]:
    """The polymers of a code of abbreviations and numbers; none where any letters are no polymer."""
    known = vocabulary().abbreviations
    found = []
    for piece in PIECE.finditer(run):
        if piece[0].isdigit():
            continue
        value = known.get(piece[0]) or _prefixed(piece[0])
        if value is None:
            return []
        found.append((value, piece.start(), piece.end()))
    return found
