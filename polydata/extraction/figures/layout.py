"""A page laid out for the search: what is drawn, what is written, and which caption sees which drawing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import permutations, product
from typing import Literal

import numpy as np
import numpy.typing as npt

from polydata.extraction.document.lines import Line
from polydata.extraction.document.page import PageContent
from polydata.extraction.document.textlines import TextLayer, split_text
from polydata.extraction.figures.captions import Caption
from polydata.extraction.figures.objects import cluster, distance, ink_boxes, repeated_images, without_repeated
from polydata.types import Box

Side = Literal["above", "below", "beside", "overleaf"]
"""Where a figure stands, seen from its caption."""

FIRST_GAP = 110.0
NEXT_GAP = 42.0
"""Points that may lie between a caption and its figure, and between parts of a figure."""

AGAINST_VOTE = 150.0
"""Points that a figure on the other side than the document's habit is counted further away."""

BESIDE_GAP, BESIDE_COST = 60.0, 75.0
"""Points that may lie between a caption and a figure left or right of it, and what that is counted further away."""

MANY_CLUSTERS = 300

Corners = npt.NDArray[np.float64]
"""Boxes as rows of x0, y0, x1, y1."""


def corners(boxes: Iterable[Box]) -> Corners:
    """Boxes as an array."""
    return np.array([[one.x0, one.y0, one.x1, one.y1] for one in boxes], np.float64).reshape(-1, 4)


def shared(box: Box, others: Corners) -> npt.NDArray[np.float64]:
    """Area that a box shares with each of the others."""
    across = np.minimum(box.x1, others[:, 2]) - np.maximum(box.x0, others[:, 0])
    down = np.minimum(box.y1, others[:, 3]) - np.maximum(box.y0, others[:, 1])
    return np.asarray(across.clip(0) * down.clip(0))


def areas(boxes: Corners) -> npt.NDArray[np.float64]:
    """The area of each box."""
    return np.asarray((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]))


@dataclass(frozen=True)
class PageLayout:
    """A page with what the search needs of it.

    Attributes:
        page: as read.
        text: its lines by what they are.
        captions: of figures and tables.
        clusters: boxes of what is drawn, with the writing that stands at it.
        owners: for each label of the text the number of its cluster, -1 for none; empty where that was not looked at.
    """

    page: PageContent
    text: TextLayer
    captions: tuple[Caption, ...]
    clusters: tuple[Box, ...]
    owners: tuple[int, ...] = ()

    @cached_property
    def walls(self) -> Corners:
        """What no figure may cover: lines of prose, then captions."""
        return corners([*(line.box for line in self.text.prose), *(caption.box for caption in self.captions)])

    @cached_property
    def labels(self) -> Corners:
        """Short writing that may be part of a figure."""
        return corners(line.box for line in self.text.labels)


@dataclass(frozen=True, order=True)
class Pair:
    """A caption and a cluster in sight of each other, ordered by cost.

    Attributes:
        cost: the gap, with what speaks against the side added.
        gap: points between the two.
        caption, cluster: numbers within the layout.
        side: where the cluster stands, seen from the caption.
    """

    cost: float
    gap: float
    caption: int
    cluster: int
    side: Side


def _blocked(corridor: Box | None, layout: PageLayout, own: int) -> bool:
    """Whether prose or another caption lies in the way; ``own`` is the caption that looks."""
    if corridor is None:
        return False
    walls = layout.walls
    across = np.minimum(walls[:, 2], corridor.x1) - np.maximum(walls[:, 0], corridor.x0)
    down = np.minimum(walls[:, 3], corridor.y1) - np.maximum(walls[:, 1], corridor.y0)
    hit = (across > min(6.0, 0.5 * corridor.width)) & (down > 0.4 * (walls[:, 3] - walls[:, 1]))
    hit[len(layout.text.prose) + own] = False
    return bool(hit.any())


