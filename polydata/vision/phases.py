"""The dispersed phase of a micrograph: round objects one by one, or two phases by their grey values, or neither.

Round objects (droplets, particles, holes) are regions that stay nearly the same over many grey levels, which need no
threshold in common: they are found where light and charging vary. Of each, the rim is then put where the grey value
lies half-way between inside and outside. Where they do not explain the picture, two phases are told apart by
one threshold on the picture freed of uneven light. What is no clear case is called none.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage import filters

from polydata.vision.structure import Map, autocorrelation

Levels = NDArray[np.float32]

DISPERSED, CONTINUOUS, NONE = "dispersed", "continuous", "none"
"""Round objects in a matrix; two phases that are not round; no two phases that can be told apart."""

STABLE = 10
"""Grey levels of 255 over which a region's area is compared."""
SMALLEST, LARGEST = 16, 0.25
"""Area of an object: pixels at least, and share of the picture at most."""
ROUND, DRAWN_OUT = 0.9, 3.0
"""An object fills so much of the ellipse of its moments, and is at most so much longer than wide."""
CONTRAST = 30.0
"""Grey levels of 255 between an object and what lies around it."""
FEW = 0.2
"""Share of the area of all round regions that those brighter or darker than their surroundings have at least."""
SHARED = 0.3
"""Share of an object that others may cover."""
SEPARATE, STEEP = 0.77, 2.0
"""Share of the variance that a threshold between two phases explains, and how much steeper their interface is, at
least; of two halves of one normal distribution it is 0.64, and 1."""
RISEN = 0.72
"""Share of the rise from the dark side to the crest at which the interface lies."""
REACH, FARTHEST = 6, 3.0
"""Pixels on both sides of a rim that are looked at, and how far the interface is from it at most."""
ORDER = 0.1
"""Depth of the autocorrelation's minimum from which phases alternate, however wide their interface is: simulated
spinodal structures have 0.11 to 0.20, simulated fractures of one phase 0.02 to 0.04."""
EXPLAINED = 0.7
"""Share of the rarer phase in round objects, and share of these in it, from which it is one of round objects."""
FEWEST, COVERED, ROUNDED = 20, 0.05, 0.28
"""Objects, their share of the picture and of what stands out, at least, where no threshold tells two phases apart."""


@dataclass(frozen=True)
class Phases:
    """What was made out in a micrograph.

    Attributes:
        kind: ``DISPERSED``, ``CONTINUOUS`` or ``NONE``.
        phases: rows x columns, true in the dispersed (or the rarer) phase; all false for ``NONE``.
        objects: rows x columns, 0 or the number of an object from 1.
        growth: of each number, pixels that its interface lies outside of its rim.
        known: rows x columns, false where print covers the sample.
        separation: share of the grey values' variance that the threshold between the phases explains, 0 to 1.
        order: depth of the first minimum of the grey values' autocorrelation, 0 (none, as of mere texture) to 1.
        roundness: of the area in regions that stand out, the share in round ones, 0 to 1.
    """

    kind: str
    phases: Map
    objects: NDArray[np.int32]
    growth: Levels
    known: Map
    separation: float
    order: float
    roundness: float


def phases_of(grey: NDArray[np.uint8], known: Map) -> Phases:
    """Make out the phases of a micrograph.

    Args:
        grey: rows x columns, 0 to 255.
        known: rows x columns, false where print covers the sample.
    """
    levels = prepared(grey, known)
    steep = np.asarray(ndimage.gaussian_gradient_magnitude(levels, 1.0), np.float32)
    found = regions(levels, steep, known)
    objects, bright = chosen_objects(found, levels)
    rarer, separation, edge = two_phases(levels, steep, known)
    standing_out = np.zeros(grey.shape, np.bool_)
    for one in found:
        standing_out[one.rows, one.columns] = True
    round_ones = objects > 0
    both = np.count_nonzero(round_ones & rarer)
    roundness = np.count_nonzero(round_ones) / max(1, np.count_nonzero(standing_out))
    explained = min(both / max(1, np.count_nonzero(rarer)), both / max(1, np.count_nonzero(round_ones))) >= EXPLAINED
    order = -float(autocorrelation(levels, known).min())
    apart = (separation >= SEPARATE and edge >= STEEP) or order >= ORDER
    many = int(objects.max()) >= FEWEST and round_ones.sum() >= COVERED * known.sum() and roundness >= ROUNDED
    kind = DISPERSED if explained and edge >= STEEP else CONTINUOUS if apart else DISPERSED if many else NONE
    growth, phases = np.zeros(len(bright), np.float32), np.zeros(grey.shape, np.bool_)
    shown = np.asarray(grey, np.float32)
    if kind == DISPERSED:
        for is_bright in (False, True):
            some = (bright == is_bright)[objects] & round_ones
            growth[bright == is_bright] = offset = rim_offset(shown, some, known)
            phases |= signed_distance(some) > -offset if some.any() else False
    if kind == CONTINUOUS or (kind == DISPERSED and apart):
        phases = signed_distance(rarer) > -rim_offset(shown, rarer, known)
    return Phases(kind, phases & known, objects, growth, known, separation, order, roundness)


