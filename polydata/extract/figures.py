"""Which drawn things belong to which caption."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from polydata.extract.captions import Caption
from polydata.extract.objects import SCAN_INK
from polydata.extract.pdf import GREY_WHITE, PageContent
from polydata.extract.scene import (
    FIRST_GAP,
    NEXT_GAP,
    Scene,
    Side,
    blocked,
    count_votes,
    distance,
    pairs_in_sight,
    set_scenes,
    with_labels,
)
from polydata.types import Box


@dataclass(frozen=True)
class Found:
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


def _assign(scene: Scene, votes: dict[str, Side]) -> tuple[dict[int, tuple[Side, list[int]]], set[int]]:
    """Clusters of each caption by nearness; every cluster once, every caption to one side only."""
    owned: dict[int, tuple[Side, list[int]]] = {}
    unions: dict[int, Box] = {}
    taken: set[int] = set()
    barred = [line.box for line in scene.text.prose] + [caption.box for caption in scene.captions]
    pairs = pairs_in_sight(scene, votes)
    progress = True
    while progress:
        progress = False
        for pair in pairs:
            if pair.cluster in taken:
                continue
            box = scene.clusters[pair.cluster]
            if pair.caption not in owned:
                if pair.gap > FIRST_GAP:
                    continue
                owned[pair.caption] = pair.side, [pair.cluster]
                unions[pair.caption] = with_labels(box, scene, barred)
            else:
                side, members = owned[pair.caption]
                across, down = distance(unions[pair.caption], box)
                if side != pair.side or max(across, down) > NEXT_GAP:
                    continue
                members.append(pair.cluster)
                unions[pair.caption] = with_labels(unions[pair.caption].union(box), scene, barred)
            taken.add(pair.cluster)
            progress = True
    return owned, taken


def _adopt_neighbours(scene: Scene, owned: dict[int, tuple[Side, list[int]]], taken: set[int]) -> None:
    """Parts of a figure that stand level with it but not over or under its caption."""
    changed = True
    while changed:
        changed = False
        for number, (_side, members) in owned.items():
            if scene.captions[number].word == "table":
                continue
            union = _union([scene.clusters[index] for index in members])
            for index, box in enumerate(scene.clusters):
                if index in taken:
                    continue
                across, down = distance(union, box)
                level = min(union.y1, box.y1) - max(union.y0, box.y0)
                if down > 0 or across > 30 or level < 0.6 * box.height:
                    continue
                if any(line.box.overlap(union.union(box)) > 0.5 * line.box.area for line in scene.text.prose):
                    continue
                members.append(index)
                taken.add(index)
                union = union.union(box)
                changed = True


def _beside(scene: Scene, owned: dict[int, tuple[Side, list[int]]], taken: set[int]) -> None:
    """Figures left or right of captions that have none above or below."""
    for number, caption in enumerate(scene.captions):
        if number in owned or caption.word == "table":
            continue
        best: list[tuple[float, int]] = []
        for index, box in enumerate(scene.clusters):
            level = min(caption.box.y1, box.y1) - max(caption.box.y0, box.y0)
            across, _ = distance(caption.box, box)
            if index in taken or level <= 0 or across <= 0 or across > 60 or box.height < 25:
                continue
            y0, y1 = max(caption.box.y0, box.y0), min(caption.box.y1, box.y1)
            x0, x1 = sorted((max(caption.box.x0, box.x0), min(caption.box.x1, box.x1)))
            if not blocked(Box(x0, y0, x1, y1), scene, caption):
                best.append((across, index))
        if not best:
            continue
        members = [min(best)[1]]
        taken.add(members[0])
        walls = [*(line.box for line in scene.text.prose), *(one.box for one in scene.captions)]
        union = with_labels(scene.clusters[members[0]], scene, walls)
        grown = True
        while grown:
            grown = False
            for index, box in enumerate(scene.clusters):
                if index in taken or max(distance(union, box)) > NEXT_GAP:
                    continue
                wider = union.union(box)
                if any(wall.overlap(wider) > 0.5 * wall.area for wall in walls):
                    continue
                members.append(index)
                taken.add(index)
                union, grown = with_labels(wider, scene, walls), True
        owned[number] = "beside", members


def _union(boxes: Sequence[Box]) -> Box:
    out = boxes[0]
    for box in boxes[1:]:
        out = out.union(box)
    return out


def _trim(box: Box, page: PageContent) -> Box:
    """A box without its blank rim; the box itself where it is all blank."""
    rows = slice(int(box.y0 * page.scale), int(np.ceil(box.y1 * page.scale)))
    columns = slice(int(box.x0 * page.scale), int(np.ceil(box.x1 * page.scale)))
    mask = page.grey[rows, columns] < (SCAN_INK if page.scanned else GREY_WHITE)
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


def _found(scene: Scene, caption: Caption, side: Side, boxes: Sequence[Box], confidence: float) -> Found | None:
    barred = [line.box for line in scene.text.prose] + [one.box for one in scene.captions]
    box = with_labels(_union(boxes), scene, barred)
    box = _trim(box, scene.page)
    if min(box.width, box.height) < 18 or box.area < 0.004 * scene.page.box.area:
        return None
    return Found(scene.page.number, box, caption, side, confidence - (0.35 if scene.page.scanned else 0.0))


def _overleaf(scenes: Sequence[Scene], caption: Caption, spare: dict[int, list[int]]) -> tuple[Scene, list[Box]] | None:
    """Unowned drawings of a neighbouring page that could be a figure on their own."""
    for number in (caption.page - 1, caption.page + 1):
        if not 1 <= number <= len(scenes) or not spare.get(number):
            continue
        scene = scenes[number - 1]
        if any(one.word != "table" and not one.bare for one in scene.captions):
            continue
        boxes = [scene.clusters[index] for index in spare[number]]
        big = [box for box in boxes if box.area > 0.04 * scene.page.box.area]
        if big and not scene.page.scanned:
            return scene, boxes
    return None


def find_figures(
    pages: Sequence[PageContent], captions: Sequence[Caption], tables: Sequence[Caption], prints: frozenset[str]
) -> tuple[list[Found], list[Caption]]:
    """Figures of a document and the captions that found none.

    Args:
        pages: in order.
        captions, tables: from ``find_captions``.
        prints: of running heads.

    Returns:
        Figures with and without captions, in page order, then captions without a figure.
    """
    scenes = set_scenes(pages, captions, tables, prints)
    votes = count_votes(scenes)
    found: list[Found] = []
    spare: dict[int, list[int]] = {}
    lonely: list[Caption] = []
    for scene in scenes:
        owned, taken = _assign(scene, votes)
        _beside(scene, owned, taken)
        _adopt_neighbours(scene, owned, taken)
        for number, caption in enumerate(scene.captions):
            if caption.word == "table":
                continue
            figure = None
            if number in owned:
                side, members = owned[number]
                with_vote = side == votes[caption.word]
                figure = _found(scene, caption, side, [scene.clusters[i] for i in members], 0.95 if with_vote else 0.8)
            if figure is None:
                lonely.append(caption)
            else:
                found.append(figure)
        spare[scene.page.number] = [index for index in range(len(scene.clusters)) if index not in taken]
    found, lonely = _lend_words(found, lonely)
    without = []
    for caption in lonely:
        other = None if caption.bare else _overleaf(scenes, caption, spare)
        figure = _found(other[0], caption, "overleaf", other[1], 0.5) if other else None
        if other and figure:
            spare[other[0].page.number] = []
            found.append(figure)
        else:
            without.append(caption)
    for scene in scenes:
        for index in spare[scene.page.number]:
            box = scene.clusters[index]
            if box.area > 0.03 * scene.page.box.area and min(box.width, box.height) > 60:
                found.append(Found(scene.page.number, _trim(box, scene.page), None, None, 0.2))
    found.sort(key=lambda one: (one.page, one.box.y0, one.box.x0))
    return found, without


def _lend_words(found: list[Found], lonely: list[Caption]) -> tuple[list[Found], list[Caption]]:
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