def _in_column(caption: Box, box: Box, side: Side) -> tuple[float, Box | None] | None:
    """Points from a caption to a box above or below it, and what lies between.

    None where they share too little width or overlap.
    """
    x0, x1 = max(caption.x0, box.x0), min(caption.x1, box.x1)
    y0, y1 = (box.y1, caption.y0) if side == "above" else (caption.y1, box.y0)
    if x1 - x0 < 0.2 * min(caption.width, box.width) or y1 - y0 <= -0.15 * box.height - 2:
        return None
    return y1 - y0, Box(x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None


def _beside(caption: Box, box: Box) -> tuple[float, Box] | None:
    """Points from a caption to a box left or right of it, and what lies between; None where they are not level."""
    level = min(caption.y1, box.y1) - max(caption.y0, box.y0)
    across = max(caption.x0 - box.x1, box.x0 - caption.x1)
    if not 0 < across < BESIDE_GAP or min(box.width, box.height) < 25 or level < 0.6 * min(caption.height, box.height):
        return None
    x0, x1 = min(caption.x1, box.x1), max(caption.x0, box.x0)
    return across, Box(x0, max(caption.y0, box.y0), x1, min(caption.y1, box.y1))


def pairs_in_sight(layout: PageLayout, votes: dict[str, Side]) -> list[Pair]:
    """All pairs of a caption and a cluster in sight of each other, cheapest first."""
    pairs = []
    for number, caption in enumerate(layout.captions):
        vote = votes.get(caption.word)
        sides: tuple[Side, ...] = ("below",) if caption.word == "table" else ("above", "below", "beside")
        for (index, box), side in product(enumerate(layout.clusters), sides):
            seen = _beside(caption.box, box) if side == "beside" else _in_column(caption.box, box, side)
            if seen is None or _blocked(seen[1], layout, number):
                continue
            against = BESIDE_COST if side == "beside" else AGAINST_VOTE if vote and vote != side else 0.0
            pairs.append(Pair(max(seen[0], 0.0) + against, seen[0], number, index, side))
    return sorted(pairs)


def count_votes(layouts: Sequence[PageLayout]) -> dict[str, Side]:
    """The side on which the figures of a document stand, for each kind of caption.

    A caption that sees a figure on one side only has three votes, one that sees it much nearer on one side has one.
    Captions with a figure beside them have none. Kinds without a vote of their own follow the whole document.
    """
    tally: dict[str, Counter[Side]] = {}
    for layout in layouts:
        nearest: dict[tuple[int, Side], float] = {}
        for pair in pairs_in_sight(layout, {}):
            if layout.clusters[pair.cluster].height > 25 and pair.gap < FIRST_GAP:
                key = pair.caption, pair.side
                nearest[key] = min(nearest.get(key, np.inf), max(pair.gap, 1.0))
        for number, caption in enumerate(layout.captions):
            up, down, level = (nearest.get((number, side), np.inf) for side in ("above", "below", "beside"))
            best = min(up, down)
            if caption.word == "table" or best == np.inf or level < 2 * best or 0.5 < up / down < 2.0:
                continue
            alone = max(up, down) == np.inf
            tally.setdefault(caption.word, Counter())["above" if up < down else "below"] += 3 if alone else 1
    whole: Counter[Side] = Counter()
    for count in tally.values():
        whole.update(count)
    votes: dict[str, Side] = {}
    for word in ("figure", "scheme", "chart", "plate", "graph"):
        count = tally.get(word, Counter())
        if count["above"] == count["below"]:
            count = whole
        votes[word] = "below" if count["below"] > count["above"] else "above"
    return votes


def gaps(box: Box, others: Corners) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Horizontal and vertical gap between a box and each of the others, 0 where they overlap."""
    across = np.maximum(0.0, np.maximum(box.x0 - others[:, 2], others[:, 0] - box.x1))
    return across, np.maximum(0.0, np.maximum(box.y0 - others[:, 3], others[:, 1] - box.y1))


def with_labels(box: Box, layout: PageLayout, members: Sequence[int], limits: tuple[float, float]) -> Box:
    """A figure's box with the writing that stands in or near it, as far as no wall is covered.

    Args:
        box: of the drawings.
        layout: of the page.
        members: the figure's clusters; writing of others is left to them.
        limits: of the column of text that the figure stands in; writing beyond is left out.
    """
    labels, lines = layout.labels, layout.text.labels
    free = np.isin(layout.owners, [-1, *members]) if layout.owners else np.ones(len(lines), np.bool_)
    if box.x0 > limits[0] - 15 and box.x1 < limits[1] + 15:
        free &= (labels[:, 0] > limits[0] - 15) & (labels[:, 2] < limits[1] + 15)
    for _ in range(4):
        grown = box
        for index in np.flatnonzero((np.maximum(*gaps(box, labels)) < 40) & free):
            line = lines[index]
            if _stands_at(line, *distance(line.box, grown)):
                wider = grown.union(line.box)
                if wider == grown or not _covers_more(wider, grown, layout.walls):
                    grown = wider
        if grown == box:
            break
        box = grown
    return box


def _stands_at(line: Line, across: float, down: float) -> bool:
    """Whether writing at that distance is part of a drawing."""
    margin = 1.3 * line.size if line.upright else 12.0
    return across <= max(10.0, margin) and down <= min(margin, 12.0)


def _covers_more(wider: Box, box: Box, walls: Corners) -> bool:
    return bool((shared(wider, walls) > shared(box, walls) + 1).any())


def _label_clusters(layout: PageLayout) -> PageLayout:
    """Give every cluster the axis titles, ticks and panel letters that stand nearer to it than to any other."""
    boxes = corners(layout.clusters)
    owners = np.full(len(layout.text.labels), -1)
    for _ in range(3):
        changed = False
        for index in np.flatnonzero(owners < 0):
            line = layout.text.labels[index]
            across, down = gaps(line.box, boxes)
            nearest = int(np.argmin(1.5 * across + down))  # writing stands under its drawing sooner than beside
            if not _stands_at(line, float(across[nearest]), float(down[nearest])):
                continue
            box = Box(*boxes[nearest].tolist())
            wider = box.union(line.box)
            if not _covers_more(wider, box, layout.walls):
                owners[index], changed = nearest, True
                boxes[nearest] = wider.x0, wider.y0, wider.x1, wider.y1
        if not changed:
            break
    return replace(layout, clusters=tuple(Box(*row) for row in boxes.tolist()), owners=tuple(owners.tolist()))


def _separators(captions: Sequence[Caption], page: PageContent) -> list[Box]:
    """Upright strips between captions that stand side by side."""
    strips = []
    reach = 0.35 * page.box.height
    for one, other in permutations([caption.box for caption in captions], 2):
        if one.x1 < other.x0 and min(one.y1, other.y1) > max(one.y0, other.y0):
            top, bottom = min(one.y0, other.y0) - reach, max(one.y1, other.y1) + reach
            strips.append(Box(one.x1, top, other.x0, bottom))
    return strips


def lay_out_pages(
    pages: Sequence[PageContent], captions: Sequence[Caption], tables: Sequence[Caption], prints: frozenset[str]
) -> list[PageLayout]:
    """Lay out every page: its writing sorted, its drawings clustered, what returns from page to page left out."""
    owns = [[one for one in (*captions, *tables) if one.page == page.number] for page in pages]
    texts = [
        split_text(page, frozenset(line for one in own for line in one.lines), prints)
        for page, own in zip(pages, owns, strict=True)
    ]
    digests = repeated_images(pages, texts)
    inks = [
        ink_boxes(page, text, [one.box for one in own], digests)
        for page, text, own in zip(pages, texts, owns, strict=True)
    ]
    layouts = []
    for page, text, ink, own in zip(pages, texts, without_repeated(pages, inks), owns, strict=True):
        walls = [line.box for line in text.prose] + [one.box for one in own]
        clusters = cluster(ink, _separators(own, page), walls)
        layout = PageLayout(page, text, tuple(own), tuple(clusters))
        enough = 0 < len(clusters) <= MANY_CLUSTERS
        layouts.append(_label_clusters(layout) if enough else layout)
    return layouts
