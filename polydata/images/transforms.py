"""How a copy of a picture is turned, tilted, mirrored and cut: drawn from a hash, so the same on every machine."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass

from PIL import Image

MAX_TILT = 15.0
"""Degrees by which a copy is turned to either side, beside its quarter turns."""
MARGIN = 1.25
"""The picture's short side before the cut, in sides of the copy. A tilted copy needs 1.22 at most, so no corner is
ever empty."""
MAX_ASPECT = 4
"""A picture longer than so many times its short side is cut to its middle first."""
MIRRORS = ("", "left-right", "top-bottom")
_TURNS = (None, Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270)
_FLIPS = {"left-right": Image.Transpose.FLIP_LEFT_RIGHT, "top-bottom": Image.Transpose.FLIP_TOP_BOTTOM}


@dataclass(frozen=True)
class Transform:
    """How one copy is made.

    Attributes:
        tilt: degrees, counter-clockwise, within ``MAX_TILT``.
        quarter_turns: 0 to 3, counter-clockwise, after the cut.
        mirror: one of ``MIRRORS``, after the turns.
        across, down: where the cut lies in the room there is, 0 to 1 each; 0.5 is the middle.
    """

    tilt: float
    quarter_turns: int
    mirror: str
    across: float
    down: float

    def apply(self, picture: Image.Image, size: int) -> Image.Image:
        """The copy: ``size`` x ``size`` pixels of the picture, brought to a short side of ``MARGIN`` times that.

        Args:
            picture: grey or RGB, of any size.
            size: in pixels.
        """
        picture = scaled(picture, math.ceil(MARGIN * size))
        cos, sin = math.cos(math.radians(self.tilt)), math.sin(math.radians(self.tilt))
        reach = size / 2 * (cos + abs(sin))
        x = reach + self.across * (picture.width - 2 * reach)
        y = reach + self.down * (picture.height - 2 * reach)
        half = size / 2
        matrix = (cos, -sin, x - half * (cos - sin), sin, cos, y - half * (cos + sin))
        copy = picture.transform((size, size), Image.Transform.AFFINE, matrix, Image.Resampling.BICUBIC)
        turn = _TURNS[self.quarter_turns]
        copy = copy if turn is None else copy.transpose(turn)
        return copy.transpose(_FLIPS[self.mirror]) if self.mirror else copy


def draw_transform(seed: int, image_sha256: str, number: int) -> Transform:
    """The transform of one copy of an image. Number 0 is the middle of the picture as it is.

    Args:
        seed: another one gives other transforms.
        image_sha256: of the image.
        number: of the copy, from 0.
    """
    if number == 0:
        return Transform(0.0, 0, "", 0.5, 0.5)
    digest = hashlib.sha256(f"{seed}/{image_sha256}/{number}".encode()).digest()
    tilt, turns, mirror, across, down = (int.from_bytes(digest[k : k + 4]) / 2**32 for k in range(0, 20, 4))
    return Transform(
        tilt=round((2 * tilt - 1) * MAX_TILT, 3),
        quarter_turns=int(4 * turns),
        mirror=MIRRORS[int(3 * mirror)],
        across=round(across, 4),
        down=round(down, 4),
    )


def scaled(picture: Image.Image, short: int) -> Image.Image:
    """The picture with its short side brought to a length by bicubic interpolation.

    One of more than ``MAX_ASPECT`` times its short side is cut to its middle, so memory stays bounded.
    """
    width, height = picture.size
    longest = MAX_ASPECT * min(width, height)
    if max(width, height) > longest:
        left, top = max(0, (width - longest) // 2), max(0, (height - longest) // 2)
        picture = picture.crop((left, top, min(width, left + longest), min(height, top + longest)))
    scale = short / min(picture.size)
    size = max(short, round(picture.width * scale)), max(short, round(picture.height * scale))
    return picture.resize(size, Image.Resampling.BICUBIC)
