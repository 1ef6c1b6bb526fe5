"""Micrographs of anything, drawn at random: grains, particles, fibres, pores, layers, domains, under six instruments.

Figures composed of them train the network that takes figures apart (``train_panels.py``). What is drawn need not be
beautiful; it must differ as much as what papers print does. A height field is made of one to three primitives, then
shown as a scanning, transmission, optical, fluorescence or force microscope would show it.
"""

from __future__ import annotations

import colorsys

import cv2
import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from scipy import fft, ndimage

Field = npt.NDArray[np.float32]
Rgb = npt.NDArray[np.uint8]
Rng = np.random.Generator


def unit(field: npt.NDArray[np.floating]) -> Field:
    """A field stretched to 0..1 between its 1st and 99th percentile."""
    low, high = np.percentile(field, (1, 99))
    return np.asarray(np.clip((field - low) / (high - low + 1e-6), 0, 1), np.float32)


def fractal(side: int, rng: Rng, slope: float | None = None) -> Field:
    """Noise whose amplitude falls with frequency, perhaps drawn out in one direction."""
    slope = float(rng.uniform(0.6, 2.6)) if slope is None else slope
    stretch, angle = float(np.exp(rng.uniform(0, 1.6) * (rng.random() < 0.4))), float(rng.uniform(0, np.pi))
    ky, kx = np.fft.fftfreq(side)[:, None] * side, np.fft.rfftfreq(side)[None, :] * side
    along, across = kx * np.cos(angle) + ky * np.sin(angle), -kx * np.sin(angle) + ky * np.cos(angle)
    k = np.maximum(np.sqrt((along * stretch) ** 2 + across**2), float(rng.uniform(1, 6)))
    spectrum = fft.rfft2(rng.standard_normal((side, side), dtype=np.float32)) / k**slope
    return unit(fft.irfft2(spectrum, s=(side, side)))


def _points(side: int, rng: Rng) -> npt.NDArray[np.float64]:
    """Places at random or on a jittered lattice, from a handful to a thousand."""
    count = int(np.exp(rng.uniform(np.log(6), np.log(900))))
    if rng.random() < 0.7:
        return rng.uniform(0, side, (count, 2))
    step = side / np.sqrt(count)
    grid = np.stack(np.meshgrid(np.arange(0, side, step), np.arange(0, side, step)), -1).reshape(-1, 2)
    grid[:, 0] += (np.round(grid[:, 1] / step) % 2) * step / 2
    return grid + rng.normal(0, step * rng.uniform(0, 0.3), grid.shape)


