"""Figures of papers composed at random, each with the truth of every pixel and the box of every panel.

Grids and uneven rows of one to thirty panels, touching or with gutters of any width and tone; micrographs with bars,
strips, letters, arrows, insets and scales of colour beside them; plots, schemes, photographs, maps, meshes and
diffraction patterns between them; titles, row labels, frames and captions; JPEG, blur, halftone. ``train_panels.py``
trains on them.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field

import cv2
import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from drawn_micrographs import Rgb, Rng, fractal, grains, micrograph, relief
from drawn_pictures import MICROGRAPHS, REST, draw
from PIL import Image, ImageDraw, ImageFont

GROUND, MICROGRAPH, OTHER = 0, 1, 2
"""Classes of a pixel: between panels (with letters and titles), in a micrograph, in any other panel."""

Window = tuple[int, int, int, int]
"""Top, left, bottom, right in pixels; the ends are exclusive."""

WORDS = [
    "SEM",
    "TEM",
    "0%",
    "5",
    "wt%",
    "PLA",
    "PP/EPDM",
    "70/30",
    "before",
    "after",
    "neat",
    "blend",
    "200",
    "°C",
    "top",
    "view",
    "cross-section",
    "pristine",
]


@dataclass
class Bank:
    """Pictures from which figures are composed, each as the bytes of an image file.

    Attributes:
        micrographs: square, without print.
        others: plots, drawings, writing.
        filled: photographs, maps, meshes and patterns: what fills its frame as a micrograph does and is none.
    """

    micrographs: list[bytes]
    others: list[bytes]
    filled: list[bytes]

    def micrograph(self, rng: Rng) -> Rgb:
        """One at random, cut, turned, and shown otherwise than it was drawn."""
        picture = self._piece(rng)
        if rng.random() < 0.15:
            other, share = self._piece(rng), float(rng.uniform(0.3, 0.7))
            picture = cv2.addWeighted(picture, share, cv2.resize(other, picture.shape[1::-1]), 1 - share, 0)
        return another_light(picture, rng)

    def _piece(self, rng: Rng) -> Rgb:
        picture = _decoded(self.micrographs[int(rng.integers(len(self.micrographs)))])
        side = int(min(picture.shape[:2]) * float(np.exp(rng.uniform(np.log(0.15), 0))))
        top, left = rng.integers(0, picture.shape[0] - side + 1), rng.integers(0, picture.shape[1] - side + 1)
        picture = np.rot90(picture[top : top + side, left : left + side], int(rng.integers(4)))
        picture = picture[:, ::-1] if rng.random() < 0.5 else picture
        return (
            cv2.resize(picture, (160, 160), interpolation=cv2.INTER_CUBIC)
            if side < 160
            else np.ascontiguousarray(picture)
        )

    def other(self, rng: Rng) -> Rgb:
        """A plot, a drawing, or a photograph."""
        some = self.filled if rng.random() < 0.4 else self.others
        picture = _decoded(some[int(rng.integers(len(some)))])
        if some is self.filled:
            h, w = (max(24, int(n * float(rng.uniform(0.4, 1)))) for n in picture.shape[:2])
            top, left = int(rng.integers(picture.shape[0] - h + 1)), int(rng.integers(picture.shape[1] - w + 1))
            picture = picture[top : top + h, left : left + w]
            picture = picture[:, ::-1] if rng.random() < 0.5 else picture
            if rng.random() < 0.4:  # another light
                tint = rng.uniform(0.25, 1.2, 3) if rng.random() < 0.5 else float(rng.uniform(0.3, 1.2))
                picture = np.clip(255 * (picture / 255.0) ** float(np.exp(rng.normal(0, 0.4))) * tint, 0, 255).astype(
                    np.uint8
                )
            if rng.random() < 0.1:
                picture = np.repeat(cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2GRAY)[..., None], 3, 2)
        return np.ascontiguousarray(picture)


def another_light(picture: Rgb, rng: Rng) -> Rgb:
    """A micrograph with another contrast, uneven light, softer or sharper, with the grain of another detector."""
    pixels = picture.astype(np.float32) / 255
    if rng.random() < 0.7:
        low, high = np.percentile(pixels, (float(rng.uniform(0, 8)), float(rng.uniform(88, 100))))
        start, span = float(rng.uniform(0, 0.35)), float(rng.uniform(0.3, 1.1))
        pixels = start + span * np.clip((pixels - low) / (high - low + 1e-3), 0, 1) ** float(
            np.exp(rng.normal(0, 0.35))
        )
    if rng.random() < 0.3:
        y, x = np.mgrid[-1 : 1 : pixels.shape[0] * 1j, -1 : 1 : pixels.shape[1] * 1j]
        light = rng.normal(0, 0.15) * x + rng.normal(0, 0.15) * y - rng.uniform(0, 0.25) * (x * x + y * y)
        pixels = pixels + light[..., None].astype(np.float32)
    how = rng.random()
    if how < 0.25:
        pixels = cv2.GaussianBlur(pixels, (0, 0), float(rng.uniform(0.5, 2.5)))
    elif how < 0.4:
        pixels = 2 * pixels - cv2.GaussianBlur(pixels, (0, 0), float(rng.uniform(0.7, 2)))
    if rng.random() < 0.3:
        pixels = pixels + float(rng.uniform(0, 0.08)) * rng.standard_normal(pixels.shape[:2])[..., None]
    if rng.random() < 0.08:
        pixels = 1 - pixels
    return np.asarray(np.clip(255 * pixels, 0, 255), np.uint8)


def _decoded(data: bytes) -> Rgb:
    return np.asarray(cv2.cvtColor(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB))


def _encoded(rgb: Rgb) -> bytes:
    return bytes(cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 93])[1])


def diffraction(rng: Rng) -> Rgb:
    """Spots or rings around a bright centre on a dark ground."""
    side = 160
    y, x = np.mgrid[:side, :side].astype(np.float32) - side / 2
    out = np.exp(-np.hypot(x, y) / float(rng.uniform(5, 25)))
    if rng.random() < 0.5:
        for radius in rng.uniform(12, side / 2, int(rng.integers(2, 7))):
            out += float(rng.uniform(0.2, 0.7)) * np.exp(
                -(((np.hypot(x, y) - radius) / float(rng.uniform(0.8, 3))) ** 2)
            )
    else:
        a, b = rng.uniform(-1, 1, (2, 2)) * float(rng.uniform(12, 40))
        for i in range(-7, 8):
            for j in range(-7, 8):
                px, py = i * a[0] + j * b[0], i * a[1] + j * b[1]
                out += float(rng.uniform(0.2, 0.9)) * np.exp(
                    -((x - px) ** 2 + (y - py) ** 2) / float(rng.uniform(1.5, 7))
                )
    out = np.clip(out + 0.03 * rng.standard_normal(out.shape), 0, 1)
    out = 1 - out if rng.random() < 0.15 else out
    return np.asarray(np.repeat((255 * out)[..., None], 3, 2), np.uint8)


def element_map(rng: Rng) -> Rgb:
    """Dots of one colour on black, as maps of an element are printed."""
    side = 160
    density = fractal(side, rng, float(rng.uniform(1, 2.6))) ** float(rng.uniform(1, 4))
    dots = rng.random((side, side)) < density * float(rng.uniform(0.1, 0.8))
    colour = np.eye(3)[int(rng.integers(3))] if rng.random() < 0.6 else rng.uniform(0.1, 1, 3)
    out = cv2.GaussianBlur(dots.astype(np.float32), (0, 0), float(rng.uniform(0.4, 1.2)))
    return np.asarray(np.clip(out[..., None] * 1.6, 0, 1) * colour * 255, np.uint8)


def false_map(rng: Rng) -> Rgb:
    """A field in a scale of colours without axes: simulation, strain, orientation of grains."""
    side = 160
    how = rng.random()
    values = (
        grains(side, rng)
        if how < 0.2
        else relief(side, rng)
        if how < 0.6
        else fractal(side, rng, float(rng.uniform(1.8, 3.2)))
    )
    values = np.clip(values + float(rng.choice([0, 0.05, 0.15])) * rng.standard_normal(values.shape), 0, 1)
    levels = int(rng.choice([6, 12, 255]))
    table = mpl.colormaps[str(rng.choice(["jet", "rainbow", "viridis", "hsv", "coolwarm", "turbo", "plasma"]))]
    return np.asarray(table(np.floor(values * levels) / levels)[..., :3] * 255, np.uint8)


def mesh(rng: Rng) -> Rgb:
    """Triangles or squares of a net over plain colours, as finite elements are shown."""
    side, step = 180, int(rng.integers(6, 26))
    out = np.full((side, side, 3), rng.integers(60, 256, 3), np.uint8)
    if rng.random() < 0.5:
        out = cv2.resize(false_map(rng), (side, side))
    y, x = np.mgrid[0 : side + step : step, 0 : side + step : step].astype(np.float64)
    x, y = x + rng.normal(0, step * 0.2, x.shape), y + rng.normal(0, step * 0.2, y.shape)
    colour = tuple(int(v) for v in (rng.integers(0, 90, 3) if rng.random() < 0.8 else (250, 250, 250)))
    points = np.stack([x, y], -1).astype(np.int32)
    if rng.random() < 0.6:
        for k in range(-points.shape[0] + 2, points.shape[1] - 1):
            cv2.polylines(
                out,
                [np.stack([np.diagonal(points[..., 0], k), np.diagonal(points[..., 1], k)], -1)],
                False,
                colour,
                1,
                cv2.LINE_AA,
            )
    for net in (points, points.transpose(1, 0, 2)):
        for line in net:
            cv2.polylines(out, [np.ascontiguousarray(line)], False, colour, 1, cv2.LINE_AA)
    return out


def illustration(rng: Rng) -> Rgb:
    """A drawing of filled and shaded shapes with arrows and words: beakers, heaps of particles, coats, devices."""
    side = 256
    ground = (255, 255, 255) if rng.random() < 0.6 else tuple(int(v) for v in rng.integers(120, 256, 3))
    image = Image.new("RGB", (side, int(side * rng.uniform(0.5, 1))), ground)  # type: ignore[arg-type]
    pen = ImageDraw.Draw(image)

    def ink() -> tuple[int, ...]:
        return (
            (int(rng.integers(20, 160)),) * 3 if rng.random() < 0.35 else tuple(int(v) for v in rng.integers(0, 256, 3))
        )

    for _ in range(int(rng.integers(1, 7))):
        x, y = rng.uniform(0, image.width), rng.uniform(0, image.height)
        w, h, how = rng.uniform(20, 120), rng.uniform(20, 100), rng.random()
        outline = (0, 0, 0) if rng.random() < 0.5 else None
        if how < 0.25:
            pen.rectangle((x, y, x + w, y + h), fill=ink(), outline=outline)
        elif how < 0.45:
            pen.ellipse((x, y, x + w, y + h), fill=ink(), outline=outline, width=2)
        elif how < 0.6:
            around = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(3, 12))))
            pen.polygon([(x + w / 2 * np.cos(a), y + h / 2 * np.sin(a)) for a in around], fill=ink(), outline=outline)
        else:  # a heap of like shapes
            tone, own = ink(), float(rng.uniform(3, 14))
            for _ in range(int(rng.integers(8, 70))):
                px, py, r = x + w * rng.random(), y + h * rng.random(), own * rng.uniform(0.7, 1.3)
                pen.ellipse((px - r, py - r * 0.7, px + r, py + r * 0.7), fill=tone, outline=outline)
    for _ in range(int(rng.integers(0, 6))):
        x, y = rng.uniform(0, image.width), rng.uniform(0, image.height)
        pen.line((x, y, x + rng.uniform(-60, 60), y + rng.uniform(-40, 40)), fill=ink(), width=int(rng.integers(1, 7)))
        pen.text((x, y), str(rng.choice(WORDS)), fill=ink(), font=_font(float(rng.uniform(9, 18))))
    picture = np.array(image)
    if rng.random() < 0.4:
        light = 1 - float(rng.uniform(0, 0.4)) * np.linspace(0, 1, picture.shape[0])[:, None, None]
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), float(rng.uniform(0.4, 2))) * light, np.uint8)
    return picture


def rendering(rng: Rng) -> Rgb:
    """A drawing as programs render it: boxes in perspective with rough or netted faces, balls, words."""
    side = 280
    height = int(side * rng.uniform(0.5, 1))
    start, stop = rng.uniform(120, 256, (2, 3)) if rng.random() < 0.7 else rng.uniform(0, 120, (2, 3))
    if rng.random() < 0.4:
        start = stop = np.full(3, 255.0)
    slope = np.linspace(0, 1, height)[:, None, None]
    picture = np.asarray(np.broadcast_to(start * (1 - slope) + stop * slope, (height, side, 3)), np.uint8).copy()
    for _ in range(int(rng.integers(1, 6))):
        x, y, w, h = rng.uniform(0, side), rng.uniform(0, height), rng.uniform(15, 130), rng.uniform(40, 160)
        lean = float(rng.uniform(-0.5, 0.5)) * w
        corners = np.array([[x, y], [x + w, y + lean], [x + w, y + lean + h], [x, y + h]], np.float32)
        face = np.full((96, 96, 3), rng.integers(30, 256, 3), np.uint8)
        how = rng.random()
        if how < 0.4:
            face = np.asarray(face * (1 - float(rng.uniform(0.1, 0.6)) * relief(96, rng)[..., None]), np.uint8)
        elif how < 0.6:
            step = int(rng.integers(4, 12))
            for at in range(0, 96, step):
                cv2.circle(face, (at, (at * 7) % 96), step // 3, tuple(int(v) for v in rng.integers(0, 256, 3)), -1)
            face[::step] = face[:, ::step] = face[0, 0] // 2
        square = np.array([[0, 0], [95, 0], [95, 95], [0, 95]], np.float32)
        moved = cv2.getPerspectiveTransform(square, corners)
        mask = cv2.warpPerspective(np.full((96, 96), 255, np.uint8), moved, (side, height)) > 128
        picture[mask] = cv2.warpPerspective(face, moved, (side, height))[mask]
    across, down = np.meshgrid(np.arange(side), np.arange(height))
    for _ in range(int(rng.choice([0, 4, 20]))):  # balls with a highlight
        x, y, r = rng.uniform(0, side), rng.uniform(0, height), float(rng.uniform(4, 16))
        inside = np.hypot(across - x, down - y) < r
        lit = 1 - 0.75 * np.clip(np.hypot(across - x + r / 3, down - y + r / 3) / (1.5 * r), 0, 1)
        picture[inside] = np.asarray(rng.uniform(60, 256, 3) * lit[inside][:, None], np.uint8)
    image = Image.fromarray(picture)
    pen = ImageDraw.Draw(image)
    for _ in range(int(rng.integers(0, 5))):
        x, y = rng.uniform(0, side), rng.uniform(0, height)
        ink = tuple(int(v) for v in rng.integers(0, 256, 3))
        pen.text((x, y), str(rng.choice(WORDS)), fill=ink, font=_font(float(rng.uniform(10, 22))))
        pen.line((x, y, x + rng.uniform(-70, 70), y + rng.uniform(-30, 30)), fill=ink, width=int(rng.integers(2, 8)))
    return np.array(image)


def open_textures() -> list[Rgb]:
    """Photographs of surfaces under open licences, which look as micrographs do and come from a real camera."""
    from skimage import data

    return [_coloured(one) for one in (data.brick(), data.grass(), data.gravel(), data.cell())]


def _coloured(picture: npt.NDArray[np.generic]) -> Rgb:
    one = np.asarray(255 * picture if picture.dtype == bool else picture, np.uint8)
    return np.repeat(one[..., None], 3, 2) if one.ndim == 2 else np.ascontiguousarray(one[..., :3])


def open_photographs() -> list[Rgb]:
    """Photographs under open licences that other packages bring; data/README.md names them."""
    from matplotlib import cbook
    from skimage import data
    from sklearn.datasets import load_sample_images

    pictures = [
        data.astronaut(),
        data.camera(),
        data.coffee(),
        data.chelsea(),
        data.rocket(),
        data.coins(),
        data.clock(),
        data.horse(),
    ]
    pictures += [data.retina(), data.text(), data.hubble_deep_field()]
    pictures += load_sample_images().images
    with cbook.get_sample_data("grace_hopper.jpg") as file:
        pictures.append(np.asarray(Image.open(file)))
    return [_coloured(one) for one in pictures]


FILLED: tuple[Callable[[Rng], Rgb], ...] = (
    diffraction, element_map, false_map, mesh, illustration, illustration, rendering, rendering,
)  # fmt: skip


def fill_bank(count: int, seed: int, side: int = 288) -> Bank:
    """A bank of ``count`` micrographs and two thirds as many of the rest, drawn from one seed."""
    rng = np.random.default_rng(seed)
    micrographs = [_encoded(micrograph(side, rng)) for _ in range(count)]
    micrographs += [_encoded(one) for one in open_textures()] * max(1, count // 40)
    blends = [name for name in MICROGRAPHS if name != "frames"]
    micrographs += [_shrunk(np.asarray(MICROGRAPHS[blends[n % 3]](rng))) for n in range(count // 8)]
    families = [name for name in REST if name not in ("photograph", "shaded_drawing")]
    others = [_shrunk(draw(families[n % len(families)], seed * 100_003 + n)) for n in range(count // 3)]
    filled = [_encoded(FILLED[n % len(FILLED)](rng)) for n in range(count // 3)]
    filled += [
        _shrunk(draw(name, seed * 100_003 + n)) for n in range(count // 12) for name in ("photograph", "shaded_drawing")
    ]
    photographs = [_shrunk(one, 420) for one in open_photographs()]
    filled += photographs * max(1, len(filled) // (4 * len(photographs)))
    return Bank(micrographs, others, filled)


def _shrunk(rgb: Rgb, most: int = 320) -> bytes:
    factor = most / max(rgb.shape[:2])
    return _encoded(rgb if factor >= 1 else cv2.resize(rgb, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA))


@dataclass
class Figure:
    """A composed figure.

    Attributes:
        rgb: rows x columns x 3.
        classes: of each pixel, rows x columns.
        panels: windows with the class of each.
    """

    rgb: Rgb
    classes: npt.NDArray[np.uint8]
    panels: list[tuple[Window, int]] = field(default_factory=list)


def _sizes(total: int, count: int, uneven: float, rng: Rng) -> list[int]:
    shares = rng.dirichlet(np.full(count, 1 / (uneven + 1e-3))) if uneven else np.full(count, 1 / count)
    shares = 0.5 / count + 0.5 * shares if uneven else shares
    edges = np.round(np.concatenate([[0], np.cumsum(shares)]) * total).astype(int)
    return list(np.diff(edges))


def layout(height: int, width: int, gap: int, rng: Rng) -> list[Window]:
    """Windows of a figure's panels: a grid, rows of their own, columns of their own, or halves of halves."""
    how = rng.random()
    if how < 0.2:
        return [(0, 0, height, width)]
    if how < 0.34:
        return _halves((0, 0, height, width), int(rng.integers(1, 4)), gap, rng)
    turned = how > 0.9
    tall, wide = (width, height) if turned else (height, width)
    rows = int(rng.choice([1, 2, 3, 4, 5, 6], p=[0.27, 0.3, 0.2, 0.12, 0.07, 0.04]))
    columns = int(rng.choice([1, 2, 3, 4, 5, 6], p=[0.14, 0.34, 0.24, 0.16, 0.07, 0.05]))
    own, uneven = rng.random() < 0.35, float(rng.choice([0, 0, 0, 0.3]))
    windows, top = [], 0
    for tallness in _sizes(tall - gap * (rows - 1), rows, uneven if rng.random() < 0.5 else 0.0, rng):
        number = max(1, columns + int(rng.integers(-1, 2))) if own else columns
        left = 0
        for broad in _sizes(wide - gap * (number - 1), number, uneven if own else 0.0, rng):
            windows.append((top, left, top + tallness, left + broad))
            left += broad + gap
        top += tallness + gap
    if rng.random() < 0.12 and len(windows) > 3:  # the last row is not full
        windows = windows[: -int(rng.integers(1, 3))]
    return [(b, a, d, c) for a, b, c, d in windows] if turned else windows


