"""Print that microscopes and authors burn into micrographs, drawn at random: bars, values, magnifications, all else.

``train_scale_bars.py`` trains on it, and measures by style. Each style follows a maker's layout: JEOL's letters of dots
over the texture, Philips' two rows with a thin bar, FEI's strip of many fields, Hitachi's eleven ticks, Zeiss' box,
TESCAN's table, and what authors draw themselves. What is drawn is then blurred, shrunk and compressed as papers do.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import cv2
import matplotlib as mpl
import numpy as np
import numpy.typing as npt
import pymupdf
from PIL import Image, ImageDraw, ImageFont

Grey = npt.NDArray[np.uint8]
Rng = np.random.Generator
Box = tuple[float, float, float, float]
"""Left, top, right, bottom, in pixels."""

TYPE = (
    "DejaVuSans",
    "DejaVuSans-Bold",
    "DejaVuSansMono",
    "DejaVuSansMono-Bold",
    "DejaVuSerif",
    "STIXGeneral",
    "STIXGeneralBol",
)
BASE14 = ("helv", "hebo", "tiro", "tibo", "cour", "cobo")
"""Fonts that come with matplotlib and with PyMuPDF."""
DOTS = {
    "0": "3e4141413e", "1": "00427f4000", "2": "4261514946", "3": "2141454b31", "4": "1814127f10", "5": "2745454539",
    "6": "3c4a494930", "7": "0171090503", "8": "3649494936", "9": "064949291e", ".": "0060600000", ",": "0050300000",
    " ": "0000000000", "-": "0808080808", "/": "2010080402", "u": "3c4040207c", "µ": "fc2020107c", "m": "7c0418047c",
    "n": "7c08040478", "c": "3844444428", "p": "fc24242418", "k": "7f10284400", "K": "7f08142241", "V": "1f2040201f",
    "X": "6314081463", "x": "4428102844", "W": "3f4038403f", "D": "7f41221c00", "S": "4649494931", "E": "7f49494941",
    "I": "00417f4100", "L": "7f40404040", "A": "7e1111117e", "g": "18a4a4a47c", "h": "7f08040478", "M": "7f020c027f",
}  # fmt: skip
"""Letters of 5 x 7 dots: a byte a column, its lowest bit on top."""

UNITS = {"µm": 60, "nm": 20, "mm": 5, "cm": 4, "pm": 2, "Å": 2, "1/nm": 3, "nm-1": 2, "inch": 1}
MICROMETRES = {"pm": 1e-6, "Å": 1e-4, "nm": 1e-3, "µm": 1.0, "mm": 1e3, "cm": 1e4}
ROUND = (1, 1, 1, 2, 2, 2, 5, 5, 5, 1.2, 1.5, 2.5, 3, 4, 6, 7.5, 8)
DETECTORS = ("SE", "SEI", "BEC", "BSE", "SE2", "InLens", "LEI", "ETD", "SE(M)", "SE(U)", "SEM", "COMPO", "TLD")
HEADS = ("Acc.V", "Spot", "Magn", "Det", "WD", "Exp")
WORDS = (
    *HEADS,
    "HV",
    "mag",
    "mode",
    "curr",
    "HFW",
    "Date",
    "Signal",
    "EHT",
    "Vac",
    "SEM",
    "Quanta",
    "NONE",
    "File",
    "Name",
)
NOTES = ("5 wt%", "70/30", "PP", "PA6", "EPDM", "matrix", "100 °C", "10 min", "No. 5", "Fig. 2", "t = 5 s")
LETTERS = (*"abcdefghABCDEFGH123456",)


@dataclass
class Scene:
    """A picture with what was printed into it.

    Attributes:
        grey: rows x columns, 0 to 255.
        values, sizes, bars: boxes of the values at bars, of magnifications and field widths, of bars from end to end.
        um: length of the bar in micrometres, None where there is none or the value is no length.
    """

    grey: Grey
    um: float | None = None
    values: list[Box] = field(default_factory=list)
    sizes: list[Box] = field(default_factory=list)
    bars: list[Box] = field(default_factory=list)


@cache
def _font(name: str, size: int) -> ImageFont.FreeTypeFont:
    if name in BASE14:
        return ImageFont.truetype(io.BytesIO(pymupdf.Font(name).buffer), size)
    return ImageFont.truetype(str(Path(mpl.get_data_path()) / "fonts/ttf" / f"{name}.ttf"), size)


@dataclass(frozen=True)
class Value:
    """What stands at a bar: the text, and its length in micrometres (None where it is no length)."""

    text: str
    um: float | None


@dataclass(frozen=True)
class Face:
    """How letters are drawn.

    Attributes:
        name: of the font; ``dots`` for letters of dots, ``plotter`` for strokes.
        coarse: pixels of height at which an outline font is drawn before it is enlarged; 0 for its own size.
        wide: by how much letters are stretched.
    """

    name: str
    coarse: int = 0
    wide: float = 1.0
    apart: bool = False
    heavy: int = 0

    def ink(self, text: str, size: int) -> Grey:
        """The letters of a text as a mask, ``size`` about the height of a capital in pixels."""
        if self.name == "dots":
            mask = self._dots(text, size)
        elif self.name == "plotter":
            plain = text.replace("µ", "u").replace("Å", "A").replace("×", "x")
            scale, thick = size / 21, max(1, round(size / 11) + self.heavy)
            (w, h), low = cv2.getTextSize(plain, cv2.FONT_HERSHEY_SIMPLEX, scale, thick)
            mask = np.zeros((h + low + 2 * thick + 2, w + 2 * thick + 2), np.uint8)
            cv2.putText(mask, plain, (thick, h + thick), cv2.FONT_HERSHEY_SIMPLEX, scale, 255, thick, cv2.LINE_AA)
        else:
            font = _font(self.name, round(1.38 * (self.coarse or size)))
            left, top, right, bottom = font.getbbox(text)
            image = Image.new("L", (max(1, int(right - left) + 2), max(1, int(bottom - top) + 2)))
            draw = ImageDraw.Draw(image)
            draw.fontmode = "1" if self.coarse else "L"
            draw.text((1 - left, 1 - top), text, font=font, fill=255)
            mask = np.asarray(image)
            if self.coarse:
                factor = size / self.coarse
                mask = cv2.resize(mask, None, fx=factor, fy=factor, interpolation=cv2.INTER_NEAREST)
        if self.wide != 1:
            mask = cv2.resize(mask, None, fx=self.wide, fy=1, interpolation=cv2.INTER_LINEAR)
        rows, columns = np.flatnonzero(mask.max(1) > 60), np.flatnonzero(mask.max(0) > 60)
        return mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] if rows.size else np.zeros((1, 1), np.uint8)

    def _dots(self, text: str, size: int) -> Grey:
        columns: list[int] = []
        for sign in text:
            columns += [*bytes.fromhex(DOTS.get(sign, DOTS["0"])), 0]
        grid = (np.array(columns)[None, :] >> np.arange(9)[:, None] & 1).astype(np.uint8) * 255
        step = max(1, round(size / 7))
        mask = np.kron(grid, np.ones((step, step), np.uint8))
        if self.apart and step > 1:
            mask[step - 1 :: step] = 0
            mask[:, step - 1 :: step] = 0
        return np.asarray(mask, np.uint8)


def draw_face(rng: Rng, *, bitmap: float = 0.4) -> Face:
    """Letters at random; ``bitmap`` is the share of those made of pixels."""
    if rng.random() < bitmap:
        if rng.random() < 0.5:
            return Face("dots", wide=float(rng.choice([1, 1.25, 1.5, 2.0])), apart=bool(rng.random() < 0.3))
        name = str(rng.choice(["DejaVuSansMono", "DejaVuSansMono-Bold", "DejaVuSans", "helv", "cobo", "hebo"]))
        return Face(name, coarse=int(rng.integers(7, 13)), wide=float(rng.choice([1, 1, 1.2, 1.5])))
    if rng.random() < 0.12:
        return Face("plotter", wide=float(rng.uniform(0.8, 1.2)), heavy=int(rng.integers(0, 2)))
    name = str(rng.choice([*TYPE, *BASE14, "helv", "hebo", "tiro", "tibo"]))
    return Face(name, wide=float(rng.uniform(0.85, 1.2)))


def draw_value(rng: Rng) -> Value:
    """A value as bars bear it."""
    unit = str(rng.choice(list(UNITS), p=np.array(list(UNITS.values())) / sum(UNITS.values())))
    low, high = {"nm": (0, 3), "µm": (-1, 3), "mm": (-1, 2), "cm": (-1, 1), "inch": (-1, 1)}.get(unit, (-1, 3))
    number = float(rng.choice(ROUND)) * 10.0 ** int(rng.integers(low, high))
    how = rng.random()
    digits = f"{number:g}"
    if how < 0.12:
        digits = f"{number:.1f}"
    elif how < 0.2:
        digits = f"{number:.2f}"
    elif number == 1000 and how < 0.5:
        digits = "1,000"
    elif digits.startswith("0.") and how < 0.4:
        digits = digits[1:]
    if "." in digits and rng.random() < 0.1:
        digits = digits.replace(".", ",")
    spelled = "um" if unit == "µm" and rng.random() < 0.35 else unit
    text = digits + (str(rng.choice(["", " ", " "])) if unit != "1/nm" else " ") + spelled
    return Value(text, number * MICROMETRES[unit] if unit in MICROMETRES else None)


def draw_size(rng: Rng) -> str:
    """A magnification or a field width as data strips write it."""
    times = float(rng.choice([1, 1.2, 1.5, 2, 2.5, 3, 3.5, 4, 5, 6, 7, 8, 9])) * 10 ** int(rng.integers(1, 5))
    how = rng.random()
    if how < 0.25:
        return str(rng.choice(["x", "X", "x ", "X "])) + f"{times:,.0f}"
    if how < 0.4:
        return f"{times:.0f}".replace(",", " ") + str(rng.choice(["x", "X", " x"]))
    if how < 0.55:
        return f"{times:,.0f}".replace(",", " ") + " x"
    if how < 0.7:
        return str(rng.choice(["x", "X", "×"])) + f"{times / 1000:.{int(rng.integers(1, 3))}f}k"
    if how < 0.88:
        return f"{times / 1000:.{int(rng.integers(1, 3))}f}" + str(rng.choice([" K X", " KX", " kx", "kx"]))
    return f"{rng.uniform(1, 900):.{int(rng.integers(0, 3))}f}" + str(rng.choice([" µm", "µm", " um"]))


class Pen:
    """Draws on a scene in one ink and remembers where.

    Attributes:
        level, edge: grey level of the ink, and of a rim around it or None.
    """

    def __init__(self, scene: Scene, face: Face, level: int, edge: int | None = None, strength: float = 1.0) -> None:
        self.scene, self.face, self.level, self.edge, self.strength = scene, face, level, edge, strength

    def _blend(self, mask: Grey, x: int, y: int, level: float) -> None:
        rows, columns = self.scene.grey.shape
        x0, y0, x1, y1 = max(0, x), max(0, y), min(columns, x + mask.shape[1]), min(rows, y + mask.shape[0])
        if x0 >= x1 or y0 >= y1:
            return
        share = mask[y0 - y : y1 - y, x0 - x : x1 - x].astype(np.float32) * (self.strength / 255)
        under = self.scene.grey[y0:y1, x0:x1]
        self.scene.grey[y0:y1, x0:x1] = (under * (1 - share) + level * share).astype(np.uint8)

    def stamp(self, mask: Grey, x: int, y: int) -> None:
        """Put a mask's ink on the picture, its upper left at x, y."""
        if self.edge is not None:
            rim = max(1, round(mask.shape[0] / 16))
            room = np.pad(mask, rim)
            wide = np.asarray(cv2.dilate(room, np.ones((2 * rim + 1, 2 * rim + 1), np.uint8)), np.uint8)
            self._blend(wide, x - rim, y - rim, self.edge)
        self._blend(mask, x, y, self.level)

    def text(self, text: str | Value, x: float, y: float, size: int, *, kind: str = "", anchor: str = "lm") -> Box:
        """Write; ``anchor`` as Pillow has it (l, m, r; t, m, b). Returns the box of the ink."""
        if isinstance(text, Value):
            self.scene.um, kind, text = text.um, "value", text.text
        mask = self.face.ink(text, size)
        h, w = mask.shape
        left = round(x - {"l": 0, "m": w / 2, "r": w}[anchor[0]])
        top = round(y - {"t": 0, "m": h / 2, "b": h}[anchor[1]])
        self.stamp(mask, left, top)
        box = (float(left), float(top), float(left + w), float(top + h))
        if kind == "value":
            self.scene.values.append(box)
        elif kind == "size":
            self.scene.sizes.append(box)
        return box

    def bar(self, x0: float, x1: float, y: float, thick: int, *, ticks: int = 0, down: bool = False) -> None:
        """A bar with its ends at x0 and x1, perhaps with ticks at its ends (``down``: below it alone, a bracket)."""
        self.line(x0, x1, y, thick)
        for x in (x0, x1 - max(1, thick - 1)) if ticks else ():
            top = y if down else y - ticks
            self.block(x, top, max(1, min(thick, 3)), y + ticks - top + thick)
        self.scene.bars.append((round(x0), round(y), round(x1), round(y) + thick))

    def line(self, x0: float, x1: float, y: float, thick: int) -> None:
        """A plain line."""
        self.block(x0, y, max(1, round(x1) - round(x0)), thick)

    def block(self, x: float, y: float, wide: float, tall: float) -> None:
        """A full rectangle."""
        self.stamp(np.full((max(1, round(tall)), max(1, round(wide))), 255, np.uint8), round(x), round(y))


