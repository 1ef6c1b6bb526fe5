"""Which panel of its paper a record speaks of: figure and panel keys, captions, letters, ratios and scales.

Each piece of evidence is worth some log-odds. A record is given to a panel only where that panel leads clearly for
the record, and the record leads clearly for the panel; what is left over is never shared out among what is free.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from rapidfuzz import fuzz

from polydata.records.caption_parts import CaptionParts, take_apart
from polydata.records.match_papers import logistic
from polydata.records.text import fold

MINIMUM = 1.0
MARGIN = 1.5
RIVAL = 3.0
"""Figures whose weights differ by no more are told apart by single words."""
TELLING_WORDS = 4.0
WRONG_FIGURE = 10.0
OTHER_KINDS = frozenset(("plot", "spectrum", "scheme"))
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_RATIO = re.compile(r"\d+(?:\.\d+)?(?:\s*[/:]\s*\d+(?:\.\d+)?)+")


@dataclass(frozen=True)
class PanelEvidence:
    """A panel with the words of its figure.

    Attributes:
        page: of the figure, from 1.
        rank: of the figure among those of its page, from 1.
        figure_label: number of the figure (``3``), None without one.
        parts: the figure's caption, taken apart.
        letter: of the panel, None where it has none.
        own: the panel's own words.
        scales_um: scales that were read for it.
        kind: of the panel, else of the figure.
        alone: whether it is the only panel of its figure.
    """

    panel_id: str
    figure_id: str
    page: int
    rank: int
    figure_label: str | None
    parts: CaptionParts
    whole: str
    letter: str | None
    own: str | None
    scales_um: tuple[float, ...]
    kind: str | None
    alone: bool


@dataclass(frozen=True)
class RecordEvidence:
    """What a record says of its panel.

    Attributes:
        place: page and figure as the record gives them; records of one place belong to one figure.
        letter: of the panel, from its own field or the only one that its caption names.
        words: further fields that may hold the panel's words (ratio, polymers).
    """

    record_id: str
    place: tuple[int | None, str | None]
    parts: CaptionParts
    whole: str
    letter: str | None
    own: str | None
    ratios: frozenset[str]
    scale_um: float | None


@dataclass(frozen=True)
class PanelMatch:
    """A record's panel, decided."""

    record_id: str
    panel_id: str
    method: str
    score: float


def panel_evidence(rows: Sequence[Mapping[str, Any]]) -> list[PanelEvidence]:
    """Evidence of the panels of one paper, rows as ``catalogue.records.panels_to_join`` gives them."""
    ranks: dict[int, list[str]] = defaultdict(list)
    sizes: dict[str, int] = defaultdict(int)
    for row in rows:
        sizes[row["figure_id"]] += 1
        if row["figure_id"] not in ranks[row["page"]]:
            ranks[row["page"]].append(row["figure_id"])
    found = []
    for row in rows:
        parts = take_apart(row["figure_caption"] or row["caption_stem"])
        letter = _letter(row["label"])
        label = re.search(r"\d+", row["figure_label"] or "")
        found.append(
            PanelEvidence(
                panel_id=row["panel_id"],
                figure_id=row["figure_id"],
                page=row["page"],
                rank=ranks[row["page"]].index(row["figure_id"]) + 1,
                figure_label=label[0] if label else None,
                parts=parts,
                whole=comparable(row["figure_caption"] or row["caption_stem"]),
                letter=letter,
                own=comparable(row["caption"] or parts.own(letter)) or None,
                scales_um=tuple(row["scales_um"] or ()),
                kind=row["kind"],
                alone=sizes[row["figure_id"]] == 1,
            )
        )
    return found


def record_evidence(row: Mapping[str, Any]) -> RecordEvidence:
    """Evidence of a record, a row of the table of records."""
    parts = take_apart(row["caption"])
    letter = _letter(row["panel"]) or parts.letter()
    own = parts.own(letter)
    return RecordEvidence(
        record_id=row["record_id"],
        place=(row["page"], row["figure"]),
        parts=parts,
        whole=comparable(row["caption"]),
        letter=letter,
        own=comparable(own) or None,
        ratios=_ratios(row["composition_ratio"] or own or ("" if parts.parts else parts.stem)),
        scale_um=row["scale_um"],
    )


