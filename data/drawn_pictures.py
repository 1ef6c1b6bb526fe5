"""Pictures of known kind, drawn at random: micrographs, plots, spectra, schemes, photographs and text.

They train and test the screening. Each comes from one seed. Families differ in how they are drawn, so that a
family can be held back to see what a model makes of pictures that it has never met.
"""

from __future__ import annotations

import io
from collections.abc import Callable

import drawn_fillings
import drawn_micrographs
import matplotlib as mpl

mpl.use("Agg")
import numpy as np
import numpy.typing as npt
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from PIL import Image, ImageDraw, ImageFilter
from scipy import ndimage

from polydata.demo.study import quench_of
from polydata.simulation import microscope
from polydata.simulation.burnin import burn_in, draw_style
from polydata.simulation.phasefield import simulate

Rgb = npt.NDArray[np.uint8]
Rng = np.random.Generator
Drawer = Callable[[Rng], Image.Image]
STYLES = ("default", "ggplot", "bmh", "grayscale", "dark_background", "Solarize_Light2", "classic", "fivethirtyeight")


def _figure(rng: Rng) -> tuple[Figure, mpl.axes.Axes]:
    with plt.style.context(str(rng.choice(STYLES, p=[0.4, 0.1, 0.08, 0.08, 0.08, 0.06, 0.14, 0.06]))):
        figure, axes = plt.subplots(figsize=(float(rng.uniform(2, 5)), float(rng.uniform(1.6, 4))))
    return figure, axes


def _rendered(figure: Figure, rng: Rng) -> Image.Image:
    out = io.BytesIO()
    figure.savefig(
        out, format="png", dpi=float(rng.uniform(50, 130)), bbox_inches="tight" if rng.random() < 0.7 else None
    )
    plt.close(figure)
    return Image.open(out).convert("RGB")


