"""Figures of papers composed at random, each with the truth of every pixel and the box of every panel.

Grids and uneven rows of one to thirty panels, touching or with gutters of any width and tone; micrographs with bars,
strips, letters, arrows, insets and scales of colour beside them; plots, schemes, photographs, maps, meshes and
diffraction patterns between them; titles, row labels, frames and captions; JPEG, blur, halftone. ``train_panels.py``
trains on them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt
from drawn_fillings import WORDS, lettering
from drawn_micrographs import Rgb, Rng
from picture_bank import Bank, reproduced
from PIL import Image, ImageDraw

GROUND, MICROGRAPH, OTHER = 0, 1, 2
"""Classes of a pixel: between panels (with letters and titles), in a micrograph, in any other panel."""

Window = tuple[int, int, int, int]
"""Top, left, bottom, right in pixels; the ends are exclusive."""


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
    pen, font = ImageDraw.Draw(image), lettering(style.size * 0.8)
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
        pen.text((3, top + line * step), words, fill=ink, font=lettering(step * float(rng.uniform(0.5, 0.85))))
    at = float(rng.uniform(0.1, 0.75)) * width
    pen.line((at, top + step / 2, at + width * 0.2, top + step / 2), fill=ink, width=1 + int(rng.integers(3)))


def _letter_in(picture: Rgb, letter: str, style: _Style, rng: Rng) -> Rgb:
    image = Image.fromarray(picture)
    pen, font = ImageDraw.Draw(image), lettering(style.size)
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
    pen, font = ImageDraw.Draw(image), lettering(style.size)
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
    broad = max(4, int((right - left) * rng.uniform(0.04, 0.2)))
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
            pen.text((4, height - foot + line * 11), words[: int(width / 5.2)], fill=(0, 0, 0), font=lettering(9.0))
    if rng.random() < 0.06:
        pen.rectangle((0, 0, width - 1, height - 1), outline=(0, 0, 0), width=int(rng.integers(1, 3)))
    if rng.random() < 0.08 and windows:  # lines from one panel to another
        for _ in range(int(rng.integers(1, 3))):
            (a, b, c, d), (e, f, g, h) = (windows[int(rng.integers(len(windows)))] for _ in range(2))
            pen.line(((b + d) / 2, (a + c) / 2, f, e), fill=style.tone, width=1)
            pen.line(((b + d) / 2, (a + c) / 2, h, g), fill=style.tone, width=1)
    figure.rgb = np.array(image)