def _word(rng: Rng) -> str:
    """Something else that data strips say."""
    how = rng.random()
    if how < 0.2:
        volts = f"{rng.choice([1, 5, 10, 15, 20, 25, 30]):g}" + str(rng.choice([".0", ".00", ""]))
        return volts + str(rng.choice(["", " "])) + str(rng.choice(["kV", "KV", "kv"]))
    if how < 0.35:
        away = str(rng.choice(["WD", "WD ", "WD = ", "WD: ", ""])) + f"{rng.uniform(3, 39):.1f}"
        return away + str(rng.choice(["mm", " mm", ""]))
    if how < 0.5:
        return "".join(str(d) for d in rng.integers(0, 10, int(rng.integers(2, 8))))
    if how < 0.6:
        date = (
            f"{rng.integers(1, 31):02d}",
            str(rng.choice(["01", "11", "Jan", "Oct"])),
            str(rng.choice(["07", "2010"])),
        )
        return str(rng.choice(["/", "-", "."])).join(date)
    if how < 0.75:
        return str(rng.choice(DETECTORS))
    return str(rng.choice(WORDS))


def _strip(scene: Scene, top: float, rng: Rng, level: int | None = None) -> int:
    """Fill the bottom with one tone, or with none; returns the ink that stands out."""
    level = int(rng.choice([0, 0, 0, 8, 20, 60, 255])) if level is None else level
    scene.grey[max(0, round(top)) :] = level
    return 255 - int(rng.integers(0, 40)) if level < 128 else int(rng.integers(0, 40))


