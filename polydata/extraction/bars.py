"""Scale bars that somebody said by hand: put into panels, and carried to those that take their place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from polydata import ids
from polydata.edits import Correction, Edit
from polydata.extraction.places import figure_at, panel_at
from polydata.text.caption_scales import parse_length
from polydata.types import Figure, Panel, Paper, ScaleBar

BY_HAND = "hand"
"""Method of a scale that somebody said, which no caption and no reading changes."""

GONE = "its panel went when the figure was cut anew"
"""Why a bar by hand is no longer in force."""


def by_hand(panel: Panel) -> ScaleBar | None:
    """The bar that somebody said a panel has; of value 0 where it has none."""
    return panel.scale if panel.scale is not None and panel.scale.method == BY_HAND else None


def with_bar(panel: Panel, said: Correction) -> Panel:
    """A panel with the bar of a correction; where that tells no length, with the length that was said before.

    Args:
        panel: as it was.
        said: has a ``bar``.
    """
    value, unit, micrometres = parse_length(said.bar or "") or (0.0, "µm", 0.0)
    before = by_hand(panel)
    length = said.bar_px or (before.length_px if before and value else None)
    scale = ScaleBar(value, unit, micrometres, length, BY_HAND, 1.0, said=said.bar_said)
    new = replace(panel, scale=scale)
    return same_bar(new, said.px_per_pt) if said.bar_px else new


def resolution(panel: Panel) -> float:
    """Pixels of a panel's picture a point of its page."""
    return panel.image.width / panel.box.width


def same_bar(panel: Panel, before: float | None) -> Panel:
    """A panel whose bar by hand was measured at so many pixels a point, with its length in this picture."""
    scale = panel.scale
    if scale is None or scale.method != BY_HAND or not scale.length_px or not before:
        return panel
    return replace(panel, scale=replace(scale, length_px=round(scale.length_px * resolution(panel) / before, 2)))


def carried(paper: Paper, old: Figure, new: Figure, moved: Mapping[str, str]) -> Figure:
    """A figure cut anew, with the bars by hand of the panels that stay.

    Args:
        paper: of both.
        old: as it was.
        new: in its place.
        moved: ids of panels of the one, each with that of the other which took its place.
    """
    had = {moved.get(panel_id, panel_id): panel for panel_id, panel in _bars(paper, old).items()}
    panels = []
    for panel in new.panels:
        before = had.get(ids.panel_id(paper.sha256, new.page, new.box, panel.box))
        if before is not None and not by_hand(panel):
            panel = same_bar(replace(panel, scale=before.scale), resolution(before))  # noqa: PLW2901
        panels.append(panel)
    return replace(new, panels=tuple(panels))


def _bars(paper: Paper, *figures: Figure) -> dict[str, Panel]:
    """The panels of some figures of a paper that have a bar by hand, by their ids."""
    return {
        ids.panel_id(paper.sha256, figure.page, figure.box, panel.box): panel
        for figure in figures
        for panel in figure.panels
        if by_hand(panel)
    }


def lost(before: Paper, after: Paper, moved: Mapping[str, str], edits: Sequence[Edit]) -> list[Edit]:
    """Those of some corrections whose bar by hand a new cut of its figure left without a panel, with that reason.

    Args:
        before: the paper as it was.
        after: as it is.
        moved: ids of panels, each with that of the panel which took its place.
        edits: that were in force before.
    """
    has = _bars(after, *after.figures)
    gone = [
        panel for panel_id, panel in _bars(before, *before.figures).items() if moved.get(panel_id, panel_id) not in has
    ]
    found = []
    for edit in edits if gone else ():
        figure = figure_at(before, edit.place)
        panel = panel_at(figure, edit.place) if figure and edit.changes.bar is not None and not edit.stale else None
        if any(panel is one for one in gone):
            found.append(replace(edit, stale=GONE))
    return found
