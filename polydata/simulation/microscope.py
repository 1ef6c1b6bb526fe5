"""Electron-microscope-like pictures of a simulated blend.

The surface is the blend's relief (domains stand out or were etched away) on a fracture texture of its own;
brightness follows slope, tilt towards the detector and, weakly, composition. Texture, light, noise, blur,
contrast, charging and print are drawn without a look at the blend: they confound, they do not tell.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import fft, ndimage

from polydata.simulation.phasefield import FloatImage


@dataclass(frozen=True)
class Exposure:
    """Everything about a picture that does not come from the blend.

    Attributes:
        share: of the simulated field's side that the width shows, 0 to 1.
        angle: by which the sample is turned, radians.
        relief: height of the domains, signed: above or below the surface.
        material: brightness difference of the two components at equal height, signed.
        texture: strength of the fracture texture; ``ridges`` is the part of it in river lines.
        stretch: how much longer the texture is along the crack than across it.
        light: direction of the detector, radians.
        blur: of the beam in pixels; ``noise`` of the detector in grey levels (0 to 255).
        gain, level: contrast and mean grey of the picture, 0 to 1.
        tilt: brightness gradient over the picture, 0 to 1.
        streaks: number of charging streaks; ``specks`` of bright particles.
        field_um: roughly what the width shows, in micrometres.
    """

    share: float
    angle: float
    relief: float
    material: float
    texture: float
    ridges: float
    stretch: float
    light: float
    blur: float
    noise: float
    gain: float
    level: float
    tilt: float
    streaks: int
    specks: int
    field_um: float


def draw_exposure(rng: np.random.Generator, field_um: float) -> Exposure:
    """An exposure at random, around a field width that the figure's panels have in common."""
    return Exposure(
        share=float(rng.uniform(0.6, 0.95)),
        angle=float(rng.uniform(0, 2 * np.pi)),
        relief=float(rng.uniform(0.6, 1.5) * rng.choice([-1, 1])),
        material=float(rng.uniform(0.0, 0.22) * rng.choice([-1, 1])),
        texture=float(rng.uniform(0.3, 1.5)),
        ridges=float(rng.beta(0.6, 1.0)),
        stretch=float(rng.uniform(1.0, 4.0)),
        light=float(rng.uniform(0, 2 * np.pi)),
        blur=float(rng.uniform(0.4, 1.3)),
        noise=float(rng.uniform(3, 13)),
        gain=float(rng.uniform(0.12, 0.22)),
        level=float(rng.uniform(0.33, 0.56)),
        tilt=float(rng.uniform(0, 0.16)),
        streaks=int(rng.poisson(0.8)),
        specks=int(rng.poisson(rng.choice([0.0, 2.0, 14.0]))),
        field_um=field_um,
    )


def fractal(shape: tuple[int, int], slope: float, stretch: float, angle: float, rng: np.random.Generator) -> FloatImage:
    """Noise of unit variance whose amplitude falls as ``1 / k ** slope``, drawn out along ``angle``."""
    size = fft.next_fast_len(max(shape))
    spectrum = fft.rfft2(rng.standard_normal((size, size), dtype=np.float32))
    ky, kx = np.fft.fftfreq(size)[:, None] * size, np.fft.rfftfreq(size)[None, :] * size
    along, across = kx * np.cos(angle) + ky * np.sin(angle), -kx * np.sin(angle) + ky * np.cos(angle)
    k = np.sqrt((along * stretch) ** 2 + across**2)
    spectrum *= (1 / np.maximum(k, 1.5) ** slope).astype(np.float32)
    spectrum[0, 0] = 0
    field = fft.irfft2(spectrum, s=(size, size))[: shape[0], : shape[1]]
    return np.asarray((field - field.mean()) / field.std(), dtype=np.float32)


def surface_texture(shape: tuple[int, int], exposure: Exposure, rng: np.random.Generator) -> FloatImage:
    """Height of the bare fracture surface, in the units of ``photograph``."""
    crack = exposure.angle + 0.7
    rough = fractal(shape, 1.7, exposure.stretch, crack, rng)
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    across = (-x * np.sin(crack) + y * np.cos(crack)) / max(shape)
    warp = fractal(shape, 2.4, exposure.stretch, crack, rng)
    phase = across * float(rng.uniform(3, 9)) + 0.5 * warp
    rivers = (phase - np.floor(phase)) ** 3  # slow rise, sudden fall: steps of the crack front
    rivers = ndimage.gaussian_filter(rivers, 1.0)
    height = rough * (1 - 0.5 * exposure.ridges) + 3.0 * exposure.ridges * rivers
    return np.asarray(1.6 * exposure.texture * height, dtype=np.float32)