def _halves(window: Window, depth: int, gap: int, rng: Rng) -> list[Window]:
    top, left, bottom, right = window
    if depth == 0 or min(bottom - top, right - left) < 110:
        return [window]
    share = float(rng.uniform(0.3, 0.7))
    if (bottom - top) * float(rng.uniform(0.6, 1.6)) > right - left:
        at = int(top + share * (bottom - top))
        parts = [(top, left, at, right), (at + gap, left, bottom, right)]
    else:
        at = int(left + share * (right - left))
        parts = [(top, left, bottom, at), (top, at + gap, bottom, right)]
    return [one for part in parts for one in _halves(part, depth - int(rng.random() < 0.8), gap, rng)]


def _font(size: float) -> ImageFont.FreeTypeFont:
    return ImageFont.load_default(max(6.0, size))  # type: ignore[return-value]


def _tone(rng: Rng) -> tuple[int, int, int]:
    how = rng.random()
    if how < 0.75:
        grey = 255 if rng.random() < 0.6 else 0
        return (grey, grey, grey)
    return tuple(
        int(v)
        for v in np.array([[255, 255, 0], [255, 0, 0], [0, 255, 255], [60, 120, 255], [0, 230, 0]])[
            int(rng.integers(5))
        ]
    )  # type: ignore[return-value]


