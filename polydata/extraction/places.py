"""Where corrections find their figure or panel again, after the paper was read anew or corrected otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from polydata.edits import SAME, Place
from polydata.types import Box, Figure, Panel, Paper

Shown = TypeVar("Shown", Figure, Panel)

CERTAIN = 0.9
"""Boxes that overlap by this much (intersection over union) are the same whatever their labels say."""


def figure_at(paper: Paper, place: Place) -> Figure | None:
    """The figure that stands at a place: by its box, by its label on that page, or by a box that overlaps."""
    return _at([one for one in paper.figures if one.page == place.page], place.label, place.box)


def panel_at(figure: Figure, place: Place) -> Panel | None:
    """The panel of a figure that stands at a place."""
    if place.panel_box is None:
        return None
    found = _at(figure.panels, place.panel_label, place.panel_box)
    if found is None and len(figure.panels) == 1 and place.panel_box.rounded() == place.box.rounded():
        return figure.panels[0]  # the whole of a figure whose box is another one now
    return found


def nearest(things: Sequence[Shown], box: Box, least: float = SAME) -> Shown | None:
    """The one that overlaps most with a box, by so much at least."""
    best = max(things, key=lambda one: one.box.iou(box), default=None)
    return best if best is not None and best.box.iou(box) >= least else None


def _at(things: Sequence[Shown], label: str | None, box: Box) -> Shown | None:
    """The one with nearly that box, else the only one with that label, else one that overlaps by half."""
    certain = nearest(things, box, CERTAIN)
    same = [one for one in things if label is not None and one.label == label]
    if certain is None and len(same) == 1:
        return same[0]
    return certain or nearest(things, box)
