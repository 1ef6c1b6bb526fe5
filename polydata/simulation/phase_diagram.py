"""The phase diagram of a binary polymer blend by Flory and Huggins.

Free energy of mixing of a lattice site in units of kT, Flory (1942), J. Chem. Phys. 10, 51, eq. 17, and Huggins (1942),
J. Phys. Chem. 46, 151, in today's notation (Rubinstein and Colby, Polymer Physics, eq. 4.10):

    g = x/n1 ln x + (1 - x)/n2 ln(1 - x) + chi x (1 - x)
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import optimize
from scipy.special import expit, log_expit, xlogy

ONE_PHASE, METASTABLE, UNSTABLE = "one-phase", "metastable", "unstable"
"""Where a blend lies: mixed at rest; between binodal and spinodal, where droplets nucleate; within the spinodal."""
Values = NDArray[np.float64]
LOGIT_GRID = np.linspace(-30, 30, 3001)
"""Compositions, as logits, among which the binodal is first looked for."""


@dataclass(frozen=True)
class Blend:
    """A blend of two polymers at rest.

    Attributes:
        composition: volume fraction of the first polymer, above 0 and below 1.
        chi: interaction parameter of a lattice site.
        n1, n2: degrees of polymerisation, in lattice sites, at least 1.

    Raises:
        ValueError: if a value is outside its range.
    """

    composition: float
    chi: float
    n1: float
    n2: float

    def __post_init__(self) -> None:
        if not (0 < self.composition < 1 and min(self.n1, self.n2) >= 1 and np.isfinite(self.chi)):
            raise ValueError(f"not a blend: {self}")

    @property
    def critical_chi(self) -> float:
        """Below it the polymers mix in every ratio: half the square of ``n1**-0.5 + n2**-0.5``."""
        return float(0.5 * (self.n1**-0.5 + self.n2**-0.5) ** 2)

    @property
    def spinodal_chi(self) -> float:
        """Above it this composition is unstable: there the second derivative of the free energy is 0."""
        return 0.5 * (1 / (self.n1 * self.composition) + 1 / (self.n2 * (1 - self.composition)))

    @property
    def depth(self) -> float:
        """Of the quench: ``chi / critical_chi - 1``."""
        return self.chi / self.critical_chi - 1

    @cached_property
    def binodal(self) -> tuple[float, float] | None:
        """Compositions of the two phases that lie side by side, the lower one first; None below the critical point.

        They are the ends of the straight part of the free energy's lower convex hull, made exact by equating the
        chemical potentials of both polymers.
        """
        if self.depth <= 0:
            return None
        x, x_rest = expit(LOGIT_GRID), expit(-LOGIT_GRID)
        energy = xlogy(x, x) / self.n1 + xlogy(x_rest, x_rest) / self.n2 + self.chi * x * x_rest
        hull = [0]
        for place in range(1, len(x)):
            while len(hull) > 1 and _above(x, energy, hull[-2], hull[-1], place):
                hull.pop()
            hull.append(place)
        widest = int(np.argmax(np.diff(hull)))
        start = LOGIT_GRID[[hull[widest], hull[widest + 1]]]
        found = optimize.root(self._unequal, start)
        low, high = sorted(expit(found.x if found.success and abs(np.diff(found.x)[0]) > 1e-4 else start))
        return float(low), float(high)

    def _unequal(self, ends: Values) -> Values:
        """How far the chemical potentials of two compositions, given as logits, are from being equal."""
        x, x_rest = expit(ends), expit(-ends)
        first = log_expit(ends) + (1 - self.n1 / self.n2) * x_rest + self.chi * self.n1 * x_rest**2
        second = log_expit(-ends) + (1 - self.n2 / self.n1) * x + self.chi * self.n2 * x**2
        return np.array([first[0] - first[1], second[0] - second[1]])

    @property
    def phase(self) -> str:
        """``ONE_PHASE``, ``METASTABLE`` or ``UNSTABLE``."""
        if self.chi > self.spinodal_chi:
            return UNSTABLE
        ends = self.binodal
        return METASTABLE if ends and ends[0] < self.composition < ends[1] else ONE_PHASE

    @property
    def gap(self) -> float:
        """Difference of composition between the two phases, 0 to 1; 0 where there is one."""
        return self.binodal[1] - self.binodal[0] if self.binodal and self.phase != ONE_PHASE else 0.0

    @property
    def fraction(self) -> float:
        """Volume fraction of the phase that is rich in the first polymer, by the lever rule; NaN where there is one."""
        return (self.composition - self.binodal[0]) / self.gap if self.gap and self.binodal else float("nan")


def _above(x: Values, y: Values, first: int, middle: int, last: int) -> bool:
    """Whether the middle one of three points lies on or above the line through the others."""
    return bool((y[middle] - y[first]) * (x[last] - x[first]) >= (y[last] - y[first]) * (x[middle] - x[first]))


def blend_at(composition: float, depth: float, n1: float, n2: float) -> Blend:
    """A blend at a depth of quench.

    Args:
        composition: volume fraction of the first polymer, above 0 and below 1.
        depth: ``chi / critical_chi - 1``, above -1.
        n1: degree of polymerisation of the first polymer.
        n2: the same of the second.

    Raises:
        ValueError: if a value is outside its range.
    """
    return Blend(composition, Blend(composition, 0, n1, n2).critical_chi * (1 + depth), n1, n2)
