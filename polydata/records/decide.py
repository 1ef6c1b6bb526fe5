"""Decides from chances: a panel, the figure alone, or the paper alone; what stays open keeps its candidates."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

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


Rows = dict[str, list[dict[str, Any]]]
"""Rows by the table that they are for: ``links``, ``figure_links`` and ``link_candidates``."""


def decide(
    records: Sequence[RecordEvidence],
    figures: Sequence[FigureEvidence],
    captions: Captions,
    paper: Mapping[str, float],
    taken: Collection[str] = (),
) -> Rows:
    """Link the records of one paper to its panels and figures as far as that is sure.

    A panel goes to one record, or to all that name its letter in a field of their own. Where several claim it by
    their words, none gets it unless it leads clearly. What is left over is never shared out among what is free, so
    a panel that was not extracted does not push its record to a neighbour.

    Args:
        records: of the paper, without those linked by hand.
        figures: of the paper.
        paper: record id -> how sure it is that the record is of this paper.
        taken: panels that were linked by hand: they go to no other record but one that names them.

    Returns:
        Links to panels; to figures, of records whose panel stays open; and for each record without a panel the panels
        that come into question, best first.
    """
    of_figure = figure_chances(records, figures, captions)
    joint = {
        r.record_id: {
            panel: of_figure[r.record_id][f.figure_id] * chance
            for f in figures
            if of_figure[r.record_id][f.figure_id] >= LOWEST
            for panel, chance in panel_chances(r, f).items()
        }
        for r in records
    }
    claims: dict[str, list[tuple[float, str]]] = defaultdict(list)
    for record_id, its in joint.items():
        for panel, chance in its.items():
            if chance >= CLAIM:
                claims[panel].append((chance, record_id))
    found: Rows = {"links": [], "figure_links": [], "link_candidates": []}
    whereabouts = {p.panel_id: (f, p.letter) for f in figures for p in f.panels}
    for record in records:
        for panel, chance in sorted(_sure(record, joint[record.record_id], whereabouts).items()):
            figure, letter = whereabouts[panel]
            names_it = letter is not None and letter in record.letters
            if not names_it and (panel in taken or not _leads(record.record_id, claims[panel])):
                continue
            method = "key" if names_it and at_key(record, figure) else "letter" if names_it else "caption"
            score = round(chance * paper[record.record_id], 4)
            row = {"panel_id": panel, "record_id": record.record_id, "method": method, "score": score}
            found["links"].append(row)
    placed = {row["record_id"] for row in found["links"]}
    load = _load(joint, {row["panel_id"] for row in found["links"]} | set(taken))
    for record in [r for r in records if r.record_id not in placed]:
        sure, chances = paper[record.record_id], of_figure[record.record_id]
        linked = min(figures, key=lambda f: (-chances[f.figure_id], f.figure_id), default=None)
        if linked is not None and chances[linked.figure_id] >= FIGURE_SURE:
            method = "key" if at_key(record, linked) else "caption"
            row = {"figure_id": linked.figure_id, "record_id": record.record_id, "method": method}
            found["figure_links"].append(row | {"score": round(chances[linked.figure_id] * sure, 4)})
        else:
            linked = None
        shared = joint[record.record_id] if record.letters else _shared(joint[record.record_id], load, whereabouts)
        kept: list[dict[str, Any]] = [
            {"panel_id": panel, "record_id": record.record_id, "score": round(chance * sure, 4)}
            for panel, chance in shared.items()
            for figure, _ in [whereabouts[panel]]
            if figure is linked or (chance >= LOWEST and figure.kind not in OTHER_KINDS)
        ]
        found["link_candidates"] += sorted(kept, key=lambda row: (-row["score"], row["panel_id"]))[:MOST]
    return found


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
