"""What records, figures and panels say of each other, made comparable: words, letters, ratios, scales, places."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from polydata.text.captions import Parts
from polydata.text.composition import CUTS
from polydata.text.figure_labels import QUOTED_LABEL
from polydata.text.normalise import fold
from polydata.text.polymers import normal_form
from polydata.text.quoted import split_quoted

_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_RATIO = re.compile(r"\d+(?:\.\d+)?(?:\s*[/:]\s*\d+(?:\.\d+)?)+")
_WORD = re.compile(r"\d+\.\d+|[^\W_]+")
_UNIT = re.compile(r"(?<=\d)(?=(?:wt|vol|mol|phr|min|hr?|nm|um|mm|rpm|s)\b)")
_LETTER_LIST = re.compile(r"[a-z]\d?(?:\s*(?:[,;/&+-]|and)\s*[a-z]\d?)*")
MAX_LETTERS = 30
FEWEST_WORDS = 4
"""Words by which a caption may be known."""


SETS = ("words", "stem_words", "ratios")


def _plain(evidence: object) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, frozenset) else value for name, value in vars(evidence).items()}


def _typed(said: Mapping[str, Any]) -> dict[str, Any]:
    kinds = dict.fromkeys(SETS, frozenset) | {"scales_um": tuple}
    return {name: kinds[name](value) if name in kinds else value for name, value in said.items()}


@dataclass(frozen=True)
class PanelEvidence:
    """What is known of a panel beside its figure.

    Attributes:
        letter: None where it has none.
        own, words: what is said of it alone, comparable, and its words.
        ratios: of compositions in these words.
        scales_um: scales that were read for it.
    """

    panel_id: str
    letter: str | None
    own: str
    words: frozenset[str]
    ratios: frozenset[str]
    scales_um: tuple[float, ...]


@dataclass(frozen=True)
class CaptionEvidence:
    """A caption, made comparable.

    Attributes:
        whole: all of it.
        words, stem_words: of it, and of what all of its panels share.
        squeezed, squeezed_stem: letters and digits of both alone, for words that are broken or joined.
    """

    whole: str
    words: frozenset[str]
    stem_words: frozenset[str]
    squeezed: str
    squeezed_stem: str


@dataclass(frozen=True)
class FigureEvidence(CaptionEvidence):
    """What is known of a figure; its ``words`` also hold the normal forms of polymers.

    Attributes:
        page: from 1.
        rank: among the figures of its page, from 1.
        label: its number (``3``), None without one.
        kind: of what it shows.
        panels: in reading order.
    """

    figure_id: str
    paper_id: str
    page: int | None
    rank: int
    label: str | None
    kind: str | None
    panels: tuple[PanelEvidence, ...]

    def plain(self) -> dict[str, Any]:
        """The same as JSON can say it."""
        return _plain(self) | {"panels": [_plain(panel) for panel in self.panels]}

    @classmethod
    def of_plain(cls, said: Mapping[str, Any]) -> Self:
        """What ``plain`` said."""
        return cls(**_typed(said) | {"panels": tuple(PanelEvidence(**_typed(panel)) for panel in said["panels"])})


@dataclass(frozen=True)
class RecordEvidence(CaptionEvidence):
    """What a record says of its panel.

    Attributes:
        place: page and figure as its own fields give them; records of one place belong to one figure.
        named: number of the figure in its own field, where that calls it a figure.
        quoted: number of the figure that its caption begins with.
        letters: of its panels, from its own field.
        letter: the only letter that its caption names.
        part_letters: all letters that its caption names.
        own: the caption's words on its panel, comparable; the whole caption where that names no panel.
        own_words: of the one panel that the caption names.
        side: words of polymers, ratio, method and sample: hits count, misses do not.
        text: what it says of morphology and literature.
    """

    record_id: str
    place: tuple[int | None, str | None]
    named: str | None
    quoted: str | None
    letters: tuple[str, ...]
    letter: str | None
    part_letters: frozenset[str]
    own: str
    own_words: frozenset[str]
    side: frozenset[str]
    text: str
    ratios: frozenset[str]
    scale_um: float | None


def unlabelled(text: str | None) -> str:
    """Folded, without the figure's label, of which a quoted caption may bear another one."""
    return QUOTED_LABEL.sub("", QUOTED_LABEL.sub("", fold(text or "")))


def comparable(text: str | None) -> str:
    """Folded, without the figure's label, spaces around signs closed."""
    return re.sub(r"\s*([-/:;,.()])\s*", r"\1", unlabelled(text)).strip(" .;,:")


def words_of(text: str | None) -> frozenset[str]:
    """Words and numbers of a text, units taken off numbers, plural endings dropped, single letters left out."""
    found = _WORD.findall(_UNIT.sub(" ", fold(text or "")))
    plain = (w[:-1] if len(w) > 4 and w.endswith("s") and not w.endswith("ss") else w for w in found)
    return frozenset(w for w in plain if len(w) > 1 or w.isdigit())


