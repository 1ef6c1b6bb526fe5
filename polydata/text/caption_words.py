"""The words of a caption's panels, each by itself, and those that its lists have for all, before or behind them."""

from __future__ import annotations

import re
from collections.abc import Sequence

OPENING, CLOSING = " \t\n;,.:|；，。：–—-", " \t\n;,.:；，。：([（"
"""Signs that are no words where a part of a caption begins and ends."""


SHARED = re.compile(
    r"(?:[.;,]\s+|\s*\(\s*)(?P<words>(?:the\s+|all\s+|each\s+|every\s+|original\s+|white\s+|black\s+|length\s+of\s+)*"
    r"(?:scale[ -]?bars?|scales?\b|bars?\b|magnifications?|(?:micrographs|images|pictures|samples)\b)[^;]{0,200})$",
    re.IGNORECASE,
)
"""A closing remark on all panels: scale bars, magnification, how all were taken."""

PICTURES = r"(?:images?|micrographs?|photo\w{0,20}|pictures?|spectr\w{1,4}|patterns?|curves?|plots?|maps?|diagrams?)"
LEAD = re.compile(rf"\b{PICTURES}\s(?:of|for)\s")
"""What begins a list of its own within a caption, and is said of all that it lists."""

UNFINISHED = r"[^.;]*\b(?:of|for|in|from|with|by|under|at|on|after|between|show(?:s|ing)?)(?:\s(?:the|a|an))?\s*$"
FIRST_LEAD = re.compile(rf"(?:^|(?<=[.;]\s)){UNFINISHED}")
NEXT_LEAD = re.compile(
    rf"(?<=[.;]\s){UNFINISHED}|(?:(?<=,\s)|(?<=\band\s))(?:[\w()-]+\s){{0,8}}?{LEAD.pattern}"
    r"(?:(?:[\w()/-]+\s){1,8}(?:at|with|under|after|in)\s)?$"
)
"""What stands before a mark and goes on behind it: "(a) Curves of a blend. Images of (b) x and (c) y"."""

OBJECT = re.compile(
    r"\b(?:images|(?:micro|photo|fracto)?graphs|(?:photo)?micrographs|photos|pictures|spectra|patterns|curves|plots|maps|"
    r"diagrams|views|sections|surfaces|morpholog(?:y|ies)|magnifications)\s"
    r"(?P<rest>(?:of|for|from|taken|obtained|recorded|acquired)\b.*)"
)
"""What the last of a list may say of all: several pictures, or what they show, of something."""
_VIEWS = [
    "sem tem stem afm esem fesem hrsem hrtem fe hr ef bf df adf haadf eftem cryo om pom plm clsm lsm kpfm sthm",
    "stm mim im re xrd ftir ft ir uv edx eds optical light confocal fluorescence polarized polarised scanning",
    "transmission atomic force secondary backscattered electron bright dark field phase height amplitude friction",
    "current topography topographic low lower high higher medium magnification resolution magnified enlarged top",
    "bottom side front back plan oblique tilted perspective cross sectional crosssectional longitudinal",
    "transverse axial radial tensile impact fracture overall schematic stress strain image images micrograph",
    "micrographs photograph photographs photo photos picture pictures spectrum spectra pattern patterns curve",
    "curves plot plots map maps diagram diagrams view views section sections surface surfaces morphology",
]
VIEWS = frozenset(word for line in _VIEWS for word in line.split())
"""Words that say how a thing is looked at, and not what: they wait for the object that the last of their list has."""
NAMED = re.compile(rf"\b(?:{PICTURES}|schematic|views?|sections?|surfaces?|morphology)$", re.I)
"""A picture's name at the end of a panel's words."""
LISTED_LAST = re.compile(r"[,\s]\s{0,3}(?:and|&)\s{0,3}$")
"""What stands before the last mark of a list."""

SENTENCE = re.compile(r"(?<=[A-Za-z0-9)%])\.\s+(?=[A-Z])")


def tidy(text: str) -> str:
    """Without the signs and joining words at either end, and without a bracket that belongs to what stood around."""
    text = text.lstrip(OPENING)
    while re.match(r"and\s", text):
        text = text[3:].lstrip(OPENING)
    return closed(text)


def closed(text: str) -> str:
    """Without the signs and joining words at its end, and without a bracket that belongs to what stood around."""
    text = text.lstrip(" ;,.:")
    while True:
        short = text.rstrip(CLOSING)
        if joining := re.search(r"(?<!\ba)\s(?:and|&|while|whereas)$", short[-10:]):
            short = short[: -len(joining[0])]
        elif short.endswith(")") and short.count(")") > short.count("("):
            short = short[:-1]
        if short == text:
            return text
        text = short


def without_remarks(own: list[str]) -> tuple[list[str], str]:
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
        return rest, joined(more, tidy(shared["words"]))
    return _sentences(own)


def joined(*sentences: str) -> str:
    """Sentences as one text, empty ones left out."""
    return ". ".join(filter(None, sentences))


def _sentences(own: list[str]) -> tuple[list[str], str]:
    if any(SENTENCE.search(text) for text in own[:-1]):
        return own, ""
    pieces = SENTENCE.split(own[-1], maxsplit=1)
    return ([*own[:-1], pieces[0]], pieces[1]) if len(pieces) == 2 else (own, "")


def _waits(words: str) -> bool:
    return bool(words) and all(word in VIEWS for word in re.split(r"[\s–-]+", words.lower()))


def with_object(own: list[str], after: Sequence[str]) -> list[str]:
    """Words of panels with what a list says of all behind its last: "(a) SEM and (b) TEM images of a blend".

    Args:
        own: words of each panel.
        after: what stands behind each mark.
    """
    out = list(own)
    for last in range(1, len(own)):
        shared = OBJECT.search(SENTENCE.split(own[last])[0])
        at = last - 1
        if not shared or "respectively" in shared[0] or not LISTED_LAST.search(after[at][-12:]):
            continue
        while at >= 0 and _waits(own[at]) and (at == last - 1 or after[at].rstrip().endswith(",")):
            out[at] = f"{own[at]} {shared['rest'] if NAMED.search(own[at]) else shared[0]}"
            at -= 1
    return out


def with_leads(head: str, between: list[str]) -> tuple[str, list[str], list[str]]:
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


def spread(leads: list[str], between: list[str]) -> list[str]:
    """The words that each mark goes on from: its own, else those of the mark before within the same list.

    A list ends with its sentence, and at a semicolon where its first two marks are parted otherwise.
    """
    out, ends = [leads[0]], r"[.;]\s"
    for index, (lead, gap) in enumerate(zip(leads[1:], between, strict=True)):
        if leads[index]:
            ends = r"\.\s" if ";" in gap else r"[.;]\s"
        out.append(lead or ("" if re.search(ends, gap) else out[-1]))
    return out