def _curve(rng: Rng, x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    y = np.zeros_like(x)
    for _ in range(int(rng.integers(1, 9))):
        width = float(np.exp(rng.uniform(np.log(0.003), np.log(0.3))))
        y += rng.uniform(0.1, 1) * np.exp(-(((x - rng.uniform(0, 1)) / width) ** 2))
    return y + rng.uniform(-1, 1) * x + rng.choice([0, 0.01, 0.05]) * rng.standard_normal(x.size)


def line_plot(rng: Rng) -> Image.Image:
    """Curves, with or without marks, fills and legends."""
    figure, axes = _figure(rng)
    x = np.linspace(0, 1, int(rng.integers(20, 400)))
    for number in range(int(rng.integers(1, 9))):
        y = _curve(rng, x)
        axes.plot(x, y, "-" if rng.random() < 0.8 else "o", lw=float(rng.uniform(0.5, 2.5)), label=f"{number} %")
        if rng.random() < 0.15:
            axes.fill_between(x, y, alpha=0.5)
    if rng.random() < 0.5:
        axes.legend(fontsize=6)
    axes.set_xlabel("temperature")
    return _rendered(figure, rng)


def bar_plot(rng: Rng) -> Image.Image:
    """Bars, filled or hatched, or a scatter plot, or a pie."""
    figure, axes = _figure(rng)
    which = rng.random()
    if which < 0.55:
        count = int(rng.integers(2, 30))
        hatch, width = str(rng.choice(["", "//", "xx", "..", "||"])), float(rng.uniform(0.4, 1))
        colour = rng.uniform(0, 1, 3)
        axes.bar(range(count), rng.uniform(0.2, 1, count), width=width, hatch=hatch, color=colour, edgecolor="k")
    elif which < 0.85:
        size = int(rng.integers(10, 3000))
        axes.scatter(*rng.standard_normal((2, size)), s=float(rng.uniform(2, 40)), alpha=float(rng.uniform(0.3, 1)))
    else:
        axes.pie(rng.uniform(0.1, 1, int(rng.integers(3, 9))))
    return _rendered(figure, rng)


def map_plot(rng: Rng) -> Image.Image:
    """A map in colours, contours or a surface, with axes."""
    figure, axes = _figure(rng)
    field = ndimage.gaussian_filter(rng.standard_normal((60, 60)), float(rng.uniform(2, 10)))
    colours = str(rng.choice(["viridis", "jet", "hot", "gray", "coolwarm", "rainbow"]))
    which = rng.random()
    if which < 0.4:
        image = axes.imshow(field, cmap=colours, interpolation=str(rng.choice(["nearest", "bilinear"])))
        figure.colorbar(image)
    elif which < 0.75:
        (axes.contourf if rng.random() < 0.6 else axes.contour)(field, 12, cmap=colours)
    else:
        axes.remove()
        y, x = np.mgrid[:60, :60]
        figure.add_subplot(projection="3d").plot_surface(x, y, field, cmap=colours)
    return _rendered(figure, rng)


def spectrum(rng: Rng) -> Image.Image:
    """Stacked spectra or diffraction patterns, some so dense that they fill areas with ink."""
    figure, axes = _figure(rng)
    x = np.linspace(0, 1, 1500)
    noise = float(rng.choice([0.0, 0.02, 0.1, 0.4]))
    for number in range(int(rng.integers(1, 9))):
        y = _curve(rng, x) + noise * rng.standard_normal(x.size) + 0.6 * number
        axes.plot(x, y, "k" if rng.random() < 0.6 else "", lw=float(rng.uniform(0.4, 1.5)))
    axes.set_yticks([])
    return _rendered(figure, rng)


def _canvas(rng: Rng) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    size = int(rng.integers(160, 620)), int(rng.integers(120, 520))
    image = Image.new("RGB", size, "white")
    return image, ImageDraw.Draw(image)


def molecule(rng: Rng) -> Image.Image:
    """Rings, bonds and letters of a structural formula."""
    image, pen = _canvas(rng)
    for _ in range(int(rng.integers(2, 16))):
        x, y, r = rng.uniform(10, image.width - 10), rng.uniform(10, image.height - 10), rng.uniform(8, 26)
        corners = [(x + r * np.cos(a), y + r * np.sin(a)) for a in np.arange(6) * np.pi / 3 + np.pi / 6]
        width = int(rng.integers(1, 4))
        pen.polygon(corners, outline="black", width=width)
        pen.line([corners[0], (corners[0][0] + 2 * r, corners[0][1])], fill="black", width=width)
        pen.text((x + 2 * r, y - r), str(rng.choice(["O", "OH", "CH3", "COOH", "n", "NH"])), fill="black")
    return image


def flow_chart(rng: Rng) -> Image.Image:
    """Boxes, ellipses and arrows, filled with colours, some on a coloured ground."""
    image, pen = _canvas(rng)
    if rng.random() < 0.4:
        pen.rectangle((0, 0, *image.size), fill=tuple(int(v) for v in rng.integers(150, 256, 3)))
    for _ in range(int(rng.integers(3, 20))):
        x, y = rng.uniform(0, image.width), rng.uniform(0, image.height)
        box = (x, y, x + rng.uniform(20, 160), y + rng.uniform(15, 100))
        fill = tuple(int(v) for v in rng.integers(60, 256, 3)) if rng.random() < 0.7 else None
        (pen.rectangle if rng.random() < 0.6 else pen.ellipse)(
            box, fill=fill, outline="black", width=int(rng.integers(1, 4))
        )
        pen.text((x + 4, y + 4), "mixing", fill="black")
        pen.line((x, y, rng.uniform(0, image.width), rng.uniform(0, image.height)), fill="black", width=2)
    return image


def shaded_drawing(rng: Rng) -> Image.Image:
    """Shaded balls and rods in rows, on a plain or graded ground: membranes, lattices, composites."""
    image, _ = _canvas(rng)
    height, width = image.height, image.width
    y, x = np.mgrid[:height, :width].astype(np.float32)
    ground = np.asarray(rng.uniform(120, 255, 3), np.float32) if rng.random() < 0.6 else np.full(3, 255, np.float32)
    grade = rng.uniform(0, 0.5) * (y / height if rng.random() < 0.5 else x / width)
    out = ground * (1 - grade[..., None])
    grey = rng.random() < 0.4
    step = float(rng.uniform(12, 60))
    for row in np.arange(step / 2, height, step * rng.uniform(0.8, 2.5)):
        colour = np.asarray(rng.uniform(40, 255, 1 if grey else 3), np.float32)
        for column in np.arange(step / 2, width, step):
            r = 0.5 * step * rng.uniform(0.7, 1.0)
            window = (
                slice(max(0, int(row - step)), int(row + step)),
                slice(max(0, int(column - step)), int(column + step)),
            )
            across, down = x[window] - column, y[window] - row
            lit = 1 - 0.7 * np.clip(np.hypot(across + r / 3, down + r / 3) / (1.4 * r), 0, 1)
            ball = np.hypot(across, down) < r
            out[window][ball] = (colour * lit[..., None])[ball]
    return Image.fromarray(np.clip(out, 0, 255).astype(np.uint8))


def photograph(rng: Rng) -> Image.Image:
    """Coloured objects with shading, shadow, blur and grain on a table or a dark ground."""
    width, height = int(rng.integers(160, 620)), int(rng.integers(120, 520))
    y, x = np.mgrid[:height, :width].astype(np.float32)
    ground = np.asarray(rng.uniform(10, 60, 3) if rng.random() < 0.4 else rng.uniform(120, 245, 3), np.float32)
    light = 1 - rng.uniform(0, 0.6) * np.hypot(x / width - rng.random(), y / height - rng.random())
    out = ground * light[..., None]
    for _ in range(int(rng.integers(1, 9))):
        cx, cy = rng.uniform(0, width), rng.uniform(0, height)
        w, h = rng.uniform(15, width / 2), rng.uniform(15, height / 2)
        power = float(rng.choice([2, 8]))
        inside = (np.abs((x - cx) / w) ** power + np.abs((y - cy) / h) ** power) < 1
        shade = 1 - 0.6 * np.abs((x - cx) / w * rng.uniform(0.3, 1))
        out[inside] = (np.asarray(rng.uniform(20, 255, 3), np.float32) * shade[..., None])[inside]
    out = ndimage.gaussian_filter(out, (rng.uniform(0.5, 3),) * 2 + (0,))
    out += rng.uniform(1, 8) * rng.standard_normal((height, width, 1)).astype(np.float32)
    return Image.fromarray(np.clip(out, 0, 255).astype(np.uint8))


def text(rng: Rng) -> Image.Image:
    """Lines of words, as where a cut went wrong; some in a table."""
    image, pen = _canvas(rng)
    step = int(rng.integers(9, 24))
    for line in range(4, image.height - 10, step):
        words = " ".join("".join(rng.choice(list("aeinorst"), int(rng.integers(1, 10)))) for _ in range(14))
        pen.text((4, line), words, fill="black", font_size=float(step) * 0.8)
        if rng.random() < 0.05:
            pen.line((0, line, image.width, line), fill="black")
    return image


def grey_micrograph(rng: Rng) -> Image.Image:
    """A simulated blend as an electron microscope shows it, most with print."""
    ratio = int(rng.integers(15, 86))
    phi = simulate(quench_of(float(rng.uniform(0.1, 1)), (100 - ratio, ratio), rng), 128, rng)
    width = int(rng.integers(160, 620))
    size = width, int(width / rng.uniform(1.05, 1.6))
    field = float(np.exp(rng.uniform(np.log(4), np.log(120))))
    letter, exposure, style = str(rng.choice(["", "a"])), microscope.draw_exposure(rng, field), draw_style(rng)
    picture = microscope.photograph(phi, *size, exposure, rng)
    burn_in(picture, letter, style, exposure.field_um)
    return picture.convert("RGB")


def transmitted(rng: Rng) -> Image.Image:
    """Dark domains on a light, almost even ground (or the reverse), as in transmission."""
    ratio = int(rng.integers(15, 60))
    phi = simulate(quench_of(float(rng.uniform(0.3, 1)), (100 - ratio, ratio), rng), 128, rng)
    grid = ndimage.zoom(phi, float(rng.uniform(1.5, 4)), order=1)[: int(rng.integers(120, 400))]
    shade = ndimage.gaussian_filter(rng.standard_normal(grid.shape), 40) * rng.uniform(0, 120)
    grey = rng.uniform(150, 235) - rng.uniform(40, 140) * (grid > rng.uniform(0, 0.4)) + shade
    grey = ndimage.gaussian_filter(grey, rng.uniform(0.5, 2)) + rng.uniform(3, 14) * rng.standard_normal(grid.shape)
    grey = 255 - grey if rng.random() < 0.3 else grey
    return Image.fromarray(np.clip(grey, 0, 255).astype(np.uint8)).convert("RGB")


def coloured_micrograph(rng: Rng) -> Image.Image:
    """A micrograph in tints: polarised light, stains, false colours."""
    source = grey_micrograph if rng.random() < 0.6 else transmitted
    grey = np.asarray(source(rng))[..., 0] / 255
    if rng.random() < 0.3:
        table = mpl.colormaps[str(rng.choice(["copper", "afmhot", "jet", "hot", "viridis"]))]
        return Image.fromarray((table(grey)[..., :3] * 255).astype(np.uint8))
    other = ndimage.gaussian_filter(rng.standard_normal(grey.shape), float(rng.uniform(3, 20)))
    other = (other - other.min()) / np.ptp(other)
    first, second = rng.uniform(0.3, 1, (2, 3))
    tint = first * other[..., None] + second * (1 - other[..., None])
    return Image.fromarray(np.clip(grey[..., None] * tint * 255 * 1.2, 0, 255).astype(np.uint8))


def surface(rng: Rng) -> Image.Image:
    """A micrograph of anything: grains, particles, fibres, pores, sections, under any instrument."""
    picture = Image.fromarray(drawn_micrographs.micrograph(288, rng))
    return picture.crop((0, 0, 288, int(288 * rng.uniform(0.6, 1))))


def fluorescence(rng: Rng) -> Image.Image:
    """What glows on a dark ground."""
    return Image.fromarray(np.asarray(255 * drawn_micrographs.fluorescence(256, rng), np.uint8))


def rendering(rng: Rng) -> Image.Image:
    """A drawing as programs render it."""
    return Image.fromarray(drawn_fillings.rendering(rng))


def sample_photograph(rng: Rng) -> Image.Image:
    """Samples, devices and vessels as a camera sees them."""
    return Image.fromarray(drawn_fillings.sample_photograph(rng))


def frames(rng: Rng) -> Image.Image:
    """Several micrographs that were not cut apart, with white gaps and letters between them."""
    source = (grey_micrograph, transmitted, coloured_micrograph)[int(rng.integers(3))]
    columns, rows = int(rng.integers(1, 6)), int(rng.integers(1, 4))
    side, gap, foot = int(rng.integers(70, 180)), int(rng.integers(2, 14)), int(rng.choice([0, 0, 14, 30]))
    height = int(side * rng.uniform(0.6, 1.1))
    image = Image.new("RGB", (columns * (side + gap) + gap, rows * (height + gap + foot) + gap), "white")
    pen = ImageDraw.Draw(image)
    for row in range(rows):
        for column in range(columns):
            x, y = gap + column * (side + gap), gap + row * (height + gap + foot)
            image.paste(source(rng).resize((side, height)), (x, y))
            if foot:
                pen.text((x, y + height + 1), f"{5 * column} s", fill="black")
    return image


MICROGRAPHS: dict[str, Drawer] = {
    "grey_micrograph": grey_micrograph, "transmitted": transmitted, "coloured_micrograph": coloured_micrograph,
    "surface": surface, "fluorescence": fluorescence, "frames": frames,
}  # fmt: skip
REST: dict[str, Drawer] = {
    "line_plot": line_plot, "bar_plot": bar_plot, "map_plot": map_plot, "spectrum": spectrum, "molecule": molecule,
    "flow_chart": flow_chart, "shaded_drawing": shaded_drawing, "photograph": photograph, "text": text,
    "rendering": rendering, "sample_photograph": sample_photograph,
}  # fmt: skip


def reproduced(image: Image.Image, rng: Rng, *, ground: bool) -> Rgb:
    """The picture as a paper or a scanner brings it: yellowed, blurred, grainy, halftoned, small, cut, compressed.

    Args:
        ground: whether it stands on white paper, which a scan makes grey or yellow.
    """
    if rng.random() < 0.3:
        left, top = rng.uniform(0, 0.3, 2)
        right, bottom = rng.uniform(0.7, 1, 2)
        w, h = image.size
        image = image.crop((int(left * w), int(top * h), int(right * w), int(bottom * h)))
    if rng.random() < 0.4:
        factor = max(60 / min(image.size), float(rng.uniform(0.25, 1)))
        image = image.resize((max(1, int(image.width * factor)), max(1, int(image.height * factor))))
    if rng.random() < 0.25:
        image = image.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.3, 1.2))))
    pixels = np.asarray(image, np.float32)
    how = rng.random()
    if how < 0.3:
        paper = rng.uniform(0.68, 1) * (1 - rng.uniform(0, 0.15) * np.array([0, 0.3, 1])) if ground else np.ones(3)
        pixels = pixels * paper + rng.uniform(0, 9) * rng.standard_normal(pixels.shape[:2])[..., None]
        pixels = pixels.mean(2, keepdims=True).repeat(3, 2) if rng.random() < 0.6 else pixels
    image = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    if 0.3 <= how < 0.4:
        image = image.convert("1", dither=None if not ground or rng.random() < 0.5 else Image.Dither.NONE)
    image = image.convert("RGB")
    if rng.random() < 0.6:
        out = io.BytesIO()
        image.save(out, "JPEG", quality=int(rng.integers(30, 95)))
        image = Image.open(out).convert("RGB")
    return np.asarray(image)


def draw(family: str, seed: int) -> Rgb:
    """One picture of a family, as a paper brings it: rows x columns x 3, at least about 60 pixels a side."""
    rng = np.random.default_rng([seed, *family.encode()])
    drawer = {**MICROGRAPHS, **REST}[family]
    return reproduced(drawer(rng), rng, ground=family in REST and family != "photograph")