@dataclass(frozen=True)
class Frame:
    """Which part of a periodic field a picture shows, and how it is turned.

    Attributes:
        step: grid points a pixel.
        angle: radians.
        shift: row and column of the field at the picture's upper left corner.
    """

    step: float
    angle: float
    shift: tuple[float, float]

    def view(self, phi: FloatImage, shape: tuple[int, int]) -> FloatImage:
        """What the picture shows of a periodic field, enlarged to ``shape``."""
        y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32) * self.step
        c, s = np.cos(self.angle), np.sin(self.angle)
        rows, columns = s * x + c * y + self.shift[0], c * x - s * y + self.shift[1]
        seen = ndimage.map_coordinates(phi, [rows, columns], order=3, mode="grid-wrap")
        return np.asarray(seen, dtype=np.float32)

    def places(self, points: NDArray[np.float64], period: int) -> NDArray[np.float64]:
        """Where points of a periodic field stand in the picture, and their periodic images too.

        Args:
            points: n x 2, row and column.
            period: side of the field.

        Returns:
            25 x n x 2, row and column in pixels, those outside of the picture among them.
        """
        copies = np.array([(row, column) for row in range(-2, 3) for column in range(-2, 3)], np.float64) * period
        first = np.asarray(self.shift) % period
        away = (points[None] + copies[:, None] - first) / self.step
        c, s = np.cos(self.angle), np.sin(self.angle)
        return np.stack([c * away[..., 0] - s * away[..., 1], s * away[..., 0] + c * away[..., 1]], -1)


def draw_frame(period: int, width: int, exposure: Exposure, rng: np.random.Generator) -> Frame:
    """A frame somewhere on a field of that side, as wide and as turned as the exposure says."""
    row, column = rng.uniform(0, period, 2)
    return Frame(exposure.share * period / width, exposure.angle, (float(row), float(column)))


def photograph(phi: FloatImage, width: int, height: int, exposure: Exposure, rng: np.random.Generator) -> Image.Image:
    """A grey picture of the blend.

    Args:
        phi: order parameter on a periodic square grid.
        width: of the picture in pixels; at least as large as ``height``.
        height: of the picture in pixels.
        exposure: everything about the picture that does not come from the blend.
        rng: draws the place, the surface and the noise.
    """
    seen = draw_frame(phi.shape[0], width, exposure, rng).view(phi, (height, width))
    return expose(seen, exposure, rng)


def expose(seen: FloatImage, exposure: Exposure, rng: np.random.Generator) -> Image.Image:
    """A grey picture of what the microscope looks at.

    Args:
        seen: (height, width), order parameter, about -1 to 1.
        exposure: everything about the picture that does not come from the blend.
        rng: draws the surface and the noise.
    """
    shape = height, width = seen.shape[0], seen.shape[1]
    fine = width / 300  # sizes below are meant for a picture 300 pixels wide
    surface = 3.2 * fine * exposure.relief * seen + fine * surface_texture(shape, exposure, rng)
    surface = ndimage.gaussian_filter(surface, 0.6 * fine)
    down, right = np.gradient(surface)
    slope = np.sqrt(1 + down**2 + right**2) - 1  # secondary electrons escape from edges
    tilt = right * np.cos(exposure.light) + down * np.sin(exposure.light)
    grey = exposure.gain * (1.1 * slope + 0.75 * np.tanh(tilt)) + exposure.material * seen
    y, x = np.mgrid[-0.5 : 0.5 : height * 1j, -0.5 : 0.5 : width * 1j]
    grey = grey - grey.mean() + exposure.tilt * (x * np.cos(exposure.light) + y * np.sin(exposure.light))
    grey = grey + _specks(shape, exposure, fine, rng) + _streaks(shape, exposure, rng) + exposure.level
    grey = ndimage.gaussian_filter(grey, exposure.blur * max(1.0, fine))
    grain = rng.standard_normal(shape, dtype=np.float32) * np.sqrt(np.clip(grey, 0.05, 1) / 0.5)
    levels = 255 * grey + exposure.noise * grain
    return Image.fromarray(np.clip(levels, 0, 255).astype(np.uint8))


def _specks(shape: tuple[int, int], exposure: Exposure, fine: float, rng: np.random.Generator) -> FloatImage:
    """Bright debris, round, a few pixels wide."""
    out = np.zeros(shape, dtype=np.float32)
    for _ in range(exposure.specks):
        row, column = rng.uniform(0, shape[0]), rng.uniform(0, shape[1])
        radius = fine * rng.uniform(1.0, 4.5)
        reach = int(3 * radius) + 1
        top, left = max(0, int(row) - reach), max(0, int(column) - reach)
        y = np.exp(-(((np.arange(top, min(shape[0], int(row) + reach)) - row) / radius) ** 2))
        x = np.exp(-(((np.arange(left, min(shape[1], int(column) + reach)) - column) / radius) ** 2))
        out[top : top + len(y), left : left + len(x)] += 0.25 * np.minimum(1, 3 * np.outer(y, x))
    return out


def _streaks(shape: tuple[int, int], exposure: Exposure, rng: np.random.Generator) -> FloatImage:
    """Charging: single scan lines, or a few, that are too bright or too dark from a point on."""
    out = np.zeros(shape, dtype=np.float32)
    for _ in range(exposure.streaks):
        row, start = int(rng.integers(shape[0])), int(rng.integers(shape[1]))
        fade = np.exp(-np.arange(shape[1] - start) / (0.3 * shape[1]))
        out[row : row + int(rng.integers(1, 4)), start:] += rng.uniform(-0.12, 0.25) * fade
    return out
