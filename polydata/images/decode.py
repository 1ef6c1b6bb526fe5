"""How the pixels of an image file become the picture that a person sees: the one place that decides it.

Pictures of 8 bits a channel keep their values. Deeper ones (16 or 32 bits, floats) come down to 8 bits by the depth
that their values take, so that a scene reads the same from whatever file it was saved in: 12 bits in a file of 16 are
divided by 4095. The depth is that of nearly all pixels (``ENDS``) that are neither the brightest nor the darkest: marks
that were burned in, as scale bars are, are of one of these values and may go far beyond the camera's. Values of no
known depth, and those that take less than ``NARROW`` of it, are stretched to what nearly all of them take.
"""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageSequence, TiffTags

READING = 2
"""Part of the keys of what is kept of pictures; goes up where the same bytes come to show something else."""

ENDS = (0.5, 99.5)
"""Percentiles between which nearly all pixels lie."""
DEPTHS = (8, 10, 12, 14, 16)
NARROW = 1 / 8

ORIENTATION = 0x0112
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What lays a picture upright, by its EXIF orientation."""
PHOTOMETRIC = next(tag for tag, known in TiffTags.TAGS_V2.items() if known.name == "PhotometricInterpretation")

Values = NDArray[np.float32]


def _turn(image: Image.Image) -> Image.Transpose | None:
    """What lays an image upright; None where nothing need be done, as for TIFF, which pillow turns itself."""
    if not {"exif", "Raw profile type exif"} & image.info.keys():
        return None
    try:
        return UPRIGHT.get(image.getexif().get(ORIENTATION, 1))
    except (OSError, ValueError, SyntaxError, TypeError, KeyError, IndexError, struct.error):
        return None  # what cannot be read says nothing


def is_alpha_only(image: Image.Image) -> bool:
    """True where colour is plain black throughout and the alpha channel is not plain."""
    if image.mode not in ("LA", "RGBA"):
        return False
    low, high = image.getchannel("A").getextrema()
    return low != high and not any(top for _, top in image.convert("RGB").getextrema())  # type: ignore[misc]


def is_plain(image: Image.Image) -> bool:
    """True where any reader shows what ``shown`` does: 8-bit grey or RGB, upright, with nothing shining through."""
    if "transparency" in image.info or _turn(image) is not None:
        return False
    if image.mode in ("LA", "RGBA"):
        return image.getchannel("A").getextrema()[0] == 255
    return image.mode in ("1", "L", "RGB", "P")


def shown(image: Image.Image) -> Image.Image:
    """An opened image in RGB, as a person sees it.

    Of several frames the first is taken and laid upright, deep grey is brought to 8 bits, transparency is laid on
    white, and a picture that stands in the alpha channel alone comes out as that channel.

    Args:
        image: of any mode; of the alpha channel, or a colour that stands for transparency, both are heeded.
    """
    inverted = _least_is_white(image)
    image = next(iter(ImageSequence.Iterator(image))).copy()
    if (turn := _turn(image)) is not None:
        image = image.transpose(turn)
    if image.mode.startswith("I") or image.mode == "F":
        return _eight_bits(image, inverted)
    if "transparency" in image.info:
        image = image.convert("RGBA")
    if is_alpha_only(image):
        return image.getchannel("A").convert("RGB")
    if image.mode in ("LA", "PA", "RGBA"):
        image = image.convert("RGBA")
        ground = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(ground, image).convert("RGB")
    return image.convert("RGB")


def _least_is_white(image: Image.Image) -> bool:
    """Whether a deep TIFF says that its smallest value is white; pillow inverts those of 8 bits itself."""
    return image.format == "TIFF" and image.tag_v2.get(PHOTOMETRIC) == 0  # type: ignore[attr-defined]


def _eight_bits(image: Image.Image, inverted: bool) -> Image.Image:
    """A picture of one deep channel, in RGB."""
    values = np.asarray(image, dtype=np.float32)
    black, white = tone_range(values, whole=image.mode != "F")
    scaled = (values - black) * np.float32(255 / (white - black) if white > black else 0)
    grey = np.rint(np.nan_to_num(scaled).clip(0, 255)).astype(np.uint8)
    if inverted:
        grey = 255 - grey
    if (clear := image.info.get("transparency")) is not None:
        grey[values == clear] = 255
    return Image.fromarray(grey).convert("RGB")


def tone_range(values: Values, whole: bool) -> tuple[float, float]:
    """Which values are shown as black and as white.

    Args:
        values: of any shape, one at least.
        whole: they are counts, so that white is the largest of a depth; otherwise 1 may be white as well.
    """
    finite = values[np.isfinite(values)]
    if not finite.size:
        return 0.0, 1.0
    inner = finite[(finite > finite.min()) & (finite < finite.max())]
    low, high = (float(v) for v in np.percentile(inner if inner.size else finite, ENDS))
    whites = [*([] if whole else [1.0]), *(2.0**depth - 1 for depth in DEPTHS)]
    white = next((one for one in whites if high <= one), None)
    if white is None or low < 0 or 0 < high - low < NARROW * white:
        return low, high
    return 0.0, white
