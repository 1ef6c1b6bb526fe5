"""Classical measures of a micrograph's texture: the seed's Sobel value, and co-occurrence and local binary patterns.

The Sobel value is the seed's: OpenCV's horizontal and vertical Sobel derivatives (3 x 3) of the grey picture, each
as a magnitude clipped to 255, averaged with each other and over the picture. It follows the file as OpenCV reads it:
the luma of a JPEG, and no alpha channel, so a picture that is held in alpha alone is black and has the value 0.
"""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Array = NDArray[np.float64]

GREYS = 32
DISTANCES = (1, 2, 4)
LBP_RADII = (1, 3)
LBP_POINTS = 8
SIDE = 256
"""Pixels to which the shorter side is brought before textures are measured, so that they are comparable."""


def sobel_value(data: bytes) -> float:
    """The seed's Sobel value of an image file, 0 (flat) to 255.

    Args:
        data: bytes that ``polydata.images.picture.describe`` has accepted.
    """
    import cv2

    with Image.open(io.BytesIO(data)) as image:
        if image.format == "JPEG":
            image.draft("L", image.size)
            grey = np.asarray(image.convert("L"))
        else:
            grey = cv2.cvtColor(np.asarray(image.convert("RGB")), cv2.COLOR_RGB2GRAY)
    across = cv2.convertScaleAbs(cv2.Sobel(grey, cv2.CV_16S, 1, 0))
    down = cv2.convertScaleAbs(cv2.Sobel(grey, cv2.CV_16S, 0, 1))
    return float(cv2.addWeighted(across, 0.5, down, 0.5, 0).mean())


def texture_features(picture: Image.Image) -> Array:
    """Grey-level co-occurrence and local binary patterns of a picture.

    Args:
        picture: RGB, any size.

    Returns:
        (features,): contrast, dissimilarity, homogeneity, energy and correlation at each of ``DISTANCES``, mean and
        sd over four directions; then the shares of the uniform binary patterns at each of ``LBP_RADII``.
    """
    from skimage.feature import graycomatrix, graycoprops, local_binary_pattern

    grey = _resized(picture)
    levels = (grey.astype(np.uint16) * GREYS // 256).astype(np.uint8)
    angles = [0, np.pi / 4, np.pi / 2, 3 * np.pi / 4]
    matrix = graycomatrix(levels, DISTANCES, angles, levels=GREYS, symmetric=True, normed=True)
    columns = []
    for name in ("contrast", "dissimilarity", "homogeneity", "energy", "correlation"):
        values = graycoprops(matrix, name)
        columns += [values.mean(axis=1), values.std(axis=1)]
    for radius in LBP_RADII:
        codes = local_binary_pattern(grey, LBP_POINTS, radius, method="uniform").astype(np.int64)
        columns.append(np.bincount(codes.ravel(), minlength=LBP_POINTS + 2) / codes.size)
    found: Array = np.concatenate(columns).astype(np.float64)
    return found


def _resized(picture: Image.Image) -> NDArray[np.uint8]:
    """Grey, the shorter side ``SIDE`` pixels, and no side more than four times that."""
    scale = SIDE / min(picture.size)
    width, height = (min(4 * SIDE, max(1, round(side * scale))) for side in picture.size)
    return np.asarray(picture.convert("L").resize((width, height), Image.Resampling.BICUBIC), dtype=np.uint8)
