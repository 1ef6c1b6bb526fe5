"""Random views made for training by no, one and two worker processes, in turn.

    views.py [--views N] [--rounds N]

Pictures like micrographs lie in memory with a short side of 256 pixels, as in a training; views of 224 pixels are drawn
of them as ``finetune`` does, by the loader that trainings use. Medians over rounds are told. Beside other programs wall
times depend on what these leave; the busiest process, by its processor seconds, is what one waits for without them,
so its ratio is told too. Needs Linux.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from predicting import micrograph
from shown import conditions, show
from torch import Tensor

from polymodel.data.preparation import grey_resized
from polymodel.data.views import Grey, random_view, standard_transform
from polymodel.networks.devices import threads
from polymodel.training import batches

WORKERS = (0, 1, 2)
PICTURES, SHORT_SIDE, SIZE, BATCH = 48, 256, 224, 32
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Took:
    """Seconds of one round: on the clock, of all processes' processors, and of the busiest process's."""

    wall: float
    processor: float
    busiest: float


def used_by(process: int) -> float:
    """Processor seconds of a process that runs."""
    fields = Path(f"/proc/{process}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def made(pictures: Sequence[Grey], count: int, workers: int) -> Took:
    """Make so many random views."""
    transform = standard_transform(SIZE, 0.5, 0.2)

    def give(place: int) -> Tensor:
        return random_view(pictures[place % PICTURES], SIZE, transform, place)

    places = [list(range(first, min(first + BATCH, count))) for first in range(0, count, BATCH)]
    began, before = time.perf_counter(), time.process_time()
    loader = batches._loader(give, places, workers)
    got = sum(len(batch) for batch in batches._loaded(loader))
    wall, own = time.perf_counter() - began, time.process_time() - before
    theirs: list[float] = [used_by(worker.pid) for worker in loader._iterator._workers] if workers else []  # type: ignore[union-attr]
    assert got == count
    return Took(wall, own + sum(theirs), max(own, *theirs, 0.0))


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--views", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args(words)
    pictures = [grey_resized(micrograph(k), SHORT_SIDE, SIZE) for k in range(PICTURES)]
    found: dict[int, list[Took]] = {workers: [] for workers in WORKERS}
    with threads(1):  # as trainings make views
        for number in range(asked.rounds + 1):  # the first one warms up
            for workers in WORKERS if number % 2 else reversed(WORKERS):
                took = made(pictures, asked.views, workers)
                if number:
                    found[workers].append(took)
    rows = []
    for workers, own in found.items():
        ratios = [(one.wall / two.wall, one.busiest / two.busiest) for one, two in zip(found[1], own, strict=True)]
        wall, busiest = (statistics.median(values) for values in zip(*ratios, strict=True))
        each = 1000 * statistics.median(one.processor for one in own) / asked.views
        told = {"views/s": f"{asked.views / statistics.median(one.wall for one in own):.0f}"}
        told |= {"times one worker": f"{wall:.2f}", "the same by the busiest process": f"{busiest:.2f}"}
        rows.append({"workers": str(workers), **told, "processor ms a view": f"{each:.2f}"})
    show("views", rows, f"{asked.rounds} rounds of {asked.views} views; {conditions()}.")


if __name__ == "__main__":
    main()
