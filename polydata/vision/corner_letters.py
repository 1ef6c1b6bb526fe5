"""Letters of panels in the picture of a figure, by a small network.

It was trained by data/train_letters.py on corners of panels drawn at random. Half-overlapping squares of a figure are
shown to it as if each were a corner, so that every place is looked at four times in other surroundings.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import cv2
import numpy as np
import numpy.typing as npt

from polydata.vision.small_networks import network

MODEL = "letters_1.onnx"
"""Written by data/train_letters.py."""

LETTERS = "abcdefghijklmnopqrstuvwxyz123456789"
"""What it tells apart; capitals count as small letters."""

SIDE, STRIDE = 96, 8
"""Pixels of a square as the network takes it, and of either of its sides that have one answer."""

PLAIN, AT_ONCE = 3.0, 64
"""Grey levels of spread (standard deviation) under which a square shows nothing; squares that are shown at once."""

PLACES = 3
"""Of a letter that are kept, should the likeliest be another's."""

IN_TURN = ((0, 0), (1, 1), (0, 1), (1, 0))
"""Rows and columns of squares, even or odd, that are shown one after the other; each sees every place once."""

ALL, TRACES = (0.0, 0.0, 0.0, 0.0), (0.0, 0.0, 0.03, 0.1)
"""Probability of any letter, by the looks so far, from which the squares of a turn are shown."""

Grey = npt.NDArray[np.uint8]
Shares = npt.NDArray[np.float32]


def read_corners(corners: list[Grey]) -> Shares:
    """Probability of each letter, in the order of ``LETTERS``, at each place: squares x letters x 12 x 12.

    Args:
        corners: squares of 96 pixels, rows x columns, 0 to 255.
    """
    logits = network(MODEL).run(None, {"corners": np.stack(corners)[:, None].astype(np.float32)})[0]
    shares = np.exp(logits - logits.max(1, keepdims=True))
    return np.asarray((shares / shares.sum(1, keepdims=True))[:, 1:], np.float32)


def find_letters(
    grey: Grey, windows: Sequence[float], letters: str, *, thorough: bool = True
) -> dict[str, tuple[float, float, float]]:
    """Where letters stand in a figure: probability, row and column of each, the surest first; no two in one place.

    Args:
        grey: rows x columns, 0 to 255.
        windows: sides of the squares that are looked at, in its pixels: four times as high as letters, about.
        letters: that are looked for, of ``LETTERS``.
        thorough: look at all squares; else where two or three looks saw no trace of a letter no more are taken.
    """
    if not letters:
        return {}
    near = min(windows) / 4
    found: dict[str, tuple[float, float, float]] = {}
    places = [
        (*place, letter)
        for window in windows
        for letter, place in _places(grey, window, letters, TRACES if not thorough else ALL)
    ]
    for share, row, column, letter in sorted(places, reverse=True):
        if letter not in found and all(np.hypot(row - y, column - x) > near for _, y, x in found.values()):
            found[letter] = min(1.0, share), row, column
    return found


def _places(
    grey: Grey, window: float, letters: str, traces: Sequence[float]
) -> Iterator[tuple[str, tuple[float, float, float]]]:
    """The likeliest places of each letter: probability, row and column."""
    factor, half, cells = SIDE / window, SIDE // 2, SIDE // STRIDE
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    rows, columns = (max(1, round(n * factor)) for n in grey.shape)
    down, across = -(-rows // half) + 1, -(-columns // half) + 1
    padded = np.full(((down + 1) * half, (across + 1) * half), 255, np.uint8)
    padded[half : half + rows, half : half + columns] = cv2.resize(grey, (columns, rows), interpolation=how)
    wanted = [LETTERS.index(letter) for letter in letters]
    mean = np.zeros((len(wanted), (down + 1) * cells // 2, (across + 1) * cells // 2), np.float32)
    for least, (first_row, first_column) in zip(traces, IN_TURN, strict=True):
        seen = np.max([_around(plane) for plane in mean], axis=0)
        hopeful = cv2.dilate(seen, np.ones((3, 3))) >= least
        squares = []
        for row, column in itertools.product(range(first_row, down, 2), range(first_column, across, 2)):
            square = padded[row * half : row * half + SIDE, column * half : column * half + SIDE]
            here = tuple(slice(at * cells // 2, at * cells // 2 + cells) for at in (row, column))
            if hopeful[here].any() and square.std() > PLAIN:
                squares.append((here, square))
        for start in range(0, len(squares), AT_ONCE):
            some = squares[start : start + AT_ONCE]
            for (here, _), shares in zip(some, read_corners([square for _, square in some]), strict=True):
                mean[:, *here] += shares[wanted] / len(IN_TURN)
    for letter, plane in zip(letters, mean, strict=True):
        left = _around(plane)
        for _ in range(PLACES):
            down, across = divmod(int(left.argmax()), left.shape[1])
            y, x = (((at + 0.5) * STRIDE - half) / factor for at in (down, across))
            yield letter, (float(left[down, across]), y, x)
            left[max(0, down - 3) : down + 4, max(0, across - 3) : across + 4] = 0


def _around(plane: Shares) -> Shares:
    """Sums over each place and the eight about it."""
    return np.asarray(cv2.boxFilter(plane, -1, (3, 3), normalize=False, borderType=cv2.BORDER_CONSTANT), np.float32)
