"""What fills its frame as a micrograph does and is none: patterns, maps, meshes, drawings, photographs."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from drawn_micrographs import Rgb, Rng, fractal, grains, relief
from PIL import Image, ImageDraw, ImageFont

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


def lettering(size: float) -> ImageFont.FreeTypeFont:
    """A font of a size in pixels."""
    return ImageFont.load_default(max(6.0, size))  # type: ignore[return-value]


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
        pen.text((x, y), str(rng.choice(WORDS)), fill=ink(), font=lettering(float(rng.uniform(9, 18))))
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
        pen.text((x, y), str(rng.choice(WORDS)), fill=ink, font=lettering(float(rng.uniform(10, 22))))
        pen.line((x, y, x + rng.uniform(-70, 70), y + rng.uniform(-30, 30)), fill=ink, width=int(rng.integers(2, 8)))
    return np.array(image)


def sample_photograph(rng: Rng) -> Rgb:
    """Samples, devices and vessels as a camera sees them: smooth light, soft shadows, glints, a ruler, words."""
    side = 256
    y, x = np.mgrid[0:side, 0:side].astype(np.float32) / side
    vivid = float(rng.choice([0.15, 0.4, 1.0]))

    def colour() -> npt.NDArray[np.float64]:
        return vivid * rng.uniform(10, 255, 3) + (1 - vivid) * float(rng.uniform(10, 255))

    bench = colour()
    light = 1 + float(rng.normal(0, 0.3)) * (x - 0.5) + float(rng.normal(0, 0.3)) * (y - 0.5)
    picture = bench * light[..., None]
    if rng.random() < 0.2:  # cloth, wood or paper beneath
        picture = picture * (
            1 - float(rng.uniform(0.05, 0.3)) * fractal(side, rng, float(rng.uniform(1, 2.4)))[..., None]
        )
    for _ in range(int(rng.integers(1, 6))):
        mask = np.zeros((side, side), np.float32)
        middle, axes = rng.uniform(0.1, 0.9, 2) * side, rng.uniform(0.06, 0.4, 2) * side
        turn, how = float(rng.uniform(0, 180)) if rng.random() < 0.4 else 0.0, rng.random()
        if how < 0.35:
            cv2.ellipse(mask, (tuple(middle), tuple(2 * axes), turn), 1.0, -1, cv2.LINE_AA)
        elif how < 0.85:
            box = cv2.boxPoints((tuple(middle), tuple(2 * axes), turn)).astype(np.int32)
            cv2.fillPoly(mask, [box], 1.0, cv2.LINE_AA)
        else:  # a hand, a folded film
            around = np.sort(rng.uniform(0, 2 * np.pi, 9))
            reach = axes.max() * rng.uniform(0.5, 1, 9)
            outline = np.stack([middle[0] + reach * np.cos(around), middle[1] + reach * np.sin(around)], 1)
            cv2.fillPoly(mask, [outline.astype(np.int32)], 1.0, cv2.LINE_AA)
            mask = cv2.GaussianBlur(mask, (0, 0), 6)
            mask = np.clip((mask - 0.4) * 8, 0, 1)
        shadow = cv2.GaussianBlur(np.roll(mask, rng.integers(-14, 15, 2), (0, 1)), (0, 0), float(rng.uniform(2, 12)))
        picture = picture * (1 - float(rng.uniform(0, 0.6)) * shadow * (1 - mask))[..., None]
        body = colour()
        shade = (
            1 + float(rng.normal(0, 0.5)) * (x - middle[0] / side) + float(rng.normal(0, 0.5)) * (y - middle[1] / side)
        )
        if rng.random() < 0.3:  # round bodies
            shade = shade * (1 - 0.7 * np.clip(np.abs(x * side - middle[0]) / axes[0], 0, 1) ** 2)
        if rng.random() < 0.25:
            shade = shade * (1 - float(rng.uniform(0.05, 0.4)) * fractal(side, rng))
        opacity = float(rng.choice([1.0, 0.5]))
        cover = (opacity * cv2.GaussianBlur(mask, (0, 0), 0.8))[..., None]
        picture = picture * (1 - cover) + cover * body * shade[..., None]
        for _ in range(int(rng.integers(0, 4))):  # glints
            spot = np.exp(
                -(
                    ((x * side - middle[0] - rng.normal(0, axes[0] / 2)) / float(rng.uniform(1, 8))) ** 2
                    + ((y * side - middle[1] - rng.normal(0, axes[1] / 2)) / float(rng.uniform(1, 20))) ** 2
                )
            )
            picture = picture + 180 * (spot * mask)[..., None]
    out = np.asarray(
        np.clip(
            cv2.GaussianBlur(picture, (0, 0), float(rng.uniform(0.4, 1.6))) + rng.normal(0, 2, picture.shape), 0, 255
        ),
        np.uint8,
    )
    image = Image.fromarray(out)
    pen, tone = ImageDraw.Draw(image), tuple(int(v) for v in rng.choice([0, 255], 3))
    if rng.random() < 0.25:  # a ruler
        top, step = float(rng.uniform(0.7, 0.9)) * side, float(rng.uniform(4, 14))
        pen.rectangle((0, top, side, side), fill=(230, 228, 215))
        for number in range(int(side / step)):
            pen.line((number * step, top, number * step, top + (14 if number % 5 == 0 else 7)), fill=(20, 20, 20))
    for _ in range(int(rng.choice([0, 0, 1, 2]))):
        pen.text(
            rng.uniform(0.02, 0.8, 2) * side,
            str(rng.choice(WORDS)),
            fill=tone,
            font=lettering(float(rng.uniform(10, 24))),
        )
    picture = np.array(image)
    return np.ascontiguousarray(picture[: int(side * rng.uniform(0.55, 1))])


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
    sample_photograph, sample_photograph,
)  # fmt: skip