@dataclass
class _Style:
    """What all panels of a figure have in common.

    Attributes:
        letters: where they stand: in, above, left of, or below each panel, or nowhere.
        size: of print, in pixels.
        form: of the letters, e.g. ``({})``.
        bar, strip: share of micrographs with a scale bar, with an information strip below.
        inset, arrows: share of micrographs with such.
        frame, tone: whether letters stand in white boxes; colour of what is printed on micrographs.
        micrographs: share of panels that are such.
        outlined: whether panels have a thin frame.
        same: a micrograph of which all are parts; None where each is another.
    """

    letters: str
    size: float
    form: str
    bar: float
    strip: float
    inset: float
    arrows: float
    frame: bool
    tone: tuple[int, int, int]
    micrographs: float
    outlined: bool
    same: Rgb | None


def _style(bank: Bank, rng: Rng, shorter: float) -> _Style:
    return _Style(
        letters=str(rng.choice(["in", "above", "left", "below", "none"], p=[0.5, 0.12, 0.08, 0.1, 0.2])),
        size=float(np.clip(shorter * rng.uniform(0.07, 0.18), 7, 26)),
        form=str(rng.choice(["({})", "{}", "{})", "{}.", "[{}]"], p=[0.45, 0.35, 0.1, 0.05, 0.05])),
        bar=float(rng.choice([0, 0.9])),
        strip=float(rng.choice([0, 0, 0, 0.9, 0.9])),
        inset=float(rng.choice([0, 0, 0.2, 0.7])),
        arrows=float(rng.choice([0, 0, 0.4])),
        frame=rng.random() < 0.12,
        tone=_tone(rng),
        micrographs=float(rng.choice([1.0, 0.75, 0.5, 0.0], p=[0.5, 0.2, 0.15, 0.15])),
        outlined=rng.random() < 0.12,
        same=bank.micrograph(rng) if rng.random() < 0.12 else None,
    )


