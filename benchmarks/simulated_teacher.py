"""Simulated micrographs as teachers of the published ones.

    simulated_teacher.py WORKSPACE [--steps NAME ...] [--images N]

WORKSPACE is one that benchmarks/training.py made. Samples and labels come from `polydata.simulation` (one phase, or two
phases that differ by more than 0.6 in composition); how their pictures are taken is drawn here in three ways:

    measured   as `polymodel simulate` draws, where two phases have little texture
    alike      texture drawn alike for one phase and two
    wide       alike, with magnification, texture, contrast, blur and size of the picture over wider ranges

Steps: `alone` trains the probe on simulated images alone and tests it on all published images with clear labels;
`added` adds its logit to that of the probe of real images, the way of drawing and the weight chosen on inner folds of
papers; `joined` trains one probe on both, the weight of simulated images chosen likewise; `amount` does
so for more and fewer pictures, and for hundreds that have no picture in common; `without` leaves out one part
of the randomisation at a time; `gap` tells how simulated and published images differ in these features.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from published_models import (
    LESS,
    Array,
    Blocks,
    Index,
    Published,
    auroc,
    balanced,
    coordinates_of,
    features,
    kernel,
    line,
    published,
    regress,
    weights_of,
    write_trials,
)

from polydata.simulation.burnin import burn_in, draw_style
from polydata.simulation.microscope import Exposure, draw_exposure, draw_frame, expose
from polydata.simulation.samples import GRID, KINDS, Rng, Sample, draw_view
from polydata.simulation.teaching import SIZE, draw_lessons
from polydata.simulation.workflow import SCALES
from polymodel.data.split import group_folds
from polymodel.evaluation.metrics import Outcome
from polymodel.networks.linear import coordinates, image_weights
from polymodel.networks.solver import Problem
from polymodel.recipes import RECIPES, Recipe, RecipeName

WAYS = ("measured", "alike", "wide")
PARTS = ("print", "noise", "blur", "shading", "scale", "texture")
C = 0.3
TRUST = (0.0, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 1.0)
"""Weights of the teacher's logit among which inner folds choose."""
AMOUNTS = (40, 100, 200, 400)
MASS = (0.0, 1.0, 3.0, 10.0, 30.0, 100.0)
"""Weights of all simulated images beside all real ones among which inner folds choose."""


def exposure_of(sample: Sample, way: str, without: str, um: float, rng: Rng) -> Exposure:
    """How a picture is taken; a part of the randomisation that is left out stays at a middle value."""
    drawn = draw_view(sample, um, rng) if way == "measured" else draw_exposure(rng, um)
    if way != "measured":
        wanted = KINDS[sample.kind].relief
        drawn = replace(drawn, relief=wanted * abs(drawn.relief) if wanted else drawn.relief)
    if way == "wide":
        drawn = replace(
            drawn,
            share=float(np.exp(rng.uniform(np.log(0.25), np.log(0.95)))),
            texture=float(np.exp(rng.uniform(np.log(0.1), np.log(4)))),
            relief=float(drawn.relief * rng.uniform(0.5, 2)),
            blur=float(np.exp(rng.uniform(np.log(0.3), np.log(2.5)))),
            noise=float(rng.uniform(1, 20)),
            gain=float(rng.uniform(0.08, 0.32)),
            level=float(rng.uniform(0.25, 0.65)),
        )
    middle: dict[str, dict[str, Any]] = {
        "noise": {"noise": 0.0, "streaks": 0, "specks": 0},
        "blur": {"blur": 0.3},
        "shading": {"tilt": 0.0, "light": 0.8, "gain": 0.17, "level": 0.45},
        "scale": {"share": 0.8},
        "texture": {"texture": 0.9, "ridges": 0.3},
    }
    return replace(drawn, **middle.get(without, {}))


def picture(sample: Sample, rng: Rng, way: str, without: str) -> Image.Image:
    """A grey picture of a sample."""
    um = float(np.exp(rng.uniform(*np.log(SCALES)))) * GRID
    size = int(rng.choice([256, 360, 512])) if way == "wide" else SIZE
    exposure = exposure_of(sample, way, without, um, rng)
    frame = draw_frame(GRID, size, exposure, rng)
    image = expose(frame.view(sample.structure.field, (size, size)), exposure, rng)
    style = draw_style(rng)
    if without != "print":
        burn_in(image, str(rng.choice(["", "a", "b", "c"])), style, um * exposure.share)
    return image


