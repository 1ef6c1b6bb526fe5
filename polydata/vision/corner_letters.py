"""The letter that stands in a panel's corner, by a small network.

It was trained by data/train_letters.py on corners drawn at random.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from polydata.vision.small_networks import network

MODEL = "letters_1.onnx"
"""Written by data/train_letters.py."""

LETTERS = "abcdefghijklmnopqrstuvwxyz123456789"
"""What it tells apart; capitals count as small letters."""

SIDE, STRIDE = 96, 8
"""Pixels of a corner as the network takes it, and of either of its sides that have one answer."""

Grey = npt.NDArray[np.uint8]


def read_corners(corners: Sequence[Grey]) -> npt.NDArray[np.float32]:
    """Probability of each letter in each corner, corners x letters, in the order of ``LETTERS``.

    Args:
        corners: square pieces of a figure, rows x columns, 0 to 255.
    """
    if not corners:
        return np.zeros((0, len(LETTERS)), np.float32)
    how = [cv2.INTER_AREA if corner.shape[0] > SIDE else cv2.INTER_CUBIC for corner in corners]
    shown = [cv2.resize(corner, (SIDE, SIDE), interpolation=one) for corner, one in zip(corners, how, strict=True)]
    logits = network(MODEL).run(None, {"corners": np.stack(shown)[:, None].astype(np.float32)})[0]
    shares = np.exp(logits - logits.max(1, keepdims=True))
    shares /= shares.sum(1, keepdims=True)
    return np.asarray(shares[:, 1:].max((2, 3)), np.float32)