def _print_on(picture: Rgb, bank: Bank, style: _Style, rng: Rng) -> Rgb:
    """A micrograph with what is drawn on it."""
    h, w = picture.shape[:2]
    if rng.random() < style.inset and min(h, w) > 60:
        share = float(rng.uniform(0.22, 0.45))
        inset = cv2.resize(
            bank.micrograph(rng) if rng.random() < 0.6 else bank.other(rng),
            (int(w * share), int(h * share * rng.uniform(0.8, 1.2))),
            interpolation=cv2.INTER_AREA,
        )
        edge = int(rng.integers(0, 5))
        y = edge if rng.random() < 0.5 else h - inset.shape[0] - edge
        x = edge if rng.random() < 0.5 else w - inset.shape[1] - edge
        if rng.random() < 0.7:
            line = int(rng.integers(1, 3))
            cv2.rectangle(
                picture,
                (x - line, y - line),
                (x + inset.shape[1] + line - 1, y + inset.shape[0] + line - 1),
                style.tone,
                -1,
            )
        picture[max(y, 0) : y + inset.shape[0], max(x, 0) : x + inset.shape[1]] = inset[
            : h - max(y, 0), : w - max(x, 0)
        ]
    image = Image.fromarray(picture)
    pen, font = ImageDraw.Draw(image), _font(style.size * 0.8)
    if rng.random() < style.strip:
        _strip(pen, h, w, rng)
    elif rng.random() < style.bar:
        length, thick = w * float(rng.uniform(0.12, 0.35)), max(1, int(h * rng.uniform(0.008, 0.03)))
        x = w * float(rng.uniform(0.03, 0.1)) if rng.random() < 0.3 else w - length - w * float(rng.uniform(0.02, 0.1))
        y = h - h * float(rng.uniform(0.04, 0.12))
        if rng.random() < 0.2:
            pen.rectangle((x - 4, y - style.size - 4, x + length + 4, y + thick + 4), fill=(255, 255, 255))
        pen.rectangle((x, y, x + length, y + thick), fill=style.tone)
        if rng.random() < 0.8:
            pen.text(
                (x, y - style.size),
                f"{rng.choice([1, 2, 5, 10, 20, 50, 100, 200])} {rng.choice(['µm', 'nm'])}",
                fill=style.tone,
                font=font,
            )
    if rng.random() < style.arrows:
        for _ in range(int(rng.integers(1, 5))):
            x, y = rng.uniform(0.1, 0.9, 2) * (w, h)
            if rng.random() < 0.5:
                pen.line((x, y, x + rng.uniform(-25, 25), y + rng.uniform(-25, 25)), fill=style.tone, width=2)
            elif rng.random() < 0.5:
                pen.rectangle((x, y, x + w * 0.2, y + h * 0.2), outline=style.tone, width=1 + int(rng.integers(2)))
            else:
                pen.text((x, y), str(rng.choice(WORDS)), fill=style.tone, font=font)
    return np.array(image)


