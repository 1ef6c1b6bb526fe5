"""A figure's panels with their letters and words, before their pictures are stored."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

import numpy as np

from polydata.extraction.document.page import PageContent
from polydata.extraction.panels.beneath import with_scale
from polydata.extraction.panels.cutting import LIKELY, take_apart
from polydata.extraction.panels.letter_places import (
    FEW,
    LEVEL,
    across_gutters,
    by_place,
    by_regions,
    in_corner,
    in_order,
    in_turn,
    letters_at,
    nearest_panels,
)
from polydata.extraction.panels.letters import Point, following, printed_letters, printed_words, read_letters
from polydata.extraction.panels.orders import by_rows
from polydata.extraction.panels.render import Drawn
from polydata.extraction.panels.sequence import Reading, Shares, label_panels
from polydata.text.caption_marks import ALPHABETS
from polydata.text.captions import Parts
from polydata.types import Box
from polydata.vision.measures import Rgb, measure
from polydata.vision.micrograph import SMALLEST, picture_odds
from polydata.vision.panel_map import Window, glimpsed, survey

ALIKE = 0.85
"""A placed image that overlaps a panel by this much (intersection over union) is that panel."""

SPECK, MOST_IMAGES = 0.005, 200
"""Placed images smaller than this share of their figure tell nothing of its panels, nor do more than so many."""

SMALLER, SURELY = 0.5, 0.75
"""Parts beyond the caption's count that are smaller than this share of every other are legends and scales of colours,
unless that much of them looks like a micrograph."""

FILLED, MAYBE = 0.1, -0.5
"""Share of white under which a part has no ground, and log-odds from which it may be a micrograph: then it is no
legend, whatever it looks like within its figure."""

HELD = 0.9
"""Share of a micrograph that lies in the panel that it is set into."""

PRINTED, READ = Reading(0.95, 0.005), Reading(0.75, 0.04)
"""How well letters are found that the page prints in a figure, and that are burned into its picture."""

SURELY_READ = 0.8
"""Probability from which letters that were read count wherever they stand, where all are read."""

TINY = 20.0
"""Points of the shorter side of a panel at least: a figure of cells smaller than this is a drawing of such cells."""

LONE = 0.8
"""A single micrograph that fills less of its figure than this is cut out of it."""


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


@dataclass(frozen=True)
class Cut:
    """A panel before its picture is stored.

    Attributes:
        box: in points.
        label: its letter, None where there is none.
        caption: the caption's words that speak of it alone, None where there are none.
        micrograph: share of it that looks like a micrograph, 0 to 1.
    """

    box: Box
    label: str | None
    caption: str | None
    micrograph: float


def panel_cuts(content: PageContent, drawn: Drawn, rgb: Rgb, parts: Parts) -> list[Cut]:
    """A figure's panels with their labels and words, in reading order.

    Args:
        content: of the page.
        drawn: the figure, rendered as fine as its images are.
        rgb: the same, as fine as it is analysed.
        parts: of its caption.

    Returns:
        At least one; the figure itself where it is not taken apart. A drawing is taken apart where the caption names
        as many panels as there are.
    """
    whole, labels = drawn.box, parts.labels
    around = printed_letters(content.lines, whole, [*labels, *following(labels)])
    placed = _placed_images(content, whole)
    windows = [_window(one, whole, rgb) for one in placed]
    images = [*placed, *join_strips(placed)]
    seen = survey(rgb, pictures=bool(placed) or content.scanned)
    letters = _letters(around, labels, drawn if glimpsed(seen) else None)
    surely = [point for label, (point, sure) in letters.places.items() if label in labels and sure > SURELY_READ]
    found = [
        (_placed(_points(one.window, whole, rgb), images), one)
        for one in take_apart(rgb, parts.count, windows, _places(surely, whole, rgb), seen)
    ]
    panels = [(box, one) for box, one in found if min(box.width, box.height) >= TINY]
    if 2 * len(panels) < len(found) or all(one.set_in for _, one in panels):
        return [Cut(whole, None, None, _mean({box: one.micrograph for box, one in found}))]
    found = panels
    filled = {box for box, one in found if not one.set_in and one.micrograph <= SURELY and _is_picture(rgb, one.window)}
    set_in = {box: one.micrograph for box, one in found if one.set_in}
    set_in = {box: own for box, own in set_in.items() if not any(box.share_inside(one) > HELD for one in filled)}
    main = _without_legends({box: one.micrograph for box, one in found if not one.set_in}, len(labels), filled)
    pictures = {box for box, share in main.items() if share > LIKELY or box in filled}
    if len(main) == 1 or not (pictures or len(main) == len(labels)):
        lone = next(iter(main))
        first = Cut(lone if pictures and lone.area < LONE * whole.area else whole, None, None, _mean(main))
        told, words = _by_regions([], set_in, labels, letters), dict(parts.panels)
        rest = [Cut(box, told.get(box), words.get(told.get(box, "")), own) for box, own in set_in.items()]
        return _with_scales(drawn, [first, *rest])
    boxes = [list(main)[number] for number in by_rows(list(main))]
    letters = _as_they_follow(letters, labels, boxes)
    if not labels:
        labels, letters = _unnamed(printed_letters(content.lines, whole, ALPHABETS[0][: len(boxes)]), boxes, drawn)
    named = _labelled(boxes, labels, letters)
    told = _by_regions(named, set_in, labels, letters)
    named = [(box, label or told.get(box)) for box, label in named]
    for box in set_in:  # what is set into a panel of one letter has the panel's letter and words
        holding = (label for other, label in named if box.share_inside(other) > HELD)
        named.append((box, told.get(box) or next(holding, None)))
    words = {**printed_words(content.lines, whole), **{label: own for label, own in parts.panels if own}}
    shares = main | set_in
    cuts = [Cut(box, label, words.get(label) if label else None, shares[box]) for box, label in named]
    return _with_scales(drawn, cuts)


def _mean(shares: Mapping[Box, float]) -> float:
    """The mean share of parts, each by its area."""
    return sum(box.area * share for box, share in shares.items()) / sum(box.area for box in shares)


def _with_scales(drawn: Drawn, cuts: Sequence[Cut]) -> list[Cut]:
    """Panels, those that may be micrographs with the scale bars beneath them."""
    boxes = [cut.box for cut in cuts]
    return [
        replace(cut, box=with_scale(drawn, cut.box, [*boxes[:n], *boxes[n + 1 :]])) if cut.micrograph > LIKELY else cut
        for n, cut in enumerate(cuts)
    ]


def _is_picture(rgb: Rgb, window: Window) -> bool:
    """Whether a part of a figure is filled from edge to edge and may be a micrograph by itself."""
    top, left, bottom, right = window
    shown = np.ascontiguousarray(rgb[top:bottom, left:right])
    return min(shown.shape[:2]) >= SMALLEST and measure(shown).white < FILLED and picture_odds(shown)[0] > MAYBE


def _without_legends(shares: Mapping[Box, float], count: int, pictures: Collection[Box]) -> dict[Box, float]:
    """Parts without the legends and scales of colours that are more than a caption counts.

    Args:
        shares: of each part that looks like a micrograph, 0 to 1.
        count: panels that the caption names; 0 where it names none.
        pictures: parts that are none of these.
    """
    by_size, surplus = sorted(shares, key=lambda box: box.area), len(shares) - count
    if not (count and surplus > 0 and by_size[surplus - 1].area < SMALLER * by_size[surplus].area):
        return dict(shares)
    surplus_ones = set(by_size[:surplus]) - set(pictures)
    return {box: share for box, share in shares.items() if share > SURELY or box not in surplus_ones}


def _placed_images(content: PageContent, whole: Box) -> list[Box]:
    """Images that the page places within a figure, specks left out."""
    inside = {
        one.box for one in content.images if one.box.share_inside(whole) > 0.9 and one.box.area > SPECK * whole.area
    }
    return sorted(inside, key=lambda one: (one.y0, one.x0))[:MOST_IMAGES]


@dataclass(frozen=True)
class _Letters:
    """A figure's letters.

    Attributes:
        places: where each stands, in points, and how sure it is, 0 to 1, by label.
        reading: how well they were found.
    """

    places: Mapping[str, tuple[Point, float]]
    reading: Reading


def _letters(around: Mapping[str, Point], labels: Sequence[str], drawn: Drawn | None) -> _Letters:
    """Letters as the page prints them; as read in the picture where it prints not the first, or less than half.

    Args:
        around: where labels are printed, and letters that would go on with them.
        labels: that the caption names.
        drawn: the figure; None where its picture is not read.
    """
    printed = {label: (point, 1.0) for label, point in around.items()}
    most = 2 * len(printed.keys() & set(labels)) >= len(labels)
    if drawn is None or len(labels) < 2 or (most and labels[0] in printed):
        return _Letters(printed, PRINTED)
    return _Letters(read_letters(drawn, [*labels, *following(labels)]) | printed, READ)


def _as_they_follow(letters: _Letters, labels: Sequence[str], boxes: Sequence[Box]) -> _Letters:
    """Letters without those beyond a caption's that were read, but for those that follow each other where the figure
    has more panels than the caption names: several, or one with which each panel has its letter. Words and marks in a
    picture are read as letters too: where a letter of the caption surely stands, no further one counts.
    """
    if letters.reading is PRINTED:
        return letters
    sure = {label for label, (_, share) in letters.places.items() if share > SURELY_READ}
    own = {panel for label in sure & set(labels) for panel in _holding(boxes, letters.places[label][0])}
    more = tuple(
        takewhile(
            lambda one: (
                one in sure
                and in_corner(boxes, letters.places[one][0])
                and own.isdisjoint(_holding(boxes, letters.places[one][0]))
            ),
            following(labels),
        )
    )
    if not len(labels) < len(boxes) or (len(more) == 1 and len(boxes) > len(labels) + 1):
        more = ()
    kept = {*labels, *more}
    return replace(letters, places={label: place for label, place in letters.places.items() if label in kept})


def _holding(boxes: Sequence[Box], point: Point) -> list[int]:
    """Numbers of the panels within which a place lies."""
    return [n for n, box in enumerate(boxes) if box.x0 < point[0] < box.x1 and box.y0 < point[1] < box.y1]


def _unnamed(around: Mapping[str, Point], boxes: Sequence[Box], drawn: Drawn) -> tuple[tuple[str, ...], _Letters]:
    """Letters that a figure shows and its caption does not name: those of all panels where most of these have theirs in
    order, or those that follow each other from ``a`` on.

    Args:
        around: where letters are printed.
        boxes: of the panels, which bound the number of letters; each letter stands at another one, all in the same way.
        drawn: the figure.
    """
    every = ALPHABETS[0][: len(boxes)]
    letters = _letters(around, every, drawn)
    places = {one: place for one, place in letters.places.items() if in_corner(boxes, place[0])}
    if len(every) == len(boxes):
        seen = letters_at(boxes, {label: point for label, (point, _) in places.items() if label in every})
        own = in_order(boxes, every, seen)
        if every[-1] in own.values() and len(own) > max(len(boxes) / 2, FEW - 1):
            return every, replace(letters, places={label: places[label] for label in own.values()})
    surely = {one: place for one, place in places.items() if place[1] > SURELY_READ}
    labels = tuple(takewhile(surely.__contains__, ALPHABETS[0]))
    own = letters_at(boxes, {label: surely[label][0] for label in labels})
    if len(own) < max(2, len(labels)):
        labels = ()
    return labels, replace(letters, places={label: surely[label] for label in labels})


def _labelled(boxes: list[Box], labels: Sequence[str], letters: _Letters) -> list[tuple[Box, str | None]]:
    """Panels with their letters: by what stands at them, and by order.

    Args:
        boxes: of the panels, in reading order.
        labels: that the caption names.
        letters: where they stand.
    """
    if not labels:
        return [(box, None) for box in boxes]
    if placed := by_place(boxes, labels):
        return list(zip(boxes, placed, strict=True))
    known = [*labels, *sorted(letters.places.keys() - set(labels))]
    points = {label: point for label, (point, _) in letters.places.items()}
    surely = len(points) == len(known) != len(boxes) and all(sure > SURELY_READ for _, sure in letters.places.values())
    if letters.reading is READ and not surely:
        points = {label: point for label, point in points.items() if in_corner(boxes, point)}
    named: Sequence[str | None] | None = by_regions(boxes, points) if len(points) == len(known) else None
    if named is None or (len(known) == len(boxes) != len(set(named))):
        shares: Shares = np.zeros((len(boxes), len(known)))
        sure = {label: share for label, (_, share) in letters.places.items()}
        seen = letters_at(boxes, points, sure)
        if len(seen) < len(points) == len(boxes) and seen.items() <= (near := nearest_panels(boxes, points)).items():
            seen = near
        if letters.reading is READ and len(known) == len(boxes):
            seen = in_turn(boxes, known, seen)
        for panel, label in seen.items():
            shares[panel, known.index(label)] = sure[label]
        named = across_gutters(boxes, label_panels(boxes, known, shares, letters.reading), points)
    return list(zip(boxes, named, strict=True))


def _by_regions(
    named: Sequence[tuple[Box, str | None]], others: Collection[Box], labels: Sequence[str], letters: _Letters
) -> dict[Box, str]:
    """The last letter up and left of each picture, where all of the caption's are known and name the other panels so,
    and none stands beneath a picture.

    Args:
        named: panels with their letters.
        others: boxes of pictures without one.
        labels: that the caption names.
        letters: where they stand.
    """
    points = {label: point for label, (point, sure) in letters.places.items() if label in labels and sure > SURELY_READ}
    beneath = any(box.x0 < x < box.x1 and 0 < y - box.y1 < LEVEL for box in others for x, y in points.values())
    if beneath or not 1 < len(labels) == len(points):
        return {}
    boxes = [
        box  # beside which no letter stands further down, which may be its own where it was cut too large
        for box in (*(box for box, _ in named), *others)
        if not any(x < box.x0 and box.y0 + LEVEL < y < box.y1 for x, y in points.values())
    ]
    told = {box: one[0] for box in boxes if (one := by_regions([box], points))}
    return told if all(told.get(box) == label for box, label in named if label) else {}


def _points(window: Window, whole: Box, rgb: Rgb) -> Box:
    """A window of a figure's pixels, in points on the page."""
    across, down = whole.width / rgb.shape[1], whole.height / rgb.shape[0]
    top, left, bottom, right = window
    return Box(whole.x0 + left * across, whole.y0 + top * down, whole.x0 + right * across, whole.y0 + bottom * down)


def _window(box: Box, whole: Box, rgb: Rgb) -> Window:
    """A box on the page as a window of a figure's pixels."""
    across, down = rgb.shape[1] / whole.width, rgb.shape[0] / whole.height
    edges = (
        (box.y0 - whole.y0) * down,
        (box.x0 - whole.x0) * across,
        (box.y1 - whole.y0) * down,
        (box.x1 - whole.x0) * across,
    )
    top, left, bottom, right = (max(0, round(edge)) for edge in edges)
    return top, left, bottom, right


def _places(points: Sequence[Point], whole: Box, rgb: Rgb) -> list[Point]:
    """Row and column of each place in a figure's pixels."""
    across, down = rgb.shape[1] / whole.width, rgb.shape[0] / whole.height
    return [((y - whole.y0) * down, (x - whole.x0) * across) for x, y in points]


def _placed(box: Box, images: Sequence[Box]) -> Box:
    """The image that the page places where a panel was found, which tells its edges exactly; else the box."""
    return max((one for one in images if one.iou(box) > ALIKE), key=box.iou, default=box)