def grains(side: int, rng: Rng) -> Field:
    """Cells of a tone each, or with grooves, walls or domes."""
    marks = np.full((side, side), 255, np.uint8)
    for x, y in _points(side, rng).astype(int) % side:
        marks[y, x] = 0
    distance, cells = cv2.distanceTransformWithLabels(marks, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    tones = rng.random(int(cells.max()) + 1, dtype=np.float32)[cells]
    edges = (cv2.morphologyEx(cells.astype(np.float32), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0).astype(
        np.float32
    )
    edges = cv2.GaussianBlur(edges, (0, 0), float(rng.uniform(0.4, 2.5)))
    dome = 1 - unit(distance)
    weights = rng.dirichlet((0.6, 0.6, 0.6)) * rng.choice([-1, 1], 3)
    return unit(weights[0] * tones + weights[1] * edges + weights[2] * dome)


def particles(side: int, rng: Rng) -> Field:
    """Balls, rods, plates or boxes, heaped or scattered, on a smooth or rough bed."""
    height = (fractal(side, rng) * float(rng.uniform(0, 0.6))).astype(np.float32)
    shape, size = rng.integers(4), float(np.exp(rng.uniform(np.log(2), np.log(side / 5))))
    spread, aspect = float(rng.uniform(0, 0.8)), float(np.exp(rng.uniform(0, 2.2) * (rng.random() < 0.5)))
    angle, aligned = float(rng.uniform(0, 180)), rng.random() < 0.4
    count = int(min(1200, rng.uniform(0.1, 3.0) * side * side / (size * size * 3)))
    for number in range(max(3, count)):
        radius = size * float(np.exp(rng.normal(0, spread)))
        x, y = rng.uniform(-radius, side + radius, 2)
        turn = angle + rng.normal(0, 10) if aligned else float(rng.uniform(0, 180))
        level = float(rng.uniform(0.4, 1))
        axes = (max(1, int(radius * aspect)), max(1, int(radius)))
        if shape == 0:  # shaded ball or ellipsoid
            for step in (1.0, 0.8, 0.6, 0.35):
                tone = level * (0.55 + 0.45 * np.sqrt(1 - (step * 0.98) ** 2))
                cv2.ellipse(
                    height,
                    (int(x), int(y)),
                    (max(1, int(axes[0] * step)), max(1, int(axes[1] * step))),
                    turn,
                    0,
                    360,
                    tone,
                    -1,
                    cv2.LINE_AA,
                )
        elif shape == 1:  # flat plate with an edge
            corners = int(rng.integers(3, 8))
            around = np.sort(rng.uniform(0, 2 * np.pi, corners))
            outline = np.stack([x + radius * np.cos(around) * aspect, y + radius * np.sin(around)], 1).astype(np.int32)
            cv2.fillPoly(height, [outline], level, cv2.LINE_AA)
            cv2.polylines(height, [outline], True, min(1.0, level + 0.3), 1, cv2.LINE_AA)
        elif shape == 2:  # boxes
            box = cv2.boxPoints(((float(x), float(y)), (2 * radius * aspect, 2 * radius), turn)).astype(np.int32)
            cv2.fillPoly(height, [box], level, cv2.LINE_AA)
        else:  # soft dots
            cv2.ellipse(height, (int(x), int(y)), axes, turn, 0, 360, level, -1, cv2.LINE_AA)
        if number > 400 and size > 8:
            break
    return unit(cv2.GaussianBlur(height, (0, 0), float(rng.uniform(0.3, 1.6))))


def fibres(side: int, rng: Rng) -> Field:
    """Threads that cross, thin or thick, curled or straight, one over the other."""
    height = np.zeros((side, side), np.float32)
    count, width = int(np.exp(rng.uniform(np.log(8), np.log(160)))), float(np.exp(rng.uniform(0.2, 3)))
    curl, angle, order = float(rng.uniform(0, 0.25)), float(rng.uniform(0, np.pi)), float(rng.uniform(0.05, 3))
    for _ in range(count):
        heading = angle + rng.normal(0, order)
        steps = heading + np.cumsum(rng.normal(0, curl, 40))
        start = rng.uniform(-0.3 * side, 1.3 * side, 2)
        path = (start + np.cumsum(np.stack([np.cos(steps), np.sin(steps)], 1), 0) * side / 25 - side * 0.3).astype(
            np.int32
        )
        own, level = max(1, int(width * np.exp(rng.normal(0, 0.3)))), float(rng.uniform(0.4, 1))
        for share in (1.0, 0.6, 0.3):
            cv2.polylines(height, [path], False, level * (1.2 - 0.6 * share), max(1, int(own * share)), cv2.LINE_AA)
    return unit(height)


def pores(side: int, rng: Rng) -> Field:
    """Holes with walls between them: foams, membranes, etched droplets."""
    height = np.full((side, side), 0.8, np.float32) + 0.2 * fractal(side, rng)
    size = float(np.exp(rng.uniform(np.log(3), np.log(side / 6))))
    for x, y in _points(side, rng)[:500]:
        radius = size * float(np.exp(rng.normal(0, 0.4)))
        axes, turn = (max(1, int(radius)), max(1, int(radius * rng.uniform(0.6, 1)))), float(rng.uniform(0, 180))
        cv2.ellipse(height, (int(x), int(y)), axes, turn, 0, 360, float(rng.uniform(0, 0.5)), -1, cv2.LINE_AA)
        if rng.random() < 0.5:
            cv2.ellipse(height, (int(x), int(y)), axes, turn, 0, 360, 1.0, 1, cv2.LINE_AA)
    return unit(cv2.GaussianBlur(height, (0, 0), float(rng.uniform(0.3, 2))))


def domains(side: int, rng: Rng) -> Field:
    """Two phases, droplets or a labyrinth, with sharp or soft walls."""
    noise = rng.standard_normal((side, side), dtype=np.float32)
    size = float(np.exp(rng.uniform(np.log(1.2), np.log(side / 12))))
    band = cv2.GaussianBlur(noise, (0, 0), size) - cv2.GaussianBlur(noise, (0, 0), 1.7 * size)
    band = band / (band.std() + 1e-6) - float(rng.normal(0, 0.8))
    return unit(1 / (1 + np.exp(-band * float(np.exp(rng.uniform(0, 2.5))))))


def layers(side: int, rng: Rng) -> Field:
    """Stripes: lamellae, lattice fringes, river lines, rolled sheet."""
    angle, period = float(rng.uniform(0, np.pi)), float(np.exp(rng.uniform(np.log(3), np.log(side / 3))))
    y, x = np.mgrid[:side, :side].astype(np.float32)
    along = x * np.cos(angle) + y * np.sin(angle) + fractal(side, rng) * float(rng.uniform(0, 60))
    wave = along / period
    return unit(
        np.sin(2 * np.pi * wave) if rng.random() < 0.5 else (wave - np.floor(wave)) ** float(rng.uniform(0.5, 4))
    )


def cracks(side: int, rng: Rng) -> Field:
    """Narrow ridges or clefts along level lines of noise."""
    return unit(
        np.exp(-(((fractal(side, rng, float(rng.uniform(1.2, 2.6))) - 0.5) / float(rng.uniform(0.01, 0.15))) ** 2))
    )


PRIMITIVES = (fractal, grains, particles, fibres, pores, domains, layers, cracks)


def relief(side: int, rng: Rng) -> Field:
    """A height field of one to three primitives, 0..1."""
    chosen = rng.choice(len(PRIMITIVES), int(rng.choice([1, 2, 3], p=[0.35, 0.45, 0.2])), replace=False)
    field = PRIMITIVES[chosen[0]](side, rng)
    for number in chosen[1:]:
        other, how = PRIMITIVES[number](side, rng), rng.random()
        if how < 0.4:
            field = field + float(rng.uniform(0.1, 0.8)) * other
        elif how < 0.7:
            mask = domains(side, rng)
            field = field * mask + other * (1 - mask)
        else:
            field = field * (0.4 + 0.6 * other)
    return unit(field + float(rng.uniform(0, 0.25)) * fractal(side, rng))


def layered(side: int, rng: Rng) -> Field:
    """A cross-section: films of their own texture one upon the other, with straight or wavy walls."""
    rows = np.arange(side, dtype=np.float32)[:, None]
    wave = (fractal(side, rng, 2.6)[side // 2] - 0.5) * float(rng.choice([0, 4, 20])) + np.arange(side) * float(
        rng.normal(0, 0.1)
    )
    field = relief(side, rng)
    for level in np.sort(rng.uniform(0.1, 0.9, int(rng.integers(1, 4)))):
        below = rows > level * side + wave
        tone = float(rng.random())
        field = np.where(below, tone + float(rng.uniform(0, 1)) * (relief(side, rng) - 0.5), field)
    return np.asarray(np.rot90(unit(field), int(rng.integers(4))), np.float32)


def scanning(field: Field, rng: Rng) -> Field:
    """Secondary or backscattered electrons: edges glow, slopes are lit from a side, tones follow the material."""
    side, strength = field.shape[0], float(np.exp(rng.uniform(np.log(3), np.log(40))))
    down, right = np.gradient(ndimage.gaussian_filter(field, float(rng.uniform(0.3, 1.5))) * strength)
    light = float(rng.uniform(0, 2 * np.pi))
    edge, lit = np.tanh(np.sqrt(down**2 + right**2)), np.tanh(right * np.cos(light) + down * np.sin(light))
    weights = rng.dirichlet((0.8, 0.8, 0.8))
    grey = weights[0] * edge + weights[1] * 0.7 * lit + weights[2] * field * rng.choice([-1, 1], p=[0.2, 0.8])
    grey = unit(grey) + float(rng.uniform(0, 0.2)) * (fractal(side, rng, 2.4) - 0.5)
    for _ in range(int(rng.poisson(0.4))):
        row = int(rng.integers(side))
        grey[row : row + int(rng.integers(1, 4))] += float(rng.uniform(-0.3, 0.5))
    return grey


def transmitted(field: Field, rng: Rng) -> Field:
    """What is thick is dark (or bright, in the dark field), on an uneven ground."""
    grey = np.exp(-float(rng.uniform(0.4, 2.5)) * field) + float(rng.uniform(0, 0.3)) * fractal(
        field.shape[0], rng, 2.4
    )
    return 1 - unit(grey) if rng.random() < 0.25 else unit(grey)


def bright_field(side: int, rng: Rng) -> Field:
    """Thin matter on a light film: sheets, particles, fibres or fringes, faint or dense, some at a film's torn edge."""
    light = np.full((side, side), float(rng.uniform(0.5, 0.95)), np.float32)
    light += float(rng.uniform(0, 0.25)) * (fractal(side, rng, 2.8) - 0.5)
    for _ in range(int(rng.integers(1, 4))):
        how, dense = rng.random(), float(rng.uniform(0.05, 0.9))
        if how < 0.35:
            thick = particles(side, rng) * (fractal(side, rng, 2.6) > float(rng.uniform(0, 0.6)))
        elif how < 0.5:
            thick = fibres(side, rng)
        elif how < 0.7:  # a sheet or the edge of a film, darker at its folds
            sheet = fractal(side, rng, 2.8)
            thick = (sheet > float(rng.uniform(0.3, 0.7))) * (0.4 + 0.6 * cracks(side, rng))
        elif how < 0.85:
            thick = domains(side, rng)
        else:  # lattice fringes in places
            thick = layers(side, rng) * (fractal(side, rng, 2.6) > float(rng.uniform(0, 0.6))) * 0.5
        light = light * np.exp(
            -2 * dense * cv2.GaussianBlur(np.asarray(thick, np.float32), (0, 0), float(rng.uniform(0.4, 3)))
        )
    speckle = cv2.GaussianBlur(
        rng.standard_normal((side, side), dtype=np.float32), (0, 0), float(rng.uniform(0.6, 1.6))
    )
    light = light + float(rng.uniform(0, 0.06)) * speckle / (speckle.std() + 1e-6)
    return np.asarray(np.clip(light, 0, 1), np.float32)


def etched(side: int, rng: Rng) -> Field:
    """A polished and etched section in reflected light: thin dark borders, needles and pits on a light ground."""
    marks = np.full((side, side), 255, np.uint8)
    for x, y in _points(side, rng).astype(int) % side:
        marks[y, x] = 0
    _, cells = cv2.distanceTransformWithLabels(marks, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    edges = (cv2.morphologyEx(cells.astype(np.float32), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0).astype(
        np.float32
    )
    edges = cv2.GaussianBlur(edges, (0, 0), float(rng.uniform(0.4, 1.6)))
    shades = rng.random(int(cells.max()) + 1, dtype=np.float32)[cells]
    grey = float(rng.uniform(0.6, 1)) - float(rng.uniform(0.3, 1)) * edges + float(rng.uniform(0, 0.4)) * (shades - 0.5)
    if rng.random() < 0.5:
        grey = grey - float(rng.uniform(0.2, 0.8)) * fibres(side, rng) * (fractal(side, rng, 2.4) > 0.4)
    return np.asarray(np.clip(grey + float(rng.uniform(0, 0.3)) * (fractal(side, rng, 2.4) - 0.5), 0, 1), np.float32)


def fluorescence(side: int, rng: Rng) -> Field:
    """Cells, threads, droplets or phases that glow in one to three dyes on a dark ground, side x side x 3."""
    out = np.zeros((side, side, 3), np.float32)
    shared = fractal(side, rng, 2.6) > float(rng.uniform(0, 0.6))
    for _ in range(int(rng.choice([1, 2, 3], p=[0.5, 0.3, 0.2]))):
        source = (particles, fibres, pores, domains, grains, cracks)[int(rng.integers(6))](side, rng)
        glow = source ** float(rng.uniform(1, 3)) * (shared if rng.random() < 0.5 else 1)
        glow = cv2.GaussianBlur(np.asarray(glow, np.float32), (0, 0), float(rng.uniform(0.5, 4)))
        haze = cv2.GaussianBlur(glow, (0, 0), side / float(rng.uniform(6, 30)))
        glow = glow * float(rng.uniform(0.4, 1.4)) + haze * float(rng.uniform(0, 0.6)) + float(rng.uniform(0, 0.12))
        how = rng.random()
        if how < 0.5:
            dye = np.eye(3)[int(rng.integers(3))]
        elif how < 0.65:
            dye = np.ones(3) - np.eye(3)[int(rng.integers(3))]
        else:
            dye = rng.uniform(0, 1, 3) if how < 0.85 else np.ones(3)
        out += np.clip(glow, 0, 1.2)[..., None] * dye.astype(np.float32)
    shot = rng.standard_normal((side, side, 1), dtype=np.float32) * float(rng.uniform(0, 0.08))
    if rng.random() < 0.2:  # how strongly it glows, in a scale of few or many colours, the weakest black
        strength = np.clip(out.max(2) + 2 * shot[..., 0] * np.sqrt(out.max(2) + 0.05), 0, 1)
        levels, table = int(rng.choice([5, 8, 255])), mpl.colormaps[str(rng.choice(["hot", "jet", "turbo", "inferno"]))]
        shown = (
            table(np.floor(strength * levels) / levels)[..., :3] * (strength > float(rng.uniform(0, 0.25)))[..., None]
        )
        return np.asarray(shown, np.float32)
    return np.asarray(np.clip(out + shot * np.sqrt(out + 0.02), 0, 1), np.float32)


def coloured(grey: Field, field: Field, rng: Rng) -> Field:
    """Tints of optical and force microscopes and of false colours, side x side x 3."""
    how = rng.random()
    if how < 0.4:  # a scale of colours from dark to bright
        hue, turn = float(rng.random()), float(rng.normal(0, 0.12))
        stops = np.array(
            [
                colorsys.hls_to_rgb((hue + turn * t) % 1, 0.05 + 0.9 * t, float(rng.uniform(0.3, 1)))
                for t in (0, 0.25, 0.5, 0.75, 1.0)
            ]
        )
        out = np.stack([np.interp(grey, (0, 0.25, 0.5, 0.75, 1), stops[:, c]) for c in range(3)], -1)
    elif how < 0.75:  # stained or lit: a tint that varies with the material
        first, second = rng.uniform(0.3, 1, (2, 3))
        mix = unit(field + fractal(field.shape[0], rng, 2.2))[..., None]
        out = grey[..., None] * (first * mix + second * (1 - mix)) * float(rng.uniform(1, 1.5))
    else:  # one warm or cold tint over all
        out = grey[..., None] * (1 - float(rng.uniform(0.05, 0.6)) * rng.random(3))
    return np.asarray(np.clip(out, 0, 1), np.float32)


def micrograph(side: int, rng: Rng) -> Rgb:
    """A square micrograph without any print, ``(side, side, 3)``."""
    if rng.random() < 0.06:
        return np.asarray(255 * fluorescence(side, rng), np.uint8)
    field = layered(side, rng) if rng.random() < 0.1 else relief(side, rng)
    if rng.random() < 0.15:  # an object on a smooth ground
        mask = domains(side, rng) if rng.random() < 0.3 else (fractal(side, rng, 2.8) > float(rng.uniform(0.35, 0.75)))
        field = np.asarray(field * mask + float(rng.random()) * (1 - mask), np.float32)
    how = rng.random()
    if how < 0.55:
        grey = unit(scanning(field, rng))
    elif how < 0.65:
        grey = unit(transmitted(field, rng))
    else:
        grey = bright_field(side, rng) if how < 0.88 else etched(side, rng)
    grey = grey ** float(np.exp(rng.normal(0, 0.45)))
    low, span = float(rng.uniform(0, 0.45)), float(rng.uniform(0.25, 1))
    grey = np.asarray(np.clip(low + grey * min(span, 1 - low + 0.25), 0, 1), np.float32)
    picture = coloured(grey, field, rng) if rng.random() < 0.22 else np.repeat(grey[..., None], 3, 2)
    picture = ndimage.gaussian_filter(picture, (float(rng.uniform(0, 1.2)),) * 2 + (0,))
    grain = ndimage.gaussian_filter(rng.standard_normal((side, side), dtype=np.float32), float(rng.choice([0, 0, 0.7])))
    picture = picture + float(rng.uniform(0, 0.35) ** 2) * grain[..., None]
    return np.asarray(np.clip(picture * 255, 0, 255), np.uint8)