def prepared(grey: NDArray[np.generic], known: Map) -> Levels:
    """Grey values freed of noise and of light that varies slowly, so that nearly all lie from 0 to 255."""
    values = np.asarray(grey, np.float32)
    values = np.where(known, values, np.median(values[known]))
    y, x = np.mgrid[-1 : 1 : values.shape[0] * 1j, -1 : 1 : values.shape[1] * 1j]
    terms = np.stack([np.ones_like(x), x, y, x * y, x * x, y * y], -1)
    picked = (slice(None, None, 4), slice(None, None, 4))
    some = known[picked]
    light, *_ = np.linalg.lstsq(terms[picked][some], values[picked][some], rcond=None)
    flat = values - (terms @ light).astype(np.float32)
    flat = np.where(known, flat, 0)
    small = cv2.medianBlur(_stretched(flat, known).astype(np.uint8), 3)
    return np.asarray(cv2.bilateralFilter(small, 5, 40, 1.5), np.float32)


def _stretched(values: Levels, known: Map) -> Levels:
    low, high = np.percentile(values[known], (0.5, 99.5))
    return np.asarray(np.clip((values - low) * (255 / max(high - low, 1e-3)), 0, 255), np.float32)


@dataclass(frozen=True)
class Region:
    """A region that stands out.

    Attributes:
        rows, columns: of its pixels.
        fill: its area by that of the ellipse of its moments, at most 1.
        aspect: length by width of that ellipse.
        contrast: grey levels that it is brighter (or, below 0, darker) than what lies around.
        edge: mean steepness of grey values at its rim.
    """

    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    fill: float
    aspect: float
    contrast: float
    edge: float

    @property
    def is_round(self) -> bool:
        """Whether it may be an object."""
        return self.fill >= ROUND and self.aspect <= DRAWN_OUT and abs(self.contrast) >= CONTRAST


def rim_offset(grey: Levels, phases: Map, known: Map) -> float:
    """How far outside of a map's rims the interface lies, by the mean profile of grey values across them.

    Secondary electrons leave edges more easily (Goldstein et al., Scanning Electron Microscopy and X-ray Microanalysis,
    ch. 4): the interface lies beneath the bright crest, and a rim half-way between the phases beside it, outside of a
    bright phase and inside of a dark one. It is put where the profile has risen by ``RISEN`` from the dark side's level
    to the highest one near the rim; that share was chosen on simulated pictures.

    Args:
        grey: rows x columns, 0 to 255.
        phases: rows x columns.
        known: rows x columns; other pixels do not count.

    Returns:
        Pixels, above 0 where the phase is larger than the map; at most ``FARTHEST``.
    """
    away = signed_distance(phases)
    place = (np.abs(away) <= REACH) & known
    bins = np.round((away[place] + REACH) * 2).astype(np.int64)
    counts = np.bincount(bins, minlength=4 * REACH + 1)
    seen = np.flatnonzero(counts >= 20)
    if len(seen) < 2 * REACH:
        return 0.0
    at = seen / 2 - REACH
    means = (np.bincount(bins, grey[place], minlength=4 * REACH + 1) / np.maximum(counts, 1))[seen]
    inside, outside = means[at >= 1.5].mean(), means[at <= -1.5].mean()
    means, at = (means, at) if inside > outside else (means[::-1], -at[::-1])  # rising from the dark side
    near = np.flatnonzero(np.abs(at) <= FARTHEST)
    crest = near[means[near].argmax()]
    dark = means[at <= -FARTHEST].mean() if (at <= -FARTHEST).any() else means[0]
    level = dark + RISEN * (means[crest] - dark)
    below = np.flatnonzero(means[:crest] < level)
    if not below.size:
        return 0.0
    last = below[-1]
    crossing = at[last] + (level - means[last]) / (means[last + 1] - means[last]) * (at[last + 1] - at[last])
    return float(np.clip(-crossing if inside > outside else crossing, -FARTHEST, FARTHEST))


def signed_distance(phases: Map) -> Levels:
    """Pixels to the rim between two phases, above 0 within the true one."""
    inside, outside = (ndimage.distance_transform_edt(one) for one in (phases, ~phases))
    return np.asarray(np.where(phases, inside - 0.5, 0.5 - outside), np.float32)


def regions(levels: Levels, steep: Levels, known: Map) -> list[Region]:
    """Maximally stable extremal regions; Matas et al. (2002), BMVC, 384.

    Args:
        levels: rows x columns, 0 to 255, of ``prepared``.
        steep: rows x columns, the steepness of these.
        known: rows x columns; regions that reach what is not known are left out.
    """
    detector = cv2.MSER.create(STABLE, SMALLEST, max(SMALLEST + 1, int(LARGEST * levels.size)), 0.6, 0.2)
    found = [np.asarray(points) for points in detector.detectRegions(levels.astype(np.uint8))[0]]
    out = []
    for points in found:
        columns, rows = points[:, 0].astype(np.int64), points[:, 1].astype(np.int64)
        if known[rows, columns].all():
            out.append(_region(levels, steep, rows, columns))
    return out


