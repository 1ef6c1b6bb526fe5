"""Panels that stand in the file as images of their own."""

from __future__ import annotations

from collections.abc import Sequence

from polydata.types import Box


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
