"""Which drawn things belong to which caption."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np
import numpy.typing as npt

from polydata.extraction.document.page import PageContent
from polydata.extraction.document.textlines import text_columns
from polydata.extraction.figures.captions import Caption
from polydata.extraction.figures.layout import (
    FIRST_GAP,
    NEXT_GAP,
    Corners,
    PageLayout,
    Pair,
    Side,
    areas,
    corners,
    count_votes,
    gaps,
    lay_out_pages,
    pairs_in_sight,
    shared,
    with_labels,
)
from polydata.extraction.figures.objects import pixels_of
from polydata.types import Box

LEVEL_GAP, STACK_GAP, GUTTER_GAP = 90.0, 60.0, 30.0
"""Points that may lie between parts of a figure: side by side, one over the other, and over a gutter of the text."""

ROW = 6.0
"""Points by which the upper and lower edges of parts of one row differ at most."""

WITHOUT = 1000.0
"""Points that a caption without any figure counts for, more than the farthest figure."""

WITHIN, TITLE = 0.9, 2
"""Share of a line of prose in a figure's box from which it may be the figure's own, and lines of a title of its own
that may reach beyond it."""

EVERYWHERE = (-np.inf, np.inf)
"""The limits of no column."""


@dataclass(frozen=True)
class LocatedFigure:
    """A figure before its pixels are looked at.

    Attributes:
        page: 1-based, where the figure stands.
        box: in points.
        caption: None for a picture without one.
        side: None without a caption.
        confidence: 0 to 1.
    """

    page: int
    box: Box
    caption: Caption | None
    side: Side | None
    confidence: float


@dataclass
class _Holding:
    """The drawings of a caption while figures grow.

    Attributes:
        side: where they stand.
        members: their clusters.
        box: around them and their writing.
        limits: of the column of text that the caption stands in.
        seen: for each cluster, whether the caption sees it on that side.
    """

    side: Side
    members: list[int]
    box: Box
    limits: tuple[float, float]
    seen: npt.NDArray[np.bool_]


def _assign(layout: PageLayout, votes: dict[str, Side], columns: Sequence[tuple[float, float]]) -> dict[int, _Holding]:
    """Clusters of each caption; every cluster once, every caption to one side only.

    Captions first take one cluster each, as near to them as lets as many as can have one. Then the nearest of all
    steps from a figure to one more cluster is made, until none is left.
    """
    pairs = pairs_in_sight(layout, votes)
    held: dict[int, _Holding] = {}
    boxes = corners(layout.clusters)
    free = np.ones(len(boxes), np.bool_)
    for pair in _first_pairs(layout, pairs):
        caption = layout.captions[pair.caption]
        limits = EVERYWHERE if pair.side == "beside" else _column_of(caption, columns)
        box = with_labels(layout.clusters[pair.cluster], layout, [pair.cluster], limits)
        held[pair.caption] = _Holding(pair.side, [pair.cluster], box, limits, np.zeros(len(boxes), np.bool_))
        free[pair.cluster] = False
    wanted = np.zeros((len(layout.captions), len(boxes)), np.bool_)  # by captions that could have it
    for pair in pairs:
        if pair.caption not in held or held[pair.caption].side == pair.side:
            wanted[pair.caption, pair.cluster] |= pair.gap <= FIRST_GAP
            if pair.caption in held:
                held[pair.caption].seen[pair.cluster] = True
    for number, one in held.items():
        wanted[number] |= _row_mates(boxes, wanted[number], one.limits)
    steps: dict[int, list[tuple[float, int]]] = {}
    while free.any():
        for number, one in held.items():
            if number not in steps:
                elsewhere = np.asarray(np.delete(wanted, number, 0).any(0))
                reach = 0.0 if layout.captions[number].word == "table" else LEVEL_GAP
                cost = _costs(one, boxes, elsewhere, reach)
                order = np.argsort(cost, kind="stable")
                steps[number] = [(float(cost[i]), int(i)) for i in order[: np.isfinite(cost).sum()]]
        best = min(
            (
                (cost, number, index)
                for number, row in steps.items()
                for cost, index in row
                if free[index] and _may_grow(layout, held, number, index)
            ),
            default=None,
        )
        if best is None:
            break
        _, number, index = best
        free[index] = False
        one = held[number]
        one.members.append(index)
        one.box = with_labels(
            reduce(Box.union, (layout.clusters[i] for i in one.members)), layout, one.members, one.limits
        )
        del steps[number]
    return held


def _first_pairs(layout: PageLayout, pairs: Sequence[Pair]) -> list[Pair]:
    """A cluster for each caption that sees one: of all choices the cheapest, a caption without any being dearest."""
    near: dict[tuple[int, int], Pair] = {}
    for pair in pairs:  # the cheapest first
        if pair.gap <= (NEXT_GAP if layout.captions[pair.caption].word == "table" else FIRST_GAP):
            near.setdefault((pair.caption, pair.cluster), pair)
    from scipy.optimize import linear_sum_assignment  # takes long to load, and whoever starts the readers needs none

    costs = np.full((len(layout.captions), len(layout.clusters)), WITHOUT)
    for place, pair in near.items():
        costs[place] = pair.cost
    chosen = zip(*(side.tolist() for side in linear_sum_assignment(costs)), strict=True)
    return sorted(near[place] for place in chosen if place in near)


def _costs(one: _Holding, boxes: Corners, elsewhere: npt.NDArray[np.bool_], reach: float) -> npt.NDArray[np.float64]:
    """What it costs a figure to take each cluster: the distance, less for parts of one row; infinite where too far.

    Clusters that the caption sees on its figure's side may be ``NEXT_GAP`` away. Others must stand level with the
    figure, or over or under it within its column.

    Args:
        one: the figure as it is.
        boxes: of the clusters.
        elsewhere: clusters that another caption could have; they come last.
        reach: points that may lie between parts side by side in a column; 0 for nothing but what the caption sees.
    """
    box = one.box
    across, down = gaps(box, boxes)
    far = np.maximum(across, down)
    level = np.minimum(box.y1, boxes[:, 3]) - np.maximum(box.y0, boxes[:, 1])
    within = (boxes[:, 0] > one.limits[0] - 15) & (boxes[:, 2] < one.limits[1] + 15)
    seen = one.seen & (far <= NEXT_GAP)
    row = _level(boxes, boxes[one.members]).any(1)
    near = np.zeros(len(boxes), np.bool_)
    if reach:
        beyond = np.where(elsewhere, GUTTER_GAP, STACK_GAP)
        near = (down == 0) & (level >= 0.6 * (boxes[:, 3] - boxes[:, 1]))
        near &= across <= np.where(within | (row & ~elsewhere), reach, beyond)
        stacked = (across == 0) & (down > 0) & (down <= STACK_GAP) & within
        near |= stacked
        flush = (abs(boxes[:, 0] - box.x0) < 3) | (abs(boxes[:, 2] - box.x1) < 3)
        far = far + np.where(stacked & ~one.seen & ~flush, 20.0, 0.0)
    cost = np.where(row, 0.3, 1.0) * far + np.where(elsewhere & ~one.seen, 1000.0, 0.0)
    return np.where(near | seen, cost, np.inf)


def _row_mates(boxes: Corners, some: npt.NDArray[np.bool_], limits: tuple[float, float]) -> npt.NDArray[np.bool_]:
    """Clusters of one row with some others: a caption's last line may be too short to stand under all of its row.

    Args:
        boxes: of all clusters.
        some: the others.
        limits: of the column of text that their caption stands in.
    """
    of = boxes[some]
    apart = np.maximum(boxes[:, None, 0] - of[None, :, 2], of[None, :, 0] - boxes[:, None, 2])
    within = (boxes[:, 0] > limits[0] - 15) & (boxes[:, 2] < limits[1] + 15)
    return np.asarray((_level(boxes, of) & (apart <= LEVEL_GAP)).any(1) & within)


def _level(boxes: Corners, others: Corners) -> npt.NDArray[np.bool_]:
    """Whether upper and lower edges of boxes are those of others too: boxes x others."""
    return np.asarray((abs(boxes[:, None, 1::2] - others[None, :, 1::2]) < ROW).all(2))


def _may_grow(layout: PageLayout, held: dict[int, _Holding], number: int, index: int) -> bool:
    """Whether a figure with one more cluster stays clear of prose, captions and other figures.

    What looks like prose may be a figure's own writing, between it and what its caption sees; columns of text go on
    beyond the figure, in more lines than its titles have.
    """
    one = held[number]
    wider = one.box.union(layout.clusters[index])
    others = corners(other.box for key, other in held.items() if key != number)
    walls = layout.walls
    if one.seen[index]:
        prose, walls = np.split(walls, [len(layout.text.prose)])
        beyond = prose[shared(wider, prose) < WITHIN * areas(prose)]
        if _covered(wider, one.box, beyond).sum() > TITLE:
            return False
    return not (_covered(wider, one.box, walls).any() or _covered(wider, one.box, others).any())


def _column_of(caption: Caption, columns: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """From where to where the column of text reaches that holds a caption; without end where none does."""
    for x0, x1 in columns:
        if caption.box.x0 > x0 - 10 and caption.box.x1 < x1 + 10:
            return x0, x1
    return EVERYWHERE


def _covered(wider: Box, union: Box, others: Corners) -> npt.NDArray[np.bool_]:
    """Which of the others growing a box lays it over."""
    return np.asarray(shared(wider, others) - shared(union, others) > 0.3 * areas(others))


def _trim(box: Box, page: PageContent) -> Box:
    """A box without its blank rim; the box itself where it is all blank."""
    rows, columns = pixels_of(box, page.scale)
    mask = page.grey[rows, columns] < page.ink
    down, right = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if down.size < 2 or right.size < 2:
        return box
    trimmed = Box(
        max(box.x0, float(columns.start + right[0]) / page.scale),
        max(box.y0, float(rows.start + down[0]) / page.scale),
        min(box.x1, float(columns.start + right[-1] + 1) / page.scale),
        min(box.y1, float(rows.start + down[-1] + 1) / page.scale),
    )
    for image in page.images:
        if image.box.share_inside(box) > 0.95 and image.box.area > 0.1 * box.area:
            trimmed = trimmed.union(image.box)
    return trimmed


def _located(layout: PageLayout, caption: Caption, side: Side, box: Box, confidence: float) -> LocatedFigure | None:
    box = _trim(box, layout.page)
    if min(box.width, box.height) < 18 or box.area < 0.004 * layout.page.box.area:
        return None
    return LocatedFigure(layout.page.number, box, caption, side, confidence - (0.35 if layout.page.scanned else 0.0))


def _overleaf(
    layouts: Sequence[PageLayout], caption: Caption, spare: dict[int, list[int]]
) -> tuple[PageLayout, Box] | None:
    """Unowned drawings of a neighbouring page that could be a figure on their own."""
    for number in (caption.page - 1, caption.page + 1):
        if not 1 <= number <= len(layouts) or not spare.get(number):
            continue
        layout = layouts[number - 1]
        if any(one.word != "table" and not one.bare for one in layout.captions):
            continue
        boxes = [layout.clusters[index] for index in spare[number]]
        big = [box for box in boxes if box.area > 0.04 * layout.page.box.area]
        if big:
            return layout, with_labels(reduce(Box.union, boxes), layout, spare[number], EVERYWHERE)
    return None


def find_figures(
    pages: Sequence[PageContent], captions: Sequence[Caption], tables: Sequence[Caption], prints: frozenset[str]
) -> tuple[list[LocatedFigure], list[Caption]]:
    """Figures of a document and the captions that found none.

    Args:
        pages: in order.
        captions, tables: from ``find_captions``.
        prints: of running heads.

    Returns:
        Figures with and without captions, in page order, then captions without a figure.
    """
    layouts = lay_out_pages(pages, captions, tables, prints)
    votes = count_votes(layouts)
    columns = text_columns([layout.text for layout in layouts], pages)
    found: list[LocatedFigure] = []
    spare: dict[int, list[int]] = {}
    lonely: list[Caption] = []
    for layout in layouts:
        held = _assign(layout, votes, columns)
        taken = {index for one in held.values() for index in one.members}
        for number, caption in enumerate(layout.captions):
            if caption.word == "table":
                continue
            figure = None
            if number in held:
                side = held[number].side
                with_vote = side == votes[caption.word]
                figure = _located(layout, caption, side, held[number].box, 0.95 if with_vote else 0.8)
            if figure is None:
                lonely.append(caption)
            else:
                found.append(figure)
        spare[layout.page.number] = [index for index in range(len(layout.clusters)) if index not in taken]
    found, lonely = _lend_words(found, lonely)
    found, lonely = _listed(layouts, found, lonely, spare)
    without = []
    for caption in lonely:
        other = None if caption.bare else _overleaf(layouts, caption, spare)
        figure = _located(other[0], caption, "overleaf", other[1], 0.5) if other else None
        if other and figure:
            spare[other[0].page.number] = []
            found.append(figure)
        else:
            without.append(caption)
    for layout in layouts:
        for index in spare[layout.page.number]:
            box = layout.clusters[index]
            if box.area > 0.03 * layout.page.box.area and min(box.width, box.height) > 60:
                found.append(LocatedFigure(layout.page.number, _trim(box, layout.page), None, None, 0.2))
    found.sort(key=lambda one: (one.page, one.box.y0, one.box.x0))
    return found, without


def _listed(
    layouts: Sequence[PageLayout], found: list[LocatedFigure], lonely: list[Caption], spare: dict[int, list[int]]
) -> tuple[list[LocatedFigure], list[Caption]]:
    """Give a manuscript's figures without labels the captions of its list, in order, where both are as many."""
    pages = {one.page for one in lonely if not one.bare}
    words = [one for one in lonely if not one.bare and one.word != "table"]
    numbers = [number for number in spare if number >= min(pages, default=0) and _is_plate(layouts[number - 1], spare)]
    if len(words) < 2 or len(words) != len(numbers) or any(one.page in pages for one in found):
        return found, lonely
    for caption, number in zip(words, numbers, strict=True):
        layout = layouts[number - 1]
        boxes = [layout.clusters[index] for index in spare[number]]
        box = with_labels(reduce(Box.union, boxes), layout, spare[number], EVERYWHERE)
        figure = _located(layout, caption, "overleaf", box, 0.5)
        if figure is None:
            return found, lonely
        found, spare[number] = [*found, figure], []
    return found, [one for one in lonely if one not in words]


def _is_plate(layout: PageLayout, spare: dict[int, list[int]]) -> bool:
    """Whether a page shows drawings that no caption has, and neither captions nor running text."""
    boxes = [layout.clusters[index] for index in spare[layout.page.number]]
    return (
        any(box.area > 0.04 * layout.page.box.area for box in boxes) and not layout.captions and not layout.text.prose
    )


def _lend_words(found: list[LocatedFigure], lonely: list[Caption]) -> tuple[list[LocatedFigure], list[Caption]]:
    """Give a figure with a bare label the words of the caption of that label on another page."""
    words = {(one.word, one.number): one for one in lonely if not one.bare}
    out = []
    for figure in found:
        caption = figure.caption
        full = words.pop((caption.word, caption.number), None) if caption is not None and caption.bare else None
        if full is None:
            out.append(figure)
        else:
            lonely = [one for one in lonely if one is not full]
            out.append(replace(figure, caption=full, confidence=0.8))
    return out, lonely
