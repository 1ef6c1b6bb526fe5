"""Whether sizes and ratios learned from simulated micrographs order published series better than the index does.

    simulated_series.py WORKSPACE [--data FOLDER] [--images N]

WORKSPACE is one that benchmarks/training.py made. A ridge regression on the default features learns, from simulated
pictures of two phases alone, the logarithm of the characteristic length as a share of the picture's side, and the share
of the minor phase. Series and correlations are those of benchmarks/series_order.py: sizes are held against the length,
ratios against the share. No real label and no real size is used, so nothing is tuned.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from published_models import DATA, Array, coordinates_of, features, kernel, published
from series_order import combined, kendall, series_of, spearman

from polydata.simulation.microscope import draw_frame
from polydata.simulation.samples import GRID, draw_sample, draw_view
from polydata.simulation.teaching import PICTURES, SAMPLES, SIZE, TWO_PHASES, VIEWS, draw_lessons
from polydata.simulation.workflow import SCALES
from polydata.vision.structure import characteristic_length
from polymodel.kinds.probes import fit_ridge
from polymodel.networks.solver import Problem

C = 0.3


def truth_of(number: int, view: int) -> tuple[float, float]:
    """Length as a share of the side, and share of the minor phase, of a picture that ``teaching.plain`` took."""
    sample = draw_sample(TWO_PHASES[number // 2 % len(TWO_PHASES)], np.random.default_rng([SAMPLES, number]))
    rng = np.random.default_rng([PICTURES, number, view])
    um = float(np.exp(rng.uniform(*np.log(SCALES)))) * GRID
    frame = draw_frame(GRID, SIZE, draw_view(sample, um, rng), rng)
    phases = frame.view(sample.structure.field, (SIZE, SIZE)) > 0
    share = float(phases.mean())
    return characteristic_length(phases) / SIZE, min(share, 1 - share)


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workspace", type=Path)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--images", type=int, default=400, help="simulated, half of them of two phases")
    asked = parser.parse_args(words)
    workspace = asked.workspace.resolve()
    lessons = draw_lessons(workspace / "teacher/measured", asked.images)
    two = [k for k, one in enumerate(lessons) if not one.one_phase]
    truths = np.array([truth_of(k // VIEWS, k % VIEWS) for k in two])
    data = published(workspace, "cv517")
    names = _names(asked.data)
    images = [*((lessons[k].sha256, lessons[k].path) for k in two), *zip(data.sha256, data.paths, strict=True)]
    values = coordinates_of(kernel(features(workspace, images), np.arange(len(two))), np.arange(len(two)))
    told: dict[str, Array] = {}
    for kind, truth in (("size", np.log(truths[:, 0])), ("ratio", truths[:, 1])):
        weight, bias = fit_ridge(values[: len(two)], truth, Problem(C, np.ones(len(two))))
        told[kind] = values[len(two) :] @ weight[0] + bias[0]
    place = {names[sha256]: k for k, sha256 in enumerate(data.sha256)}
    every = series_of(asked.data / "records.csv")
    answers = [told[one.kind][[place[image] for image in one.images]] for one in every]
    print("| series | printed | images | Spearman |\n|---|---|---|---|")
    for one, said in zip(every, answers, strict=True):
        print(f"| {one.name} | {one.kind} | {len(one.images)} | {spearman(one.places, said):+.2f} |")
    for kind in ("size", "ratio", "both"):
        own = [k for k, one in enumerate(every) if kind in (one.kind, "both")]
        for name, measure in (("Spearman", spearman), ("Kendall", kendall)):
            got = combined([every[k] for k in own], [answers[k] for k in own], measure)
            print(f"{kind}: {name} {got['value']:.2f} [{got['low']:.2f}, {got['high']:.2f}], p {got['p']:.2g}")


def _names(data: Path) -> dict[str, str]:
    """SHA-256 to file name."""
    with open(data / "published_split.csv", newline="", encoding="utf-8") as handle:
        return {row["sha256"]: row["file_name"] for row in csv.DictReader(handle)}


if __name__ == "__main__":
    main()