def _letter(text: str | None) -> str | None:
    word = re.sub(r"[\s()\[\]{}.:]", "", text or "").lower()
    return word or None


def comparable(text: str | None) -> str:
    """Folded, without the figure's label, spaces around signs closed."""
    words = re.sub(r"^\s*(?:fig(?:ure|s)?|scheme|plate)\b\.?\s*s?\d*[a-z]?\s*[.:|]?\s*", "", fold(text or ""))
    return re.sub(r"\s*([-/:;,.()])\s*", r"\1", words).strip(" .;,:")


def _ratios(text: str | None) -> frozenset[str]:
    return frozenset("/".join(_NUMBER.findall(m)) for m in _RATIO.findall(fold(text or "")))


@lru_cache(maxsize=100_000)
def _alike(one: str, other: str) -> float:
    """0 to 1; a text that is wholly in the other counts for nearly the same when it is long enough."""
    if not one or not other:
        return 0.0
    whole = fuzz.ratio(one, other) / 100
    if min(len(one), len(other)) >= 25:
        whole = max(whole, 0.95 * fuzz.partial_ratio(one, other) / 100)
    return whole


def figure_weight(record: RecordEvidence, panel: PanelEvidence) -> float:
    """Log-odds that the record speaks of the panel's figure, from captions, labels and places."""
    weight = 0.0
    if record.whole and panel.whole:
        stems = (comparable(record.parts.stem), comparable(panel.parts.stem))
        alike = max(_alike(*stems), _alike(record.whole, panel.whole), _alike(record.whole, stems[1]))
        weight += 12 * (alike - 0.65)
    page, figure = record.place
    if page is not None and page == panel.page:
        weight += 0.5
    named = record.parts.label or (_named_label(figure))
    if named is not None and panel.figure_label is not None:
        weight += 1.5 if named == panel.figure_label.lstrip("0") else -0.5
    if panel.kind in OTHER_KINDS:
        weight -= 3.0
    return weight


def _named_label(figure: str | None) -> str | None:
    """Number of a figure that is called one; a bare number may be a place on the page."""
    match = re.match(r"\s*(?:fig(?:ure)?|scheme|plate)\b\.?\s*S?0*(\d+)", figure or "", re.IGNORECASE)
    return match[1] if match else None


def at_key(record: RecordEvidence, panel: PanelEvidence) -> bool:
    """Whether page and figure of the record are the panel's: the figure's label, or its rank on the page."""
    page, figure = record.place
    if page is None or figure is None or page != panel.page:
        return False
    number = re.search(r"\d+", figure)
    return number is not None and number[0].lstrip("0") in (panel.figure_label, str(panel.rank))


def panel_weight(record: RecordEvidence, panel: PanelEvidence) -> float:
    """Log-odds that the record speaks of this panel rather than of another one of the figure."""
    weight = 0.0
    if record.letter and panel.letter:
        weight += 3.0 if record.letter == panel.letter else -6.0
    elif not record.letter and panel.letter and record.parts.parts:
        weight += 0.0 if panel.letter in dict(record.parts.parts) else -3.0
    if record.own and panel.own:
        weight += 4 * (_alike(record.own, panel.own) - 0.5)
    ratios = _ratios(panel.own)
    if record.ratios and ratios:
        weight += 1.5 if record.ratios & ratios else -1.5
    if record.scale_um and panel.scales_um:
        near = any(abs(record.scale_um - s) <= 0.02 * s for s in panel.scales_um)
        weight += 1.0 if near else -0.7
    return weight


def match_panels(
    records: Sequence[RecordEvidence], panels: Sequence[PanelEvidence], taken: frozenset[str] = frozenset()
) -> list[PanelMatch]:
    """The panels of those records of one paper that can be decided; each panel is given to one record at most.

    Args:
        panels: all panels of the paper.
        taken: ids of those that are not to be given away.
    """
    weights = _weights(records, panels)
    candidates = {
        r.record_id: _candidates({p.panel_id: weights[r.record_id, p.panel_id] for p in panels}) for r in records
    }
    claims: dict[str, list[tuple[float, str]]] = defaultdict(list)
    for record_id, its in candidates.items():
        for panel_id in its:
            claims[panel_id].append((weights[record_id, panel_id], record_id))
    keyed = {(r.record_id, p.panel_id) for r in records for p in panels if at_key(r, p)}
    decided = []
    for record_id, its in sorted(candidates.items()):
        if len(its) != 1 or its <= taken:
            continue
        (panel_id,) = its
        ranked = sorted(claims[panel_id], reverse=True)
        if ranked[0][1] == record_id and (len(ranked) == 1 or ranked[0][0] - ranked[1][0] >= MARGIN):
            method = "key" if (record_id, panel_id) in keyed else "caption"
            decided.append(PanelMatch(record_id, panel_id, method, logistic(ranked[0][0])))
    return decided


