"""What models learn from how many labelled papers: with and without a simulated teacher, in random and in active order.

    label_efficiency.py WORKSPACE [--plot FILE.svg] [--json FILE]
    label_efficiency.py WORKSPACE --redraw FILE --plot FILE.svg

WORKSPACE is one that benchmarks/training.py and simulated_teacher.py made. The default probe, and the recipe
probe-simulated, learn from the first papers of each outer training side of the published images with clear labels, in
several orders, and are scored on the whole test side. Unlabelled pictures of the training side are at hand, so features
are standardised by all of them. The active order begins like the random one and then takes the papers whose pictures
the model at hand is least sure of, by the mean distance of their logits from 0. Nothing is tuned here.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from published_models import (
    Array,
    Blocks,
    Fold,
    Index,
    Published,
    coordinates_of,
    features,
    kernel,
    published,
    regress,
    weights_of,
)
from simulated_teacher import C, Teacher, teacher_of

from polymodel.evaluation.intervals import differences, summarise
from polymodel.evaluation.metrics import Outcome
from polymodel.networks.linear import image_weights
from polymodel.networks.solver import Problem
from polymodel.recipes import RECIPES, RecipeName

DRAWS = 2
RECIPE = RECIPES[RecipeName.PROBE_SIMULATED]
PAPERS = (4, 6, 10, 16, 25, 40, 63, 90)
COLOURS = {
    "default, random order": "tab:blue",
    "default, active order": "tab:green",
    "probe-simulated, random order": "tab:orange",
    "probe-simulated, active order": "tab:red",
}


def first_papers(data: Published, fold: Fold, draw: int) -> list[str]:
    """The papers of a training side in random order, but that the first ones show both labels."""
    rng = np.random.default_rng([fold.repeat, len(fold.test), draw])
    groups = data.groups[fold.train]
    order = list(rng.permutation(np.unique(groups)))
    first = [next(p for p in order if label in data.labels[fold.train][groups == p]) for label in (1, 0)]
    return [*dict.fromkeys(first), *(p for p in order if p not in first)]


@dataclass(frozen=True)
class Model:
    """A recipe in one outer fold.

    Attributes:
        values: (n + m, r) coordinates of real and simulated images.
        labels: (n + m,) 1 for one phase.
        extra: (m,) weights of simulated images beside mean ones of real images; m is 0 where there are none.
    """

    values: Array
    labels: Index
    extra: Array

    def logits(self, data: Published, fold: Fold, papers: Sequence[str]) -> Array:
        """Logits (n,) of all real images, learned from some papers of the training side."""
        own, count = fold.train[np.isin(data.groups[fold.train], papers)], len(data.labels)
        known = np.concatenate([own, np.arange(count, len(self.values))])
        weights = np.concatenate([weights_of(data.labels[own], data.groups[own]), len(own) * self.extra])
        ((weight, bias),) = regress(self.values[known], self.labels[known], [Problem(C, weights)])
        return np.asarray(self.values[:count] @ weight + bias)


def models_of(data: Published, fold: Fold, real: Blocks, teacher: Teacher) -> dict[str, Model]:
    """Both recipes in a fold."""
    count, more = len(data.labels), len(teacher.labels)
    both = [np.concatenate(pair) for pair in zip(real, teacher.blocks, strict=True)]
    known = np.concatenate([fold.train, np.arange(count, count + more)])
    extra = image_weights(teacher.labels, 2, teacher.samples, RECIPE.likeness, balanced=True)
    return {
        "default": Model(coordinates_of(kernel(real, fold.train), fold.train), data.labels, np.zeros(0)),
        "probe-simulated": Model(
            coordinates_of(kernel(both, known), known),
            np.concatenate([data.labels, teacher.labels]),
            RECIPE.simulated_weight / more * extra,
        ),
    }


def surest_last(data: Published, fold: Fold, logits: Array, known: Sequence[str]) -> list[str]:
    """The papers that are not known yet, those first whose pictures' logits are nearest to 0."""
    groups = data.groups[fold.train]
    waiting = sorted({*groups} - {*known})
    distance = {paper: float(np.abs(logits[fold.train][groups == paper]).mean()) for paper in waiting}
    return sorted(waiting, key=lambda paper: distance[paper])