FIELDS = [
    "15kV",
    "X1,000",
    "10um",
    "Mag = 5.00 KX",
    "EHT = 10 kV",
    "SEI",
    "WD 8.1mm",
    "HV 20 kV",
    "det ETD",
    "spot 3.0",
    "SE",
]
FIELDS += [
    "Acc.V",
    "Magn",
    "Exp 1",
    "5.0 kV 3.0 2000x",
    "Signal A = InLens",
    "2019/03/14",
    "NONE",
    "LEI",
    "x50.0k",
    "0012",
]


def _strip(pen: ImageDraw.ImageDraw, height: int, width: int, rng: Rng) -> None:
    """An information strip at the foot: one or two lines of fields and a bar, on black, white or grey."""
    tall = int(np.clip(height * rng.uniform(0.05, 0.2), 7, 44))
    ground = int(rng.choice([0, 0, 0, 20, 60, 128, 235, 255]))
    ink = (255, 255, 255) if ground < 120 else (0, 0, 0)
    top, lines = height - tall, 1 + int(tall > 22 and rng.random() < 0.5)
    pen.rectangle((0, top, width, height), fill=(ground,) * 3)
    if rng.random() < 0.15:
        pen.rectangle((0, top, width - 1, height - 1), outline=ink)
    step = tall / lines
    for line in range(lines):
        words = "  ".join(str(rng.choice(FIELDS)) for _ in range(1 + int(width / (7 * step))))
        pen.text((3, top + line * step), words, fill=ink, font=_font(step * float(rng.uniform(0.5, 0.85))))
    at = float(rng.uniform(0.1, 0.75)) * width
    pen.line((at, top + step / 2, at + width * 0.2, top + step / 2), fill=ink, width=1 + int(rng.integers(3)))


