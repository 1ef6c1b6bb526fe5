"""Corners of panels drawn at random, with the panel's letter in them or with none; ``train_letters.py`` trains on them.

A corner shows a micrograph, a plot or a photograph with what lies around it. The letter stands inside or outside, in
any face, with or without brackets, alone or before words. Numbers, words, units, arrows and letters that are cut off
stand there too, and count as none.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from drawn_fillings import WORDS
from drawn_print import Grey, Rng, face_font
from picture_bank import Bank, reproduced
from PIL import Image, ImageDraw

from polydata.vision.corner_letters import LETTERS, SIDE

FACES = (
    *("DejaVuSans", "DejaVuSans-Bold", "DejaVuSerif", "DejaVuSerif-Bold", "DejaVuSans-Oblique"),
    *("STIXGeneral", "STIXGeneralBol", "STIXGeneralItalic"),
)
BASE14 = ("helv", "hebo", "heit", "hebi", "tiro", "tibo", "tiit", "cour", "cobo")
"""Faces that come with matplotlib and with PyMuPDF; papers are mostly set in those of the second kind."""
FORMS = ("({})", "{}", "{})", "{}.", "[{}]", "({} )", "{}:", "({}")
OTHERS = (
    "a1",
    "B2",
    "10",
    "A10",
    "5 µm",
    "100 nm",
    "x5k",
    "0.5",
    "SEM",
    "PLA",
    "1.0",
    "ii",
    "200",
    "°C",
    "70/30",
    "xy",
)
"""Print that is no letter of a panel, beside words and numbers."""
DEEPEST = 26
"""Pixels that the surroundings of a panel take of a corner, at most."""


@dataclass(frozen=True)
class Corner:
    """A corner.

    Attributes:
        grey: ``SIDE`` x ``SIDE``, 0 to 255.
        letter: index in ``LETTERS`` plus 1, 0 where no letter stands there.
        centre, size: x and y of the letter's middle, and its height, in pixels.
    """

    grey: Grey
    letter: int = 0
    centre: tuple[float, float] = (0.0, 0.0)
    size: float = 0.0


def _filled(bank: Bank, rng: Rng, height: int, width: int) -> Grey:
    """A piece of a picture in this size."""
    picture = bank.micrograph(rng) if rng.random() < 0.6 else bank.other(rng)
    grey = cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2GRAY)
    share = float(rng.uniform(0.25, 1))
    h, w = (max(8, int(share * n)) for n in grey.shape)
    top, left = (int(rng.integers(0, n - m + 1)) for n, m in zip(grey.shape, (h, w), strict=True))
    return np.asarray(cv2.resize(grey[top : top + h, left : left + w], (width, height)), np.uint8)


def _ground(bank: Bank, rng: Rng) -> tuple[Grey, int, int]:
    """A corner without print, and where the panel begins in it."""
    plain = 255 if rng.random() < 0.8 else 0 if rng.random() < 0.6 else int(rng.integers(120, 255))
    grey = np.full((SIDE, SIDE), plain, np.uint8)
    top, left = (0 if rng.random() < 0.2 else int(rng.integers(1, DEEPEST)) for _ in range(2))
    if rng.random() < 0.4:  # a neighbour in the surroundings
        gap = int(rng.choice([0, 0, 1, 3, 6]))
        if top > gap and rng.random() < 0.7:
            grey[: top - gap, left:] = _filled(bank, rng, top - gap, SIDE - left)
        if left > gap and rng.random() < 0.7:
            grey[top:, : left - gap] = _filled(bank, rng, SIDE - top, left - gap)
    grey[top:, left:] = _filled(bank, rng, SIDE - top, SIDE - left)
    if rng.random() < 0.12:  # plots: white with an axis
        grey[top:, left:] = 255
        axis = int(rng.integers(left, SIDE))
        cv2.line(
            grey,
            (axis, top + int(rng.integers(0, 40))),
            (axis, SIDE),
            int(rng.integers(0, 60)),
            1 + int(rng.integers(2)),
        )
    if rng.random() < 0.15:
        cv2.rectangle(grey, (left, top), (SIDE + 4, SIDE + 4), int(rng.choice([0, 0, 255])), int(rng.integers(1, 3)))
    return grey, top, left


class _Pen:
    """Writes in one face and ink."""

    def __init__(self, rng: Rng) -> None:
        self.rng = rng
        self.name = str(rng.choice(BASE14 if rng.random() < 0.65 else FACES))
        self.stroke = int(rng.random() < 0.15)
        self.edge = rng.random() < 0.12
        self.box = rng.random() < 0.15
        self.stretch = float(rng.uniform(0.8, 1.2)) if rng.random() < 0.3 else 1.0

    def write(
        self, grey: Grey, text: str, mark: int, at: tuple[float, float], size: float
    ) -> tuple[Grey, tuple[float, ...]]:
        """Write; returns the picture and the box of the sign number ``mark`` (x0, y0, x1, y1)."""
        rng, font = self.rng, face_font(self.name, max(6, round(size)))
        stroke = max(1, round(size / 14)) if self.edge else self.stroke
        whole = font.getbbox(text, stroke_width=stroke)
        x, y = at[0] - whole[0], at[1] - whole[1]
        region = grey[
            max(0, int(at[1])) : int(at[1] + whole[3] - whole[1]) + 1,
            max(0, int(at[0])) : int(at[0] + whole[2] - whole[0]) + 1,
        ]
        under, spread = (float(region.mean()), float(region.std())) if region.size else (128.0, 0.0)
        ink = 255 if under < 128 else 0
        if 70 < under < 190 and rng.random() < 0.4:
            ink = 255 - ink
        if rng.random() < 0.25:  # a colour, as grey
            ink = int(np.clip(under + (1 if ink else -1) * rng.uniform(70, 160), 0, 255))
        box, edge = self.box, self.edge
        if abs(ink - under) < 50 + spread:  # nobody leaves a letter that cannot be seen
            box, edge = rng.random() < 0.5, True
        image = Image.fromarray(grey)
        pen = ImageDraw.Draw(image)
        if box:
            pad, back = size * float(rng.uniform(0.05, 0.3)), 255 if rng.random() < 0.8 else 0
            box = (at[0] - pad, at[1] - pad, at[0] + whole[2] - whole[0] + pad, at[1] + whole[3] - whole[1] + pad)
            if rng.random() < 0.2:
                pen.ellipse(box, fill=back)
            else:
                pen.rectangle(box, fill=back)
            ink = 255 - back
        if edge and not box:
            pen.text((x, y), text, font=font, fill=ink, stroke_width=max(1, stroke), stroke_fill=255 - ink)
        else:
            pen.text((x, y), text, font=font, fill=ink, stroke_width=self.stroke)
        before = font.getlength(text[:mark])
        sign = font.getbbox(text[mark])
        return np.array(image), (x + before + sign[0], y + sign[1], x + before + sign[2], y + sign[3])


def _worn(grey: Grey, rng: Rng) -> Grey:
    """Shrunk and brought back, blurred, compressed, scanned."""
    if rng.random() < 0.5:
        factor = float(rng.uniform(0.5, 1))
        small = cv2.resize(grey, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        how = cv2.INTER_CUBIC if rng.random() < 0.5 else cv2.INTER_LINEAR
        grey = np.asarray(cv2.resize(small, (SIDE, SIDE), interpolation=how), np.uint8)
    return np.asarray(reproduced(np.repeat(grey[..., None], 3, 2), rng)[..., 1], np.uint8)


def draw_corners(bank: Bank, rng: Rng, count: int) -> list[Corner]:
    """Corners at random, three of each picture; three in five have a letter."""
    grounds = [_ground(bank, rng) for _ in range(-(-count // 3))]
    return [_corner(grounds[n // 3], rng) for n in range(count)]


def _corner(ground: tuple[Grey, int, int], rng: Rng) -> Corner:
    grey, top, left = ground[0].copy(), *ground[1:]
    pen, size = _Pen(rng), float(np.exp(rng.uniform(np.log(11), np.log(62))))
    if rng.random() < 0.3:  # other print that may stand there too
        word = str(rng.choice(OTHERS if rng.random() < 0.5 else WORDS))
        if len(word) > 1:
            other = _Pen(rng)
            grey, _ = other.write(grey, word, 0, (rng.uniform(0, SIDE), rng.uniform(0.5 * SIDE, SIDE)), 0.6 * size + 5)
    if rng.random() < 0.12:
        a, b = rng.uniform(0, SIDE, (2, 2)).astype(int)
        cv2.arrowedLine(
            grey, tuple(map(int, a)), tuple(map(int, b)), int(rng.choice([0, 255])), 1 + int(rng.integers(3))
        )
    how = rng.random()
    if how < 0.6:
        letter = (
            str(rng.choice(list(LETTERS[:26]), p=_SHARES))
            if rng.random() < 0.92
            else str(rng.choice(list(LETTERS[26:])))
        )
        form = str(rng.choice(FORMS, p=[0.4, 0.36, 0.1, 0.03, 0.05, 0.02, 0.02, 0.02]))
        text = form.format(letter.upper() if rng.random() < 0.4 else letter)
        mark = form.index("{")
        if rng.random() < 0.1:
            text += " " + str(rng.choice(WORDS))
        for _ in range(8):
            if rng.random() < 0.5:  # close to the panel's corner, inside or outside
                x, y = left + rng.uniform(-0.2, 0.5) * size, top + rng.uniform(-0.2, 0.5) * size
                if rng.random() < 0.25:
                    y = top - rng.uniform(0.9, 1.2) * size
                elif rng.random() < 0.15:
                    x = left - rng.uniform(0.6, 1.2) * size
            else:
                x, y = rng.uniform(0, SIDE - 0.5 * size, 2)
            drawn, (x0, y0, x1, y1) = pen.write(grey, text, mark, (x, y), size)
            if x0 >= 0 and y0 >= 0 and x1 <= SIDE and y1 <= SIDE:
                return Corner(_worn(drawn, rng), LETTERS.index(letter) + 1, ((x0 + x1) / 2, (y0 + y1) / 2), y1 - y0)
            size = max(11.0, 0.8 * size)
        return Corner(_worn(grey, rng))
    if how < 0.85:
        text = str(rng.choice(OTHERS)) if rng.random() < 0.6 else str(rng.choice(WORDS))
        if rng.random() < 0.2:
            text = f"{rng.integers(10, 2000)}"
        if len(text) > 1:
            at = rng.uniform(-0.5 * size, SIDE - 0.5 * size, 2)
            grey, _ = pen.write(grey, text, 0, (float(at[0]), float(at[1])), size)
        else:  # cut off by the corner's rim
            grey, _ = pen.write(
                grey, text, 0, (float(SIDE - rng.uniform(0.05, 0.25) * size), float(rng.uniform(0, SIDE))), size
            )
    return Corner(_worn(grey, rng))


_SHARES = np.r_[np.full(8, 0.08), np.full(18, 0.02)]
_SHARES /= _SHARES.sum()
"""Figures of many panels are rare, so most letters are early ones."""