def _ink(rng: Rng) -> tuple[int, int | None]:
    """An ink over texture, with or without a rim."""
    level = int(rng.integers(225, 256)) if rng.random() < 0.78 else int(rng.integers(0, 30))
    return level, (255 - level if rng.random() < 0.22 else None)


def jeol(scene: Scene, size: int, rng: Rng) -> None:
    """One row over the texture or on a strip: kilovolt, magnification, the bar over its value, a number."""
    rows, columns = scene.grey.shape
    level, edge = _ink(rng)
    face = draw_face(rng, bitmap=0.85)
    y = rows - size * float(rng.uniform(0.45, 1.8))
    if rng.random() < 0.25:
        level, edge = _strip(scene, y - size * float(rng.uniform(1, 1.8)), rng), None
    pen = Pen(scene, face, level, edge, float(rng.uniform(0.75, 1)))
    x, gap = float(rng.uniform(0, 0.2 * columns)), size * float(rng.uniform(0.8, 3.5))
    size_of, words = draw_size(rng), [_word(rng) for _ in range(3)]
    row: list[str | Value] = [*words[:1], size_of, draw_value(rng), *words[1:2]]
    if rng.random() < 0.5:
        row.insert(0, words[2])
    if rng.random() < 0.3:
        row[-1], row[-2] = row[-2], row[-1]
    for text in row:
        box = pen.text(text, x, y, size, kind="size" if text is size_of else "")
        if isinstance(text, Value):
            length = max(12.0, (box[2] - box[0]) * float(np.exp(rng.uniform(-0.9, 1.2))))
            start = (box[0] + box[2]) / 2 - length * float(rng.uniform(0.35, 0.65))
            if rng.random() < 0.75:
                thick = max(1, round(size * float(rng.uniform(0.08, 0.25))))
                pen.bar(start, start + length, box[1] - size * float(rng.uniform(0.2, 0.6)), thick)
            else:
                start, ticks = box[2] + size * float(rng.uniform(0.5, 1.2)), round(size * float(rng.choice([0, 0.3])))
                pen.bar(start, start + length, y, max(1, round(size * 0.12)), ticks=ticks)
                box = (box[0], box[1], start + length, box[3])
        x = box[2] + gap


