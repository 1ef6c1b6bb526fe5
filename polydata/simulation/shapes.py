"""Phases drawn instead of simulated, on a periodic square grid: discs, fibres, and level sets of random waves.

All are signed distances to the interface in grid points, above 0 within the dispersed phase.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft, special

from polydata.simulation.phasefield import FloatImage, squared_wavenumbers

TRIES = 60
"""Places tried for a disc before it is left out."""
APART = 1.5
"""Grid points that discs keep between each other at least."""


@dataclass(frozen=True)
class Discs:
    """Discs that do not touch.

    Attributes:
        centres: n x 2, row and column in grid points.
        diameters: n, in grid points.
    """

    centres: NDArray[np.float64]
    diameters: NDArray[np.float64]


def log_normal(median: float, spread: float, count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Diameters whose logarithms are normal with a standard deviation of ``spread``, cut at two of these."""
    return np.asarray(median * np.exp(spread * np.clip(rng.standard_normal(count), -2, 2)))


def place_discs(diameters: NDArray[np.float64], fraction: float, size: int, rng: np.random.Generator) -> Discs:
    """Discs put down at random one after the other, the largest first, where they touch none that lie there.

    Random sequential addition, Widom (1966), J. Chem. Phys. 44, 3888: dense beds (above about 0.45 in area) jam.

    Args:
        diameters: in grid points; as many are used as it takes, in their order.
        fraction: of the area that they cover, 0 to 1.
        size: side of the grid.
        rng: draws the places.
    """
    share = np.cumsum(np.pi / 4 * diameters**2) / size**2
    chosen = np.sort(diameters[: max(1, int(np.searchsorted(share, fraction)) + 1)])[::-1]
    centres = np.empty((0, 2))
    kept: list[float] = []
    for diameter in chosen:
        places = rng.uniform(0, size, (TRIES, 2))
        away = np.abs(places[:, None] - centres[None])
        distance = np.hypot(*np.moveaxis(np.minimum(away, size - away), -1, 0))
        free = (distance > (diameter + np.array(kept)) / 2 + APART).all(1)
        if free.any():
            centres = np.vstack([centres, places[int(free.argmax())]])
            kept.append(float(diameter))
    return Discs(centres, np.array(kept))


def discs(beds: Discs, size: int) -> FloatImage:
    """Signed distance to the nearest disc's rim, down to -4 far away from all."""
    field = np.full((size, size), -4, np.float32)
    for (row, column), diameter in zip(beds.centres, beds.diameters, strict=True):
        rows, columns = (_around(at, diameter / 2 + 4, size) for at in (row, column))
        distance = diameter / 2 - np.hypot((rows - row)[:, None], (columns - column)[None, :])
        place = np.ix_(rows % size, columns % size)
        field[place] = np.maximum(field[place], distance)
    return field


def _around(at: float, reach: float, size: int) -> NDArray[np.int64]:
    """Grid points within ``reach``, not taken modulo the period, each at most once."""
    first = int(np.floor(at - reach))
    return np.arange(first, first + min(size, int(2 * reach) + 2))


def fibres(widths: NDArray[np.float64], length: float, angle: float, size: int, rng: np.random.Generator) -> FloatImage:
    """Signed distance to straight fibres with round ends that lie over each other at random.

    Args:
        widths: one a fibre, in grid points.
        length: of all, in grid points, at most a third of ``size``.
        angle: around which they lie, radians, with a standard deviation of 0.15.
        size: side of the grid.
        rng: draws places and angles.
    """
    field = np.full((size, size), -4, np.float32)
    for width in widths:
        row, column = rng.uniform(0, size, 2)
        turn = angle + 0.15 * rng.standard_normal()
        rows, columns = (_around(at, length / 2 + width / 2 + 4, size) for at in (row, column))
        down, right = np.meshgrid(rows - row, columns - column, indexing="ij")
        along = np.clip(right * np.cos(turn) + down * np.sin(turn), -length / 2, length / 2)
        distance = width / 2 - np.hypot(right - along * np.cos(turn), down - along * np.sin(turn))
        place = np.ix_(rows % size, columns % size)
        field[place] = np.maximum(field[place], distance)
    return field


def random_waves(length: float, fraction: float, size: int, rng: np.random.Generator) -> FloatImage:
    """Signed distance (to first order) to a level set of random waves: a co-continuous structure of one length.

    Cahn (1965), J. Chem. Phys. 42, 93, eq. 15: waves of one length, all directions and random phases.

    Args:
        length: of the waves in grid points.
        fraction: area of the positive side, 0 to 1.
        size: side of the grid.
        rng: draws the phases.
    """
    k, peak = np.sqrt(squared_wavenumbers(size)), 2 * np.pi / length
    spectrum = fft.rfft2(rng.standard_normal((size, size), dtype=np.float32))
    field = fft.irfft2(spectrum * np.exp(-0.5 * ((k - peak) / (0.15 * peak)) ** 2).astype(np.float32), s=(size, size))
    field /= field.std()
    steepness = np.sqrt(np.mean(np.square(np.gradient(field))) * 2)
    return np.asarray((field + np.sqrt(2) * special.erfinv(2 * fraction - 1)) / steepness, np.float32)
