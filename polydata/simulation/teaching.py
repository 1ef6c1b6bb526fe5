"""Pictures of simulated blends from which a model of compatibility can learn: as many of one phase as of two.

Samples of one phase and of two take turns, the latter of all kinds whose phases differ clearly; what is partly miscible
is left out. A picture depends on its number alone, so a larger set begins with the smaller one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from polydata.files.atomic import replacing, writing_to
from polydata.simulation.burnin import burn_in, draw_style
from polydata.simulation.microscope import draw_frame, expose
from polydata.simulation.samples import GRID, KINDS, Rng, Sample, draw_sample, draw_view
from polydata.simulation.workflow import SCALES
from polydata.types import Progress, quiet

VERSION = 1
"""Of what is drawn: pictures that are kept are drawn anew where it changes."""
VIEWS = 4
"""Pictures of one sample."""
SIZE = 256
ONE_PHASE = "homogeneous"
TWO_PHASES = tuple(kind for kind in KINDS if kind not in (ONE_PHASE, "interphase"))
SAMPLES, PICTURES = 7, 8
"""Seeds of both streams of random numbers."""

Take = Callable[[Sample, Rng], Image.Image]
"""Takes a grey picture of a sample."""


@dataclass(frozen=True)
class Lesson:
    """A picture with its answer.

    Attributes:
        sha256: of the file.
        path: of the file.
        one_phase: the phase diagram has one phase there.
        sample: pictures of one sample resemble each other, as those of a paper do.
    """

    sha256: str
    path: Path
    one_phase: bool
    sample: str


def plain(sample: Sample, rng: Rng) -> Image.Image:
    """A picture as ``polymodel simulate`` takes them, grey, ``SIZE`` squared, with print."""
    um = float(np.exp(rng.uniform(*np.log(SCALES)))) * GRID
    exposure = draw_view(sample, um, rng)
    frame = draw_frame(GRID, SIZE, exposure, rng)
    image = expose(frame.view(sample.structure.field, (SIZE, SIZE)), exposure, rng)
    style = draw_style(rng)
    burn_in(image, str(rng.choice(["", "a", "b", "c"])), style, um * exposure.share)
    return image


def draw_lessons(folder: Path, count: int, take: Take = plain, progress: Progress = quiet) -> list[Lesson]:
    """Pictures in a folder, those drawn that are not there yet.

    Args:
        folder: made if need be; holds pictures of the same ``VERSION`` and ``take`` alone.
        count: of pictures.
        take: takes a picture of a sample.
        progress: told after each picture.

    Raises:
        InputError: if the folder cannot be written.
    """
    lessons: list[Lesson] = []
    with writing_to(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(-(-count // VIEWS)):
            kind = ONE_PHASE if number % 2 else TWO_PHASES[number // 2 % len(TWO_PHASES)]
            sample: Sample | None = None
            for view in range(min(VIEWS, count - number * VIEWS)):
                path = folder / f"{number:05d}-{view}.png"
                if not path.is_file():
                    sample = sample or draw_sample(kind, np.random.default_rng([SAMPLES, number]))
                    drawn = BytesIO()
                    take(sample, np.random.default_rng([PICTURES, number, view])).save(drawn, "PNG")
                    with replacing(path) as out:
                        out.write(drawn.getvalue())
                digest = sha256(path.read_bytes()).hexdigest()
                lessons.append(Lesson(digest, path, kind == ONE_PHASE, f"sample {number}"))
                progress("simulated pictures", len(lessons), count)
    return lessons