def philips(scene: Scene, size: int, rng: Rng) -> None:
    """Two rows of fields and a thin bar with ticks, its value to the right."""
    rows, columns = scene.grey.shape
    face, thin = draw_face(rng, bitmap=0.4), max(1, round(size * float(rng.uniform(0.07, 0.16))))
    step = size * float(rng.uniform(1.3, 1.7))
    base = rows - size * float(rng.uniform(0.6, 1.2 if rng.random() < 0.6 else 4))
    level, edge = _ink(rng)
    how = rng.random()
    if how < 0.3:
        level, edge = _strip(scene, base - step - size * float(rng.uniform(0.6, 0.9)), rng), None
    elif how < 0.5:  # a label behind the print alone
        left, right = (int(columns * share) for share in rng.uniform((0, 0.8), (0.1, 1)))
        scene.grey[max(0, round(base - step - size)) : round(base + size), left:right] = 0
        level, edge = 255, None
    pen = Pen(scene, face, level, edge, float(rng.uniform(0.8, 1)))
    x = float(rng.uniform(-0.1, 0.1)) * columns
    for head in rng.permutation(HEADS)[: int(rng.integers(2, 6))]:
        over = pen.text(str(head), x, base - step, size)
        kind = "size" if head == "Magn" else ""
        under = pen.text(draw_size(rng) if kind else _word(rng), x, base, size, kind=kind)
        x = max(over[2], under[2]) + size * float(rng.uniform(0.4, 1))
    length = max(2.5 * size, float(rng.uniform(0.1, 0.4)) * columns)
    x = max(x, columns * float(rng.uniform(0.3, 0.8)) - length)
    y = base - step
    pen.bar(x, x + length, y, thin, ticks=round(size * float(rng.uniform(0.2, 0.45))))
    pen.text(draw_value(rng), x + length + size * float(rng.uniform(0.4, 1)), y, size)
    if rng.random() < 0.5:
        pen.text(_word(rng), x, base, size)


