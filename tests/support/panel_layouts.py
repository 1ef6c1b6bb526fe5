"""Figures of several panels drawn at random, with the panels' boxes known: the ground truth of the panel tests."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

Rgb = npt.NDArray[np.uint8]
Grey = npt.NDArray[np.float32]
Window = tuple[int, int, int, int]

GROUNDS = {"white": 255, "black": 0, "grey": 128}


@dataclass(frozen=True)
class Drawing:
    """A drawn figure.

    Attributes:
        rgb: rows x columns x 3.
        windows: of its panels, rows from top to bottom: top, left, bottom, right; ends exclusive.
        features: words for what is special in it.
    """

    rgb: Rgb
    windows: tuple[Window, ...]
    features: frozenset[str]


def texture(rng: np.random.Generator, height: int, width: int) -> Grey:
    """The grey texture of a micrograph: domains, droplets, fibres or a rough surface, with noise and uneven light."""
    base = rng.normal(size=(height, width)).astype(np.float32)
    sort = rng.choice(["rough", "domains", "droplets", "fibres"])
    coarse = float(rng.uniform(1.5, 9))
    if sort == "fibres":
        field = ndimage.gaussian_filter(
            base, (coarse / 3, coarse * 3) if rng.random() < 0.5 else (coarse * 3, coarse / 3)
        )
    else:
        field = cv2.GaussianBlur(base, (0, 0), coarse)
    field = (field - field.mean()) / (field.std() + 1e-6)
    if sort == "domains":
        field = np.tanh(3 * field)
    if sort == "droplets":
        field = np.where(field > 1.1, 1.5, -0.3) + 0.2 * field
    light = np.linspace(-1, 1, width)[None, :] * rng.uniform(-15, 15) + np.linspace(-1, 1, height)[
        :, None
    ] * rng.uniform(-15, 15)
    grey = rng.uniform(70, 170) + rng.uniform(15, 45) * field + light + rng.uniform(1, 8) * rng.normal(size=field.shape)
    return np.asarray(np.clip(grey, 0, 255), np.float32)


def _write(picture: Image.Image, text: str, place: tuple[int, int], height: int, ink: int, plate: int | None) -> None:
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(size=height)
    if plate is not None:
        x0, y0, x1, y1 = draw.textbbox(place, text, font=font)
        draw.rectangle((x0 - 2, y0 - 2, x1 + 2, y1 + 2), fill=plate)
    draw.text(place, text, fill=ink, font=font)


def panel(rng: np.random.Generator, height: int, width: int, letter: str | None, features: set[str]) -> Grey:
    """A micrograph of a size with what is printed on such: letter, scale bar, information bar, inset, frame."""
    grey = texture(rng, height, width)
    small = min(height, width)
    picture = Image.fromarray(grey.astype(np.uint8))
    draw = ImageDraw.Draw(picture)
    if "inset" in features and rng.random() < 0.6:
        h, w = int(height * rng.uniform(0.25, 0.45)), int(width * rng.uniform(0.25, 0.45))
        top, left = int(rng.choice([0, height - h])), int(rng.choice([0, width - w]))
        if rng.random() < 0.5:
            top, left = min(max(top, 4), height - h - 4), min(max(left, 4), width - w - 4)
        inset = Image.fromarray(texture(rng, h, w).astype(np.uint8))
        picture.paste(inset, (left, top))
        draw.rectangle(
            (left, top, left + w - 1, top + h - 1), outline=int(rng.choice([255, 0])), width=int(rng.integers(1, 4))
        )
    if "bar" in features:
        strip = max(10, int(height * rng.uniform(0.06, 0.12)))
        tone = int(rng.choice([0, 255, 30]))
        draw.rectangle((0, height - strip, width, height), fill=tone)
        _write(picture, "15.0kV x5.00k   5.00um", (4, height - strip + 1), max(8, strip - 5), 255 - tone, None)
    else:
        length = int(width * rng.uniform(0.12, 0.3))
        draw.rectangle((width - length - 8, height - 14, width - 8, height - 11), fill=int(rng.choice([255, 0])))
    if letter is not None:
        plate = rng.choice([None, 255, 0])
        _write(
            picture,
            letter,
            (5, 3),
            max(12, small // 9),
            0 if plate == 255 else 255,
            None if plate is None else int(plate),
        )
    if "frame" in features:
        draw.rectangle((0, 0, width - 1, height - 1), outline=0 if rng.random() < 0.5 else 255, width=1)
    return np.asarray(picture, np.float32)


def _lengths(rng: np.random.Generator, total: int, parts: int, even: bool) -> list[int]:
    shares = np.ones(parts) if even else rng.uniform(0.7, 1.4, parts)
    ends = np.round(np.cumsum(shares) / shares.sum() * total).astype(int)
    return [int(v) for v in np.diff(np.concatenate(([0], ends)))]


def draw(seed: int, features: set[str] | None = None) -> Drawing:
    """Draw a figure of 2 to 16 panels.

    Args:
        seed: the same seed gives the same figure.
        features: to draw with, of ``touching``, ``thin`` (gutters of 1 to 3 pixels), ``black``, ``grey`` (gutters),
            ``uneven`` (rows of unequal height or panels of unequal width), ``rest`` (a last row that is not full),
            ``ragged`` (rows of different numbers, each full), ``inset``, ``bar``, ``frame``, ``columns``
            (columns of different numbers instead of rows); drawn at random where None.
    """
    rng = np.random.default_rng(seed)
    if features is None:
        features = set()
        features |= {str(rng.choice(["touching", "thin", "wide"], p=[0.35, 0.2, 0.45]))}
        features |= {str(rng.choice(["white", "black", "grey"], p=[0.75, 0.15, 0.1]))}
        features |= {str(rng.choice(["even", "uneven", "rest", "ragged"], p=[0.4, 0.2, 0.2, 0.2]))}
        features |= {
            word
            for word, share in (("inset", 0.15), ("bar", 0.2), ("frame", 0.1), ("columns", 0.15))
            if rng.random() < share
        }
    features = set(features)
    gap = 0 if "touching" in features else int(rng.integers(1, 4)) if "thin" in features else int(rng.integers(4, 26))
    ground = GROUNDS["black" if "black" in features else "grey" if "grey" in features else "white"]
    rows = int(rng.integers(1, 5))
    columns = int(rng.integers(1 if rows > 1 else 2, 5))
    numbers = [columns] * rows
    if "ragged" in features:
        rows = max(rows, 2)
        numbers = [int(rng.integers(1, 4)) for _ in range(rows)]
        if len(set(numbers)) == 1:
            numbers[-1] += 1
    if "rest" in features:
        rows, columns = max(rows, 2), max(columns, 2)
        numbers = [columns] * (rows - 1) + [int(rng.integers(1, columns))]
    width = int(rng.integers(420, 1050))
    uneven = "uneven" in features
    across = width - gap * (columns - 1)
    same = _lengths(rng, across, columns, not uneven or rng.random() < 0.5)
    heights = [max(70, int(width / max(numbers) * rng.uniform(0.6, 0.95)))] * rows
    if uneven or "ragged" in features:
        heights = [max(70, int(h * rng.uniform(0.7, 1.3))) for h in heights]
    total = sum(heights) + gap * (rows - 1)
    canvas = np.full((total, width), ground, np.float32)
    windows: list[Window] = []
    top = 0
    burned = rng.random() < 0.7
    for height, number in zip(heights, numbers, strict=True):
        if "ragged" in features:
            widths = _lengths(rng, width - gap * (number - 1), number, rng.random() < 0.5)
        elif uneven and rng.random() < 0.5:
            widths = _lengths(rng, across, number, False)
        else:
            widths = same[:number]
        left = 0
        for one in widths:
            letter = chr(97 + len(windows) % 26) if burned else None
            canvas[top : top + height, left : left + one] = panel(rng, height, one, letter, features)
            windows.append((top, left, top + height, left + one))
            left += one + gap
        if "rest" in features and number < columns:
            canvas[top : top + height, left - gap :] = 255 if gap == 0 or ground == 128 else ground
        top += height + gap
    if "columns" in features:
        canvas = np.ascontiguousarray(canvas.T)
        windows = [(left, top, right, bottom) for top, left, bottom, right in windows]
    if rng.random() < 0.5:  # as pictures are scaled between program and paper
        scale = float(rng.uniform(0.75, 1.2))
        canvas = cv2.resize(
            canvas, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        )
        windows = [tuple(round(v * scale) for v in one) for one in windows]  # type: ignore[misc]
    canvas = np.clip(canvas, 0, 255)
    if rng.random() < 0.5:
        good, data = cv2.imencode(
            ".jpg", canvas.astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(60, 95))]
        )
        canvas = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE).astype(np.float32) if good else canvas
    rgb = np.repeat(canvas.astype(np.uint8)[..., None], 3, axis=2)
    return Drawing(rgb, tuple(windows), frozenset(features))


def _iou(a: Window, b: Window) -> float:
    height, width = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if height <= 0 or width <= 0:
        return 0.0
    areas = [(one[2] - one[0]) * (one[3] - one[1]) for one in (a, b)]
    return height * width / (sum(areas) - height * width)


def hits(true: tuple[Window, ...] | list[Window], found: list[Window], least: float = 0.5) -> int:
    """Panels found at an overlap (IoU) of at least ``least``, one to one."""
    left = list(found)
    count = 0
    for one in true:
        best = max(left, key=lambda other: _iou(one, other), default=None)
        if best is not None and _iou(one, best) >= least:
            left.remove(best)
            count += 1
    return count
