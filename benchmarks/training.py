"""What the recipes reach on the published images, what they cost, and the commands that say so.

    training.py WORKSPACE [--data FOLDER] [--steps NAME ...]

The step print trains the default recipe with print masked, with print cropped away, and with pictures brought to 0.1
micrometres a pixel (the median of those that have a bar that can be read), and sets each beside the default recipe. The
step simulated does so with the recipe probe-simulated, also with one paper left out at a time.

WORKSPACE is made where it does not exist, from the published data set in FOLDER (../shared/data/nims by default). Each
step prints its commands before it runs them, and a line of results after it. Recipes and epochs were fixed on papers
held back from training sides (docs/decisions.md), so a step is run once. CPU seconds are those of the training command
and all its threads.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

BIN = Path(sys.executable).parent
SMALL = ("--recipe", "finetune", "--image-size", "128", "--epochs", "10", "--patience", "0", "--balance", "none")
SPLITS = {
    "cv475": ("--folds", "5", "--repeats", "3", "--partial", "drop"),
    "cv517": ("--folds", "5", "--repeats", "3", "--label-source", "file"),
    "lopo517": ("--protocol", "leave-one-paper-out", "--label-source", "file"),
    "cv475-once": ("--folds", "5", "--partial", "drop"),
    "grouped": ("--partial", "drop"),
}
BLANK = "520_page5_image1_b"
"""The one published test image that nobody judged."""
RECIPES = Path(__file__).parent / "recipes"


@dataclass(frozen=True)
class Measurement:
    """A run to train and evaluate.

    Attributes:
        step: what it belongs to.
        run: its name.
        words: of ``polymodel train``.
        limits: metric -> what it is to reach.
        against: a run that it is compared with, paired by image.
    """

    step: str
    run: str
    words: tuple[str, ...]
    limits: tuple[tuple[str, float], ...] = ()
    against: str = ""


def table_rows(split: str) -> list[Measurement]:
    """The seed's networks, small enough for two processors."""
    networks = (("efficientnet_lite0", "imagenet"), ("efficientnet_lite0", "none"), ("resnet18", "none"))
    rows = [
        Measurement(
            "tables",
            f"table-{split}-{arch}-{weights}",
            ("--split", split, "--arch", arch, "--weights", weights, "--seeds", "3", *SMALL),
        )
        for arch, weights in networks
    ]
    one_epoch = (*SMALL, "--epochs", "1")
    return rows + [
        Measurement(
            "tables", f"table-{split}-{arch}-none", ("--split", split, "--arch", arch, "--weights", "none", *one_epoch)
        )
        for arch in ("vgg16", "densenet121")
    ]


MEASUREMENTS = (
    Measurement("grouped", "cv475-probe", ("--split", "cv475"), (("auroc", 0.875), ("balanced_accuracy", 0.81))),
    Measurement("grouped", "cv517-probe", ("--split", "cv517"), (("auroc", 0.855), ("balanced_accuracy", 0.79))),
    Measurement(
        "published",
        "published-lp-ft",
        ("--split", "published", "--recipe", "lp-ft", "--seeds", "20"),
        (("accuracy", 0.895),),
    ),
    Measurement("published", "published-probe", ("--split", "published")),
    Measurement("unseen", "lopo517-probe", ("--split", "lopo517")),
    *(
        Measurement(
            "print", f"cv475-{name}", ("--split", "cv475", "--recipe", str(RECIPES / f"{name}.toml")), (), "cv475-probe"
        )
        for name in ("masked", "cropped", "scaled")
    ),
    Measurement(
        "simulated",
        "cv475-simulated",
        ("--split", "cv475", "--recipe", "probe-simulated"),
        (("auroc", 0.905), ("balanced_accuracy", 0.83)),
        "cv475-probe",
    ),
    Measurement(
        "simulated", "lopo517-simulated", ("--split", "lopo517", "--recipe", "probe-simulated"), (), "lopo517-probe"
    ),
    Measurement("cost", "once-finetune", ("--split", "cv475-once", *SMALL, "--balance", "weights")),
    *table_rows("published"),
    *table_rows("grouped"),
)