def fei(scene: Scene, size: int, rng: Rng) -> None:
    """A strip of fields between upright lines; the bar is split by its value or stands over or under it."""
    rows, columns = scene.grey.shape
    high = size * float(rng.uniform(1.7, 3.4))
    top = rows - high
    ink = _strip(scene, top, rng)
    pen = Pen(scene, draw_face(rng, bitmap=0.25), ink)
    if rng.random() < 0.4:
        pen.line(0, columns, top, 1)
    middle, x = top + high / 2, float(rng.uniform(0, size))
    two = high > 2.6 * size
    right = columns * float(rng.uniform(0.45, 0.7))
    while x < right:
        if two:
            over = pen.text(str(rng.choice(WORDS)), x, middle - 0.65 * size, size)
            kind = "size" if rng.random() < 0.3 else ""
            under = pen.text(draw_size(rng) if kind else _word(rng), x, middle + 0.65 * size, size, kind=kind)
            x = max(over[2], under[2])
        else:
            kind = "size" if rng.random() < 0.3 else ""
            x = pen.text(draw_size(rng) if kind else _word(rng), x, middle, size, kind=kind)[2]
        x += 0.5 * size
        pen.block(x, top, 1, high)
        x += 0.5 * size
    left, right = x + size * float(rng.uniform(0.3, 2)), columns - size * float(rng.uniform(0.3, 2))
    _wide_bar(pen, (left, right), middle, (size, high), rng)


def _wide_bar(pen: Pen, ends: tuple[float, float], middle: float, room: tuple[int, float], rng: Rng) -> None:
    """A bar in a field of a strip, with its value in, over or under it; ``room`` is the letters' height and its own."""
    (left, right), (size, high) = ends, room
    value, thin = draw_value(rng), max(1, round(size * float(rng.uniform(0.07, 0.25))))
    wide = pen.face.ink(value.text, size).shape[1]
    if right - left < wide + 3 * size:
        left = right - wide - 3 * size
    length = max(wide + 2.0 * size, (right - left) * float(rng.uniform(0.5, 1)))
    start = left + (right - left - length) * float(rng.random())
    ticks = round(size * float(rng.choice([0, 0.2, 0.35, 0.5])))
    if rng.random() < 0.55 or high < 2.4 * size:
        centre, gap = start + length / 2, wide / 2 + size * float(rng.uniform(0.2, 0.7))
        pen.line(start, centre - gap, middle, thin)
        pen.line(centre + gap, start + length, middle, thin)
        for x in (start, start + length - 1) if ticks else ():
            pen.block(x, middle - ticks, min(thin, 2), 2 * ticks + thin)
        pen.scene.bars.append((round(start), round(middle), round(start + length), round(middle) + thin))
        pen.text(value, centre, middle, size, anchor="mm")
        return
    side = 1 if rng.random() < 0.5 else -1
    pen.bar(start, start + length, middle + side * 0.5 * size, thin, ticks=round(ticks / 2))
    pen.text(value, start + length / 2, middle - side * 0.45 * size, size, anchor="mm")


