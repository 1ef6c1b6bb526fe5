"""Two small networks for scale bars: one finds value, magnification and bar, one reads print.

Both were trained by data/train_scale_bars.py on print drawn at random.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from polydata.vision.small_networks import network

FINDER, READER = "scale_finder_1.onnx", "scale_reader_1.onnx"
"""Written by data/train_scale_bars.py."""

NARROWEST, WIDEST = 512, 768
"""Pixels of width at which a picture is shown to the finder: print of 8 to 50 pixels' height is found."""

TALLEST = 1024
"""Pixels of height, at most."""

MULTIPLE = 32
"""The finder takes sides that are multiples of this."""

HIGH, LONGEST = 32, 256
"""Pixels of a line of print as the reader takes it: its height, and its width at most."""

STEP = 4
"""Pixels of either side of a picture, and of a line's width, that have one answer."""

UNITS = ("", "nm", "µm", "mm", "cm", "pm", "Å", "1/nm")
"""Units that the reader tells apart; the first is none, or no length at all."""

SIGNS = "0123456789.,-/ nµmcpkxÅ?"
"""What it spells; ``?`` is any other sign."""

Grey = npt.NDArray[np.uint8]
Share = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Found:
    """Probabilities for each place of a picture, all rows x columns, 0 to 1.

    Attributes:
        value: where the value at a bar stands.
        size: where a magnification or a field width stands.
        bar: from end to end of a bar, a gap for its value included.
        scale: pixels of the picture a place, down and across.
    """

    value: Share
    size: Share
    bar: Share
    scale: tuple[float, float]


def find(grey: Grey) -> Found:
    """Map a micrograph.

    Args:
        grey: rows x columns, 0 to 255.
    """
    rows, columns = grey.shape
    factor = min(min(WIDEST, max(NARROWEST, columns)) / columns, TALLEST / rows)
    high, wide = (max(1, round(side * factor / MULTIPLE)) * MULTIPLE for side in (rows, columns))
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    shown = cv2.resize(grey, (wide, high), interpolation=how).astype(np.float32)
    logits = network(FINDER).run(None, {"picture": shown[None, None]})[0][0]
    value, size, bar = (1 / (1 + np.exp(-logits))).astype(np.float32)
    return Found(value, size, bar, (rows / value.shape[0], columns / value.shape[1]))


def shown(cut: Grey) -> Share:
    """A line of print as the reader takes it: ``HIGH`` pixels high, of mean 0 and deviation about 1."""
    wide = int(np.clip(STEP * round(cut.shape[1] * HIGH / cut.shape[0] / STEP), HIGH, LONGEST))
    how = cv2.INTER_AREA if cut.shape[0] > HIGH else cv2.INTER_CUBIC
    line = cv2.resize(cut, (wide, HIGH), interpolation=how).astype(np.float32)
    return np.asarray((line - line.mean()) / (line.std() + 4), np.float32)


def stacked(lines: Sequence[Share]) -> Share:
    """Lines as one batch, (lines, 1, ``HIGH``, width of the widest), what is missing filled with 0."""
    batch = np.zeros((len(lines), 1, HIGH, max(line.shape[1] for line in lines)), np.float32)
    for row, line in zip(batch, lines, strict=True):
        row[0, :, : line.shape[1]] = line
    return batch


@dataclass(frozen=True)
class Line:
    """What a line of print is taken for.

    Attributes:
        units: probabilities of ``UNITS``.
        text: as spelled.
        score: probability of its least certain sign, 0 where there is none.
    """

    units: Share
    text: str
    score: float


def read(cuts: Sequence[Grey]) -> list[Line]:
    """Read lines of print.

    Args:
        cuts: each rows x columns, 0 to 255, one line from top to bottom.
    """
    if not cuts:
        return []
    lines = [shown(cut) for cut in cuts]
    units, signs = network(READER).run(None, {"picture": stacked(lines)})
    return [
        Line(_shares(unit), *_spelled(_shares(sign[:, : line.shape[1] // STEP])))
        for line, unit, sign in zip(lines, units, signs, strict=True)
    ]


def _shares(logits: Share) -> Share:
    """Probabilities along the first axis."""
    shares = np.exp(logits - logits.max(0))
    return np.asarray(shares / shares.sum(0), np.float32)


def _spelled(shares: Share) -> tuple[str, float]:
    """The likeliest signs of (signs + 1) x steps, what repeats taken once, and the probability of the least certain."""
    best = shares.argmax(0)
    starts = [step for step, sign in enumerate(best) if sign and (step == 0 or best[step - 1] != sign)]
    text, least = "", 1.0
    for start in starts:
        end = start + int(np.argmax(np.append(best[start:] != best[start], True)))
        text += SIGNS[best[start] - 1]
        least = min(least, float(shares[best[start], start:end].max()))
    return text.strip(), least if text.strip() else 0.0