def call(workspace: Path, *words: str) -> Any:
    """Run a command with --json and give what it printed."""
    program, *rest = words
    print("$", *words, flush=True)
    done = subprocess.run(
        [str(BIN / program), *rest, "--json"],
        env={**os.environ, "POLYDATA_WORKSPACE": str(workspace)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def prepare(workspace: Path, data: Path) -> None:
    """The workspace with the published images and the splits."""
    if not workspace.exists():
        subprocess.run([str(BIN / "polydata"), "init", str(workspace)], check=True, stdout=subprocess.DEVNULL)
        call(workspace, "polydata", "import-published", str(data))
    for name, words in SPLITS.items():
        if not (workspace / "splits" / name).exists():
            call(workspace, "polydata", "build-split", name, *words)


def children_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def centre(summary: dict[str, Any]) -> float:
    """The value, or over several parts their mean."""
    return float(summary["value"] if "value" in summary else summary["mean"])


def measure(workspace: Path, what: Measurement) -> float:
    """Train, evaluate, print a line; the wall seconds of training."""
    began, before = time.monotonic(), children_seconds()
    call(workspace, "polymodel", "train", *what.words, "--name", what.run)
    wall, cpu = time.monotonic() - began, children_seconds() - before
    found = call(workspace, "polymodel", "evaluate", what.run, "--no-controls")
    limits = dict(what.limits)
    for metric in ("auroc", "balanced_accuracy", "accuracy"):
        limit = f"  (to reach {limits[metric]})" if metric in limits else ""
        low, high = found[metric]["low"], found[metric]["high"]
        print(f"{what.run:<40} {metric:<18} {centre(found[metric]):.3f} [{low:.3f}, {high:.3f}]{limit}")
    within = found["within_papers"]
    if within["groups"]:
        words = f"{within['value']:.3f} [{within['low']:.3f}, {within['high']:.3f}], {within['groups']} papers"
        print(f"{what.run:<40} AUROC within papers {words}")
    print(f"{what.run:<40} {wall:.0f} s, {cpu:.0f} CPU s", flush=True)
    if what.against:
        pair = call(workspace, "polymodel", "evaluate", what.run, "--no-controls", "--against", what.against)["against"]
        for metric in ("auroc", "balanced_accuracy", "accuracy"):
            own = pair["difference"][metric]
            print(f"{what.run:<40} {metric} less that of {what.against}: {json.dumps(own)}", flush=True)
    return wall


def unseen(workspace: Path, run: str, data: Path) -> None:
    """The published test images by models that never saw their papers, beside the people who judged them."""
    people = ("--human", str(data / "human_labels.csv"), "--images", "key")
    found = call(workspace, "polymodel", "evaluate", run, "--no-controls", "--across", "published", *people)["across"]
    for words, row in (("model", found["judged"]["model"]), ("people's vote", found["judged"]["vote"])):
        own = row["auroc"]
        limit = "  (to reach 0.85)" if words == "model" else ""
        print(f"{words} on {found['judged']['images']} judged images: AUROC {own['value']:.3f} "
              f"[{own['low']:.3f}, {own['high']:.3f}]{limit}", flush=True)  # fmt: skip

    clear(workspace, run, data)


def clear(workspace: Path, run: str, data: Path) -> None:
    """The judged images again, without those whose text says partly compatible."""
    from polymodel.evaluation.aggregate import together
    from polymodel.evaluation.intervals import summarise
    from polymodel.runs.run import open_run

    with open(data / "published_split.csv", newline="", encoding="utf-8") as handle:
        rows = [row for row in csv.DictReader(handle) if row["subset"] == "test" and row["key"] != BLANK]
    wanted = {row["sha256"] for row in rows if row["text_label"] != "partially_compatible"}
    facts, outcome = together(open_run(run, workspace))
    own = summarise([outcome.at(np.flatnonzero(facts.index.isin(wanted)))])["auroc"]
    print(f"model on {len(wanted)} of them that are not partly compatible: AUROC {own['value']:.3f} "
          f"[{own['low']:.3f}, {own['high']:.3f}]", flush=True)  # fmt: skip


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workspace", type=Path)
    parser.add_argument("--data", type=Path, default=Path(__file__).resolve().parents[2] / "shared/data/nims")
    steps = tuple(dict.fromkeys(m.step for m in MEASUREMENTS))
    parser.add_argument("--steps", nargs="+", choices=steps, default=steps)
    asked = parser.parse_args(words)
    workspace = asked.workspace.resolve()
    prepare(workspace, asked.data)
    for what in MEASUREMENTS:
        if what.step in asked.steps:
            wall = measure(workspace, what)
            if what.run.startswith("lopo517"):
                unseen(workspace, what.run, asked.data.resolve())
            if what.step == "cost":
                # The features of the images are computed anew, so both begin with nothing.
                cache = workspace / "runs" / ".cache"
                if cache.exists():
                    cache.rename(cache.with_name(f".cache-{time.time_ns()}"))
                probe = measure(workspace, Measurement("cost", "once-probe", ("--split", "cv475-once")))
                print(f"default recipe / full fine-tuning, wall time of five folds: {probe / wall:.2f}", flush=True)


if __name__ == "__main__":
    main()
