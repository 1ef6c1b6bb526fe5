"""A figure's panels as boxes on its picture: what a person is shown, what was drawn, what is to be corrected."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from polydata.edits import Correction, Place, Spot, Target, successors
from polydata.errors import UsageError
from polydata.extraction.editing import plain_text
from polydata.extraction.places import CERTAIN
from polydata.types import Box

BOXES, PANEL = "boxes", "panel"
"""Name of the control that draws boxes, and what each of them is."""
LETTER, CAPTION, FIGURE, NO_FIGURE = "letter", "caption", "figure", "no figure"
"""Names of the other controls, and the choice of the last."""
VERSION = "as read"
"""What the boxes that are drawn beforehand are called, as a model version."""
SLACK = 0.75
"""Points by which a side may lie elsewhere and mean the same: a pixel and a half of most pictures."""
MOST = 500
"""Boxes on one figure."""
FARTHEST = 1_000_000
"""No page has that many points, no PDF that many pages."""


@dataclass(frozen=True)
class Layout:
    """What a figure consists of, as it was read or as a person says.

    Attributes:
        panels: box in points of the page as shown, and letter; empty where it has none.
        caption: of the whole figure, on one line; empty for none.
        is_figure: otherwise all of it is something else.
    """

    panels: tuple[tuple[Box, str], ...]
    caption: str
    is_figure: bool = True

    def as_json(self) -> str:
        """As it stands in the catalogue and in a task."""
        panels = [[*box.as_list(), letter] for box, letter in self.panels]
        return json.dumps({"panels": panels, "caption": self.caption, "is_figure": self.is_figure}, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Layout:
        """The layout of a text by ``as_json``; ValueError, TypeError or KeyError if it is another."""
        said = json.loads(text)
        panels = tuple((_box(one[:4]), str(one[4])) for one in said["panels"])
        return cls(panels, str(said["caption"]), said["is_figure"] is True)

    def same(self, other: Layout) -> bool:
        """Whether two people mean the same."""
        if not (self.is_figure and other.is_figure):
            return self.is_figure is other.is_figure
        pairs = matched(self, other)
        return (
            self.caption == other.caption
            and len(pairs) == len(self.panels) == len(other.panels)
            and not any(_changed(self.panels[a], other.panels[b]).asked for a, b in pairs.items())
        )


@dataclass(frozen=True)
class AskedFigure:
    """What a task shows.

    Attributes:
        sha256: of the PDF.
        place: of the figure.
        layout: as it was when the task was made.
    """

    sha256: str
    place: Place
    layout: Layout

    @classmethod
    def of_row(cls, row: Mapping[str, Any]) -> AskedFigure:
        """Of a row of ``figures_to_ask``."""
        panels = tuple((Box(*(one[c] for c in ("x0", "y0", "x1", "y1"))), one["label"] or "") for one in row["panels"])
        place = Place(row["page"], row["label"], Box(row["x0"], row["y0"], row["x1"], row["y1"]))
        return cls(row["sha256"], place, Layout(panels, _plain(row["caption"])))

    def as_json(self) -> str:
        """As it stands in the task, where an answer is read again by it."""
        place = [self.place.page, self.place.label, self.place.box.as_list()]
        return json.dumps([self.sha256, place, self.layout.as_json()], ensure_ascii=False)

    @classmethod
    def from_json(cls, text: object) -> AskedFigure:
        """What ``as_json`` gave, after a server had it.

        Raises:
            ValueError: if it is something else.
        """
        try:
            sha256, (page, label, box), layout = json.loads(str(text))
            if not (isinstance(page, int) and 0 < page < FARTHEST and (label is None or isinstance(label, str))):
                raise ValueError
            return cls(str(sha256), Place(page, label, _box(box)), Layout.from_json(layout))
        except (ValueError, TypeError, KeyError, IndexError, OverflowError, RecursionError):
            raise ValueError("its task does not say any more which figure it shows") from None

    def prediction(self) -> dict[str, Any]:
        """The boxes, letters and caption as a task of Label Studio carries them, to be changed."""
        whole = self.place.box
        result: list[dict[str, Any]] = []
        for number, (box, letter) in enumerate(self.layout.panels):
            on_picture = {
                "x": 100 * (box.x0 - whole.x0) / whole.width,
                "y": 100 * (box.y0 - whole.y0) / whole.height,
                "width": 100 * box.width / whole.width,
                "height": 100 * box.height / whole.height,
                "rotation": 0,
            }
            region = {"id": f"panel{number}", "to_name": "image"}
            value = on_picture | {"rectanglelabels": [PANEL]}
            result.append(region | {"from_name": BOXES, "type": "rectanglelabels", "value": value})
            if letter:
                value = on_picture | {"text": [letter]}
                result.append(region | {"from_name": LETTER, "type": "textarea", "value": value})
        if self.layout.caption:
            value = {"text": [self.layout.caption]}
            result.append({"from_name": CAPTION, "to_name": "image", "type": "textarea", "value": value})
        return {"model_version": VERSION, "result": result}

    def read(self, results: Sequence[Any]) -> Layout:
        """What a person says of the figure.

        Args:
            results: of an annotation, as the server gave them.

        Raises:
            ValueError: if something in it cannot be read.
        """
        boxes: dict[str, Box] = {}
        letters: dict[str, str] = {}
        caption, is_figure = "", True
        for one in results:
            value = one.get("value") if isinstance(one, Mapping) else None
            if not isinstance(value, Mapping):
                raise ValueError("it holds something that is no box and no text")
            control, region = one.get("from_name"), str(one.get("id"))
            if control == BOXES:
                boxes[region] = self._on_page(value)
            elif control == LETTER:
                letters[region] = _letter(_written("label", value, [letter for _, letter in self.layout.panels]))
            elif control == CAPTION:
                caption = _written("caption", value, [self.layout.caption])
            elif control == FIGURE:
                is_figure = value.get("choices") != [NO_FIGURE]
        if len(boxes) > MOST:
            raise ValueError(f"it has {len(boxes)} boxes; the limit is {MOST}")
        return Layout(tuple((box, letters.get(region, "")) for region, box in boxes.items()), caption, is_figure)

    def _on_page(self, value: Mapping[str, Any]) -> Box:
        """A box in points of the page from one in hundredths of the picture; what reaches out of it is cut off."""
        try:
            x, y, width, height = (float(value[name]) for name in ("x", "y", "width", "height"))
            turned = float(value.get("rotation") or 0)
            if not all(map(math.isfinite, (x, y, width, height))) or abs(turned) > 1:
                raise ValueError
            corners = (max(x, 0.0), max(y, 0.0), min(x + width, 100.0), min(y + height, 100.0))
            x0, y0, x1, y1 = (corner / 100 for corner in corners)
            whole = self.place.box
            wide, high = whole.width, whole.height
            sides = (whole.x0 + x0 * wide, whole.y0 + y0 * high, whole.x0 + x1 * wide, whole.y0 + y1 * high)
            return Box(*(round(side, 1) for side in sides))  # as it is written down
        except (KeyError, TypeError, ValueError, OverflowError):
            raise ValueError("it holds a box that is turned or has no area") from None


def _box(corners: Sequence[Any]) -> Box:
    """A box of four numbers that a page can have; ValueError, TypeError or OverflowError otherwise."""
    x0, y0, x1, y1 = map(float, corners)
    if not all(abs(side) < FARTHEST for side in (x0, y0, x1, y1)):
        raise ValueError
    return Box(x0, y0, x1, y1)


def _plain(text: object) -> str:
    return " ".join(str(text or "").split())


def _written(what: Literal["caption", "label"], value: Mapping[str, Any], shown: Sequence[str]) -> str:
    """What was written in a field, as a correction may have it; what was shown stays as it is."""
    said = value.get("text")
    text = _plain(" ".join(map(str, said)) if isinstance(said, list) else said)
    try:
        return text if text in shown else plain_text(what, text)
    except UsageError as error:
        raise ValueError(error.message.rstrip(".")) from None


def _letter(text: str) -> str:
    """A letter without the brackets that a figure may print about it."""
    found = re.fullmatch(r"\(\s*(.*?)\s*\)", text)
    return found[1] if found else text


def matched(before: Layout, after: Layout) -> dict[int, int]:
    """Which panel became which, by their numbers: those that stay where they are first, then by letter and overlap.

    Args:
        before: a layout.
        after: another of the same figure.
    """
    alike = [
        (-old.iou(new), a, b)
        for a, (old, _) in enumerate(before.panels)
        for b, (new, _) in enumerate(after.panels)
        if old.iou(new) >= CERTAIN
    ]
    found: dict[int, int] = {}
    for _, a, b in sorted(alike):
        if a not in found and b not in found.values():
            found[a] = b
    gone = {f"a{a}": _spot(one) for a, one in enumerate(before.panels) if a not in found}
    new = {f"b{b}": _spot(one) for b, one in enumerate(after.panels) if b not in found.values()}
    return found | {int(old[1:]): int(heir[1:]) for old, heir in successors(gone, new).items()}


def _spot(panel: tuple[Box, str]) -> Spot:
    return Spot(1, "", panel[1] or None, panel[0], "")


def _changed(old: tuple[Box, str], new: tuple[Box, str]) -> Correction:
    """What makes one panel of the other."""
    moved = max(abs(a - b) for a, b in zip(old[0].as_list(), new[0].as_list(), strict=True)) > SLACK
    return Correction(box=new[0] if moved else None, label=new[1] if new[1] != old[1] else None)


def corrections(place: Place, before: Layout, after: Layout) -> list[tuple[Target, Place, Correction]]:
    """What makes one layout of a figure of the other, as corrections by hand in the order in which they are made.

    Args:
        place: of the figure.
        before: as it is.
        after: as it is to be.

    Raises:
        UsageError: if no panel is left, or a figure is wanted back that was deleted.
    """
    if not after.is_figure:
        return [("figure", place, Correction(delete=True))] if before.is_figure else []
    if not before.is_figure:
        raise UsageError("The figure was deleted before.", "See it in polydata list edits, then: polydata edit undo ID")
    if not after.panels:
        raise UsageError("No panel is left.", f"Choose {NO_FIGURE!r} in Label Studio, or draw one.")
    pairs = matched(before, after)
    asked: list[tuple[Target, Place, Correction]] = []
    if after.caption != before.caption:
        asked.append(("figure", place, Correction(caption=after.caption)))
    for b, (box, letter) in enumerate(after.panels):
        if b not in pairs.values():
            own = replace(place, panel_label=letter or None, panel_box=box)
            asked.append(("new panel", own, Correction(box=box, label=letter or None)))
    gone: list[tuple[Target, Place, Correction]] = []
    for a, (box, letter) in enumerate(before.panels):
        own = replace(place, panel_label=letter or None, panel_box=box)
        if a not in pairs:
            gone.append(("panel", own, Correction(delete=True)))
        elif (wanted := _changed((box, letter), after.panels[pairs[a]])).asked:
            asked.append(("panel", own, wanted))
    return asked + gone
