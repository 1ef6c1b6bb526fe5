"""A page laid out for the search: what is drawn, what is written, and which caption sees which drawing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from polydata.extract.captions import Caption
from polydata.extract.objects import Furniture, cluster, drop_repeated, ink_boxes, repeated_boxes, repeated_images
from polydata.extract.pdf import Line, PageContent
from polydata.extract.textlines import TextLayer, split_text
from polydata.types import Box

Side = Literal["above", "below", "beside", "overleaf"]
"""Where a figure stands, seen from its caption."""

FIGURE_SIDES: tuple[Side, ...] = ("above", "below")
TABLE_SIDES: tuple[Side, ...] = ("below",)

FIRST_GAP = 110.0
NEXT_GAP = 42.0
"""Points that may lie between a caption and its figure, and between parts of a figure."""

AGAINST_VOTE = 150.0
"""Points that a figure on the other side than the document's habit is counted further away."""


@dataclass(frozen=True)
class Scene:
    """A page with what the search needs of it."""

    page: PageContent
    text: TextLayer
    captions: tuple[Caption, ...]
    clusters: tuple[Box, ...]


@dataclass(frozen=True, order=True)
class Pair:
    """A caption and a cluster in sight of each other, ordered by cost.

    Attributes:
        cost: the gap, with what speaks against the side added.
        gap: points between the two.
        caption, cluster: numbers within the scene.
        side: where the cluster stands, seen from the caption.
    """

    cost: float
    gap: float
    caption: int
    cluster: int
    side: Side


def blocked(corridor: Box | None, scene: Scene, own: Caption) -> bool:
    """Whether prose or another caption lies in the way."""
    if corridor is None:
        return False
    walls = [line.box for line in scene.text.prose]
    walls += [caption.box for caption in scene.captions if caption is not own]
    for wall in walls:
        across = min(wall.x1, corridor.x1) - max(wall.x0, corridor.x0)
        down = min(wall.y1, corridor.y1) - max(wall.y0, corridor.y0)
        if across > min(6.0, 0.5 * corridor.width) and down > 0.4 * wall.height:
            return True
    return False


def _gap(caption: Box, box: Box, side: Side) -> float | None:
    """Points from a caption to a box above or below it; None where they share too little width or overlap."""
    across = min(caption.x1, box.x1) - max(caption.x0, box.x0)
    if across < 0.2 * min(caption.width, box.width):
        return None
    gap = caption.y0 - box.y1 if side == "above" else box.y0 - caption.y1
    return gap if gap > -0.15 * box.height - 2 else None


def _corridor(caption: Box, box: Box, side: Side) -> Box | None:
    x0, x1 = max(caption.x0, box.x0), min(caption.x1, box.x1)
    y0, y1 = (box.y1, caption.y0) if side == "above" else (caption.y1, box.y0)
    return Box(x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None


def pairs_in_sight(scene: Scene, votes: dict[str, Side]) -> list[Pair]:
    """All pairs of a caption and a cluster in sight of each other, cheapest first."""
    pairs = []
    for number, caption in enumerate(scene.captions):
        for side in TABLE_SIDES if caption.word == "table" else FIGURE_SIDES:
            for index, box in enumerate(scene.clusters):
                gap = _gap(caption.box, box, side)
                if gap is None or blocked(_corridor(caption.box, box, side), scene, caption):
                    continue
                vote = votes.get(caption.word)
                cost = max(gap, 0.0) + (AGAINST_VOTE if vote and vote != side and caption.word != "table" else 0.0)
                pairs.append(Pair(cost, gap, number, index, side))
    return sorted(pairs)


def count_votes(scenes: Sequence[Scene]) -> dict[str, Side]:
    """The side on which the figures of a document stand, for each kind of caption.

    A caption votes when it sees a figure on one side only, or much nearer on one side. Kinds
    without a vote of their own follow the whole document.
    """
    tally: dict[str, Counter[Side]] = {}
    for scene in scenes:
        nearest: dict[tuple[int, Side], float] = {}
        for pair in pairs_in_sight(scene, {}):
            box = scene.clusters[pair.cluster]
            if box.height > 25 and pair.gap < FIRST_GAP:
                key = pair.caption, pair.side
                nearest[key] = min(nearest.get(key, 1e9), max(pair.gap, 1.0))
        for number, caption in enumerate(scene.captions):
            up, down = nearest.get((number, "above"), 1e9), nearest.get((number, "below"), 1e9)
            if caption.word == "table" or min(up, down) > FIRST_GAP or 0.5 < up / down < 2.0:
                continue
            tally.setdefault(caption.word, Counter())["above" if up < down else "below"] += 1
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


def distance(a: Box, b: Box) -> tuple[float, float]:
    """Horizontal and vertical gap between two boxes, 0 where they overlap."""
    return max(0.0, a.x0 - b.x1, b.x0 - a.x1), max(0.0, a.y0 - b.y1, b.y0 - a.y1)


def _shared(box: Box, others: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Area that a box shares with each of the others (rows of corners)."""
    across = np.minimum(box.x1, others[:, 2]) - np.maximum(box.x0, others[:, 0])
    down = np.minimum(box.y1, others[:, 3]) - np.maximum(box.y0, others[:, 1])
    return np.asarray(across.clip(0) * down.clip(0))


def with_labels(box: Box, scene: Scene, barred: Sequence[Box]) -> Box:
    """A figure's box with the writing that stands in or near it."""
    others = np.array([[one.x0, one.y0, one.x1, one.y1] for one in barred]).reshape(-1, 4)
    for _ in range(4):
        grown = box
        for line in scene.text.labels:
            across, down = distance(line.box, grown)
            margin = 1.3 * line.size if line.upright else 12.0
            if across <= max(10.0, margin) and down <= min(margin, 12.0):
                wider = grown.union(line.box)
                if not (_shared(wider, others) > _shared(grown, others) + 1).any():
                    grown = wider
        if grown == box:
            break
        box = grown
    return box


def _separators(captions: Sequence[Caption], page: PageContent) -> list[Box]:
    """Upright strips between captions that stand side by side."""
    strips = []
    for one in captions:
        for other in captions:
            level = min(one.box.y1, other.box.y1) - max(one.box.y0, other.box.y0)
            if one.box.x1 < other.box.x0 and level > 0:
                reach = 0.35 * page.box.height
                top, bottom = min(one.box.y0, other.box.y0) - reach, max(one.box.y1, other.box.y1) + reach
                strips.append(Box(one.box.x1, top, other.box.x0, bottom))
    return strips


def set_scenes(
    pages: Sequence[PageContent], captions: Sequence[Caption], tables: Sequence[Caption], prints: frozenset[str]
) -> list[Scene]:
    """Lay out every page: its writing sorted, its drawings clustered, what returns from page to page left out."""
    digests = repeated_images(pages)
    texts, inks, owns = [], [], []
    for page in pages:
        own = [one for one in (*captions, *tables) if one.page == page.number]
        lines: frozenset[Line] = frozenset(line for one in own for line in one.lines)
        text = split_text(page, lines, prints)
        texts.append(text)
        owns.append(own)
        inks.append(ink_boxes(page, text, [one.box for one in own], digests))
    furniture = Furniture(digests, repeated_boxes(pages, inks))
    scenes = []
    for page, text, ink, own in zip(pages, texts, inks, owns, strict=True):
        walls = [line.box for line in text.prose] + [one.box for one in own]
        clusters = cluster(drop_repeated(ink, furniture), _separators(own, page), walls)
        scenes.append(Scene(page, text, tuple(own), tuple(clusters)))
    return scenes
