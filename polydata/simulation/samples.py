"""Samples of simulated blends: a place in the phase diagram, a kind of morphology that it allows, and its field.

The label follows from the phase diagram alone: one phase is the positive one; two phases that differ by less than
``PARTIAL_GAP`` in composition are partly miscible; all others are the negative one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from polydata.simulation.microscope import Exposure, draw_exposure
from polydata.simulation.phase_diagram import METASTABLE, ONE_PHASE, UNSTABLE, Blend, blend_at
from polydata.simulation.phasefield import FloatImage, Quench, evolve, start
from polydata.simulation.shapes import Discs, discs, fibres, log_normal, place_discs, random_waves
from polydata.task import Task

Rng = np.random.Generator

GRID = 256
"""Side of the periodic fields in grid points."""
PARTIAL_GAP = 0.6
COARSE = 150.0, 1500.0
"""Time of coarsening, in units of the linear growth time: domains of about 18 to 40 grid points."""
FEWEST = 40
"""Droplets in a field, about, at least: fewer tell no distribution."""
DISPERSED, BALANCED = (0.06, 0.32), (0.38, 0.62)
"""Volume fractions that kinds of droplets and of continuous phases take."""


@dataclass(frozen=True)
class Structure:
    """The structure of a sample.

    Attributes:
        field: (``GRID``, ``GRID``), above 0 in the phase that counts as dispersed, about -1 to 1, periodic; 0
            throughout where there is one phase.
        discs: what it was drawn from; None for other kinds.
    """

    field: FloatImage
    discs: Discs | None = None


@dataclass(frozen=True)
class Kind:
    """A kind of morphology.

    Attributes:
        phases: places in the phase diagram where it occurs.
        fractions: volume fractions of the dispersed phase that it takes.
        gaps: differences of composition between the phases, 0 to 1.
        make: draws the structure of a blend.
        relief: sign of the dispersed phase's height: -1 for holes; 0 for either, as drawn.
    """

    phases: tuple[str, ...]
    fractions: tuple[float, float]
    gaps: tuple[float, float]
    make: Callable[[Blend, float, Rng], Structure]
    relief: int = 0


@dataclass(frozen=True)
class Sample:
    """A sample of which pictures are taken.

    Attributes:
        kind: a key of ``KINDS``.
        blend: its place in the phase diagram.
        structure: what it looks like.
    """

    kind: str
    blend: Blend
    structure: Structure

    def label(self, task: Task) -> str:
        """What the phase diagram makes of it, in the task's word."""
        if self.blend.phase == ONE_PHASE:
            return task.positive
        return task.partial if task.partial and self.blend.gap < PARTIAL_GAP else task.negative


def _steps(_blend: Blend, _fraction: float, _rng: Rng) -> Structure:
    return Structure(np.zeros((GRID, GRID), np.float32))


def _sharp(distance: FloatImage) -> FloatImage:
    """Signed distances as an order parameter with an interface two grid points wide."""
    return np.asarray(np.tanh(distance / 1.2), np.float32)


def _spinodal(_blend: Blend, fraction: float, rng: Rng, *, slowness: float = 0.0, noise: float = 0.0) -> Structure:
    """Cahn and Hilliard's equation from the mixed melt."""
    time = float(np.exp(rng.uniform(*np.log(COARSE))))
    phi = start(Quench(1.0, fraction, time), GRID, rng)
    return Structure(evolve(phi, 1.0, time, slowness=slowness, noise=noise, rng=rng))


def _noisy(blend: Blend, fraction: float, rng: Rng) -> Structure:
    return _spinodal(blend, fraction, rng, noise=float(rng.uniform(0.001, 0.01)))


def _viscous(blend: Blend, fraction: float, rng: Rng) -> Structure:
    return _spinodal(blend, fraction, rng, slowness=float(rng.uniform(1, 3)))


def _interphase(blend: Blend, fraction: float, rng: Rng) -> Structure:
    """The same with a contrast as large as the gap and interfaces that widen with it, as ``depth ** -0.5``."""
    field = _spinodal(blend, fraction, rng).field
    wide = np.clip(0.8 / np.sqrt(blend.depth), 0.5, 4.0)
    return Structure(np.asarray(blend.gap * ndimage.gaussian_filter(field, wide, mode="wrap"), np.float32))


def _waves(_blend: Blend, fraction: float, rng: Rng) -> Structure:
    return Structure(_sharp(random_waves(float(rng.uniform(16, 42)), fraction, GRID, rng)))


def _droplets(_blend: Blend, fraction: float, rng: Rng) -> Structure:
    largest = np.sqrt(4 / np.pi * fraction * GRID**2 / FEWEST)
    median = float(np.exp(rng.uniform(np.log(8), np.log(min(24, largest)))))
    sizes = log_normal(median, float(rng.uniform(0.1, 0.45)), 4000, rng)
    beds = place_discs(sizes, fraction, GRID, rng)
    return Structure(_sharp(discs(beds, GRID)), beds)


