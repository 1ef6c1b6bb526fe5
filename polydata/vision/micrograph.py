"""How far a picture looks like a micrograph: a network, and a quadratic model of its ground, texture, edges, colour."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from polydata.vision.measures import BLOCK, Rgb, measure, shrink
from polydata.vision.panel_map import MOST, log_odds, micrograph_odds

Grey = npt.NDArray[np.float32]
LUMA = np.array([0.299, 0.587, 0.114], np.float32)
NEAR = 10
"""Grey levels by which a pixel of the ground may differ from the ground's tone."""

HARD = 40
"""Grey levels a pixel from which an edge is hard."""

NAMES = (
    "white", "textured", "levels", "modal", "ground", "ground_tone", "dark", "block_10", "block_25", "block_50",
    "block_75", "sparse", "sharp", "fine", "coarse", "empty_rows", "empty_columns", "chroma", "vivid", "hues",
)  # fmt: skip
"""What ``features`` measures, in its order."""


def features(rgb: Rgb) -> npt.NDArray[np.float64]:
    """Measures of a picture, in the order of ``NAMES``.

    Args:
        rgb: rows x columns x 3, 0 to 255; at least 16 pixels a side.

    Returns:
        One number a measure, all from 0 to about 1:
        white, textured, levels, modal: as in ``PixelStats``;
        ground: share of pixels near the commonest tone, and ground_tone, that tone;
        dark: share of pixels much darker than the ground;
        block_N: the Nth percentile of the spread within blocks of 8 x 8 pixels, over the spread of the picture;
        sparse: how few pixels hold the edges (1: a few sharp lines);
        sharp: share of pixels on hard edges;
        fine, coarse: share of the variance below 7 pixels and above an eighth of the picture;
        empty_rows, empty_columns: share of rows and columns that hold nothing but ground;
        chroma, vivid: mean colourfulness, share of strongly coloured pixels;
        hues: how evenly the hues of the coloured pixels are spread.
    """
    stats = measure(rgb)
    small = shrink(rgb).astype(np.float32)
    grey = np.asarray(small @ LUMA, np.float32)
    if stats.extremes > 0.85:
        grey = np.asarray(ndimage.uniform_filter(grey, 3), np.float32)  # dots of a halftone become tones
    spread = float(grey.std()) + 1.0
    tone = _ground_tone(grey)
    near = np.abs(grey - tone) <= NEAR
    inside = [float(v) for v in np.percentile(_block_spreads(grey), (10, 25, 50, 75)) / spread]
    down, across = np.gradient(grey)
    steep = down**2 + across**2
    slope = np.sqrt(steep)
    variance = spread**2
    smooth = ndimage.uniform_filter(grey, 7)
    broad = ndimage.uniform_filter(smooth[::4, ::4], max(grey.shape) // 32)
    thin = small[::2, ::2]
    chroma = (thin.max(2) - thin.min(2)) / 255
    return np.array(
        [
            stats.white,
            stats.textured,
            stats.levels,
            stats.modal,
            float(near.mean()),
            tone / 255,
            float((grey < tone - 60).mean()),
            *inside,
            1 - float(slope.mean() ** 2 / (float(steep.mean()) + 1e-6)),
            float((steep > HARD**2).mean()),
            float((grey - smooth).var() / variance),
            float(broad.var() / variance),
            float((near.mean(1) > 0.97).mean()),
            float((near.mean(0) > 0.97).mean()),
            float(chroma.mean()),
            float((chroma > 0.3).mean()),
            _hue_spread(thin, chroma),
        ]
    )


def _ground_tone(grey: Grey) -> float:
    """The commonest tone, over windows of a few grey levels."""
    counts = np.bincount(grey.ravel().astype(np.int64).clip(0, 255), minlength=256).astype(np.float64)
    return float(np.argmax(ndimage.uniform_filter1d(counts, 9, mode="constant")))


def _block_spreads(grey: Grey) -> npt.NDArray[np.float32]:
    """Standard deviation in each block of 8 x 8 pixels."""
    rows, columns = grey.shape[0] // BLOCK, grey.shape[1] // BLOCK
    blocks = grey[: rows * BLOCK, : columns * BLOCK].reshape(rows, BLOCK, columns, BLOCK)
    return np.asarray(blocks.std(axis=(1, 3)).ravel(), np.float32)


def _hue_spread(rgb: Grey, chroma: Grey) -> float:
    """Entropy of twelve hues, weighted by colourfulness, 0 (one hue or grey) to 1 (all alike)."""
    if chroma.mean() < 0.02:
        return 0.0
    red, green, blue = rgb[..., 0], rgb[..., 1], rgb[..., 2]
    angle = np.arctan2(np.sqrt(3.0) * (green - blue), 2 * red - green - blue)
    sector = ((angle + np.pi) / (2 * np.pi) * 12).astype(np.int64).clip(0, 11)
    weights = np.bincount(sector.ravel(), weights=chroma.ravel(), minlength=12)
    share = weights / weights.sum()
    return float(-(share * np.log(share + 1e-12)).sum() / np.log(12))


LIMIT = 3.0
"""Standard deviations at which a measure is cut, for products of outliers would run away."""


@dataclass(frozen=True)
class Quadratic:
    """Log-odds = bias + linear · z + z · products · z, with z the standardised measures.

    Attributes:
        names: of the measures, in their order.
        mean, scale: of each measure in the training pictures.
        products: upper triangle by rows, squares included.
        trained: what it was trained on, in words.
    """

    names: tuple[str, ...]
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    bias: float
    linear: tuple[float, ...]
    products: tuple[float, ...]
    trained: str = ""

    def __post_init__(self) -> None:
        n = len(self.names)
        if {len(self.mean), len(self.scale), len(self.linear)} != {n} or len(self.products) != n * (n + 1) // 2:
            raise ValueError("the model's lists do not fit its measures")

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a model from JSON."""
        data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        data |= {name: tuple(value) for name, value in data.items() if isinstance(value, list)}
        return cls(**data)

    def log_odds(self, measures: npt.NDArray[np.float64]) -> float:
        """Log-odds of the trained class.

        Args:
            measures: one number a name.
        """
        z = standardised(measures, np.array(self.mean), np.array(self.scale))
        return float(self.bias + np.dot(self.linear, z) + np.dot(self.products, pairs(z)))


def standardised(
    measures: npt.NDArray[np.float64], mean: npt.NDArray[np.float64], scale: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Measures in standard deviations from the mean, cut at ``LIMIT``; one row a picture, or one picture."""
    return np.clip((measures - mean) / scale, -LIMIT, LIMIT)


def pairs(z: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Products of all pairs along the last axis, squares included, the upper triangle by rows."""
    first, second = np.triu_indices(z.shape[-1])
    return np.asarray(z[..., first] * z[..., second], np.float64)


SMALLEST = 16
"""Pixels of a side under which nothing is measured."""

MODEL = Path(__file__).with_name("micrograph_3.json")
"""Written by data/train_screening.py."""


@cache
def _model() -> Quadratic:
    model = Quadratic.load(MODEL)
    if model.names != NAMES:
        raise ValueError(f"{MODEL.name} was trained on other measures: run data/train_screening.py again")
    return model


def likeness(rgb: Rgb) -> tuple[float, dict[str, float]]:
    """Log-odds that a picture is a micrograph, 0 being even, and the measures behind them by name.

    Args:
        rgb: rows x columns x 3, 0 to 255; at least 16 pixels a side.
    """
    measures = features(rgb)
    return _model().log_odds(measures), dict(zip(NAMES, (float(v) for v in measures), strict=True))


def picture_odds(rgb: Rgb) -> tuple[float, dict[str, float]]:
    """Log-odds that a picture is a micrograph, within ``MOST`` of even, and its measures by name.

    The mean of what the network makes of it and of what its measures say: the one knows forms, the other holds on
    halftones, yellowed paper and false colours.

    Args:
        rgb: rows x columns x 3, 0 to 255; at least 16 pixels a side.
    """
    measured, shown = likeness(rgb)
    return (micrograph_odds(rgb) + max(-MOST, min(MOST, measured))) / 2, shown


NO_CHANCE, NO_DOUBT = 0.01, 0.98
"""A panel of which less looks like a micrograph within its figure is none, and one of which more does is one, whatever
it looks like alone."""


def panel_odds(rgb: Rgb, share: float) -> float:
    """Log-odds that a panel is a micrograph, within ``MOST`` of even, by its looks within its figure and alone.

    Args:
        rgb: the panel, rows x columns x 3, 0 to 255.
        share: of it that looks like a micrograph within its figure, 0 to 1.
    """
    within = log_odds(share)
    if not NO_CHANCE <= share <= NO_DOUBT or min(rgb.shape[:2]) < SMALLEST:
        return within
    return (within + 2 * picture_odds(rgb)[0]) / 3