def measured(data: Published, real: Blocks, teacher: Teacher) -> dict[str, Any]:
    """Every curve: papers, AUROC with its interval, and what it gains over the default in random order."""
    logits: dict[tuple[str, int, int], list[Array]] = defaultdict(list)
    images: dict[int, list[int]] = defaultdict(list)
    for fold in data.folds:
        models = models_of(data, fold, real, teacher)
        for draw in range(DRAWS):
            random = first_papers(data, fold, draw)
            for name, model in models.items():
                active = random[: PAPERS[0]]
                for count in PAPERS:
                    by_chance = model.logits(data, fold, random[:count])
                    if count > len(active):
                        latest = model.logits(data, fold, active)
                        active = [*active, *surest_last(data, fold, latest, active)[: count - len(active)]]
                    chosen = by_chance if count == PAPERS[0] else model.logits(data, fold, active)
                    logits[f"{name}, random order", count, draw].append(by_chance[fold.test])
                    logits[f"{name}, active order", count, draw].append(chosen[fold.test])
                    images[count].append(int(np.isin(data.groups[fold.train], random[:count]).sum()))
    outcomes: dict[tuple[str, int], list[Outcome]] = defaultdict(list)
    for (name, count, _), said in logits.items():
        outcomes[name, count] += data.outcomes(said)
    curves = {
        name: [{"papers": n, **_numbers(summarise(outcomes[name, n])["auroc"])} for n in PAPERS] for name in COLOURS
    }
    usual = "default, random order"
    gains = {
        name: [_numbers(differences(outcomes[name, n], outcomes[usual, n])["auroc"]) for n in PAPERS]
        for name in COLOURS
        if name != usual
    }
    alone = _numbers(summarise(data.outcomes([teacher.logits[fold.test] for fold in data.folds]))["auroc"])
    return {"curves": curves, "gains": gains, "teacher": alone, "images": [float(np.mean(images[n])) for n in PAPERS]}


def _numbers(summary: Any) -> dict[str, float]:
    value = summary.get("mean", summary.get("value"))
    return {"auroc": value, "low": summary["low"], "high": summary["high"]}


def show(found: dict[str, Any]) -> None:
    """The figures as a table; gains are over the default in random order."""
    print(f"| papers (images) | {' | '.join(COLOURS)} |\n|{'---|' * (len(COLOURS) + 1)}")
    for k, count in enumerate(PAPERS):
        cells = [f"{count} ({found['images'][k]:.0f})"]
        for name in COLOURS:
            own, gain = found["curves"][name][k], found["gains"].get(name)
            less = f" ({gain[k]['auroc']:+.3f} {_between(gain[k], '+.3f')})" if gain else ""
            cells.append(f"{own['auroc']:.3f}{less}")
        print(f"| {' | '.join(cells)} |")
    print(f"the teacher alone: {found['teacher']['auroc']:.3f} {_between(found['teacher'], '.3f')}")


def _between(one: dict[str, float], form: str) -> str:
    return "" if one["low"] is None else f"[{one['low']:{form}}, {one['high']:{form}}]"


def draw_curves(found: dict[str, Any], path: Path) -> None:
    """The curves as an SVG: AUROC over labelled papers."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context({"svg.hashsalt": "learning", "svg.fonttype": "none", "font.size": 10}):
        figure = Figure(figsize=(7.5, 4.2), layout="constrained")
        axes = figure.subplots()
        for name, colour in COLOURS.items():
            style = "--" if "active" in name else "-"
            line = [point["auroc"] for point in found["curves"][name]]
            axes.plot(PAPERS, line, style, marker="o", markersize=4, color=colour, label=name)
        usual = found["curves"]["default, random order"]
        low, high = ([point[end] for point in usual] for end in ("low", "high"))
        axes.fill_between(
            PAPERS,
            low,
            high,
            color="#e3edf6",
            linewidth=0,
            zorder=0,
            label="default, random order: interval over papers",
        )
        axes.axhline(found["teacher"]["auroc"], color="0.5", linestyle=":", label="teacher alone, no real label")
        axes.set(xscale="log", xlabel="labelled papers", ylabel="AUROC on papers never seen")
        axes.set_xticks(PAPERS, [str(n) for n in PAPERS])
        axes.minorticks_off()
        axes.grid(axis="y", color="0.9")
        axes.legend(loc="lower right", frameon=False)
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workspace", type=Path)
    parser.add_argument("--json", type=Path, help="keep the figures")
    parser.add_argument("--redraw", type=Path, metavar="FILE", help="measure nothing: draw figures that --json kept")
    parser.add_argument("--plot", type=Path, metavar="FILE.svg")
    asked = parser.parse_args(words)
    if asked.redraw:
        found = json.loads(asked.redraw.read_text(encoding="utf-8"))
    else:
        workspace = asked.workspace.resolve()
        data = published(workspace)
        real = features(workspace, list(zip(data.sha256, data.paths, strict=True)))
        found = measured(data, real, teacher_of(workspace, real, ("measured", ""), RECIPE.simulated))
    show(found)
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=1), encoding="utf-8")
    if asked.plot:
        draw_curves(found, asked.plot)


if __name__ == "__main__":
    main()