class Teacher:
    """Simulated images with their features, and what a probe of them says of the published images."""

    def __init__(self, blocks: Blocks, labels: Index, samples: Sequence[str], real: Blocks) -> None:
        self.blocks, self.labels, self.samples = blocks, labels, list(samples)
        place = coordinates(np.concatenate(self.blocks, axis=1), [block.shape[1] for block in self.blocks])
        weights = image_weights(self.labels, 2, self.samples, 0.5, balanced=True)
        ((weight, bias),) = regress(np.asarray(place.values, np.float64), self.labels, [Problem(C, weights)])
        head = place.head(weight[None], np.array([bias]))
        self.logits: Array = head.logits(np.concatenate(real, axis=1))[:, 0]


def teacher_of(
    workspace: Path, real: Blocks, drawn: tuple[str, str], count: int, recipe: Recipe | None = None
) -> Teacher:
    """The teacher of a way of drawing and what it goes without, images drawn and looked at where they are not yet."""
    way, without = drawn
    name = f"{way}-without-{without}" if without else way
    lessons = draw_lessons(workspace / "teacher" / name, count, partial(picture, way=way, without=without))
    blocks = features(workspace, [(one.sha256, one.path) for one in lessons], recipe)
    return Teacher(blocks, np.array([int(one.one_phase) for one in lessons]), [one.sample for one in lessons], real)


def together(teachers: Sequence[Teacher], real: Blocks) -> Teacher:
    """One teacher of the images of several; they show the same samples."""
    blocks = [np.concatenate(some) for some in zip(*(one.blocks for one in teachers), strict=True)]
    labels = np.concatenate([one.labels for one in teachers])
    return Teacher(blocks, labels, [sample for one in teachers for sample in one.samples], real)


def part_of(teacher: Teacher, first: int, last: int, real: Blocks) -> Teacher:
    """The teacher of some of its pictures, the last not included."""
    some = slice(first, last)
    return Teacher([block[some] for block in teacher.blocks], teacher.labels[some], teacher.samples[some], real)


def alone(data: Published, teachers: dict[str, Teacher], table: Path | None = None) -> None:
    """What teachers alone say of the published images; also as a table that ``polymodel report --trials`` draws."""
    if table is not None:
        said = {name: data.outcomes([one.logits[fold.test] for fold in data.folds]) for name, one in teachers.items()}
        write_trials(table, said)
    print("\n| simulated alone | AUROC | balanced accuracy | best balanced accuracy |\n|---|---|---|---|")
    for name, teacher in teachers.items():
        best = max(balanced(teacher.logits - cut, data.labels) for cut in teacher.logits)
        own = data.outcomes([teacher.logits[fold.test] for fold in data.folds])
        print(f"{line(name, own)[:-2]} | {best:.3f} |", flush=True)
    best_said, chosen = [], []
    for fold in data.folds:
        tried = {name: auroc(one.logits[fold.train], data.labels[fold.train]) for name, one in teachers.items()}
        chosen.append(max(tried, key=lambda name: tried[name]))
        best_said.append(teachers[chosen[-1]].logits[fold.test])
    counts = ", ".join(f"{name}: {chosen.count(name)}" for name in sorted({*chosen}))
    print(line("the best on training papers", data.outcomes(best_said)), f"({counts})", flush=True)


def student(data: Published, real: Blocks) -> list[tuple[Array, Array]]:
    """The default probe's logits in each fold: of the training side by models of other papers, and of the test side."""
    found: list[tuple[Array, Array]] = []
    for fold in data.folds:
        values = coordinates_of(kernel(real, fold.train), fold.train)
        own, labels = values[fold.train], data.labels[fold.train]
        weights = weights_of(labels, data.groups[fold.train])
        masks = [np.isin(np.arange(len(labels)), kept) for kept, _ in fold.inner]
        heads = regress(own, labels, [Problem(C, weights), *(Problem(C, weights * mask) for mask in masks)])
        held = np.zeros(len(labels))
        for (_, out), (weight, bias) in zip(fold.inner, heads[1:], strict=True):
            held[out] = own[out] @ weight + bias
        found.append((held, values[fold.test] @ heads[0][0] + heads[0][1]))
    return found


