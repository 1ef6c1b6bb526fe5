"""Whether two pictures show the same: by keypoints, then by laying one picture on the other.

Keypoints (SIFT, square-rooted after Arandjelovic and Zisserman) survive cropping, scaling, rotation and encoding anew,
and a mirrored picture's can be written down without looking at it. What they say is then checked: the finer picture is
laid on the coarser one, and both must agree grey value by grey value where no print was burned in. Two micrographs from
one microscope may share a hundred keypoints in their print, and agree nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Grey = NDArray[np.uint8]
Floats = NDArray[np.float32]

SIDE = 320
"""Larger pictures are shrunk so that their longer side has so many pixels."""
KEYPOINTS = 200
LAYERS = 2
"""Scales of an octave; a third costs a fifth of the time more and finds no other copies."""
CONTRAST = 0.02
"""OpenCV's own 0.04 finds too little in the flat surfaces of miscible blends."""

RATIO = 0.8
"""A match must be so much nearer than the second best (Lowe)."""
TOLERANCE = 3.0
"""Pixels by which matched keypoints may miss."""
INLIERS = 6
MIN_OVERLAP = 900
"""Pixels of the coarser picture that both must cover."""
BLACK, WHITE = 12, 243
PRINT_REACH = 7
PRINT_SHARE = 0.7
"""Where more of the overlap is near black or white than this, that is the picture itself and no print in it."""
FINE = 8.0
"""Structures larger than this many pixels count for ``fine`` no more."""

SAME_FINE = 0.4
"""Two views of one place agree so well in fine structure (0.58 and more in the published data); others
stay below 0.25."""
NEARLY = SAME_FINE / 2
"""Keypoints are right to a pixel or two. Pictures that agree less than this as they are laid by them do not become one
place when they are laid better."""
MOVES = 16
"""Pixels by which a better place differs at most."""
COPY = 0.98
"""Copies agree so well in grey values; a place that was imaged anew reaches 0.97 there."""


@dataclass(frozen=True)
class Keypoints:
    """A picture as it is compared.

    Attributes:
        grey: (rows, columns), the longer side at most ``SIDE``.
        points: (n, 2), x and y in pixels.
        words: (n, 128), 0 to 255; the sum of squares is about 255 squared.
    """

    grey: Grey
    points: Floats
    words: Grey


@dataclass(frozen=True)
class Match:
    """What two pictures have in common.

    Attributes:
        inliers: keypoints that fit one shift, turn and scaling.
        agreement: correlation of grey values where the pictures overlap, print left out, -1 to 1.
        fine: the same of fine structure.
        overlap: share of the coarser picture that the other covers, 0 to 1.
        scale: pixels of the second picture for one of the first.
        mirrored: whether the first had to be mirrored.
    """

    inliers: int
    agreement: float
    fine: float
    overlap: float
    scale: float
    mirrored: bool

    @property
    def is_same_place(self) -> bool:
        """Both show the same place of a sample, be it one picture or two."""
        return self.agreement >= 2 * SAME_FINE and self.fine >= SAME_FINE

    @property
    def is_copy(self) -> bool:
        """One was made from the other: whole, cropped, scaled, turned or encoded anew."""
        return self.is_same_place and self.agreement >= COPY


def find_keypoints(picture: Image.Image) -> Keypoints:
    """The strongest keypoints of a picture; a plain one has none."""
    shrink = min(1.0, SIDE / max(picture.size))
    size = (max(1, round(picture.width * shrink)), max(1, round(picture.height * shrink)))
    grey = np.asarray(picture.convert("L").resize(size, Image.Resampling.BOX))
    found, words = cv2.SIFT.create(
        nfeatures=KEYPOINTS, nOctaveLayers=LAYERS, contrastThreshold=CONTRAST
    ).detectAndCompute(grey, None)  # type: ignore[call-overload]
    if words is None:
        return Keypoints(grey, np.zeros((0, 2), np.float32), np.zeros((0, 128), np.uint8))
    rooted = np.sqrt(words / np.maximum(words.sum(axis=1, keepdims=True), 1e-9))
    return Keypoints(
        grey, np.array([p.pt for p in found], dtype=np.float32), np.round(rooted * 255).clip(0, 255).astype(np.uint8)
    )


def mirrored_words(words: Grey) -> Grey:
    """What ``words`` would be of the mirrored picture: cells across the keypoint's direction and all turns reversed."""
    cells = words.reshape(-1, 4, 4, 8)[:, ::-1]
    return np.ascontiguousarray(np.roll(cells[..., ::-1], 1, axis=-1).reshape(-1, 128))


def mirror(one: Keypoints) -> Keypoints:
    """The keypoints of the mirrored picture."""
    grey = np.ascontiguousarray(one.grey[:, ::-1])
    points = np.stack([grey.shape[1] - 1 - one.points[:, 0], one.points[:, 1]], axis=1)
    return Keypoints(grey, points, mirrored_words(one.words))


