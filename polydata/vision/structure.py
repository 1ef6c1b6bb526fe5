"""Measures of a two-phase structure, from a map of its phases: length, interface, direction, diameters.

All lengths are in pixels; whoever knows the scale multiplies. ``known`` leaves pixels out, such as print.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage, special

Map = NDArray[np.bool_]
Values = NDArray[np.float64]

PORODS_TAIL = 1.6
"""Wavenumbers up to so many times their mean count: of sharp interfaces the full first moment has no limit."""
LOWEST = 1.5
"""Periods over the shorter side from which on wavenumbers count: below lie the window and uneven light."""
STRIDES = ((0, 1), (1, 1), (1, 0), (1, -1))
"""Neighbours in the four directions in which interfaces are counted."""


def structure_factor(field: NDArray[np.generic], known: Map | None = None) -> tuple[Values, Values]:
    """Power of a picture by wavenumber: the mean over rings one step of the shorter side wide.

    A Hann window keeps the picture's edges out; pixels that are not known take the mean.

    Args:
        field: rows x columns, a map of phases or grey values.
        known: rows x columns; None for all.

    Returns:
        Wavenumbers in radians a pixel and the power at each, without the zero and beyond the corner of the grid.
    """
    rows, columns = field.shape
    window = np.outer(np.hanning(rows), np.hanning(columns))
    window = window if known is None else window * known
    grey = np.asarray(field, np.float64)
    values = (grey - np.average(grey, weights=window)) * window
    power = np.abs(fft.rfft2(values)) ** 2
    down, right = 2 * np.pi * np.fft.fftfreq(rows)[:, None], 2 * np.pi * np.fft.rfftfreq(columns)[None, :]
    k, step = np.hypot(down, right), 2 * np.pi / min(rows, columns)
    power[:, 1 : (columns + 1) // 2] *= 2  # the half of the plane that a real transform leaves out
    weight = np.ones_like(power)
    weight[:, 1 : (columns + 1) // 2] = 2
    rings = np.round(k / step).astype(np.int64).ravel()
    many = np.maximum(np.bincount(rings, weight.ravel()), 1)
    last = min(rows, columns) // 2
    mean_k = np.bincount(rings, (k * weight).ravel()) / many
    return mean_k[1:last], (np.bincount(rings, power.ravel()) / many)[1:last]


def characteristic_length(field: NDArray[np.generic], known: Map | None = None) -> float:
    """The wavelength of a structure: 2π over the first moment of its structure factor in the plane.

    ``<k> = sum k² S / sum k S``, over wavenumbers up to ``PORODS_TAIL`` times ``<k>`` itself, found by iteration; the
    power of a ring is its mean times its length. After Furukawa (1985), Adv. Phys. 34, 703; the bound is our own.

    Args:
        field: rows x columns, a map of phases.
        known: rows x columns; None for all.

    Returns:
        Pixels; NaN where the map is of one value.
    """
    k, power = structure_factor(field, known)
    if not power.sum() > 1e-9 * field.size:
        return float("nan")
    power = np.where(k >= LOWEST * 2 * np.pi / min(field.shape), power * k, 0.0)
    mean = float((k * power).sum() / power.sum())
    for _ in range(50):
        within = power * (k <= PORODS_TAIL * mean)
        if not within.sum():
            break
        before, mean = mean, float((k * within).sum() / within.sum())
        if abs(mean - before) < 1e-4 * before:
            break
    return 2 * np.pi / mean


def autocorrelation(field: NDArray[np.generic], known: Map | None = None) -> Values:
    """How alike values at a distance are: the mean over all directions and pairs of known pixels.

    Args:
        field: rows x columns, a map of phases or grey values.
        known: rows x columns; None for all.

    Returns:
        -1 to 1 at 0, 1, 2, ... pixels up to half the shorter side, 1 at the first; 0 throughout for a plain field.
    """
    weight = np.ones(field.shape) if known is None else known.astype(np.float64)
    grey = np.asarray(field, np.float64)
    values = (grey - np.average(grey, weights=weight)) * weight
    reach = min(field.shape) // 2
    shape = [fft.next_fast_len(side + reach, real=True) for side in field.shape]  # no pair within reach wraps around
    product = _correlated(values, shape)
    down, right = np.minimum(np.arange(shape[0]), shape[0] - np.arange(shape[0])), np.arange(reach + 1)
    if known is None:
        pairs = np.outer(field.shape[0] - down, field.shape[1] - right).astype(np.float32)
    else:
        pairs = _correlated(weight, shape)
    near = down <= reach
    rings = np.round(np.hypot(down[near, None], right[None, :])).astype(np.int64).ravel()
    told, many = (np.bincount(rings, one[near, : reach + 1].ravel())[: reach + 1] for one in (product, pairs))
    told = told / np.maximum(many, 1.0)
    return np.asarray(told / told[0] if told[0] > 1e-9 else np.zeros_like(told))


def correlation_length(field: NDArray[np.generic], known: Map | None = None) -> float:
    """The wavelength of a structure by its autocorrelation, whose first zero lies where that of ``J0(2πr/L)`` does.

    ``J0`` is the autocorrelation of waves of one length in all directions.

    Args:
        field: rows x columns, a map of phases.
        known: rows x columns; None for all.

    Returns:
        Pixels; NaN where the autocorrelation has no zero within half the shorter side.
    """
    told = autocorrelation(field, known)
    below = np.flatnonzero(told <= 0)
    if not below.size or told[0] <= 0:
        return float("nan")
    last = int(below[0])
    zero = last - told[last] / (told[last] - told[last - 1])
    return float(zero * 2 * np.pi / special.jn_zeros(0, 1)[0])


def _correlated(values: Values, shape: list[int]) -> NDArray[np.float32]:
    """Sums of products of all pairs of values at each distance."""
    spectrum = fft.rfft2(values.astype(np.float32), s=shape)
    return np.asarray(fft.irfft2(spectrum.real**2 + spectrum.imag**2, s=shape), np.float32)


def interface_density(phases: Map, known: Map | None = None) -> float:
    """Length of interface by area, from how often lines in four directions cross it: Cauchy and Crofton's formula.

    ``π/2`` times the crossings by length of line; Underwood (1970), Quantitative Stereology, eq. 2.2.

    Args:
        phases: rows x columns, whether a pixel is of the dispersed phase.
        known: rows x columns; None for all.

    Returns:
        1/pixel.
    """
    seen = np.ones(phases.shape, np.bool_) if known is None else known
    rates = []
    for down, right in STRIDES:
        pairs = _beside(phases, down, right), _beside(seen, down, right)
        both = pairs[1][0] & pairs[1][1]
        crossed = (pairs[0][0] != pairs[0][1]) & both
        rates.append(crossed.sum() / max(1, both.sum()) / np.hypot(down, right))
    return float(np.pi / 2 * np.mean(rates))


def _beside(field: Map, down: int, right: int) -> tuple[Map, Map]:
    """A map and itself one stride further, cut to what both have."""
    rows, columns = field.shape
    first = field[: rows - down, max(0, -right) : columns - max(0, right)]
    return first, field[down:, max(0, right) : columns + min(0, right)]


def anisotropy(field: NDArray[np.generic], known: Map | None = None) -> tuple[float, float]:
    """How far a structure is drawn out and in which direction, by the structure tensor of the whole picture.

    ``(a - b) / (a + b)`` of the tensor's eigenvalues; Jähne (2005), Digital Image Processing, eq. 13.19.

    Args:
        field: rows x columns, a map of phases.
        known: rows x columns; None for all.

    Returns:
        0 (in no direction) to 1 (stripes), and the direction in degrees against the rows, -90 to 90, counter-clockwise.
    """
    smooth = ndimage.gaussian_filter(np.asarray(field, np.float32), 1.0)
    down, right = np.gradient(smooth)
    weight = 1.0 if known is None else ndimage.binary_erosion(known, iterations=3)
    xx, yy, xy = (float((one * weight).sum()) for one in (right * right, down * down, right * down))
    if xx + yy <= 0:
        return 0.0, 0.0
    steepest = 0.5 * np.arctan2(2 * xy, xx - yy)
    along = np.degrees(steepest) + 90
    return float(np.hypot(xx - yy, 2 * xy) / (xx + yy)), float(90 - (along + 90) % 180)


@dataclass(frozen=True)
class Diameters:
    """A distribution of diameters, each object weighted by how seldom one of its size is seen whole.

    Attributes:
        count: of objects that are seen whole.
        number: mean diameter, ``sum w d / sum w``.
        volume: volume-weighted mean diameter, ``sum w d⁴ / sum w d³``.
        d10: diameter below which a tenth of the objects lie, by number.
        d50: median.
        d90: diameter above which a tenth lie.
    """

    count: int
    number: float
    volume: float
    d10: float
    d50: float
    d90: float


def distribution(diameters: Values, weights: Values) -> Diameters:
    """Means and quantiles of diameters; NaN throughout where there are none.

    Args:
        diameters: n, in any unit.
        weights: n, above 0.
    """
    if not diameters.size:
        return Diameters(0, *[float("nan")] * 5)
    order = np.argsort(diameters)
    d, w = diameters[order], weights[order] / weights.sum()
    middle = np.cumsum(w) - w / 2
    low, median, high = np.interp((0.1, 0.5, 0.9), middle, d)
    moments = [float((w * d**power).sum()) for power in (1, 3, 4)]
    return Diameters(len(d), moments[0], moments[2] / moments[1], float(low), float(median), float(high))


def corrected_weights(boxes: NDArray[np.int64], shape: tuple[int, int]) -> Values:
    """How many objects each whole one stands for, since large ones more often touch the picture's edge.

    ``W H / ((W - w)(H - h))`` of an object ``w`` wide and ``h`` high; Miles (1974) and Lantuéjoul (1980), as in Serra
    (1982), Image Analysis and Mathematical Morphology, p. 246. Objects that touch an edge are to be left out before.

    Args:
        boxes: n x 4: first row, first column, last row and last column, the last ones not included.
        shape: rows and columns of the picture.
    """
    high, wide = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    rows, columns = shape
    return np.asarray(rows * columns / (np.maximum(rows - high, 1) * np.maximum(columns - wide, 1)), np.float64)