def _region(levels: Levels, steep: Levels, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> Region:
    spread = np.cov(rows, columns, bias=True) + np.eye(2) / 12  # a pixel has an extent of its own
    short, long = np.sqrt(np.linalg.eigvalsh(spread))
    fill = len(rows) / (4 * np.pi * short * long)
    if fill < ROUND or long > DRAWN_OUT * short:
        return Region(rows, columns, float(fill), float(long / short), 0.0, 0.0)
    reach = 3 + int(0.3 * np.sqrt(len(rows)))
    top, left = max(0, rows.min() - reach), max(0, columns.min() - reach)
    place = np.s_[top : rows.max() + reach + 1, left : columns.max() + reach + 1]
    mask = np.zeros(levels[place].shape, np.uint8)
    mask[rows - top, columns - left] = 1
    near = cv2.dilate(mask, np.ones((3, 3), np.uint8), iterations=2)
    around = cv2.dilate(near, np.ones((3, 3), np.uint8), iterations=max(1, reach - 2)) - near
    rim = cv2.dilate(mask, np.ones((3, 3), np.uint8)) - cv2.erode(mask, np.ones((3, 3), np.uint8))
    inside, outside = levels[rows, columns], levels[place][around > 0]
    contrast = float(np.median(inside) - np.median(outside)) if outside.size else 0.0
    return Region(rows, columns, float(fill), float(long / short), contrast, float(steep[place][rim > 0].mean()))


def chosen_objects(found: list[Region], levels: Levels) -> tuple[NDArray[np.int32], Map]:
    """Round regions that do not lie over each other, the steepest rims first, each up to where its rim is half-way.

    Brighter and darker ones both count, for a broken surface shows particles and the holes of others; but where one
    of the two has less than ``FEW`` of the area, it is dirt or glare.

    Args:
        found: of ``regions``.
        levels: rows x columns, 0 to 255.

    Returns:
        Rows x columns, 0 or the number of an object from 1; and of each number whether it is brighter.
    """
    candidates = [one for one in found if one.is_round]
    areas = [sum(len(one.rows) for one in candidates if (one.contrast > 0) == bright) for bright in (False, True)]
    objects = np.zeros(levels.shape, np.int32)
    bright = [False]
    for one in sorted(candidates, key=lambda one: -one.edge * one.fill**2):
        if areas[one.contrast > 0] < FEW * sum(areas):
            continue
        if np.count_nonzero(objects[one.rows, one.columns]) <= SHARED * len(one.rows):
            rows, columns = _half_way(one, levels)
            free = objects[rows, columns] == 0
            objects[rows[free], columns[free]] = len(bright)
            bright.append(one.contrast > 0)
    return objects, np.array(bright)


def _half_way(one: Region, levels: Levels) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """A region's pixels up to where grey values lie half-way between inside and outside; as it was where that leaks."""
    reach = 3 + int(0.25 * np.sqrt(len(one.rows)))
    top, left = max(0, one.rows.min() - reach), max(0, one.columns.min() - reach)
    place = levels[top : one.rows.max() + reach + 1, left : one.columns.max() + reach + 1]
    inside = float(np.median(levels[one.rows, one.columns]))
    limit = inside - one.contrast / 2
    parts, _ = ndimage.label(place > limit if one.contrast > 0 else place < limit)
    names = parts[one.rows - top, one.columns - left]
    name = np.bincount(names).argmax()
    mask = ndimage.binary_fill_holes(parts == name)
    grown = np.count_nonzero(mask) / len(one.rows)
    if name == 0 or not 0.6 < grown < 1.7:
        return one.rows, one.columns
    rows, columns = np.nonzero(mask)
    return rows + top, columns + left


def two_phases(levels: Levels, steep: Levels, known: Map) -> tuple[Map, float, float]:
    """Two phases by one threshold (Otsu 1979, IEEE Trans. SMC 9, 62), the rarer one true, small specks left out.

    Args:
        levels: rows x columns, 0 to 255, of ``prepared``.
        steep: rows x columns, the steepness of these.
        known: rows x columns; other pixels are of no phase.

    Returns:
        The map; the share of variance that the threshold explains; and how much steeper grey values are at the
        interface than in the whole picture.
    """
    values = levels[known]
    limit = filters.threshold_otsu(values)
    bright = values > limit
    share = float(bright.mean())
    between = share * (1 - share) * (values[bright].mean() - values[~bright].mean()) ** 2 if 0 < share < 1 else 0.0
    phases = (levels > limit) == (share <= 0.5)
    for value in (True, False):
        parts, count = ndimage.label(phases == value)
        sizes = np.bincount(parts.ravel(), minlength=count + 1)
        small = (sizes < SMALLEST)[parts] & (parts > 0)
        phases = phases ^ small
    rim = (phases != ndimage.binary_erosion(phases)) & known
    edge = float(steep[rim].mean() / steep[known].mean()) if rim.any() and steep[known].any() else 0.0
    return phases & known, float(between / max(values.var(), 1e-6)), edge