def ratios_of(text: str | None) -> frozenset[str]:
    """Ratios in a text, each as its numbers parted by slashes."""
    return frozenset("/".join(_NUMBER.findall(m)) for m in _RATIO.findall(fold(text or "")))


def letters_of(text: str | None) -> tuple[str, ...]:
    """Letters of panels: ``a``, ``(a)``, ``a, b``, ``a-d``; another word is a letter of its own."""
    word = re.sub(r"[()\[\]{}.:]", "", fold(text or "")).strip()
    if not _LETTER_LIST.fullmatch(word):
        return (word.replace(" ", ""),) if word else ()
    found: list[str] = []
    for part in re.split(r"\s*(?:[,;/&+]|and)\s*", word):
        first, _, last = part.partition("-")
        first, last = first.strip(), last.strip()
        span = range(ord(first[0]), ord(last[0]) + 1) if len(first) == len(last) == 1 else ()
        found += [chr(code) for code in span] or [one for one in (first, last) if one]
    return tuple(dict.fromkeys(found))[:MAX_LETTERS]


def _of_caption(caption: str | None, parts: Parts, more: Iterable[str] = ()) -> dict[str, Any]:
    """The parts of a ``CaptionEvidence``; ``more`` is read with the words."""
    plain, stem = unlabelled(caption), unlabelled(parts.stem)
    return {
        "whole": comparable(caption),
        "words": words_of(plain) | words_of(" ".join(more)),
        "stem_words": words_of(stem),
        "squeezed": re.sub(r"[\W_]+", "", plain),
        "squeezed_stem": re.sub(r"[\W_]+", "", stem),
    }


def _only(letters: Sequence[str]) -> str | None:
    return letters[0] if len(letters) == 1 else None


def figure_evidence(rows: Sequence[Mapping[str, Any]]) -> list[FigureEvidence]:
    """Evidence of figures, from the rows of their panels as ``catalogue.records.panels_to_join`` gives them."""
    of_figure: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        of_figure[row["figure_id"]].append(row)
    on_page: Counter[tuple[str, int | None]] = Counter()
    found = []
    for figure_id, its in of_figure.items():
        first = its[0]
        caption = first["figure_caption"] or first["caption_stem"]
        parts = split_quoted(caption)
        label = re.search(r"\d+", first["figure_label"] or "")
        kinds = [row["kind"] for row in its]
        on_page[first["paper_id"], first["page"]] += 1
        polymers = {p.lower() for row in its for p in json.loads(row["composition"] or "{}").get("components") or ()}
        found.append(
            FigureEvidence(
                figure_id=figure_id,
                paper_id=first["paper_id"],
                page=first["page"],
                rank=on_page[first["paper_id"], first["page"]],
                label=label[0].lstrip("0") or "0" if label else None,
                kind="micrograph" if "micrograph" in kinds else kinds[0],
                **_of_caption(caption, parts, polymers),
                panels=tuple(_panel(row, parts) for row in its),
            )
        )
    return found


def _panel(row: Mapping[str, Any], parts: Parts) -> PanelEvidence:
    letter = _only(letters_of(row["label"]))
    own = row["caption"] or parts.own(letter)
    return PanelEvidence(
        row["panel_id"], letter, comparable(own), words_of(own), ratios_of(own), tuple(row["scales_um"] or ())
    )


def record_evidence(row: Mapping[str, Any]) -> RecordEvidence:
    """Evidence of a record, a row of the table of records."""
    parts = split_quoted(row["caption"])
    letters = letters_of(row["panel"])
    named = QUOTED_LABEL.match(row["figure"] or "")  # a bare number may be a place on the page
    letter = _only(letters) or parts.only
    own = parts.own(letter) or parts.own(None)  # a key's "a1" is the caption's only "(a)"
    sides = " ".join(str(row[name] or "") for name in ("polymers", "composition_ratio", "blending_method", "sample_id"))
    # A caption that names several panels says nothing of which one is meant.
    vague = "" if parts.panels else row["caption"]
    return RecordEvidence(
        record_id=row["record_id"],
        place=(row["page"], row["figure"]),
        named=named["number"].lstrip("sS").lstrip("0") or "0" if named and named["number"] else None,
        quoted=parts.number,
        letters=letters,
        letter=parts.only,
        part_letters=frozenset(parts.labels),
        **_of_caption(row["caption"], parts),
        own=comparable(own or vague),
        own_words=words_of(own),
        side=words_of(sides) | words_of(" ".join(filter(None, map(normal_form, CUTS.split(row["polymers"] or ""))))),
        text=" ".join(str(row[name]) for name in ("morphology", "literature_description") if row[name]),
        ratios=ratios_of(row["composition_ratio"] or own or ("" if parts.panels else parts.stem)),
        scale_um=row["scale_um"],
    )