def added(data: Published, real: Blocks, teachers: dict[str, Teacher]) -> None:
    """The teacher's logit added to the probe's, way and weight by the AUROC of inner folds."""
    probe = student(data, real)
    usual = data.outcomes([test for _, test in probe])
    print(f"\n| logit added {LESS}")
    print(line("the probe alone", usual))
    for allowed in (*([name] for name in teachers), list(teachers)):
        said, chosen = [], []
        for fold, (held, test) in zip(data.folds, probe, strict=True):
            labels = data.labels[fold.train]
            tried = {}
            for name in allowed:
                told = _centred(teachers[name], fold.train)
                for trust in TRUST:
                    tried[name, trust] = auroc(held + trust * told[fold.train], labels)
            name, trust = max(tried, key=lambda key: tried[key])
            said.append(test + trust * _centred(teachers[name], fold.train)[fold.test])
            chosen.append(f"{name} {trust:g}" if len(allowed) > 1 else f"{trust:g}")
        counts = ", ".join(f"{word}: {chosen.count(word)}" for word in sorted({*chosen}))
        print(line(" or ".join(allowed), data.outcomes(said), usual), f"({counts})", flush=True)


def _centred(teacher: Teacher, known: Index) -> Array:
    """A teacher's logits with mean 0 over the known images, which knows no label."""
    found: Array = teacher.logits - teacher.logits[known].mean()
    return found


def both(data: Published, real: Blocks, teacher: Teacher) -> list[dict[float, tuple[Array, Array]]]:
    """In each fold, for each weight of the simulated images, logits of the training side held back and of test."""
    blocks = [np.concatenate(pair) for pair in zip(real, teacher.blocks, strict=True)]
    simulated = np.arange(len(data.labels), len(data.labels) + len(teacher.labels))
    extra = image_weights(teacher.labels, 2, teacher.samples, 0.5, balanced=True)
    found = []
    for fold in data.folds:
        known = np.concatenate([fold.train, simulated])
        values = coordinates_of(kernel(blocks, known), known)
        labels = np.concatenate([data.labels[fold.train], teacher.labels])
        weights = weights_of(data.labels[fold.train], data.groups[fold.train])
        every = np.arange(len(weights))
        masks: list[Any] = [np.ones(len(weights)), *(np.isin(every, kept) for kept, _ in fold.inner)]
        share = len(weights) / len(extra)
        problems = [
            Problem(C, np.concatenate([weights * mask, mass * share * extra])) for mass in MASS for mask in masks
        ]
        heads = regress(values[known], labels, problems)
        own: dict[float, tuple[Array, Array]] = {}
        for k, mass in enumerate(MASS):
            mine = heads[k * len(masks) : (k + 1) * len(masks)]
            held = np.zeros(len(weights))
            for (_, out), (weight, bias) in zip(fold.inner, mine[1:], strict=True):
                held[out] = values[fold.train[out]] @ weight + bias
            own[mass] = held, values[fold.test] @ mine[0][0] + mine[0][1]
        found.append(own)
    return found


def joined(data: Published, real: Blocks, teachers: dict[str, Teacher]) -> None:
    """One probe on real and simulated images, way and weight by the AUROC of inner folds."""
    usual = data.outcomes([test for _, test in student(data, real)])
    print(f"\n| trained on both {LESS}")
    every: list[dict[tuple[str, float], tuple[Array, Array]]] = [{} for _ in data.folds]
    for name, teacher in teachers.items():
        for fold, own in zip(every, both(data, real, teacher), strict=True):
            fold.update({(name, mass): said for mass, said in own.items()})
        for mass in MASS:
            told = [(one[name, mass][0], data.labels[fold.train]) for fold, one in zip(data.folds, every, strict=True)]
            inner = [float(np.mean([measure(*pair) for pair in told])) for measure in (auroc, balanced)]
            row = line(f"{name}, weight {mass:g}", data.outcomes([one[name, mass][1] for one in every]), usual)
            print(row, f"(inner folds: {inner[0]:.4f}, {inner[1]:.4f})")
        _chosen(data, every, [name], usual)
    _chosen(data, every, list(teachers), usual)