def _letter_in(picture: Rgb, letter: str, style: _Style, rng: Rng) -> Rgb:
    image = Image.fromarray(picture)
    pen, font = ImageDraw.Draw(image), _font(style.size)
    x, y = (3.0, 1.0) if rng.random() < 0.9 else (image.width - 2 * style.size, 1.0)
    tone, box = style.tone, pen.textbbox((x, y), letter, font=font)
    if style.frame:
        pen.rectangle((box[0] - 3, box[1] - 3, box[2] + 3, box[3] + 3), fill=(255, 255, 255))
        tone = (0, 0, 0)
    pen.text((x, y), letter, fill=tone, font=font)
    return np.array(image)


def compose(bank: Bank, rng: Rng, side: int) -> Figure:
    """A figure at random, at most ``side`` pixels high and wide."""
    shape = float(np.exp(rng.normal(0.15, 0.45)))
    height, width = (int(side / shape), side) if shape > 1 else (side, int(side * shape))
    height, width = max(96, height), max(96, width)
    margin = int(rng.choice([0, 0, 2, 6, 14]))
    gap = int(rng.choice([0, 1, 2, 3, 5, 8, 14, 24], p=[0.32, 0.12, 0.12, 0.1, 0.12, 0.1, 0.08, 0.04]))
    foot = int(side * 0.12) if rng.random() < 0.07 else 0  # a caption printed into the picture
    windows = layout(height - 2 * margin - foot, width - 2 * margin, gap, rng)
    windows = [(a + margin, b + margin, c + margin, d + margin) for a, b, c, d in windows]
    windows = [one for one in windows if min(one[2] - one[0], one[3] - one[1]) >= 22]
    shorter = min((min(c - a, d - b) for a, b, c, d in windows), default=40)
    style = _style(bank, rng, shorter)
    how = rng.random()
    ground = 255 if how < 0.86 else 0 if how < 0.94 else int(rng.integers(150, 250))
    rgb = np.full((height, width, 3), ground, np.uint8)
    figure = Figure(rgb, np.full((height, width), GROUND, np.uint8))
    for number, window in enumerate(windows):
        _panel(figure, window, chr(97 + number % 26), bank, style, rng=rng)
    _around(figure, windows, foot, style, rng=rng)
    figure.rgb = reproduced(figure.rgb, rng)
    return figure