def _bimodal(_blend: Blend, fraction: float, rng: Rng) -> Structure:
    small, ratio = float(rng.uniform(7, 11)), float(rng.uniform(2.5, 4))
    share = 0.5 / ratio**2  # of the large ones by number: the more area the larger they are
    large = rng.random(4000) < share * rng.uniform(1, 3)
    sizes = np.where(large, log_normal(small * ratio, 0.1, 4000, rng), log_normal(small, 0.15, 4000, rng))
    beds = place_discs(sizes, fraction, GRID, rng)
    return Structure(_sharp(discs(beds, GRID)), beds)


def _fibres(_blend: Blend, fraction: float, rng: Rng) -> Structure:
    width, length = float(rng.uniform(5, 10)), float(rng.uniform(50, 85))
    count = max(3, round(-np.log(1 - fraction) * GRID**2 / (width * length)))  # as they lie over each other
    widths = log_normal(width, 0.15, count, rng)
    return Structure(_sharp(fibres(widths, length, float(rng.uniform(0, np.pi)), GRID, rng)))


WIDE, SHALLOW = (PARTIAL_GAP, 1.0), (0.2, PARTIAL_GAP)
KINDS: dict[str, Kind] = {
    "droplets": Kind((METASTABLE, UNSTABLE), DISPERSED, WIDE, _droplets),
    "spinodal": Kind((UNSTABLE,), BALANCED, WIDE, _spinodal),
    "homogeneous": Kind((ONE_PHASE,), (0, 0), (0, 0), _steps),
    "holes": Kind((METASTABLE, UNSTABLE), DISPERSED, WIDE, _droplets, relief=-1),
    "noisy-spinodal": Kind((UNSTABLE,), BALANCED, WIDE, _noisy),
    "bimodal": Kind((METASTABLE, UNSTABLE), DISPERSED, WIDE, _bimodal),
    "co-continuous": Kind((UNSTABLE,), BALANCED, WIDE, _waves),
    "fibres": Kind((METASTABLE, UNSTABLE), (0.1, 0.3), WIDE, _fibres),
    "viscous-spinodal": Kind((UNSTABLE,), BALANCED, WIDE, _viscous),
    "interphase": Kind((METASTABLE, UNSTABLE), (0.35, 0.65), SHALLOW, _interphase),
}
"""All kinds, in the order in which samples take turns.

Droplets and holes are discs of log-normal diameters, bimodal ones of two sizes; spinodal structures are Cahn and
Hilliard's, with fluctuations or slow in one phase; co-continuous ones level sets of random waves; interphases have a
weak contrast and wide interfaces; homogeneous samples show nothing but steps and rivers of a fracture.
"""


def draw_sample(kind: str, rng: Rng) -> Sample:
    """A sample of a kind: its place in the phase diagram, then its structure.

    Args:
        kind: a key of ``KINDS``.
        rng: draws everything.
    """
    wanted = KINDS[kind]
    while True:
        n1, n2 = (float(round(np.exp(rng.uniform(np.log(100), np.log(3000))))) for _ in range(2))
        depth = float(rng.uniform(-0.6, 0.0)) if wanted.phases == (ONE_PHASE,) else float(np.exp(rng.uniform(-4, 1)))
        blend = blend_at(float(rng.uniform(0.02, 0.98)), depth, n1, n2)
        if blend.phase not in wanted.phases:
            continue
        if blend.phase == ONE_PHASE:
            return Sample(kind, blend, wanted.make(blend, 0.0, rng))
        low, high = wanted.fractions
        gap_low, gap_high = wanted.gaps
        if low <= blend.fraction <= high and gap_low <= blend.gap <= gap_high:
            return Sample(kind, blend, wanted.make(blend, blend.fraction, rng))


def draw_view(sample: Sample, field_um: float, rng: Rng) -> Exposure:
    """How a picture of a sample is taken: as in ``draw_exposure``, with less texture where there are two phases.

    Without much texture the two phases are what most of the picture's contrast comes from, as on cut or etched faces.

    Args:
        sample: what is shown.
        field_um: what the width shows, roughly, in micrometres.
        rng: draws everything.
    """
    drawn = draw_exposure(rng, field_um)
    if sample.blend.phase == ONE_PHASE:
        return replace(drawn, texture=float(rng.uniform(0.5, 5)))
    texture = float(rng.uniform(0.0, 0.6))
    wanted = KINDS[sample.kind].relief
    relief = wanted * abs(drawn.relief) if wanted else drawn.relief
    sign = wanted or float(rng.choice([-1, 1]))
    material = sign * float(rng.uniform(0.06, 0.25))
    return replace(drawn, texture=texture, relief=relief, material=material)