def _chosen(
    data: Published,
    every: Sequence[dict[tuple[str, float], tuple[Array, Array]]],
    names: Sequence[str],
    usual: Sequence[Outcome],
) -> None:
    """The row of what each outer training side chooses among teachers and weights."""
    said, chosen = [], []
    for fold, one in zip(data.folds, every, strict=True):
        labels = data.labels[fold.train]
        name, mass = max((key for key in one if key[0] in names), key=lambda key: auroc(one[key][0], labels))
        said.append(one[name, mass][1])
        chosen.append(f"{name} {mass:g}")
    counts = ", ".join(f"{word}: {chosen.count(word)}" for word in sorted({*chosen}))
    print(line(f"{' or '.join(names)}, chosen", data.outcomes(said), usual), f"({counts})", flush=True)


def gap(data: Published, real: Blocks, teachers: dict[str, Teacher]) -> None:
    """How far simulated images are from published ones: told apart on held-out samples and papers, and distances."""
    print(
        "\n| way | simulated or published, AUROC | distance of means | distance within published |\n|---|---|---|---|"
    )
    for name, teacher in teachers.items():
        blocks = [np.concatenate(pair) for pair in zip(real, teacher.blocks, strict=True)]
        is_real = np.arange(len(blocks[0])) < len(data.labels)
        groups = [*data.groups, *teacher.samples]
        values = coordinates_of(kernel(blocks, np.arange(len(is_real))), np.arange(len(is_real)))
        parts = group_folds(is_real.astype(np.int64), groups, 5, 0)
        weights = image_weights(is_real.astype(np.int64), 2, groups, 0.5, balanced=True)
        problems = [Problem(C, weights * np.isin(np.arange(len(groups)), kept)) for kept, _ in parts]
        said = np.zeros(len(groups))
        for (_, out), (weight, bias) in zip(parts, regress(values, is_real.astype(np.int64), problems), strict=True):
            said[out] = values[out] @ weight + bias
        own, other = values[is_real], values[~is_real]
        apart = float(np.linalg.norm(own.mean(0) - other.mean(0)))
        within = float(np.sqrt(((own - own.mean(0)) ** 2).sum(1).mean()))
        print(f"| {name} | {auroc(said, is_real.astype(np.int64)):.3f} | {apart:.2f} | {within:.2f} |", flush=True)


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workspace", type=Path)
    steps = ("alone", "added", "joined", "amount", "without", "gap")
    parser.add_argument("--steps", nargs="+", choices=steps, default=steps)
    parser.add_argument("--images", type=int, default=100, help="simulated images of each way")
    parser.add_argument("--base", choices=WAYS, default="measured", help="of which `without` leaves parts out")
    parser.add_argument("--table", type=Path, help="a .csv file for what `without` found, as report --trials reads it")
    asked = parser.parse_args(words)
    workspace = asked.workspace.resolve()
    data = published(workspace)
    real = features(workspace, list(zip(data.sha256, data.paths, strict=True)))
    teachers = {way: teacher_of(workspace, real, (way, ""), asked.images) for way in WAYS}
    teachers["all three"] = together(list(teachers.values()), real)
    if "alone" in asked.steps:
        alone(data, teachers)
    if "added" in asked.steps:
        added(data, real, teachers)
    if "joined" in asked.steps:
        joined(data, real, teachers)
    if "amount" in asked.steps:
        most = teacher_of(workspace, real, (asked.base, ""), max(AMOUNTS))
        some = {f"{count} pictures": part_of(most, 0, count, real) for count in AMOUNTS}
        hundreds = {f"{k} to {k + 99}": part_of(most, k, k + 100, real) for k in range(0, max(AMOUNTS), 100)}
        alone(data, some | hundreds)
        joined(data, real, some)
        joined(data, real, hundreds)
    if "gap" in asked.steps:
        gap(data, real, teachers)
    if "without" in asked.steps:
        quick = replace(RECIPES[RecipeName.PROBE], views=((280, 0),))  # a third of the time
        own = features(workspace, list(zip(data.sha256, data.paths, strict=True)), quick)
        parts = {
            f"without {part}" if part else asked.base: teacher_of(
                workspace, own, (asked.base, part), asked.images, quick
            )
            for part in ("", *PARTS)
        }
        alone(data, parts, asked.table)


if __name__ == "__main__":
    main()
