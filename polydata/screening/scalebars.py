"""Scale bars of image files, and of all micrographs of a workspace."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from polydata.catalogue.screenings import images_to_read, save_readings
from polydata.catalogue.session import Session
from polydata.errors import InputError
from polydata.images.picture import ImageStore, open_picture
from polydata.images.several import in_processes
from polydata.types import Progress, ScaleBar, quiet, tracked
from polydata.vision.scale_bar import VERSION, read_scale_bar

NUMBERS = ("value", "unit", "value_um", "x0", "x1", "y", "length_px", "um_per_px", "confidence")
BATCH = 20
"""Images that are read between two writes; what a killed command loses at most."""


@dataclass(frozen=True)
class Readings:
    """What reading the scale bars of a workspace did.

    Attributes:
        images: looked at this time.
        found: bars read in them.
        failures: images that could not be opened, each with its reason.
    """

    images: int
    found: int
    failures: tuple[str, ...]


def read_file(path: Path) -> tuple[ScaleBar | None, str]:
    """The scale bar of an image file and an empty text, or None and what is wrong with the file."""
    try:
        return read_scale_bar(np.asarray(open_picture(path))), ""
    except InputError as error:
        return None, error.message


def read_files(files: Sequence[Path], progress: Progress = quiet) -> Iterator[tuple[dict[str, Any], str]]:
    """Read the scale bar of each image.

    Args:
        files: images in any format that is kept.
        progress: told how many are done.

    Yields:
        A row (``file``, its name; value, unit, micrometres, ends, height and length in pixels, micrometres
        a pixel, confidence; None throughout where there is no bar or it cannot be told) and an empty text, or an
        empty row and what is wrong with the file.
    """
    for path in tracked(files, "Reading", progress, len(files)):
        bar, problem = read_file(path)
        row = {name: getattr(bar, name, None) for name in NUMBERS}
        if bar is not None and bar.length_px:
            row["um_per_px"] = float(f"{bar.value_um / bar.length_px:.5g}")
        yield ({}, problem) if problem else ({"file": path.name, **row}, "")


def read_scale_bars(
    session: Session, *, workers: int | None = None, again: bool = False, progress: Progress = quiet
) -> Readings:
    """Read the scale bars of all micrographs that were not looked at; goes on where it was when it is run again.

    Args:
        session: open for writing.
        workers: processes; None takes the setting, 0 one for each processor.
        again: all micrographs anew.
        progress: told how many images are done.
    """
    images = images_to_read(session.catalogue, VERSION, again=again)
    count = session.workspace.settings.extract.workers if workers is None else workers
    results = zip(images, in_processes(partial(_read_stored, session.images), images, count), strict=True)
    done, found, failures = 0, 0, []
    while batch := list(islice(results, BATCH)):
        failures += [problem for _, (_, problem) in batch if problem]
        readings = [(sha256, bar) for (sha256, _), (bar, problem) in batch if not problem]
        save_readings(session.catalogue, VERSION, readings)
        found += sum(bar is not None for _, bar in readings)
        done += len(batch)
        progress("Reading", done, len(images))
    return Readings(len(images), found, tuple(failures))


def _read_stored(store: ImageStore, image: tuple[str, str]) -> tuple[ScaleBar | None, str]:
    try:
        return read_file(store.path(*image))
    except InputError as error:  # behind an address that does not answer
        return None, error.message
