"""Figures of the generated papers: micrograph panels set as one picture or several, plots, schemes, tables."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from polydata.demo.study import Sample, Series
from polydata.simulation.burnin import BarPrint, PrintStyle, burn_in, draw_style
from polydata.simulation.microscope import Exposure, draw_exposure, photograph
from polydata.simulation.phasefield import simulate
from polydata.types import Box
from polydata.vision.structure import characteristic_length

GRID = 192
"""Side of the simulated fields."""
MAX_HEIGHT = 520.0
"""Of a figure without its caption, in points."""
ASPECTS = (4 / 3, 4 / 3, 5 / 4, 1.0, 3 / 2)


@dataclass(frozen=True)
class Shot:
    """A panel as it was made.

    Attributes:
        letter: ``a``, ``b``, ...; empty in a figure of one panel, as ``caption``, its own part of the caption, is.
        box: in points from the left top corner of its figure, or of the page where the figure was placed.
        bar: the scale, printed or not.
        spacing_um: mean distance of the domains in micrometres.
    """

    letter: str
    caption: str
    image: Image.Image
    box: Box
    sample: Sample
    exposure: Exposure
    style: PrintStyle
    bar: BarPrint
    spacing_um: float


@dataclass(frozen=True)
class Plate:
    """A figure of micrographs, ready to be placed.

    Attributes:
        style: ``grid`` (one picture with gutters), ``touching`` (without), ``objects`` (one picture a panel) or
            ``column`` (one below the other).
        width, height: in points.
        pixel: size of a pixel in points.
        jpeg: quality of the picture in the file; None where it is kept without loss.
    """

    style: str
    shots: tuple[Shot, ...]
    width: float
    height: float
    pixel: float
    jpeg: int | None


def make_plate(series: Series, style: str, room: tuple[float, float], seed: tuple[int, ...]) -> Plate:
    """Simulate, photograph and arrange a figure.

    Args:
        series: what is shown.
        style: one of ``polydata.demo.study.STYLES``.
        room: width of a column and of the page between margins, in points.
        seed: of this figure; everything is drawn from it.
    """
    rng = np.random.default_rng(seed)
    count = len(series.samples)
    dpi = int(rng.choice([130, 150, 170, 190]))
    pixel = 72 / dpi
    columns = _columns(style, count, rng)
    wide = columns > 2 or (columns == 2 and rng.random() < 0.5)
    gap = 0 if style == "touching" else round(float(rng.uniform(4, 8)) / pixel)
    share = float(rng.uniform(0.75, 1.0)) if columns == 1 else 1.0
    across = int((room[1] if wide else share * room[0]) / pixel)
    rows = -(-count // columns)
    panel = min((across - gap * (columns - 1)) // columns, int(210 / pixel))
    aspect = float(rng.choice(ASPECTS)) * float(rng.uniform(0.97, 1.03))
    aspect = max(aspect, panel * pixel * rows / (MAX_HEIGHT - rows * gap * pixel))
    size = (panel, round(panel / aspect))
    print_style = draw_style(rng)
    field_um = float(np.exp(rng.uniform(np.log(4), np.log(120))))
    shots = []
    for index, (sample, words) in enumerate(zip(series.samples, series.parts, strict=True)):
        own = np.random.default_rng((*seed, index))
        letter = "abcdefgh"[index] if count > 1 else ""
        exposure = draw_exposure(own, field_um)
        blend = simulate(sample.quench, GRID, own)
        image = photograph(blend, *size, exposure, own)
        bar = burn_in(image, letter, print_style, field_um)
        seen_um = size[0] * bar.value_um / bar.length_px
        spacing_um = characteristic_length(blend) / (exposure.share * GRID) * seen_um
        x, y = (index % columns) * (size[0] + gap), (index // columns) * (size[1] + gap)
        box = Box(x * pixel, y * pixel, (x + size[0]) * pixel, (y + size[1]) * pixel)
        shots.append(Shot(letter, words if letter else "", image, box, sample, exposure, print_style, bar, spacing_um))
    jpeg = int(rng.choice([80, 90])) if rng.random() < 0.4 else None
    return Plate(style, tuple(shots), max(s.box.x1 for s in shots), max(s.box.y1 for s in shots), pixel, jpeg)


def _columns(style: str, count: int, rng: np.random.Generator) -> int:
    if style == "column" and count <= 3:
        return 1
    choice = 2 if count % 3 == 1 else int(rng.choice([2, 3]))  # no panel alone below three
    if style == "touching" and count % choice:  # the ground must not show
        choice = 5 - choice if count % (5 - choice) == 0 else 1
    return min(choice, count)


def encode(image: Image.Image, jpeg: int | None) -> bytes:
    """PNG, or JPEG of a quality."""
    out = io.BytesIO()
    if jpeg:
        image.save(out, "JPEG", quality=jpeg)
    else:
        image.save(out, "PNG")
    return out.getvalue()


def place(page: Any, plate: Plate, x: float, y: float) -> None:
    """Put a figure on a page with its left top corner at ``x, y``."""
    if plate.style == "objects":
        for shot in plate.shots:
            rect = (x + shot.box.x0, y + shot.box.y0, x + shot.box.x1, y + shot.box.y1)
            page.insert_image(rect, stream=encode(shot.image, plate.jpeg), keep_proportion=False)
        return
    canvas = Image.new("L", (round(plate.width / plate.pixel), round(plate.height / plate.pixel)), 255)
    for shot in plate.shots:
        canvas.paste(shot.image, (round(shot.box.x0 / plate.pixel), round(shot.box.y0 / plate.pixel)))
    rect = (x, y, x + plate.width, y + plate.height)
    page.insert_image(rect, stream=encode(canvas, plate.jpeg), keep_proportion=False)


PLOTS = (
    ("Storage modulus", "Temperature (°C)", "log E' (MPa)"),
    ("Heat flow", "Temperature (°C)", "Heat flow (a.u.)"),
    ("Tensile curves", "Strain (%)", "Stress (10 MPa)"),
)
"""What a plot is called in its caption, and the titles of its axes."""
PLOT_HEIGHT = 168.0


def draw_plot(page: Any, x: float, y: float, kind: int, font: str, *, rng: np.random.Generator) -> Box:
    """A vector plot with ticks and axis titles, ``PLOT_HEIGHT`` high; ``kind`` counts in ``PLOTS``; returns its box."""
    left, top, width, height = x + 34.0, y + 8.0, 184.0, 130.0
    shape = page.new_shape()
    shape.draw_rect((left, top, left + width, top + height))
    shape.finish(color=(0, 0, 0), width=0.8)
    t = np.linspace(0, 1, 41)
    for index, colour in enumerate([(0, 0, 0), (0.8, 0, 0), (0, 0, 0.8)]):
        middle = 0.35 + 0.15 * index + float(rng.uniform(-0.05, 0.05))
        if kind == 0:
            value = 0.85 - 0.6 / (1 + np.exp(-14 * (t - middle))) - 0.03 * index
        elif kind == 1:
            value = 0.1 + 0.12 * index + 0.5 * np.exp(-(((t - middle) / 0.05) ** 2))
        else:
            value = 0.1 + (0.7 - 0.12 * index) * t ** (0.4 + 0.2 * index)
        value = np.clip(value + 0.004 * rng.standard_normal(41), 0.02, 0.98)
        shape.draw_polyline([(left + width * a, top + height * (1 - b)) for a, b in zip(t, value, strict=True)])
        shape.finish(color=colour, width=1.0, closePath=False)
    for tick in range(5):
        at = left + width * tick / 4
        shape.draw_line((at, top + height), (at, top + height + 4))
        level = top + height * tick / 4
        shape.draw_line((left - 4, level), (left, level))
    shape.finish(color=(0, 0, 0), width=0.7)
    shape.commit()
    for tick in range(5):
        page.insert_text((left + width * tick / 4 - 6, top + height + 13), str(tick * 50), fontsize=7, fontname=font)
        page.insert_text((left - 20, top + height * (1 - tick / 4) + 2), f"{tick * 0.5:.1f}", fontsize=7, fontname=font)
    page.insert_text((left + 60, top + height + 24), PLOTS[kind][1], fontsize=8, fontname=font)
    page.insert_text((left - 25, top + 100), PLOTS[kind][2], fontsize=8, fontname=font, rotate=90)
    return Box(left - 33, top - 5, left + width + 6, top + height + 26)


SCHEME_HEIGHT = 66.0


def draw_scheme(page: Any, x: float, y: float, font: str, *, rng: np.random.Generator) -> Box:
    """A vector reaction scheme: rings, bonds, an arrow with its conditions; returns its box."""
    shape = page.new_shape()
    rings = int(rng.integers(2, 4))
    for ring in range(rings):
        centre = x + 26 + ring * 70
        corners = [(0.0, -1.0), (0.87, -0.5), (0.87, 0.5), (0.0, 1.0), (-0.87, 0.5), (-0.87, -0.5), (0.0, -1.0)]
        shape.draw_polyline([(centre + 18 * dx, y + 26 + 18 * dy) for dx, dy in corners])
        if ring + 1 < rings:
            shape.draw_line((centre + 20, y + 26), (centre + 50, y + 26))
            shape.draw_line((centre + 45, y + 23), (centre + 50, y + 26))
            shape.draw_line((centre + 45, y + 29), (centre + 50, y + 26))
    shape.finish(color=(0, 0, 0), width=0.9, closePath=False)
    shape.commit()
    page.insert_text((x + 46, y + 16), f"{int(rng.integers(16, 24)) * 10} °C", fontsize=7, fontname=font)
    page.insert_text((x + 14, y + 60), "R-COOH  +  R'-NH2", fontsize=7, fontname=font)
    return Box(x + 8, y + 7, x + 26 + (rings - 1) * 70 + 18, y + 63)


def draw_table(page: Any, x: float, y: float, width: float, *, font: str, rows: list[tuple[str, ...]]) -> None:
    """Rules and cells below a table caption; the first row is the head."""
    step = width / len(rows[0])
    for index, row in enumerate(rows):
        for column, cell in enumerate(row):
            page.insert_text((x + column * step, y + 10 + 12 * index), cell, fontsize=8, fontname=font)
    for line in (0, 14, 12 * len(rows) + 2):
        page.draw_line((x, y + line), (x + width, y + line), width=0.6)
