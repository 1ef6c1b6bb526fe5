"""Corrections by hand, and how panels are known again after their paper was read anew."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from polydata import ids
from polydata.types import Box

SAME = 0.5
"""Boxes that overlap by this much (intersection over union) show the same panel."""

Target = Literal["figure", "panel", "new figure", "new panel"]


@dataclass(frozen=True)
class Place:
    """How a figure or panel is known again after its paper was read anew.

    Attributes:
        page: 1-based.
        label, box: of the figure.
        panel_label, panel_box: of the panel; None for a figure.
    """

    page: int
    label: str | None
    box: Box
    panel_label: str | None = None
    panel_box: Box | None = None


@dataclass(frozen=True)
class Correction:
    """What a user sets right; None leaves a thing as it is, an empty text takes a caption or label away.

    Attributes:
        page: 1-based, of a figure.
        box: in points of the page as shown.
        caption: of a figure the whole caption, of a panel the words on it alone.
        label: ``Figure 3``, or ``a`` of a panel.
        kind: what it shows.
        delete: it is no figure or panel.
        bar: of a panel the value of the scale bar in its picture, such as ``5 µm``, or ``none`` where there is none.
        bar_px: length of that bar in pixels of the picture; None where it is not known.
        px_per_pt: pixels a point that the picture had then, by which the length holds for one of another resolution.
        bar_said: when the bar was said (UTC); of several of one picture the last counts.
    """

    page: int | None = None
    box: Box | None = None
    caption: str | None = None
    label: str | None = None
    kind: str | None = None
    delete: bool = False
    bar: str | None = None
    bar_px: float | None = None
    px_per_pt: float | None = None
    bar_said: str | None = None

    @property
    def asked(self) -> dict[str, Any]:
        """The changes that the user named, by name."""
        said = dataclasses.asdict(self)
        return {name: said[name] for name in said if name not in BESIDE and said[name] not in (None, False)}


BESIDE = ("px_per_pt", "bar_said")
"""Parts of a correction that no user names."""

LATER = ("bar", "bar_px", *BESIDE)
"""Parts of a correction that came later: they stand in it where they are given, so that older ones keep their ids."""


@dataclass(frozen=True)
class Edit:
    """One correction.

    Attributes:
        paper_sha256: of the PDF.
        number: order within the paper, from 1.
        target: what is corrected; ``new figure`` or ``new panel`` for one that extraction missed.
        place: the target as it was before; of a new one, where it is to stand.
        stale: why it could not be made; None where it is in force.
    """

    paper_sha256: str
    number: int
    target: Target
    place: Place
    changes: Correction
    stale: str | None = None

    @property
    def edit_id(self) -> str:
        """The same wherever and whenever the same correction is made of the same paper."""
        row = replace(self, changes=replace(self.changes, bar_said=None))._row()
        return ids.content_id("edit", *(row[name] for name in row if name != "stale"))

    def _row(self) -> dict[str, Any]:
        plain = dataclasses.asdict(self)
        for name in LATER:
            if plain["changes"][name] is None:
                del plain["changes"][name]
        return {name: json.dumps(v, sort_keys=True) if isinstance(v, dict) else v for name, v in plain.items()}

    def row(self) -> dict[str, Any]:
        """As it stands in the catalogue."""
        return {"edit_id": self.edit_id, **self._row()}


@dataclass(frozen=True)
class Spot:
    """Where a panel stands.

    Attributes:
        page: 1-based.
        figure, label: labels of its figure and its own.
        box: in points.
        image: SHA-256 of its picture.
    """

    page: int
    figure: str | None
    label: str | None
    box: Box
    image: str


def successors(before: Mapping[str, Spot], after: Mapping[str, Spot]) -> dict[str, str]:
    """Panels that are gone, each with the new one that took its place; those without one are left out.

    Panels of one page belong together where figure and panel have the same labels and no others have them,
    and otherwise where their boxes overlap by half or more, the best pair first.
    """
    gone = {panel: spot for panel, spot in before.items() if panel not in after}
    new = {panel: spot for panel, spot in after.items() if panel not in before}
    pairs = sorted((-_likeness(gone, new, a, b), a, b) for a in gone for b in new if gone[a].page == new[b].page)
    found: dict[str, str] = {}
    for score, old, fresh in pairs:
        if -score >= SAME and old not in found and fresh not in found.values():
            found[old] = fresh
    return found


def _likeness(gone: Mapping[str, Spot], new: Mapping[str, Spot], old: str, fresh: str) -> float:
    """Intersection over union, and 2 more where labels leave no doubt."""
    a, b = gone[old], new[fresh]
    named = a.figure is not None and (a.figure, a.label) == (b.figure, b.label)
    alone = named and all(
        sum((s.page, s.figure, s.label) == (a.page, a.figure, a.label) for s in some.values()) == 1
        for some in (gone, new)
    )
    return a.box.iou(b.box) + 2 * alone
