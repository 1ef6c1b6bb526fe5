"""What a picture shows, and how far it looks like a micrograph, by a small network.

The network is the larger part of an EfficientNet-Lite0 (Tan and Le, ICML 2019) with ImageNet weights and a linear layer
that data/train_screening.py fits on pictures of openly licensed articles.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from polydata.vision.measures import Rgb
from polydata.vision.panel_map import log_odds
from polydata.vision.small_networks import network

MODEL = "pictures_1.onnx"
"""Written by data/train_screening.py."""

SHOWN = (
    "micrograph", "photograph", "gel", "medical image", "map", "element map", "simulation", "drawing"
)  # fmt: skip
"""What a picture can show, in the order of the network's answers."""

SMALLEST = 16
"""Pixels of a side under which nothing is looked at."""

LOOKS, MULTIPLE, LONGEST = (224, 352), 32, 14
"""Sides of squares as large as the picture is shown to the network, for textures differ with size; it takes sides that
are multiples of the second, at most so many of them."""

ENLARGED = 1.5
"""A picture is not enlarged by more than this for its second look."""


SURELY = 4.0
"""Log-odds that it is a micrograph, or none, from which a first look is enough: of 598 panels of articles none that was
so sure looked otherwise the second time, which takes two and a half times as long."""


def prepared(rgb: Rgb) -> list[npt.NDArray[np.float32]]:
    """A picture as the network sees it, once or twice: 1 x 3 x rows x columns, 0 to 255.

    Args:
        rgb: rows x columns x 3, 0 to 255.
    """
    out: list[npt.NDArray[np.float32]] = []
    for side in LOOKS:
        factor = side / float(np.sqrt(rgb.shape[0] * rgb.shape[1]))
        if out and factor > ENLARGED:
            break
        rows, columns = (MULTIPLE * min(LONGEST, max(2, round(n * factor / MULTIPLE))) for n in rgb.shape[:2])
        how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
        shown = cv2.resize(rgb, (columns, rows), interpolation=how)
        out.append(np.ascontiguousarray(shown.transpose(2, 0, 1)[None], np.float32))
    return out


def shown_in(rgb: Rgb) -> npt.NDArray[np.float64]:
    """Probabilities of what a picture shows, in the order of ``SHOWN``.

    Args:
        rgb: rows x columns x 3, 0 to 255; at least 16 pixels a side.
    """
    looks: list[npt.NDArray[np.float64]] = []
    shares = np.zeros(len(SHOWN))
    for look in prepared(rgb):
        looks.append(network(MODEL).run(None, {"picture": look})[0][0])
        logits = np.mean(looks, axis=0)
        shares = np.exp(logits - logits.max())
        shares /= shares.sum()
        if abs(log_odds(float(shares[0]))) > SURELY:
            break
    return np.asarray(shares, np.float64)


OF_THINGS = ("photograph", "medical image")
"""What micrographs of smooth or large things look like."""


def picture_odds(rgb: Rgb, by_microscope: bool = False) -> tuple[float, str]:
    """Log-odds that a picture is a micrograph, within ``MOST`` of even, and what it most likely shows.

    Args:
        rgb: rows x columns x 3, 0 to 255; at least 16 pixels a side.
        by_microscope: it is said that a microscope took the picture: what looks like a photograph or medical image
            is a micrograph then, and the odds are those against a drawing, map or simulation.
    """
    shares = shown_in(rgb)
    micrograph = float(shares[0] + sum(shares[SHOWN.index(one)] for one in OF_THINGS if by_microscope))
    return log_odds(min(1.0, micrograph)), SHOWN[int(shares.argmax())]


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
