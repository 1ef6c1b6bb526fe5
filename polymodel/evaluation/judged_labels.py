"""What an evaluation of labels holds beside their metrics: calibration, classes, papers, what sees no micrograph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from polydata.auditing.controls import CONTROLS, ControlTable, read_table
from polydata.types import Progress
from polymodel.evaluation.aggregate import Answers, usual_scoring
from polymodel.evaluation.baselines import Sobels, sobel, sobel_value
from polymodel.evaluation.calibrated import calibrated_evaluation
from polymodel.evaluation.calibration import Estimate, recalibration
from polymodel.evaluation.figures import confusion_figure
from polymodel.evaluation.intervals import wilson, within_groups
from polymodel.evaluation.metrics import Array, Outcome, against_rest, confusion, joined
from polymodel.runs.run import Run

if TYPE_CHECKING:
    import pandas as pd

Index = NDArray[np.int64]


@dataclass(frozen=True)
class LabelJudge:
    """What an evaluation of a run of labels holds beside metrics.

    Attributes:
        run: finished.
        frames: the predictions of each part.
        parts: what each part said of its test side.
        main: accuracy of the run, or the metric that stands for it; None where it has no meaning.
    """

    picture: ClassVar[str] = "confusion_matrix.png"
    """Where ``figure`` is kept in the run's folder."""

    run: Run
    frames: Sequence[pd.DataFrame]
    parts: Sequence[Answers]
    main: float | None

    @property
    def outcomes(self) -> list[Any]:
        """What each part said."""
        return [part.outcome for part in self.parts]

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """Confusion matrices of all parts together."""
        found: NDArray[np.int64] = np.sum([confusion(outcome) for outcome in self.outcomes], axis=0)
        return found

    def facts(self) -> dict[str, Any]:
        """What the evaluation says beyond metrics: ``missing_labels`` to ``confusion_matrix``, as ``evaluate`` says."""
        run, together = self.run, joined(self.outcomes)
        images = len({sha for part in self.parts for sha in part.images.tolist()})
        low, high = wilson(self.main, images) if self.main is not None else (None, None)
        return {
            "missing_labels": [run.classes[k] for k in together.missing],
            "accuracy_wilson": {"low": low, "high": high},
            "calibration": {run.classes[k]: _calibration(together, k) for k in together.judged},
            "calibrated": calibrated_evaluation(run, self.frames, self.parts, usual_scoring(run.split["recipe"])),
            "per_class": _per_class(run, together),
            "within_papers": within_groups(self.outcomes),
            "confusion_matrix": {"classes": list(run.classes), "rows_are_truth": self.counts.tolist()},
        }

    def figure(self) -> Figure:
        """The confusion matrix."""
        return confusion_figure(self.counts, self.run.classes)

    def models(self, with_images: bool) -> list[str]:
        """Names of what stands beside the model; without images the majority alone."""
        return [*CONTROLS, "sobel"] if with_images else ["majority"]

    def table(self, images: pd.DataFrame, with_images: bool, progress: Progress) -> ControlTable:
        """The images as controls see them."""
        run = self.run
        labels, groups = [run.classes.index(label) for label in images["label"]], images["group"].tolist()
        if not with_images:
            nothing = np.zeros((len(images), 0))
            return ControlTable(np.array(labels), np.array(groups), nothing, nothing, len(run.classes))
        paths = [run.image_root / path for path in images["path"]]
        seen = read_table(paths, labels, groups, len(run.classes), progress)
        values = np.array([sobel_value(path.read_bytes()) for path in paths])
        return Sobels(**vars(seen), positive=run.classes.index(run.positive), sobel=values)

    def answer(self, name: str, table: Any, train: Index, test: Index) -> Array:
        """What one of ``models`` says of the test side."""
        return sobel(table, train, test) if name == "sobel" else CONTROLS[name](table, train, test)


def _calibration(outcome: Outcome, k: int) -> dict[str, dict[str, float | None]]:
    """Slope and intercept of a class's logistic recalibration, each {value, low, high}."""
    found = recalibration(outcome.probabilities[:, k], outcome.truth == k, outcome.groups)
    return {name: _plain(one) for name, one in found.items()}


def _plain(found: Estimate) -> dict[str, float | None]:
    return {key: None if np.isnan(value) else float(value) for key, value in vars(found).items()}


def _per_class(run: Run, outcome: Outcome) -> dict[str, dict[str, float | None]]:
    """Of more than two classes the metrics of each against the rest, and how often it was to be answered."""
    if len(run.classes) == 2:
        return {}
    found: dict[str, dict[str, float | None]] = {}
    for k, name in enumerate(run.classes):
        values = against_rest(outcome, k) if k in outcome.judged else {}
        found[name] = {"answers": int((outcome.truth == k).sum())}
        found[name] |= {metric: None if np.isnan(value) else value for metric, value in values.items()}
    return found
