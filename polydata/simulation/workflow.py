"""Simulated micrographs in a folder, with a table of what is true of each.

    simulation.json    the mark by which the folder is known
    images/sim_000000.png ...
    simulated.csv      one row an image: label, place in the phase diagram, true measures, how the picture was taken

Images of one sample show the same periodic field from other places, angles and magnifications, with other light, noise
and print: ``VIEWS`` of them, and they belong on one side of a split (column ``sample``). Lengths are true of what the
picture shows beneath its print, at the scale of its bar, printed or not.
"""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from polydata.errors import UsageError
from polydata.files.atomic import mark_of, replacing, writing_to
from polydata.files.tables import write_csv
from polydata.ids import sha256_file
from polydata.resources import VERSION
from polydata.simulation.burnin import burn_in, draw_style
from polydata.simulation.microscope import Frame, draw_frame, expose
from polydata.simulation.samples import GRID, KINDS, Rng, Sample, draw_sample, draw_view
from polydata.task import Task
from polydata.types import Progress, quiet, tracked
from polydata.vision.structure import (
    Map,
    Values,
    anisotropy,
    characteristic_length,
    correlation_length,
    distribution,
    interface_density,
)

MARK, TABLE, IMAGES = "simulation.json", "simulated.csv", "images"
VIEWS = 20
"""Images that one sample gives at most."""
MOST = 1_000_000
SMALLEST, LARGEST = 96, 2048
"""Sides of images in pixels."""
SCALES = 0.01, 0.25
"""Micrometres that a grid point of a sample may stand for."""


@dataclass(frozen=True)
class Simulated:
    """What was made.

    Attributes:
        folder: where it lies, with the files that the module's text lists.
        images: how many.
        samples: fields that they show.
        labels: number of images of each label.
        seconds: that it took.
    """

    folder: Path
    images: int
    samples: int
    labels: Mapping[str, int]
    seconds: float


def simulate(
    out: Path,
    *,
    count: int,
    seed: int = 0,
    size: int = 256,
    task: Task | None = None,
    workers: int | None = None,
    progress: Progress = quiet,
) -> Simulated:
    """Write simulated micrographs and the table of what is true of them; the same bytes for the same seed and size.

    An image depends on its number, the seed and the size alone: a larger set begins with the smaller one.

    Args:
        out: folder, made if need be; what is in it must be nothing or an earlier simulation.
        count: of images, 1 to ``MOST``.
        seed: 0 or more.
        size: side of the square images in pixels, ``SMALLEST`` to ``LARGEST``.
        task: its labels name what the phase diagram says; ``compatibility`` by default.
        workers: processes; the number of processors, at most 4, by default.
        progress: told how many samples are done.

    Raises:
        UsageError: if ``count``, ``seed`` or ``size`` is out of range, or the task has no labels.
        InputError: if the folder cannot be written.
        RefusedError: if it holds other things.
    """
    if not (1 <= count <= MOST and seed >= 0 and SMALLEST <= size <= LARGEST):
        raise UsageError(
            f"{count} images of {size} pixels with seed {seed} cannot be made.",
            f"Ask for 1 to {MOST:,} images of {SMALLEST} to {LARGEST} pixels and a seed of 0 or more.",
        )
    named = task or Task.load("compatibility")
    if not named.labels:
        raise UsageError(f"The task {named.name} asks for a number: it has no labels for what is simulated.")
    began = time.perf_counter()
    _prepare(out)
    plan: dict[int, list[int]] = {}
    for number in range(count):
        plan.setdefault(sample_of(number), []).append(number)
    jobs = [(out / IMAGES, seed, sample, numbers, size, named) for sample, numbers in plan.items()]
    parts = min(workers or min(os.cpu_count() or 1, 4), len(jobs))
    with writing_to(out):
        if parts <= 1:
            made = [_shoot(job) for job in tracked(jobs, "simulating", progress, len(jobs))]
        else:
            with ProcessPoolExecutor(parts, mp_context=get_context("spawn")) as pool:
                made = list(tracked(pool.map(_shoot, jobs), "simulating", progress, len(jobs)))
    rows = sorted((row for some in made for row in some), key=lambda row: row["file"])
    write_csv(out / TABLE, list(rows[0]), rows)
    labels = Counter(row["label"] for row in rows)
    counts = {label: labels[label] for label in named.labels if labels[label]}
    return Simulated(out, count, len(jobs), counts, time.perf_counter() - began)


def sample_of(number: int) -> int:
    """Which sample an image shows: kinds take turns, each sample gives ``VIEWS`` images before the next one comes."""
    kinds = len(KINDS)
    return number // (kinds * VIEWS) * kinds + number % kinds