def compare(one: Keypoints, other: Keypoints, mirrored: bool = False) -> Match | None:
    """What two pictures have in common; None where their keypoints do not fit together.

    Args:
        mirrored: mirror the first one.
    """
    first = mirror(one) if mirrored else one
    pairs = _pairs(first.words, other.words)
    if len(pairs) < INLIERS:
        return None
    found, fits = cv2.estimateAffinePartial2D(
        first.points[pairs[:, 0]], other.points[pairs[:, 1]], method=cv2.RANSAC, ransacReprojThreshold=TOLERANCE
    )
    if found is None or int(fits.sum()) < INLIERS:
        return None
    place = np.asarray(found, dtype=np.float64)
    scale = float(np.hypot(place[0, 0], place[1, 0]))
    if not 0.05 < scale < 20:
        return None
    fine, coarse, laid = _common_scale(first.grey, other.grey, place, scale)
    agreement, structure, overlap = _agreement(fine, coarse, laid)
    if structure >= NEARLY and NEARLY <= agreement < COPY:
        better = _agreement(fine, coarse, _refined(fine, coarse, laid))
        agreement, structure, overlap = max((agreement, structure, overlap), better)
    return Match(int(fits.sum()), agreement, structure, overlap, scale, mirrored)


def _pairs(words: Grey, others: Grey) -> NDArray[np.int64]:
    """Keypoints that are each other's nearest, and clearly so, (n, 2)."""
    if len(words) < 2 or len(others) < 2:
        return np.zeros((0, 2), np.int64)
    near = (words.astype(np.float32) / 255) @ (others.astype(np.float32) / 255).T
    at, best, back = np.arange(len(words)), near.argmax(axis=1), near.argmax(axis=0)
    first = near[at, best]
    near[at, best] = -1
    chosen = at[(back[best] == at) & (1 - first < RATIO**2 * (1 - near.max(axis=1)))]
    return np.stack([chosen, best[chosen]], axis=1)


def _common_scale(first: Grey, second: Grey, place: NDArray[np.float64], scale: float) -> tuple[Floats, Floats, Floats]:
    """The finer picture shrunk to the coarser one's scale, the coarser one, and how one lies on the other (2, 3)."""
    full = np.vstack([place, [0, 0, 1]])
    fine, coarse = first.astype(np.float32), second.astype(np.float32)
    if scale > 1:
        fine, coarse, full, scale = coarse, fine, np.linalg.inv(full), 1 / scale
    height, width = (max(8, round(side * scale)) for side in fine.shape)
    across, down = fine.shape[1] / width, fine.shape[0] / height
    fine = np.asarray(cv2.resize(fine, (width, height), interpolation=cv2.INTER_AREA), dtype=np.float32)
    grown = np.array([[across, 0, across / 2 - 0.5], [0, down, down / 2 - 0.5], [0, 0, 1]])
    return fine, coarse, (full @ grown)[:2].astype(np.float32)


def _refined(fine: Floats, coarse: Floats, laid: Floats) -> Floats:
    """The place at which grey values agree best, near ``laid``. Only where both pictures are is looked at."""
    height, width = fine.shape
    corners = laid @ np.array([[0, width, 0, width], [0, 0, height, height], [1, 1, 1, 1]], dtype=np.float32)
    first = np.maximum(np.floor(corners.min(axis=1)).astype(int) - MOVES, 0)
    last = np.ceil(corners.max(axis=1)).astype(int) + MOVES
    shift = np.zeros((2, 3), np.float32)
    shift[:, 2] = first
    try:
        _, turned = cv2.findTransformECC(  # type: ignore[call-overload]
            coarse[first[1] : last[1], first[0] : last[0]], fine,
            cv2.invertAffineTransform(laid - shift).astype(np.float32), cv2.MOTION_AFFINE,
            (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 30, 1e-4), None, 5,
        )  # fmt: skip
    except cv2.error:  # it did not converge
        return laid
    return np.asarray(cv2.invertAffineTransform(turned) + shift, dtype=np.float32)


def _agreement(fine: Floats, coarse: Floats, laid: Floats) -> tuple[float, float, float]:
    """Correlation of grey values and of fine structure where both pictures are, and the share of the coarser one."""
    size = (coarse.shape[1], coarse.shape[0])
    moved = np.asarray(cv2.warpAffine(fine, laid, size, flags=cv2.INTER_LINEAR), dtype=np.float32)
    covered = cv2.warpAffine(np.full(fine.shape, 255, np.uint8), laid, size, flags=cv2.INTER_NEAREST)
    inside = cv2.erode(covered, np.ones((5, 5)), borderType=cv2.BORDER_CONSTANT, borderValue=0) > 0
    extreme = (moved <= BLACK) | (moved >= WHITE) | (coarse <= BLACK) | (coarse >= WHITE)
    printed = cv2.dilate(extreme.astype(np.uint8), np.ones((PRINT_REACH, PRINT_REACH))) > 0
    counted = inside & ~printed
    if counted.sum() < (1 - PRINT_SHARE) * inside.sum():
        counted = inside
    if counted.sum() < MIN_OVERLAP:
        return 0.0, 0.0, 0.0
    a, b = _blurred(moved, 1), _blurred(coarse, 1)
    fine_a, fine_b = a - _blurred(moved, FINE), b - _blurred(coarse, FINE)
    return _correlation(a[counted], b[counted]), _correlation(fine_a[counted], fine_b[counted]), float(inside.mean())


def _blurred(picture: Floats, pixels: float) -> Floats:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), pixels), dtype=np.float32)


def _correlation(a: Floats, b: Floats) -> float:
    a, b = a - a.mean(), b - b.mean()
    size = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / size if size > 0 else 0.0
