"""Reading print in pictures: PP-OCR models that come inside rapidocr's wheel, on the CPU, without a download.

The only module that knows the OCR library. Its models are loaded at the first use in a process.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from polydata.vision.measures import Rgb

BATCH = 2
"""Lines that are recognised together; more cost memory and no less time."""

MOST = 2000
"""Pixels of the longer side; larger pictures are shrunk to that. Memory goes with the area: 800 MB at 2,000 x 1,500."""

NARROWEST = 128
"""Pixels to which a line of 48 pixels' height is padded at least; a third of the time of the library's own 320."""


@cache
def _engine() -> Any:
    from rapidocr import RapidOCR

    return RapidOCR(
        params={
            "Global.log_level": "critical",
            "Global.use_cls": False,
            "Global.text_score": 0.0,
            "Det.limit_type": "max",
            "Det.limit_side_len": MOST,
            "Rec.rec_batch_num": BATCH,
            "Rec.rec_img_shape": [3, 48, NARROWEST],
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
    )


def _bgr(rgb: Rgb) -> npt.NDArray[np.uint8]:
    return np.ascontiguousarray(rgb[..., ::-1])


def find_print(rgb: Rgb) -> npt.NDArray[np.float64]:
    """Where lines of print stand in a picture, without reading them.

    Returns:
        n x 4 x 2: x and y of each line's corners in pixels, clockwise from where its writing begins at the top.
    """
    found = _engine()(_bgr(rgb), use_det=True, use_cls=False, use_rec=False)
    return np.zeros((0, 4, 2)) if found.boxes is None else np.asarray(found.boxes, np.float64).reshape(-1, 4, 2)


def read_lines(crops: Sequence[Rgb]) -> list[tuple[str, float]]:
    """The text of crops that hold one line of print each, with the recogniser's score (0 to 1).

    Args:
        crops: each rows x columns x 3, 0 to 255; best 20 to 60 pixels high.
    """
    engine = _engine()
    if not crops:
        return []
    read = engine.recognize_txt([_bgr(crop) for crop in crops])
    return list(zip(read.txts, (float(score) for score in read.scores), strict=True))