def _prepare(out: Path) -> None:
    """An empty ``images`` folder in ``out``; nothing is deleted but the images of an earlier simulation."""
    with writing_to(out, "Name another folder."):
        mark_of(out, MARK, ("made_by", "simulation"))
        with replacing(out / MARK) as mark:
            mark.write(f"{json.dumps({'made_by': f'polydata {VERSION}', 'simulation': 'micrographs'})}\n".encode())
        (out / IMAGES).mkdir(parents=True, exist_ok=True)
        for old in (out / IMAGES).glob("sim_*.png"):
            old.unlink()


def _shoot(job: tuple[Path, int, int, list[int], int, Task]) -> list[dict[str, Any]]:
    """All pictures of one sample, written; a row for each."""
    folder, seed, number, numbers, size, task = job
    rng = np.random.default_rng([seed, 0, number])
    sample = draw_sample(list(KINDS)[number % len(KINDS)], rng)
    um_per_point = float(np.exp(rng.uniform(*np.log(SCALES))))
    rows = []
    for one in numbers:
        image, facts = photograph_sample(sample, um_per_point, size, np.random.default_rng([seed, 1, one]))
        path = folder / f"sim_{one:06d}.png"
        image.save(path, "PNG", compress_level=1)
        name = {"file": f"{IMAGES}/{path.name}", "image_sha256": sha256_file(path), "label": sample.label(task)}
        rows.append({**name, "sample": number, **facts})
    return rows


def photograph_sample(sample: Sample, um_per_point: float, size: int, rng: Rng) -> tuple[Image.Image, dict[str, Any]]:
    """Take a picture of a sample, and say what is true of it.

    Args:
        sample: what is shown.
        um_per_point: micrometres between two grid points of its field.
        size: side of the picture in pixels.
        rng: draws how the picture is taken.

    Returns:
        The picture, grey; and texts and numbers, None where something has no meaning for the sample.
    """
    exposure = draw_view(sample, um_per_point * GRID, rng)
    frame = draw_frame(GRID, size, exposure, rng)
    seen = frame.view(sample.structure.field, (size, size))
    image = expose(seen, exposure, rng)
    style = draw_style(rng)
    bar = burn_in(image, str(rng.choice(["", "a", "b", "c"])), style, um_per_point * GRID * exposure.share)
    um = bar.value_um / bar.length_px
    blend = sample.blend
    taken = {name: getattr(exposure, name) for name in ("material", "relief", "texture", "noise", "blur")}
    numbers = {
        "composition": blend.composition,
        "chi": blend.chi,
        "n1": blend.n1,
        "n2": blend.n2,
        "depth": blend.depth,
        "gap": blend.gap,
        "volume_fraction": blend.fraction,
        "um_per_px": um,
        **true_measures(sample, seen > 0, frame, um),
        **taken,
    }
    known = {name: float(f"{value:.6g}") if np.isfinite(value) else None for name, value in numbers.items()}
    what = {"kind": sample.kind, "phase": blend.phase, "width": size, "height": size}
    return image, {**what, **known, "bar": style.bar, "bar_um": bar.value_um}


def true_measures(sample: Sample, phases: Map, frame: Frame, um: float) -> dict[str, float]:
    """What is true of the part of a sample that a picture shows; NaN where it has no meaning.

    Lengths and the interface follow from the picture's map of phases without any blur, light or noise; diameters are
    those of the discs that were drawn and have their centres in the picture.

    Args:
        sample: what is shown.
        phases: rows x columns, true in the dispersed phase.
        frame: which part is shown.
        um: micrometres a pixel.
    """
    rows, columns = phases.shape
    diameters: Values = np.empty(0)
    if sample.structure.discs is not None:
        places = frame.places(sample.structure.discs.centres, GRID)
        inside = ((places >= 0) & (places < (rows, columns))).all(-1)
        diameters = np.tile(sample.structure.discs.diameters, (len(places), 1))[inside] / frame.step
    sizes = distribution(diameters * um, np.ones(len(diameters)))
    two = bool(phases.any() and not phases.all())
    stretched, direction = anisotropy(phases)
    return {
        "area_fraction": float(phases.mean()) if two else float("nan"),
        "characteristic_length_um": characteristic_length(phases) * um if two else float("nan"),
        "correlation_length_um": correlation_length(phases) * um if two else float("nan"),
        "interface_per_um": interface_density(phases) / um if two else float("nan"),
        "anisotropy": stretched if two else float("nan"),
        "direction_deg": direction if two else float("nan"),
        "objects": sizes.count if len(diameters) else float("nan"),
        "diameter_number_um": sizes.number,
        "diameter_volume_um": sizes.volume,
        "diameter_d10_um": sizes.d10,
        "diameter_d50_um": sizes.d50,
        "diameter_d90_um": sizes.d90,
    }
