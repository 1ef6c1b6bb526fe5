"""Letters, values, magnifications and bars as they are burned into micrographs, drawn at random one by one."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import cv2
import matplotlib as mpl
import numpy as np
import numpy.typing as npt
import pymupdf
from drawn_fillings import open_photographs, open_textures
from drawn_micrographs import Rgb, micrograph
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
SLASHED = "3e5149453e"
"""Letters of 5 x 7 dots: a byte a column, its lowest bit on top; and a zero with a stroke."""

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
def face_font(name: str, size: int) -> ImageFont.FreeTypeFont:
    """A face in a size in pixels: a name of four letters is PyMuPDF's, others are files of matplotlib."""
    if len(name) == 4:
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
        apart, heavy, slashed: dots that do not touch, strokes that much thicker, zeros of dots with a stroke in them.
    """

    name: str
    coarse: int = 0
    wide: float = 1.0
    apart: bool = False
    heavy: int = 0
    slashed: bool = False

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
            font = face_font(self.name, round(1.38 * (self.coarse or size)))
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
            columns += [*bytes.fromhex(SLASHED if self.slashed and sign == "0" else DOTS.get(sign, DOTS["0"])), 0]
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
            wide, apart, slashed = float(rng.choice([1, 1.25, 1.5, 2.0])), rng.random() < 0.3, rng.random() < 0.5
            return Face("dots", wide=wide, apart=bool(apart), slashed=bool(slashed))
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


def draw_word(rng: Rng) -> str:
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


def fill_strip(scene: Scene, top: float, rng: Rng, level: int | None = None) -> int:
    """Fill the bottom with one tone, or with none; returns the ink that stands out."""
    level = int(rng.choice([0, 0, 0, 8, 20, 60, 255])) if level is None else level
    scene.grey[max(0, round(top)) :] = level
    return 255 - int(rng.integers(0, 40)) if level < 128 else int(rng.integers(0, 40))


def draw_ink(rng: Rng) -> tuple[int, int | None]:
    """An ink over texture, with or without a rim."""
    level = int(rng.integers(225, 256)) if rng.random() < 0.68 else int(rng.integers(0, 30))
    return level, (255 - level if rng.random() < 0.22 else None)


def bank(count: int, seed: int) -> list[Grey]:
    """Squares without print: drawn micrographs, and a tenth as many of photographs under open licences."""
    rng = np.random.default_rng(seed)
    drawn_ones = [micrograph(320, np.random.default_rng([seed, n])) for n in range(count)]
    photographs = [one for one in open_photographs() + open_textures() if min(one.shape[:2]) >= 160]
    pieces = [_square(photographs[n % len(photographs)], rng) for n in range(count // 10)]
    return [cv2.cvtColor(one, cv2.COLOR_RGB2GRAY) for one in drawn_ones + pieces]


def _square(photograph: Rgb, rng: Rng) -> Rgb:
    """A piece of a photograph, 320 pixels wide and high."""
    side = int(rng.integers(160, min(photograph.shape[:2]) + 1))
    top, left = (int(rng.integers(whole - side + 1)) for whole in photograph.shape[:2])
    return np.asarray(cv2.resize(photograph[top : top + side, left : left + side], (320, 320)), np.uint8)


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
