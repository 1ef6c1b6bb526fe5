"""The records that wait as one page: what each says beside the pictures of the panels that come into question."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from polydata.catalogue.annotations import pictures as all_pictures
from polydata.catalogue.records import best_candidates, list_candidates
from polydata.catalogue.session import Session
from polydata.files.atomic import refuse_other_file, write_text, writing_to
from polydata.images.html import TICKS, Pictures, Written, script_hash, template
from polydata.types import Progress, quiet, tracked

MAX_CARDS = 300
"""More would make a page that a browser opens slowly."""
SIDE, SMALL = 260, 130
"""Longer side of a candidate, and of the other panels of its figure, in pixels."""
MAX_OTHERS = 24
TITLE = "Records that wait for a panel"


def write_candidates(session: Session, path: Path, progress: Progress = quiet) -> Written:
    """Write one page with a card a record that waits; it needs no other file.

    A card shows the best panels and, folded, the others of their figures, each with the command that links it. What is
    ticked makes a table for ``polydata link --file``.

    Raises:
        InputError: if the file cannot be written.
        RefusedError: if another program's file is there.
    """
    refuse_other_file(path, f"<title>{TITLE}</title>")
    waiting = [list(rows) for _, rows in groupby(list_candidates(session.catalogue), lambda row: row["record_id"])]
    figures: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in all_pictures(session.catalogue):
        figures[row["figure_id"]].append(row)
    figure_of = {row["panel_id"]: rows for rows in figures.values() for row in rows}
    pictures, shown = Pictures(session.images), waiting[:MAX_CARDS]
    cards = [_card(rows, figure_of, pictures) for rows in tracked(shown, "Drawing", progress, len(shown))]
    page = template("candidates.html.j2").render(
        title=TITLE,
        cards=cards,
        left_out=len(waiting) - len(shown),
        script_hash=script_hash(TICKS),
    )
    with writing_to(path, "Choose another --html."):
        write_text(path, page)
    return Written(path, len(cards), len(waiting) - len(shown), tuple(pictures.failures.values()))


def _card(
    rows: Sequence[dict[str, Any]], figure_of: Mapping[str, Sequence[Mapping[str, Any]]], pictures: Pictures
) -> dict[str, Any]:
    """What the template shows of one record.

    Args:
        rows: of ``list_candidates``, the best first.
        figure_of: the panels of the figure of each panel, in their order.
    """
    scores = {row["panel_id"]: row["score"] for row in rows}
    best = dict.fromkeys(row["panel_id"] for row in best_candidates(rows))
    panels = {one["panel_id"]: one for panel in best for one in figure_of[panel]}
    others = [one for panel, one in panels.items() if panel not in best]

    def shown(panel: Mapping[str, Any], side: int) -> dict[str, Any]:
        return pictures.shown(panel, side) | {"score": scores.get(panel["panel_id"])}

    return {
        "record": rows[0],
        "best": [shown(panels[panel], SIDE) for panel in best],
        "others": [shown(one, SMALL) for one in others[:MAX_OTHERS]],
        "more": max(0, len(others) - MAX_OTHERS),
    }
