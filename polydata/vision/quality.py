"""Simple measures of a picture's pixels."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE = 512


@dataclass(frozen=True)
class Looks:
    """Measures of a grey picture, shrunk to ``SIDE`` pixels at most.

    Attributes:
        spread: standard deviation of grey values, 0 (plain) to 0.5.
        sharpness: standard deviation of the Laplacian, divided by the spread; small where the picture is blurred.
        clipped: share of pixels that are plain black or white, 0 to 1.
        blocks: how much stronger steps are on JPEG's 8 x 8 grid than beside it, 0 for not at all; of the picture as
            it is stored.
    """

    spread: float
    sharpness: float
    clipped: float
    blocks: float


def looks_of(picture: Image.Image) -> Looks:
    """Measure a picture."""
    whole = picture.convert("L")
    shrink = min(1.0, SIDE / max(whole.size))
    small = whole.resize((max(1, round(whole.width * shrink)), max(1, round(whole.height * shrink))))
    grey = np.asarray(small, dtype=np.float32) / 255
    spread = float(grey.std())
    edges = float(cv2.Laplacian(grey, cv2.CV_32F).std())
    return Looks(
        spread=spread,
        sharpness=edges / spread if spread > 1e-6 else 0.0,
        clipped=float(((grey <= 1 / 255) | (grey >= 254 / 255)).mean()),
        blocks=_blocks(np.asarray(whole, dtype=np.float32)),
    )


def _blocks(grey: NDArray[np.float32]) -> float:
    steps = np.abs(np.diff(grey, axis=1)).mean(axis=0)
    if len(steps) < 32:
        return 0.0
    on = steps[7::8].mean()
    off = np.delete(steps, np.arange(7, len(steps), 8)).mean()
    return float(max(0.0, on / off - 1)) if off > 0 else 0.0
