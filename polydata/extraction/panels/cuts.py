"""A figure's panels with their letters and words, before their pictures are stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from polydata.choices import Kind
from polydata.extraction.document.page import PageContent
from polydata.extraction.panels.gutters import cut_at_letters, cut_pixels, lanes, reading_order
from polydata.extraction.panels.letters import letters_at, named, printed_letters, read_letters
from polydata.extraction.panels.render import Drawn
from polydata.extraction.panels.seams import Window
from polydata.text.captions import Parts
from polydata.types import Box
from polydata.vision.measures import Rgb


def join_strips(boxes: Sequence[Box]) -> list[Box]:
    """Placed images that touch along a whole side made one: a figure stored in strips or tiles."""
    out = list(boxes)
    changed = True
    while changed:
        changed = False
        for i, a in enumerate(out):
            for j in range(i + 1, len(out)):
                b = out[j]
                level = abs(a.x0 - b.x0) < 1.5 and abs(a.x1 - b.x1) < 1.5
                beside = abs(a.y0 - b.y0) < 1.5 and abs(a.y1 - b.y1) < 1.5
                gap_down, gap_across = max(a.y0, b.y0) - min(a.y1, b.y1), max(a.x0, b.x0) - min(a.x1, b.x1)
                if (level and gap_down < 1.5) or (beside and gap_across < 1.5):
                    out[i] = a.union(b)
                    del out[j]
                    changed = True
                    break
            if changed:
                break
    return out


def placed_panels(images: Sequence[Box], figure: Box, count: int | None) -> list[Box]:
    """Panels that stand in the file as images of their own; empty where they do not make up the figure."""
    inside = [box for box in images if box.share_inside(figure) > 0.9 and box.area > 0.02 * figure.area]
    inside = [box for box in inside if not any(box != other and box.share_inside(other) > 0.9 for other in inside)]
    for boxes in (inside, join_strips(inside)):
        if len(boxes) > 1 and len(boxes) == count:
            return boxes
    boxes = join_strips(inside)
    covered = sum(box.area for box in boxes)
    if len(boxes) > 1 and count is None and covered > 0.6 * figure.area:
        return boxes
    return []


@dataclass(frozen=True)
class Cut:
    """A panel before its picture is stored.

    Attributes:
        box: in points.
        label: its letter, None where there is none.
        caption: the caption's words that speak of it alone, None where there are none.
    """

    box: Box
    label: str | None
    caption: str | None


def panel_cuts(content: PageContent, drawn: Drawn, rgb: Rgb, parts: Parts, kind: Kind) -> list[Cut]:
    """Boxes of a figure's panels with their labels and words, in reading order.

    Args:
        content: of the page.
        drawn: the figure, rendered as fine as its images are.
        rgb: the same, as fine as it is analysed.
        parts: of its caption.
        kind: of the figure as a whole.

    Returns:
        At least one; the figure itself where it is not taken apart.
    """
    whole, labels = drawn.box, parts.labels
    printed = printed_letters(content.lines, whole, labels) if labels else {}
    boxes = placed_panels([image.box for image in content.images], whole, len(labels) or None)
    if not boxes and (labels or kind == Kind.MICROGRAPH):
        boxes = [_points(one, whole, rgb) for one in cut_pixels(rgb, len(labels) or None)]
    if len(boxes) != len(labels) and len(printed) > 1 and (len(boxes) < 2 or len(printed) == len(labels)):
        boxes = _by_letters(whole, rgb, printed) or boxes
    if len(boxes) < 2:
        return [Cut(whole, None, None)]
    boxes = _ordered(boxes)
    own = dict(parts.panels)
    return [
        Cut(box, label, own.get(label) if label else None) for box, label in _labelled(boxes, labels, printed, drawn)
    ]


def _labelled(
    boxes: list[Box], labels: Sequence[str], printed: Mapping[str, tuple[float, float]], drawn: Drawn
) -> list[tuple[Box, str | None]]:
    """Panels with their letters: as printed, as read in the picture where order leaves a doubt, else by order."""
    if not labels:
        return [(box, None) for box in boxes]
    rows, columns = (lanes(_tenths(boxes), axis) for axis in (0, 1))
    if len(boxes) > len(labels):
        for axis, numbers in ((0, rows), (1, columns)):
            if len(numbers) == len(labels):  # one letter a row or column
                return _lane_labels(boxes, labels, axis)
    seen = letters_at(boxes, printed)
    doubtful = (len(rows) > 1 and len(columns) > 1) or len(labels) != len(boxes)
    if doubtful and len(seen) < 2 and all(len(label) <= 3 for label in labels):
        seen = read_letters(drawn, boxes, labels)
    return list(zip(boxes, named(boxes, labels, seen), strict=True))


def _lane_labels(boxes: list[Box], labels: Sequence[str], axis: int) -> list[tuple[Box, str | None]]:
    """Each panel with the letter of its row (axis 0) or column."""
    starts = sorted({(one.y0, one.y1) if axis == 0 else (one.x0, one.x1) for one in boxes})
    lane, last, given = -1, float("-inf"), {}
    for low, high in starts:
        if low > last - 0.5 * (high - low):
            lane, last = lane + 1, high
        given[low] = labels[min(lane, len(labels) - 1)]
    return [(box, given[box.y0 if axis == 0 else box.x0]) for box in boxes]


def _points(window: Window, whole: Box, rgb: Rgb) -> Box:
    """A window of a figure's pixels, in points on the page."""
    across, down = whole.width / rgb.shape[1], whole.height / rgb.shape[0]
    top, left, bottom, right = window
    return Box(whole.x0 + left * across, whole.y0 + top * down, whole.x0 + right * across, whole.y0 + bottom * down)


def _by_letters(whole: Box, rgb: Rgb, printed: Mapping[str, tuple[float, float]]) -> list[Box]:
    """Panels of a drawing: its parts between gutters with one printed letter each."""
    across, down = rgb.shape[1] / whole.width, rgb.shape[0] / whole.height
    places = [((y - whole.y0) * down, (x - whole.x0) * across) for x, y in printed.values()]
    return [_points(one, whole, rgb) for one in cut_at_letters(rgb, places)]


def _tenths(boxes: Sequence[Box]) -> list[Window]:
    """Boxes as windows, in tenths of a point."""
    return [(round(10 * one.y0), round(10 * one.x0), round(10 * one.y1), round(10 * one.x1)) for one in boxes]


def _ordered(boxes: Sequence[Box]) -> list[Box]:
    """Boxes in reading order."""
    by_window = dict(zip(_tenths(boxes), boxes, strict=True))
    return [by_window[window] for window in reading_order(list(by_window))]
