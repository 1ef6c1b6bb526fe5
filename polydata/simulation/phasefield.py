"""Blend morphologies by Cahn-Hilliard phase-field simulation on a periodic square grid.

The order parameter ``phi`` is the local surplus of one component. With the double well
``f = (phi² - depth)² / 4`` it obeys

    d phi / d t = mobility · ∇²( phi³ - depth · phi - gradient · ∇² phi )

and is advanced in Fourier space: the stiff linear part implicitly, the cubic one explicitly, with a
stabilising term, as in Eyre (1998), "Unconditionally gradient stable time marching the Cahn-Hilliard
equation", MRS Proceedings 529, 39. The zero mode is left alone, so that mass is conserved.

The gradient coefficient and the mobility follow the depth of the quench: the interface is then a few grid
points wide for every depth, and ``time`` counts in units of the linear growth time. A shallow quench gives
weak contrast, a long time coarse domains; both are continuous, which is what the corpus is drawn from.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft

FloatImage = NDArray[np.float32]
Spectrum = NDArray[np.complex64]

STABILISER = 1.0
"""Times the depth: half the well's steepest curvature, which keeps long steps from overshooting."""
FIRST_STEP = 0.5
STEP_GROWTH = 0.03
"""Late steps are this share of the time passed: coarsening slows down as time goes on."""


@dataclass(frozen=True)
class Quench:
    """How a blend was made, in the terms of the simulation.

    Attributes:
        depth: of the quench, above 0; the two phases end at ``± sqrt(depth)``.
        fraction: volume fraction of the minor-or-major phase, 0 to 1, by the lever rule.
        time: of coarsening, in units of the linear growth time, above 0.

    Raises:
        ValueError: if a value is outside its range.
    """

    depth: float
    fraction: float
    time: float

    def __post_init__(self) -> None:
        if not (self.depth > 0 and self.time > 0 and 0 < self.fraction < 1):
            raise ValueError(f"not a quench: {self}")


def start(quench: Quench, size: int, rng: np.random.Generator) -> FloatImage:
    """The mixed melt: mean composition and short-ranged fluctuations, ``(size, size)``.

    The fluctuations are as large as a quarter of the final contrast, so that blends outside the
    spinodal separate too, by nucleation.
    """
    amplitude = float(np.sqrt(quench.depth))
    noise = rng.standard_normal((size, size), dtype=np.float32)
    spectrum = fft.rfft2(noise) * np.exp(-squared_wavenumbers(size)).astype(np.float32)
    spectrum[0, 0] = 0.0
    smooth = fft.irfft2(spectrum, s=(size, size))
    smooth *= 0.25 * amplitude / float(smooth.std())
    return np.asarray(smooth + (2 * quench.fraction - 1) * amplitude, dtype=np.float32)


def squared_wavenumbers(size: int) -> FloatImage:
    """``|k|²`` of the half spectrum of a ``(size, size)`` grid of unit spacing, ``(size, size // 2 + 1)``."""
    along = 2 * np.pi * np.fft.fftfreq(size)
    half = 2 * np.pi * np.fft.rfftfreq(size)
    return (along[:, None] ** 2 + half[None, :] ** 2).astype(np.float32)


def evolve(
    phi: FloatImage,
    depth: float,
    time: float,
    *,
    slowness: float = 0.0,
    noise: float = 0.0,
    rng: np.random.Generator | None = None,
) -> FloatImage:
    """The field after ``time``; the mean stays what it is.

    Args:
        phi: square field.
        depth: of the quench, above 0.
        time: in units of the linear growth time, at least 0.
        slowness: of the positive phase: its mobility is ``exp(-slowness)`` of the other's, 0 or more. It stands in for
            a contrast of viscosity: nothing flows. Zhu, Chen, Shen and Tikare (1999), Phys. Rev. E 60, 3564, eq. 8.
        noise: strength of thermal fluctuations, 0 or more, in units of depth; Cook (1970), Acta Metall. 18, 297, eq. 8.
        rng: draws the fluctuations; needed where there are any.

    Raises:
        ValueError: if there is noise and nothing to draw it.
    """
    if noise and rng is None:
        raise ValueError("noise needs a generator")
    size = phi.shape[0]
    k2 = squared_wavenumbers(size)
    stiff = k2 * (STABILISER + k2)  # everything below is in units of depth: phi/sqrt(depth), time/depth
    field = (phi / np.sqrt(depth)).astype(np.float32)
    spectrum = fft.rfft2(field)
    passed = 0.0
    while passed < time - 1e-9:
        step = np.float32(min(max(FIRST_STEP, STEP_GROWTH * passed), time - passed))
        damping = 1 + step * stiff
        if slowness:
            spectrum = spectrum + step * _driven(field, spectrum, k2, slowness) / damping
        else:
            force = fft.rfft2(field * (field * field - np.float32(1 + STABILISER)))
            spectrum = (spectrum - step * k2 * force) / damping
        if noise and rng is not None:
            shaken = fft.rfft2(rng.standard_normal((size, size), dtype=np.float32))
            spectrum = spectrum + np.sqrt(2 * np.float32(noise) * step * k2) * shaken / damping
        field = fft.irfft2(spectrum, s=(size, size))
        passed += float(step)
    return np.asarray(field * np.sqrt(depth), dtype=np.float32)


def _driven(field: FloatImage, spectrum: Spectrum, k2: FloatImage, slowness: float) -> Spectrum:
    """The spectrum of ``div(M grad(mu))``, whose mobility ``M`` falls from 1 to ``exp(-slowness)`` over the phases."""
    size = field.shape[0]
    mobility = np.exp(np.float32(-slowness / 2) * (1 + np.clip(field, -1, 1)))
    potential = fft.rfft2(field * (field * field - np.float32(1))) + k2 * spectrum
    rows = 1j * 2 * np.pi * np.fft.fftfreq(size).astype(np.float32)[:, None]
    columns = 1j * 2 * np.pi * np.fft.rfftfreq(size).astype(np.float32)[None, :]
    flows = (fft.rfft2(mobility * fft.irfft2(along * potential, s=field.shape)) * along for along in (rows, columns))
    return np.asarray(sum(flows), np.complex64)


def simulate(quench: Quench, size: int, rng: np.random.Generator) -> FloatImage:
    """A blend's order parameter, ``(size, size)`` float32, within about ``± 1.2 sqrt(depth)``, periodic."""
    return evolve(start(quench, size, rng), quench.depth, quench.time)