def _panel(figure: Figure, window: Window, letter: str, bank: Bank, style: _Style, *, rng: Rng) -> None:
    """Draw one panel into its window, smaller where its letter or its scale of colours stands beside it."""
    top, left, bottom, right = window
    if rng.random() < 0.1 and style.letters != "in":  # a panel that does not fill its cell
        bottom -= int((bottom - top) * rng.uniform(0, 0.2))
        right -= int((right - left) * rng.uniform(0, 0.2))
    word = style.form.format(letter.upper() if style.size > 15 else letter)
    room = int(style.size * 1.25)
    image = Image.fromarray(figure.rgb)
    ink = (0, 0, 0) if figure.rgb[0, 0, 0] > 120 else (255, 255, 255)
    pen, font = ImageDraw.Draw(image), _font(style.size)
    beside = {"above": (top, left), "left": (top, left), "below": (bottom - room, (left + right) // 2)}
    if style.letters in beside and min(bottom - top, right - left) > 3 * room:
        y, x = beside[style.letters]
        pen.text((x, y), word if rng.random() < 0.8 else f"{word} {rng.choice(WORDS)}", fill=ink, font=font)
        top, left, bottom = (
            top + room * (style.letters == "above"),
            left + room * (style.letters == "left"),
            bottom - room * (style.letters == "below"),
        )
    figure.rgb = np.array(image)
    kind = MICROGRAPH if rng.random() < style.micrographs else OTHER
    if kind == MICROGRAPH and rng.random() < 0.05 and right - left > 90:
        right = _with_scale(figure, (top, left, bottom, right), rng)
    h, w, scattered = bottom - top, right - left, len(figure.panels)
    if kind == MICROGRAPH:
        if style.same is not None:
            same = style.same
            y, x = (int(rng.integers(max(1, same.shape[i] // 2))) for i in (0, 1))
            picture = same[y : y + same.shape[0] // 2, x : x + same.shape[1] // 2]
        else:
            picture = bank.micrograph(rng)
        ratio = w / h
        ph, pw = picture.shape[:2]
        picture = picture[: max(8, int(min(ph, pw / ratio))), : max(8, int(min(pw, ph * ratio)))]
        picture = cv2.resize(
            picture, (w, h), interpolation=cv2.INTER_AREA if w < picture.shape[1] else cv2.INTER_LINEAR
        )
        picture = _print_on(np.ascontiguousarray(picture), bank, style, rng)
    else:
        picture = bank.other(rng)
        picture = cv2.resize(picture, (w, h), interpolation=cv2.INTER_AREA)
        if min(w, h) > 120 and rng.random() < 0.35:
            _scattered(figure, picture, (top, left), bank, rng)
    if style.letters == "in":
        picture = _letter_in(picture, word, style, rng)
    if style.outlined:
        tone = int(rng.choice([0, 0, 255]))
        cv2.rectangle(picture, (0, 0), (w - 1, h - 1), (tone,) * 3, int(rng.integers(1, 3)))
    figure.rgb[top:bottom, left:right] = picture
    figure.classes[top:bottom, left:right] = kind
    for (a, b, c, d), own in figure.panels[scattered:]:
        figure.classes[a:c, b:d] = own
    figure.panels.append(((top, left, bottom, right), kind))


def _with_scale(figure: Figure, window: Window, rng: Rng) -> int:
    """Draw a scale of colours at the right of a window and say where the picture beside it ends."""
    top, left, bottom, right = window
    broad = max(4, int((right - left) * 0.06))
    scale = np.linspace(255, 0, bottom - top)[:, None, None] * (rng.uniform(0.3, 1, 3) if rng.random() < 0.7 else 1)
    figure.rgb[top:bottom, right - broad : right] = scale
    figure.classes[top:bottom, right - broad : right] = OTHER
    figure.panels.append(((top, right - broad, bottom, right), OTHER))
    return right - broad - int(rng.integers(2, 8))


def _scattered(figure: Figure, picture: Rgb, corner: tuple[int, int], bank: Bank, rng: Rng) -> None:
    """Micrographs set into a plot or a drawing, each a panel of its own."""
    h, w = picture.shape[:2]
    side, taken = int(min(h, w) * rng.uniform(0.16, 0.4)), np.zeros((h, w), bool)
    for _ in range(int(rng.integers(1, 8))):
        tall, broad = int(side * rng.uniform(0.7, 1.0)), side
        y, x = int(rng.integers(0, h - tall)), int(rng.integers(0, w - broad))
        if taken[max(0, y - 4) : y + tall + 4, max(0, x - 4) : x + broad + 4].any():
            continue
        taken[y : y + tall, x : x + broad] = True
        picture[y : y + tall, x : x + broad] = cv2.resize(
            bank.micrograph(rng), (broad, tall), interpolation=cv2.INTER_AREA
        )
        top, left = corner[0] + y, corner[1] + x
        figure.panels.append(((top, left, top + tall, left + broad), MICROGRAPH))


def _around(figure: Figure, windows: list[Window], foot: int, style: _Style, *, rng: Rng) -> None:
    """Titles over panels, a frame around all, a caption below, marks across gutters."""
    height, width = figure.classes.shape
    image = Image.fromarray(figure.rgb)
    pen = ImageDraw.Draw(image)
    if foot:
        for line in range(int(rng.integers(1, 4))):
            words = " ".join(str(rng.choice(WORDS)) for _ in range(30))
            pen.text((4, height - foot + line * 11), words[: int(width / 5.2)], fill=(0, 0, 0), font=_font(9.0))
    if rng.random() < 0.06:
        pen.rectangle((0, 0, width - 1, height - 1), outline=(0, 0, 0), width=int(rng.integers(1, 3)))
    if rng.random() < 0.08 and windows:  # lines from one panel to another
        for _ in range(int(rng.integers(1, 3))):
            (a, b, c, d), (e, f, g, h) = (windows[int(rng.integers(len(windows)))] for _ in range(2))
            pen.line(((b + d) / 2, (a + c) / 2, f, e), fill=style.tone, width=1)
            pen.line(((b + d) / 2, (a + c) / 2, h, g), fill=style.tone, width=1)
    figure.rgb = np.array(image)


def reproduced(rgb: Rgb, rng: Rng) -> Rgb:
    """The figure as paper, scanner and compression leave it."""
    if rng.random() < 0.2:
        rgb = cv2.GaussianBlur(rgb, (0, 0), float(rng.uniform(0.3, 0.9)))
    if rng.random() < 0.06:  # a scan on grey or yellow paper
        paper = float(rng.uniform(0.68, 1)) * (1 - float(rng.uniform(0, 0.15)) * np.array([0, 0.3, 1]))
        grain = float(rng.uniform(0, 9)) * rng.standard_normal(rgb.shape[:2])[..., None]
        rgb = np.asarray(np.clip(rgb * paper + grain, 0, 255), np.uint8)
    if rng.random() < 0.1:
        rgb = np.repeat(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)[..., None], 3, 2)
        pixels = rgb * float(rng.uniform(0.8, 1)) + rng.uniform(0, 7) * rng.standard_normal(rgb.shape[:2])[..., None]
        rgb = np.asarray(np.clip(pixels + rng.uniform(0, 12), 0, 255), np.uint8)
        if rng.random() < 0.3:
            rgb = np.array(Image.fromarray(rgb).convert("1").convert("RGB"))
            rgb = cv2.GaussianBlur(rgb, (0, 0), 0.7) if rng.random() < 0.7 else rgb
    if rng.random() < 0.5:
        out = io.BytesIO()
        Image.fromarray(rgb).save(out, "JPEG", quality=int(rng.integers(35, 95)))
        rgb = np.array(Image.open(out))
    return np.ascontiguousarray(rgb)
