"""The microscope behind a micrograph, by its pixels: said only where they do tell, which is seldom.

Grey pictures of electron microscopes look alike, whichever way the electrons went: without the instrument's strip
of print nothing is said. The caption's word, where there is one, is always better.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from polydata.vision.measures import Rgb, shrink

Floats = npt.NDArray[np.float32]

COLOURED = 0.08
"""Mean colourfulness (largest minus smallest channel, 0 to 1) from which a picture was taken in colour: scans and
JPEG bring less."""
PALETTE = 0.02
"""Where brightness explains all of the colour but this share, a table of colours was laid on a grey picture."""
BROWN = (8.0, 50.0)
"""Hues in degrees of the tables that go from black over brown to white, as atomic force microscopes draw them."""

STRIP_ROWS = (0.025, 0.2)
"""Share of the height that an instrument's strip of print takes."""
DARK_STRIP = 40
STRIP_GROUND = 0.6
"""Share of a strip's pixels that are plain ground: the rest is print."""
STRIP_PRINT = 0.02


def technique_of(rgb: Rgb) -> str | None:
    """``optical``, ``AFM`` or ``SEM`` where the pixels of a micrograph tell, else None.

    Args:
        rgb: rows x columns x 3, 0 to 255, of a picture that is a micrograph.
    """
    small = shrink(rgb).astype(np.float32)
    chroma = small - small.mean(2, keepdims=True)
    if (small.max(2) - small.min(2)).mean() / 255 < COLOURED:
        return "SEM" if has_strip(small.mean(2)) else None
    if _unexplained(small, chroma) > PALETTE:
        return "optical"
    red, green, blue = (float(v) for v in chroma.reshape(-1, 3)[small.mean(2).ravel() > 40].mean(0))
    hue = float(np.degrees(np.arctan2(np.sqrt(3.0) * (green - blue), 2 * red - green - blue)))
    wide = np.ptp(np.percentile(small.mean(2), (2, 98))) > 120
    return "AFM" if BROWN[0] <= hue <= BROWN[1] and wide else None


def _unexplained(rgb: Floats, chroma: Floats) -> float:
    """The share of the colour's variance that brightness does not explain, 0 (a table of colours) to 1."""
    grey = rgb.mean(2).ravel()
    level = (grey / 8).astype(np.int64).clip(0, 31)
    counts = np.bincount(level, minlength=32).clip(1)
    flat = chroma.reshape(-1, 3)
    means = np.stack([np.bincount(level, weights=channel, minlength=32) / counts for channel in flat.T], axis=1)
    return float(((flat - means[level]) ** 2).mean(0).sum() / (flat**2).mean(0).sum())


def has_strip(grey: Floats) -> bool:
    """Whether an even dark strip with bright print runs along the bottom edge, as scanning microscopes write it.

    Args:
        grey: rows x columns, 0 to 255.
    """
    rows = grey.shape[0]
    dark = (grey <= DARK_STRIP).mean(1) >= STRIP_GROUND
    if dark.mean() > 0.5:  # a dark picture: nothing to tell the strip from
        return False
    above = np.flatnonzero(~dark[: rows - 2])
    depth = rows - 1 - int(above[-1]) if above.size else rows
    if not STRIP_ROWS[0] * rows <= depth <= STRIP_ROWS[1] * rows:
        return False
    strip = grey[rows - depth :]
    return bool((strip > 150).mean() >= STRIP_PRINT)
