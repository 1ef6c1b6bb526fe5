"""``polymodel morphology``: the measures of ``polydata.vision.morphology`` for files, folders and workspaces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
from PIL import Image
from scipy import ndimage

from polydata.errors import InputError, UsageError, first_line
from polydata.files.atomic import replacing, writing_to
from polydata.files.cells import Odd
from polydata.files.tables import read_table
from polydata.ids import sha256_bytes
from polydata.images.picture import find_images, open_picture, read_image
from polydata.images.several import in_processes
from polydata.types import Progress, quiet, tracked
from polydata.vision.measures import Rgb
from polydata.vision.morphology import NARROWEST, Morphology, measure_morphology
from polydata.vision.phases import DISPERSED, Phases
from polydata.vision.scale_bar import read_scale_bar

GIVEN, TABLE, BAR = "given", "table", "bar"
"""Where a scale came from: said for all images, from a table, or read from the bar in the image."""
RIM, INTERFACE, PRINT = (255, 120, 0), (0, 200, 255), 0.35
"""Colours of objects and of phases in overlays, and the brightness to which print is dimmed."""
NAMES, SCALE = ("image_sha256", "file", "path"), "um_per_px"
"""Columns of a table of scales: one of those that name the image, and micrometres a pixel."""


@dataclass(frozen=True)
class Measured:
    """Measures of images.

    Attributes:
        rows: one an image: ``file``, ``path``, ``image_sha256``, ``scale_source`` (empty where lengths are in pixels),
            and all of ``polydata.vision.morphology.Morphology``, diameters as ``diameter_number`` and so on; None where
            there is nothing to measure.
        failed: files that could not be measured, each with its reason.
    """

    rows: tuple[dict[str, Any], ...]
    failed: tuple[tuple[str, str], ...]

    @property
    def table(self) -> pd.DataFrame:
        """The rows as a data frame."""
        return pd.DataFrame(list(self.rows))


def measure(
    images: str | Path | Sequence[str | Path],
    *,
    um_per_px: float | None = None,
    scales: Path | None = None,
    bars: bool = True,
    overlays: Path | None = None,
    workers: int | None = None,
    progress: Progress = quiet,
) -> Measured:
    """Measure the morphology of micrographs: diameters, lengths, interface, direction.

    A scale is looked for in this order: ``um_per_px``, the table, the bar in the image. Print, bars and strips are
    left out of all measures.

    Args:
        images: image files, folders of them, and workspaces.
        um_per_px: micrometres a pixel of all images, above 0.
        scales: a table with a column ``um_per_px`` and one of ``image_sha256``, ``file`` or ``path``.
        bars: read the bars of images whose scale is not known otherwise; a third of the time.
        overlays: folder for a picture an image of what was made out; made if need be.
        workers: processes; one for each processor by default.
        progress: told how many images are done.

    Raises:
        UsageError: if a scale is not above 0.
        InputError: if a path does not exist, a folder holds no image, the table has no such columns, or an overlay
            cannot be written.
    """
    if um_per_px is not None and not (um_per_px > 0 and np.isfinite(um_per_px)):
        raise UsageError(f"A scale of {um_per_px} micrometres a pixel cannot be.", "Give a number above 0.")
    given = [images] if isinstance(images, str | Path) else images
    paths = list(dict.fromkeys(path for one in given for path in find_images(Path(one))))
    known = read_scales(scales) if scales is not None else {}
    if overlays is not None:
        with writing_to(overlays, "Choose another --overlays."):
            overlays.mkdir(parents=True, exist_ok=True)
    work = partial(_measured, um_per_px=um_per_px, scales=known, bars=bars, overlays=overlays)
    rows: list[dict[str, Any]] = []
    failed: list[tuple[str, str]] = []
    for path, row, reason in tracked(in_processes(work, paths, workers), "measuring", progress, len(paths)):
        failed.append((str(path), reason)) if reason else rows.append(row)
    return Measured(tuple(rows), tuple(failed))


Result = tuple[Path, dict[str, Any], str]


Scales = dict[str, dict[tuple[str, ...], float]]
"""Micrometres a pixel: by SHA-256 or file name, then by all that is known of the path, parted."""


def read_scales(path: Path) -> Scales:
    """Scales of images from a table.

    Raises:
        InputError: if it lacks a column, or a scale is no number above 0.
    """
    found: Scales = {}
    for row in read_table(path):
        names = [str(row.values[name]) for name in NAMES if row.values.get(name)]
        scale = row.values.get(SCALE)
        if not names or scale is None or scale == "":
            continue
        try:
            value = float("nan") if isinstance(scale, Odd) else float(scale)
        except (TypeError, ValueError):
            value = float("nan")
        if not (value > 0 and np.isfinite(value)):
            raise InputError(
                f"{path}, row {row.number}: {SCALE} is no number above 0.", "Correct it or leave it empty."
            )
        for parts in {Path(name).parts for name in (names[0], names[-1])}:  # a path says more than a file's name
            known = found.setdefault(parts[-1], {})
            known[parts] = value if known.get(parts, value) == value else float("nan")
    if not found:
        raise InputError(f"{path} gives no scale.", f"It needs a column {SCALE} and one of {', '.join(NAMES)}.")
    return found


def scale_of(path: Path, sha256: str, scales: Scales) -> float | None:
    """The scale of an image: by its bytes, else by the longest end of its path; None where none is given.

    Raises:
        InputError: if several are given for it that differ.
    """
    parts, named = path.resolve().parts, scales.get(path.name, {})
    known = scales.get(sha256) or {end: um for end, um in named.items() if parts[-len(end) :] == end}
    scale = known[max(known, key=len)] if known else None
    if scale is not None and np.isnan(scale):
        raise InputError(f"the table gives several scales for {path.name}")
    return scale


def _measured(path: Path, um_per_px: float | None, scales: Scales, bars: bool, overlays: Path | None) -> Result:
    """The row of an image, or the reason why there is none."""
    try:
        return path, _row(path, um_per_px, scales, bars, overlays), ""
    except InputError as error:
        return path, {}, error.message
    except (ValueError, cv2.error, MemoryError) as error:
        return path, {}, first_line(error)


def _row(path: Path, um_per_px: float | None, scales: Scales, bars: bool, overlays: Path | None) -> dict[str, Any]:
    data = read_image(path)
    rgb = np.asarray(open_picture(data, str(path)))
    if min(rgb.shape[:2]) < NARROWEST:
        raise InputError(f"it has {rgb.shape[1]} x {rgb.shape[0]} pixels, and needs {NARROWEST} a side")
    sha256 = sha256_bytes(data)
    scale, source = um_per_px, GIVEN if um_per_px else ""
    if scale is None and (scale := scale_of(path, sha256, scales)) is not None:
        source = TABLE
    if scale is None and bars and (bar := read_scale_bar(rgb)) is not None and bar.length_px:
        scale, source = bar.value_um / bar.length_px, BAR
    measures, phases = measure_morphology(rgb, scale)
    if overlays is not None:
        place = overlays / f"{path.stem}-{sha256[:8]}.png"
        with writing_to(place, "Choose another --overlays."), replacing(place) as out:
            Image.fromarray(overlay(rgb, measures, phases)).save(out, "PNG")
    named = {"file": path.name, "path": str(path), "image_sha256": sha256, "scale_source": source}
    return {**named, **measures.row()}


def overlay(rgb: Rgb, measures: Morphology, phases: Phases) -> Rgb:
    """The picture with what was made out: rims of objects in orange, of phases in blue, print dimmed.

    Args:
        rgb: rows x columns x 3, 0 to 255.
        measures: of the picture; where they found nothing, nothing is drawn.
        phases: what was made out, perhaps in pixels of a smaller picture.

    Returns:
        Rows x columns x 3, 0 to 255, of the size of ``phases``.
    """
    rows, columns = phases.known.shape
    drawn = np.asarray(cv2.resize(rgb, (columns, rows), interpolation=cv2.INTER_AREA), np.uint8).copy()
    drawn[~phases.known] = (drawn[~phases.known] * PRINT).astype(np.uint8)
    drawn[phases.phases & ~ndimage.binary_erosion(phases.phases)] = INTERFACE
    if measures.kind == DISPERSED:
        drawn[_rims(phases)] = RIM
    return drawn


def _rims(phases: Phases) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Pixels of objects that have another object or none beside them."""
    lowest, highest = (extreme(phases.objects, 3) for extreme in (ndimage.minimum_filter, ndimage.maximum_filter))
    return np.asarray((lowest != highest) & (phases.objects > 0))
