"""The morphology of a micrograph in numbers: diameters, lengths, interface and direction."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from polydata.vision.burned_in import unprinted
from polydata.vision.measures import BILEVEL, BLACK, WHITE, Rgb
from polydata.vision.phases import DISPERSED, NONE, Phases, phases_of
from polydata.vision.structure import (
    Diameters,
    anisotropy,
    characteristic_length,
    corrected_weights,
    correlation_length,
    distribution,
    interface_density,
)

VERSION = 1
"""Of the measures; goes up where the same picture comes to give other numbers."""
LARGEST = 1280
"""Pixels of the longer side; larger pictures are shrunk to that."""
NARROWEST = 64
"""Pixels of the shorter side below which a picture shows no structure."""
NOTHING = "no dispersed phase found"
HALFTONE = "black and white alone: the dots of a print are no structure"
FEW = 10
"""Whole objects from which a distribution of diameters is given without a warning."""

SMALL = 6.0
"""Pixels of median diameter below which the grain of a picture may look like objects."""


@dataclass(frozen=True)
class Morphology:
    """What was measured; lengths in ``unit``, NaN where there is nothing to measure.

    Attributes:
        kind: ``dispersed`` (round objects in a matrix), ``continuous`` (two phases that are not round) or ``none``.
        note: why there are no numbers, or how far to trust them; empty where there is nothing to say.
        unit: ``um``, or ``px`` where no scale is known.
        um_per_px: scale of the picture as it was given; NaN where it is not known.
        area_fraction: of the dispersed or rarer phase, 0 to 1.
        diameters: of the objects that are seen whole, each the diameter of a circle of its area.
        characteristic_length: wavelength by the first moment of the structure factor.
        correlation_length: wavelength by the first zero of the autocorrelation.
        interface_density: length of interface by area, 1/``unit``.
        anisotropy: 0 (in no direction) to 1 (stripes).
        direction_deg: in which the structure is drawn out, -90 to 90, counter-clockwise against the rows.
        separation: share of the variance of grey values that a threshold between the phases explains, 0 to 1.
        order: depth of the first minimum of the grey values' autocorrelation, 0 to 1.
        roundness: of the area that stands out, the share in round objects, 0 to 1.
    """

    kind: str
    note: str
    unit: str
    um_per_px: float
    area_fraction: float
    diameters: Diameters
    characteristic_length: float
    correlation_length: float
    interface_density: float
    anisotropy: float
    direction_deg: float
    separation: float
    order: float
    roundness: float

    def row(self) -> dict[str, Any]:
        """A flat row for a table; None where there is nothing to measure."""
        facts = asdict(self)
        sizes = facts.pop("diameters")
        names = {"count": "objects", **{name: f"diameter_{name}" for name in ("number", "volume", "d10", "d50", "d90")}}
        facts |= {names[name]: value for name, value in sizes.items()}
        return {name: _known(value) for name, value in facts.items()}


def _known(value: Any) -> Any:
    if not isinstance(value, float):
        return value
    return float(f"{value:.6g}") if np.isfinite(value) else None


def measure_morphology(rgb: Rgb, um_per_px: float | None = None) -> tuple[Morphology, Phases]:
    """Measure a micrograph.

    Args:
        rgb: rows x columns x 3, 0 to 255; print on it is left out.
        um_per_px: its scale, above 0; None where it is not known, and lengths then come in pixels.

    Returns:
        The measures, in pixels of the picture as it was given or in micrometres; and what was made out, in pixels of
        the picture shrunk to ``LARGEST``.

    Raises:
        ValueError: if the array has another shape or is smaller than ``NARROWEST``, or the scale is not above 0.
    """
    if rgb.ndim != 3 or rgb.shape[2] != 3 or min(rgb.shape[:2]) < NARROWEST:
        raise ValueError(f"a micrograph is rows x columns x 3, at least {NARROWEST} pixels a side, not {rgb.shape}")
    if um_per_px is not None and not (um_per_px > 0 and np.isfinite(um_per_px)):
        raise ValueError(f"a scale is above 0, not {um_per_px}")
    shrunk = max(1.0, max(rgb.shape[:2]) / LARGEST)
    size = round(rgb.shape[1] / shrunk), round(rgb.shape[0] / shrunk)
    if min(size) < NARROWEST:
        raise ValueError(f"a strip of {rgb.shape[1]} x {rgb.shape[0]} pixels is too narrow to be measured")
    seen = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8) if shrunk > 1 else rgb
    grey = np.asarray(cv2.cvtColor(seen, cv2.COLOR_RGB2GRAY), np.uint8)
    found = phases_of(grey, unprinted(seen))
    if ((grey >= WHITE) | (grey <= BLACK)).mean() <= BILEVEL:
        return _measured(found, um_per_px, shrunk), found
    found = replace(found, kind=NONE, phases=np.zeros_like(found.phases), objects=np.zeros_like(found.objects))
    return replace(_measured(found, um_per_px, shrunk), note=HALFTONE), found


def _measured(found: Phases, um_per_px: float | None, shrunk: float) -> Morphology:
    step = (um_per_px or 1.0) * shrunk
    nothing = found.kind == NONE
    unknown = float("nan")
    sizes = whole_diameters(found, step) if found.kind == DISPERSED else distribution(np.empty(0), np.empty(0))
    stretched, direction = (unknown, unknown) if nothing else anisotropy(found.phases, found.known)
    return Morphology(
        kind=found.kind,
        note=_note(found.kind, sizes, sizes.d50 / (um_per_px or 1.0)),
        unit="um" if um_per_px else "px",
        um_per_px=um_per_px or unknown,
        area_fraction=unknown if nothing else float(found.phases.sum() / found.known.sum()),
        diameters=sizes,
        characteristic_length=unknown if nothing else characteristic_length(found.phases, found.known) * step,
        correlation_length=unknown if nothing else correlation_length(found.phases, found.known) * step,
        interface_density=unknown if nothing else interface_density(found.phases, found.known) / step,
        anisotropy=stretched,
        direction_deg=direction,
        separation=found.separation,
        order=found.order,
        roundness=found.roundness,
    )


def _note(kind: str, sizes: Diameters, median_px: float) -> str:
    """How far to trust the numbers; ``median_px`` is the median diameter in pixels of the picture as it was given."""
    if kind == NONE:
        return NOTHING
    if kind == DISPERSED and sizes.count < FEW:
        return f"only {sizes.count} whole objects"
    return "objects hardly larger than the grain" if kind == DISPERSED and median_px < SMALL else ""


def whole_diameters(found: Phases, step: float = 1.0) -> Diameters:
    """Diameters of circles of the objects' areas, of those that touch neither an edge nor print.

    Args:
        found: with objects.
        step: length of a pixel, above 0.
    """
    rows, columns = found.objects.shape
    inner = np.zeros_like(found.known)
    inner[1:-1, 1:-1] = cv2.erode(found.known.astype(np.uint8), np.ones((3, 3), np.uint8))[1:-1, 1:-1] > 0
    cut = np.unique(found.objects[~inner])
    areas = np.bincount(found.objects.ravel(), minlength=1)
    whole = np.setdiff1d(np.flatnonzero(areas), np.append(cut, 0))
    places = _boxes(found, whole)
    diameters = np.maximum(np.sqrt(4 / np.pi * areas[whole]) + 2 * found.growth[whole], 1.0)
    return distribution(diameters * step, corrected_weights(places, (rows, columns)))


def _boxes(found: Phases, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """First row and column, last row and column (not included) of objects, n x 4."""
    places = ndimage.find_objects(found.objects)
    boxes = [[*(side.start for side in places[n - 1]), *(side.stop for side in places[n - 1])] for n in numbers]
    return np.array(boxes, np.int64).reshape(-1, 4)
