"""Decides from chances: a panel, the figure alone, or the paper alone; what stays open keeps its candidates."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from polydata.records.evidence import FigureEvidence, RecordEvidence
from polydata.records.match_figures import OTHER_KINDS, Captions, at_key, figure_chances, panel_chances

FIGURE_SURE = 0.9
PANEL_SURE = 0.85
CLAIM = 0.5
"""A record claims a panel that is its own by at least this chance ..."""
LEAD = 1.5
"""... and gets it if it leads all other claims by this much (log-odds), or names the panel's letter itself."""
LOWEST = 0.01
"""Candidates of a lower score are not kept unless they stand in the figure that a record is linked to."""
MOST = 40

Whereabouts = Mapping[str, tuple[FigureEvidence, str | None]]
"""The figure and the letter of each panel."""


@dataclass(frozen=True)
class Link:
    """A record's panel or figure (``target``), decided."""

    record_id: str
    target: str
    method: str
    score: float


@dataclass(frozen=True)
class Decided:
    """What was decided for the records of one paper.

    Attributes:
        panels: links to panels.
        figures: links to figures, of records whose panel stays open.
        candidates: for each record without a panel, panels that come into question with their scores, best first.
    """

    panels: tuple[Link, ...]
    figures: tuple[Link, ...]
    candidates: Mapping[str, tuple[tuple[str, float], ...]]


def decide(
    records: Sequence[RecordEvidence],
    figures: Sequence[FigureEvidence],
    captions: Captions,
    paper: Mapping[str, float],
    taken: Collection[str] = (),
) -> Decided:
    """Link the records of one paper to its panels and figures as far as that is sure.

    A panel goes to one record, or to all that name its letter in a field of their own. Where several claim it by
    their words, none gets it unless it leads clearly. What is left over is never shared out among what is free, so
    a panel that was not extracted does not push its record to a neighbour.

    Args:
        records: of the paper, without those linked by hand.
        figures: of the paper.
        paper: record id -> how sure it is that the record is of this paper.
        taken: panels that were linked by hand: they go to no other record but one that names them.
    """
    of_figure = figure_chances(records, figures, captions)
    chances = {
        (r.record_id, f.figure_id): panel_chances(r, f)
        for r in records
        for f in figures
        if of_figure[r.record_id][f.figure_id] >= LOWEST
    }
    joint = {
        r.record_id: {
            panel: of_figure[r.record_id][f.figure_id] * chance
            for f in figures
            for panel, chance in chances.get((r.record_id, f.figure_id), {}).items()
        }
        for r in records
    }
    claims: dict[str, list[tuple[float, str]]] = defaultdict(list)
    for record_id, its in joint.items():
        for panel, chance in its.items():
            if chance >= CLAIM:
                claims[panel].append((chance, record_id))
    panels, placed = [], set()
    whereabouts = {p.panel_id: (f, p.letter) for f in figures for p in f.panels}
    for record in records:
        for panel, chance in sorted(_sure(record, joint[record.record_id], whereabouts).items()):
            figure, letter = whereabouts[panel]
            names_it = letter is not None and letter in record.letters
            if not names_it and (panel in taken or not _leads(record.record_id, claims[panel])):
                continue
            method = "key" if names_it and at_key(record, figure) else "letter" if names_it else "caption"
            score = round(chance * paper[record.record_id], 4)
            panels.append(Link(record.record_id, panel, method, score))
            placed.add(record.record_id)
    waiting = [r for r in records if r.record_id not in placed]
    load = _load(joint, {link.target for link in panels} | set(taken))
    links, candidates = [], {}
    for record in waiting:
        linked, chance = _figure(of_figure[record.record_id])
        sure = paper[record.record_id]
        if linked is not None:
            figure = next(f for f in figures if f.figure_id == linked)
            method = "key" if at_key(record, figure) else "caption"
            links.append(Link(record.record_id, linked, method, round(chance * sure, 4)))
        shared = joint[record.record_id] if record.letters else _shared(joint[record.record_id], load, whereabouts)
        candidates[record.record_id] = _candidates(shared, sure, linked, whereabouts)
    return Decided(tuple(panels), tuple(links), candidates)


def _load(joint: Mapping[str, Mapping[str, float]], linked: Collection[str]) -> dict[str, float]:
    """How many records each panel would get if all got their chances; one that is linked has one at least."""
    load: dict[str, float] = defaultdict(float)
    for record_id in sorted(joint):
        for panel, chance in joint[record_id].items():
            load[panel] += chance
    return load | {panel: max(1.0, load[panel]) for panel in linked}


def _shared(joint: Mapping[str, float], load: Mapping[str, float], whereabouts: Whereabouts) -> dict[str, float]:
    """Chances of a record after others claimed their share, for a panel is mostly one record's.

    Where several claim one panel by the same words, only one of them can be right: what each loses goes to the
    panels of the same figure that too few claim.
    """
    found = {panel: chance / max(1.0, load[panel]) for panel, chance in joint.items()}
    spare: dict[str, float] = defaultdict(float)
    for panel, chance in joint.items():
        spare[whereabouts[panel][0].figure_id] += chance - found[panel]
    for figure_id, lost in spare.items():
        here = [panel for panel in joint if whereabouts[panel][0].figure_id == figure_id]
        room = {panel: max(0.0, 1 - load[panel]) for panel in here}
        total = sum(room.values())
        for panel in here:
            found[panel] += lost * (room[panel] / total if total else 1 / len(here))
    return found


def _sure(record: RecordEvidence, joint: Mapping[str, float], whereabouts: Whereabouts) -> dict[str, float]:
    """The panel that is the record's for sure; of a record that names several letters, the panels of these."""
    if len(record.letters) > 1:
        its = {panel: chance for panel, chance in joint.items() if whereabouts[panel][1] in record.letters}
        total = min(1.0, sum(its[panel] for panel in sorted(its)))
        one_figure = len({whereabouts[panel][0].figure_id for panel in its}) == 1
        return dict.fromkeys(its, total) if total >= PANEL_SURE and one_figure else {}
    return {panel: chance for panel, chance in joint.items() if chance >= PANEL_SURE}


def _leads(record_id: str, claims: Sequence[tuple[float, str]]) -> bool:
    ranked = sorted(claims, reverse=True)
    return ranked[0][1] == record_id and (len(ranked) == 1 or _odds(ranked[0][0]) - _odds(ranked[1][0]) >= LEAD)


def _odds(chance: float) -> float:
    return math.log(max(chance, 1e-6) / max(1 - chance, 1e-6))


def _figure(chances: Mapping[str, float]) -> tuple[str | None, float]:
    best = max(sorted(chances), key=lambda f: chances[f], default=None)
    return (best, chances[best]) if best is not None and chances[best] >= FIGURE_SURE else (None, 0.0)


def _candidates(
    chances: Mapping[str, float], sure: float, linked: str | None, whereabouts: Whereabouts
) -> tuple[tuple[str, float], ...]:
    """Panels of the linked figure, and others that may be it, with their scores, best first."""
    kept = [
        (panel, round(chance * sure, 4))
        for panel, chance in chances.items()
        for figure, _ in [whereabouts[panel]]
        if figure.figure_id == linked or (chance >= LOWEST and figure.kind not in OTHER_KINDS)
    ]
    return tuple(sorted(kept, key=lambda pair: (-pair[1], pair[0]))[:MOST])
