"""``polymodel curve``: what a recipe is worth when it learns from fewer papers, each time on the same test sides."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from polydata.errors import UsageError
from polydata.files.atomic import replacing
from polydata.files.tables import write_frame
from polydata.splits.manifest import Split
from polydata.types import Progress, quiet
from polydata.workspace import Workspace
from polymodel.config import Hardware, TrackerName, TrainConfig
from polymodel.curves.subsets import fewest_papers, subset
from polymodel.evaluation.aggregate import Answers, answers_of, scored, usual_scoring
from polymodel.evaluation.answered import EVERY_TITLE, centre_of
from polymodel.evaluation.figures import as_png, learning_figure
from polymodel.evaluation.intervals import summarise
from polymodel.runs.run import Run, leakage_text, write_json
from polymodel.training.train import CACHE, train

if TYPE_CHECKING:
    import pandas as pd

FOLDER = "curves"
MOST_POINTS, MOST_DRAWS = 20, 50


@dataclass(frozen=True)
class Curve:
    """What was measured.

    Attributes:
        folder: holds curve.json, curve.csv and curve.png.
        split: its name; ``leakage`` why it leaks, None for a clean one.
        unit: of errors, of a split of numbers; else None.
        metrics: what was measured, the first ranks.
        rows: one for each number of papers: ``papers``, ``images`` (mean over folds and draws), ``draws``, and of each
            metric the mean under its name, ``_low``, ``_high`` (95 % over papers of the test sides) and ``_sd``.
    """

    folder: Path
    split: str
    leakage: str | None
    unit: str | None
    metrics: tuple[str, ...]
    rows: tuple[Mapping[str, Any], ...]

    @property
    def table(self) -> pd.DataFrame:
        """The rows."""
        import pandas as pd

        return pd.DataFrame(self.rows)


def curve(
    split: Split,
    config: TrainConfig,
    *,
    points: int = 5,
    draws: int = 3,
    hardware: Hardware | None = None,
    workspace: Path | None = None,
    progress: Progress = quiet,
) -> Curve:
    """Train on nested subsets of the training papers, and score each on the test sides of the whole split.

    Each training is a run in ``curves/NAME/runs``, so the same call goes on where it was broken off.

    Args:
        split: from ``load_split``.
        config: what to train and how, as of ``train_config``.
        points: at most so many numbers of papers, evenly on a logarithmic scale, the last with all of them.
        draws: how many times papers are drawn anew for each number; all of them are drawn once.
        hardware: as of ``train``.
        workspace: whose curves/ it goes to; otherwise POLYDATA_WORKSPACE, or the first found from here upwards.
        progress: told of what is going on.

    Raises:
        UsageError: if a number makes no sense or there are too few papers.
        InputError, RefusedError: as of ``train``.
    """
    if not (2 <= points <= MOST_POINTS and 1 <= draws <= MOST_DRAWS):
        raise UsageError(
            f"A curve has 2 to {MOST_POINTS} points and 1 to {MOST_DRAWS} draws, not {points} and {draws}."
        )
    fewest, most = fewest_papers(split)
    if fewest == most:
        raise UsageError(f"{split.name} trains on {most} papers: too few for a curve.", "Build a split of more papers.")
    place = Workspace.find(workspace).root / FOLDER
    name = f"{split.name}-{config.recipe.name}-{config.digest(split.digest)}"
    runs = place / name / "runs"
    _share_cache(runs, Workspace.find(workspace).runs)
    numbers = sorted({round(float(n)) for n in np.geomspace(fewest, most, points)})
    rows, work = [], [(n, d) for n in numbers for d in range(1, (1 if n == most else draws) + 1)]
    found: dict[int, list[Run]] = {n: [] for n in numbers}
    for done, (papers, draw) in enumerate(work):
        smaller = subset(split, place / f"{name}.{papers}.{draw}", papers, draw)
        words = f"{papers} papers, draw {draw}, "
        trained = train(
            smaller,
            config,
            runs,
            name=f"papers-{papers}-draw-{draw}",
            hardware=hardware,
            tracker=TrackerName.NONE,
            progress=lambda what, part, all_of, words=words: progress(words + what, part, all_of),
        )
        found[papers].append(trained.run)
        progress("learning curve", done + 1, len(work))
    for papers, own in found.items():
        rows.append(_row(papers, own))
    metrics = tuple(key for key in rows[0] if key in EVERY_TITLE)
    made = Curve(place / name, split.name, leakage_text(split.leakage), split.asked.get("unit"), metrics, tuple(rows))
    _write(made, config, split)
    return made


def _share_cache(runs: Path, usual: Path) -> None:
    """Let features that other runs have computed be found."""
    runs.mkdir(parents=True, exist_ok=True)
    (usual / CACHE).mkdir(parents=True, exist_ok=True)
    if not (runs / CACHE).exists():
        with suppress(OSError):  # a system without links computes them again
            (runs / CACHE).symlink_to((usual / CACHE).resolve(), target_is_directory=True)


def _row(papers: int, runs: list[Run]) -> dict[str, Any]:
    """What the runs of one number of papers are worth together."""
    sets: list[Answers] = []
    images = []
    for run in runs:
        frames = [run.predictions(key) for key in run.planned]
        sets += scored(answers_of(run, frames), usual_scoring(run.split["recipe"]))
        images += [int((frame["side"] == "train").sum()) for frame in frames]
    summary = summarise([one.outcome for one in sets])
    row: dict[str, Any] = {"papers": papers, "images": round(float(np.mean(images)), 1), "draws": len(runs)}
    for metric in sets[0].outcome.shown:
        one = summary[metric]
        row |= {metric: centre_of(one), **{f"{metric}_{part}": one.get(part) for part in ("low", "high", "sd")}}
    return row


def _write(made: Curve, config: TrainConfig, split: Split) -> None:
    facts = {"split": made.split, "split_digest": split.digest, "leakage": made.leakage, "unit": made.unit}
    write_json(made.folder / "curve.json", {**facts, "config": config.as_dict(), "rows": [dict(r) for r in made.rows]})
    write_frame(made.folder / "curve.csv", made.table)
    with replacing(made.folder / "curve.png") as out:
        out.write(as_png(learning_figure(made.rows, made.metrics[:2], made.unit)))