def hitachi(scene: Scene, size: int, rng: Rng) -> None:
    """One row with the value at the right, eleven ticks above it or beside it."""
    rows, columns = scene.grey.shape
    level, edge = _ink(rng)
    y = rows - size * float(rng.uniform(0.45, 1.6))
    if rng.random() < 0.45:
        level, edge = _strip(scene, y - size * float(rng.uniform(0.8, 2.2)), rng), None
    pen = Pen(scene, draw_face(rng, bitmap=0.35), level, edge, float(rng.uniform(0.8, 1)))
    x, gap = columns - size * float(rng.uniform(0.3, 2.5)), size * float(rng.uniform(0.6, 1.4))
    ends = pen.text(draw_value(rng), x, y, size, anchor="rm")
    x = pen.text(draw_size(rng), ends[0] - gap, y, size, kind="size", anchor="rm")[0] - gap
    for _ in range(int(rng.integers(1, 4))):
        x = pen.text(_word(rng), x, y, size, anchor="rm")[0] - gap
    step = max(2, min(round(size * float(np.exp(rng.uniform(-1, 0.9)))), columns // 16))
    right = round(ends[2] - rng.uniform(0, 1.2) * size)
    foot = ends[1] - size * float(rng.uniform(0.15, 0.5))
    short = max(2, round(size * float(rng.uniform(0.15, 0.35))))
    long, thin = round(short * float(rng.choice([1, 1.6, 2.2]))), max(1, round(size / 12))
    for k in range(11):
        tall = long if k % 5 == 0 else short
        pen.block(right - k * step, foot - tall, thin, tall)
    scene.bars.append((right - 10 * step, round(foot - long), right + thin, round(foot)))


def zeiss(scene: Scene, size: int, rng: Rng) -> None:
    """A box at the left with the value over a bar of brackets, then fields in one or two rows."""
    rows, columns = scene.grey.shape
    high = size * float(rng.uniform(2.4, 3.2))
    top = rows - high
    whole = rng.random() < 0.5
    back = int(rng.choice([0, 255]))
    ink = _strip(scene, top, rng, back) if whole else 255 - back
    pen = Pen(scene, draw_face(rng, bitmap=0.2), ink)
    value = draw_value(rng)
    wide = pen.face.ink(value.text, size).shape[1]
    length = max(1.2 * wide, columns * float(rng.uniform(0.08, 0.35)))
    x = size * float(rng.uniform(0.4, 1.2))
    if not whole:
        scene.grey[round(top) :, : round(x + length + x)] = back
    pen.text(value, x + length / 2, top + 0.85 * size, size, anchor="mm")
    thin = max(1, round(size * float(rng.uniform(0.08, 0.2))))
    pen.bar(x, x + length, top + high - 0.75 * size, thin, ticks=round(size * float(rng.choice([0.2, 0.3, 0.45]))))
    small = max(7, round(size * float(rng.uniform(0.6, 1))))
    if not whole:
        pen = Pen(scene, pen.face, *_ink(rng))
    x += length + 2 * size
    while x < columns:
        kind = "size" if rng.random() < 0.3 else ""
        text = draw_size(rng) if kind else _word(rng)
        if kind and rng.random() < 0.6:
            x = pen.text("Mag =", x, top + 0.3 * high, small)[2] + 0.5 * small
        over = pen.text(text, x, top + 0.3 * high, small, kind=kind)
        under = pen.text(_word(rng), x, top + 0.72 * high, small)
        x = max(over[2], under[2]) + small * float(rng.uniform(0.8, 2))


def tescan(scene: Scene, size: int, rng: Rng) -> None:
    """A table of two or three rows; a bar of ticks with its value below or in it."""
    rows, columns = scene.grey.shape
    lines = int(rng.integers(2, 4))
    high = size * (1.6 * lines + 0.4)
    top = rows - high
    ink = _strip(scene, top, rng, int(rng.choice([0, 0, 40, 255])))
    pen = Pen(scene, draw_face(rng, bitmap=0.15), ink)
    x = 0.4 * size
    for _ in range(int(rng.integers(1, 4))):
        far = x
        for line in range(lines):
            y = top + size * (1.0 + 1.6 * line)
            head = str(rng.choice(["SEM HV:", "WD:", "Det:", "SEM MAG:", "View field:", "Date:", "Vac:"]))
            box = pen.text(head, x, y, size)
            kind = "size" if head in ("SEM MAG:", "View field:") else ""
            box = pen.text(draw_size(rng) if kind else _word(rng), box[2] + 0.5 * size, y, size, kind=kind)
            far = max(far, box[2])
        x = far + size
    right = columns - size * float(rng.uniform(0.3, 2))
    _wide_bar(pen, (min(x, columns * 0.6), right), top + high * float(rng.uniform(0.3, 0.55)), (size, high), rng)


def drawn(scene: Scene, size: int, rng: Rng) -> None:
    """What authors draw: a bar with its value over, under or beside it, with ticks, a bracket or a box."""
    rows, columns = scene.grey.shape
    level, edge = _ink(rng)
    face, value = draw_face(rng, bitmap=0.15), draw_value(rng)
    wide, tall = face.ink(value.text, size).shape[1], 1.1 * size
    length = float(np.clip(wide * np.exp(rng.uniform(-0.7, 1.4)), 14, 0.7 * columns))
    thick = max(1, round(size * float(rng.uniform(0.06, 0.5))))
    beside = rng.random() < 0.2
    block_w = length + wide + size if beside else max(length, wide)
    block_h = max(tall, thick) if beside else tall + thick + 0.5 * size
    margin = size * float(rng.uniform(0.3, 1.8))
    at = margin if rng.random() < 0.5 else columns - margin - block_w
    if rng.random() < 0.2:
        at = float(rng.uniform(0, max(1, columns - block_w)))
    foot = rows - margin if rng.random() < 0.85 else float(rng.uniform(block_h, rows))
    if rng.random() < 0.4:
        back = int(rng.choice([0, 255, 255, int(rng.integers(0, 256))]))
        level, edge = (255 if back < 128 else 0), None
        pad = size * float(rng.uniform(0.2, 0.8))
        y0, x0 = max(0, round(foot - block_h - pad)), max(0, round(at - pad))
        y1, x1 = round(foot + pad), round(at + block_w + pad)
        scene.grey[y0:y1, x0:x1] = back
        if rng.random() < 0.25:
            cv2.rectangle(scene.grey, (x0, y0), (x1, y1), int(level), 1)
    pen = Pen(scene, face, level, edge)
    ticks = round(size * float(rng.choice([0, 0, 0, 0.25, 0.5])))
    down = bool(rng.random() < 0.3)
    if beside:
        bar_at, text_at = (at, at + length + 0.7 * size) if rng.random() < 0.5 else (at + wide + size, at)
        pen.bar(bar_at, bar_at + length, foot - block_h / 2 - thick / 2, thick, ticks=ticks)
        pen.text(value, text_at, foot - block_h / 2, size)
        return
    start, centre = at + (block_w - length) / 2, at + block_w / 2
    if rng.random() < 0.6:
        gap = size * float(rng.uniform(0.15, 0.6))
        pen.bar(start, start + length, foot - thick, thick, ticks=ticks)
        pen.text(value, centre, foot - thick - gap, size, anchor="mb")
    else:
        pen.bar(start, start + length, foot - block_h, thick, ticks=ticks, down=down)
        pen.text(value, centre, foot - block_h + thick + size * float(rng.uniform(0.2, 0.5)), size, anchor="mt")


def _letter(rng: Rng) -> str:
    """A panel's letter."""
    letter = str(rng.choice(LETTERS))
    return str(rng.choice([letter, f"({letter})", f"{letter})"]))


def nothing(scene: Scene, size: int, rng: Rng) -> None:
    """No bar: bare texture, panel letters, words, arrows, lines, a frame, a strip without its bar."""
    rows, columns = scene.grey.shape
    level, edge = _ink(rng)
    pen = Pen(scene, draw_face(rng), level, edge)
    how = rng.random()
    if how < 0.3:
        return
    if how < 0.55:
        pen.text(_letter(rng), rng.uniform(0, columns), rng.uniform(0, rows), 2 * size)
    elif how < 0.75:
        y = rows - size
        if rng.random() < 0.5:
            pen.level = _strip(scene, y - size, rng)
        x = float(rng.uniform(0, size))
        while x < columns:
            kind = "size" if rng.random() < 0.25 else ""
            x = pen.text(draw_size(rng) if kind else _word(rng), x, y, size, kind=kind)[2] + size
    else:
        for _ in range(int(rng.integers(1, 4))):
            if rng.random() < 0.5:
                a, b = rng.uniform(0, columns, 2), rng.uniform(0, rows, 2)
                cv2.arrowedLine(scene.grey, (int(a[0]), int(b[0])), (int(a[1]), int(b[1])), level, 2)
            else:
                pen.text(str(rng.choice(NOTES)), rng.uniform(0, columns), rng.uniform(0, rows), size)


def surround(scene: Scene, size: int, rng: Rng) -> None:
    """What may stand about any of them: a panel letter in an upper corner, a frame that the cut left."""
    rows, columns = scene.grey.shape
    if rng.random() < 0.25:
        x = size if rng.random() < 0.7 else columns - 3 * size
        pen = Pen(scene, draw_face(rng, bitmap=0.1), *_ink(rng))
        pen.text(_letter(rng), x, 1.5 * size, round(1.4 * size))
    if rng.random() < 0.3:
        wide, tone = int(rng.integers(1, 6)), int(rng.choice([0, 255]))
        sides = rng.random(3) < 0.6
        scene.grey[rows - wide * sides[0] :] = tone
        scene.grey[:, columns - wide * sides[1] :] = tone
        scene.grey[:, : wide * sides[2]] = tone


STYLES: dict[str, Callable[[Scene, int, Rng], None]] = {
    "jeol": jeol, "philips": philips, "fei": fei, "hitachi": hitachi, "zeiss": zeiss, "tescan": tescan, "drawn": drawn,
    "nothing": nothing,
}  # fmt: skip


def ground(textures: list[Grey], rows: int, columns: int, rng: Rng) -> Grey:
    """A piece of a texture in this size, in other contrast, with haze here and there."""
    source = textures[int(rng.integers(len(textures)))]
    side = source.shape[0]
    share = float(rng.uniform(0.3, 1))
    h, w = (max(24, int(side * share * min(1, rows / columns))), max(24, int(side * share * min(1, columns / rows))))
    top, left = int(rng.integers(0, side - h + 1)), int(rng.integers(0, side - w + 1))
    piece = source[top : top + h, left : left + w]
    if rng.random() < 0.5:
        piece = piece[:, ::-1]
    piece = cv2.resize(piece, (columns, rows), interpolation=cv2.INTER_CUBIC).astype(np.float32)
    if rng.random() < 0.3:
        piece = 255 - piece
    piece = (piece - 128) * float(rng.uniform(0.4, 1.3)) + float(rng.uniform(70, 180))
    if rng.random() < 0.2:
        haze = cv2.resize(rng.random((3, 4)).astype(np.float32), (columns, rows), interpolation=cv2.INTER_CUBIC)
        piece += 255 * np.clip(haze - 0.4, 0, 1)
    piece += float(rng.choice([0, 2, 5, 10, 20])) * rng.standard_normal(piece.shape, dtype=np.float32)
    return np.asarray(np.clip(piece, 0, 255), np.uint8)


def worn(grey: Grey, rng: Rng, factor: float) -> Grey:
    """Shrunk by a factor, blurred and compressed as in a paper, and brought back to its size."""
    rows, columns = grey.shape
    if rng.random() < 0.3:
        grey = cv2.GaussianBlur(grey, (0, 0), float(rng.uniform(0.4, 1.3)))
    size = max(8, round(columns * factor)), max(8, round(rows * factor))
    how = [cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_CUBIC][int(rng.choice(3, p=[0.6, 0.2, 0.2]))]
    small = cv2.resize(grey, size, interpolation=how)
    if rng.random() < 0.6:
        _, packed = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 95))])
        small = cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE)
    if rng.random() < 0.25:
        small = cv2.addWeighted(small, 1.6, cv2.GaussianBlur(small, (0, 0), 1.0), -0.6, 0)
    return np.asarray(cv2.resize(small, (columns, rows), interpolation=cv2.INTER_CUBIC), np.uint8)