def _weights(records: Sequence[RecordEvidence], panels: Sequence[PanelEvidence]) -> dict[tuple[str, str], float]:
    """All evidence that a record speaks of a panel, by their ids."""
    figure_of = _figure_weights(records, panels)
    own_words = {p.panel_id: p.own or "" for p in panels}
    weights: dict[tuple[str, str], float] = {}
    for r in records:
        best = max((figure_of[r.record_id, p.figure_id] for p in panels), default=0.0)
        mine = {p.panel_id: figure_of[r.record_id, p.figure_id] + panel_weight(r, p) for p in panels}
        # The right letter in the wrong figure is the wrong panel.
        wrong = {p.panel_id for p in panels if figure_of[r.record_id, p.figure_id] <= best - RIVAL}
        # A caption that names several panels says nothing of which one is meant.
        words = r.own or ("" if r.parts.parts else r.whole)
        told_apart = _by_their_words(words, own_words, mine) if words else {}
        for p, weight in mine.items():
            weights[r.record_id, p] = weight + told_apart.get(p, 0.0) - (WRONG_FIGURE if p in wrong else 0.0)
    return weights


def _candidates(weights: Mapping[str, float]) -> frozenset[str]:
    """Panels that come into question for a record: those nearly as good as its best, taken or not.

    So a record whose panel went to another one, or was never extracted, is not pushed to the next best.
    """
    best = max(weights.values(), default=0.0)
    return frozenset(p for p, weight in weights.items() if weight >= MINIMUM and weight > best - MARGIN)


def _figure_weights(records: Sequence[RecordEvidence], panels: Sequence[PanelEvidence]) -> dict[tuple[str, str], float]:
    """Weight of each figure for each record; records that name the same place share the mean of theirs."""
    first: dict[str, PanelEvidence] = {}
    for panel in panels:
        first.setdefault(panel.figure_id, panel)
    alone = {r.record_id: {f: figure_weight(r, p) for f, p in first.items()} for r in records}
    stems = {figure_id: panel.parts.stem for figure_id, panel in first.items()}
    told_apart = {r.record_id: _by_their_words(r.whole, stems, alone[r.record_id]) for r in records}
    groups: dict[object, list[RecordEvidence]] = defaultdict(list)
    for record in records:
        groups[record.place if None not in record.place else record.record_id].append(record)
    found = {}
    for group in groups.values():
        for figure_id in first:
            mean = sum(
                alone[r.record_id][figure_id] + told_apart[r.record_id].get(figure_id, 0.0) for r in group
            ) / len(group)
            for record in group:
                found[record.record_id, figure_id] = mean
    return found


def _by_their_words(own: str, others: Mapping[str, str], weights: Mapping[str, float]) -> dict[str, float]:
    """Weight by the words that some of the likely captions have and others lack.

    Captions of one paper are often the same but for one word (``before`` and ``after annealing``), which hardly
    changes how alike they are as wholes.

    Args:
        own: the record's words.
        others: id of a figure or panel -> its words.
        weights: what speaks for each of them so far.
    """
    best = max((weights[key] for key in others), default=0.0)
    words = {key: _words(text) for key, text in others.items() if text and weights[key] > best - RIVAL}
    every = list(words.values())
    telling = set[str]().union(*every) - every[0].intersection(*every) if every else set()
    if not telling:
        return {}
    mine = _words(own)
    return {
        key: TELLING_WORDS * (sum((word in mine) == (word in its) for word in telling) / len(telling) - 0.5)
        for key, its in words.items()
    }


def _words(text: str) -> set[str]:
    return set(re.findall(r"\d+(?:\.\d+)?|[^\W\d_]+", fold(text)))