def draw_scene(textures: list[Grey], rng: Rng, rows: int, columns: int, style: str | None = None) -> Scene:
    """A picture with print in one style, or in none.

    Args:
        textures: squares without print.
        rng: of which all is drawn.
        rows, columns: of the picture.
        style: a key of ``STYLES``; at random where None.
    """
    style = style or str(rng.choice(list(STYLES), p=[0.2, 0.14, 0.1, 0.12, 0.07, 0.07, 0.2, 0.1]))
    scene = Scene(ground(textures, rows, columns, rng))
    low, high = (8, 26) if style in ("fei", "tescan", "philips") else (8, 46)
    size = round(float(np.exp(rng.uniform(np.log(low), np.log(min(high, rows / 5))))))
    STYLES[style](scene, size, rng)
    surround(scene, size, rng)
    # Letters stay at least five pixels high where they are shrunk most.
    scene.grey = worn(scene.grey, rng, float(rng.uniform(max(0.35, min(1.0, 5.5 / size)), 1.0)))
    return scene


def draw_line(textures: list[Grey], rng: Rng) -> tuple[Grey, str]:
    """One line of print as it is cut out for the recogniser, and what it says; now and then nothing at all."""
    size = round(float(np.exp(rng.uniform(np.log(8), np.log(34)))))
    how = rng.random()
    text = draw_value(rng).text if how < 0.66 else draw_size(rng) if how < 0.9 else _word(rng) if how < 0.96 else ""
    face = draw_face(rng, bitmap=0.45)
    mask = face.ink(text or "0000", size)
    tall, wide = mask.shape
    margin = 2 * size
    scene = Scene(ground(textures, tall + 2 * margin, wide + 4 * margin, rng))
    level, edge = _ink(rng)
    if abs(float(scene.grey.mean()) - level) < 60:
        level, edge = 255 - level, edge and 255 - edge
    if rng.random() < 0.45:
        level, edge = _strip(scene, 0, rng), None
    pen = Pen(scene, face, level, edge, float(rng.uniform(0.7, 1)))
    x, y = 2 * margin, margin + tall / 2
    if text:
        pen.stamp(mask, x, margin)
        if rng.random() < 0.5:
            pen.text(_word(rng), x - size * float(rng.uniform(0.7, 2)), y, size, anchor="rm")
        if rng.random() < 0.5:
            pen.text(_word(rng), x + wide + size * float(rng.uniform(0.7, 2)), y, size)
        if rng.random() < 0.7:
            thick, gap = max(1, round(size * float(rng.uniform(0.07, 0.3)))), size * float(rng.uniform(0.12, 0.5))
            start = x + wide / 2 - wide * float(rng.uniform(0.3, 2))
            row = margin - gap - thick if rng.random() < 0.6 else margin + tall + gap
            pen.line(start, start + wide * float(rng.uniform(0.5, 3)), row, thick)
    grey = worn(scene.grey, rng, float(rng.uniform(max(0.35, min(1.0, 5.5 / size)), 1.0)))
    over, under, left, right = tall * rng.uniform((-0.04, -0.04, -0.05, -0.05), (0.3, 0.3, 0.5, 0.5))
    rows = slice(max(0, round(margin - over)), round(margin + tall + under))
    return grey[rows, max(0, round(x - left)) : round(x + wide + right)], text


def bank(count: int, seed: int) -> list[Grey]:
    """Squares of drawn micrographs without print."""
    from drawn_micrographs import micrograph

    return [cv2.cvtColor(micrograph(320, np.random.default_rng([seed, n])), cv2.COLOR_RGB2GRAY) for n in range(count)]
