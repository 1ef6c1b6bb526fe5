"""What an evaluation of numbers holds beside their metrics: how far values may be off, and what needs no network.

How far a value may be off is learned from papers held back in training (split conformal prediction in which papers
count once each, as of ``calibrated``). No probability is given, so none is calibrated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from polydata.auditing.controls import TREES, ControlTable, read_table
from polydata.splits.manifest import TARGET
from polydata.types import Progress
from polymodel.evaluation.aggregate import Answers
from polymodel.evaluation.baselines import sobel_value
from polymodel.evaluation.calibrated import COVERAGE, over_papers, reached_by
from polymodel.evaluation.calibration import FEWEST, LEVEL
from polymodel.evaluation.figures import values_figure
from polymodel.evaluation.judged_labels import LabelJudge
from polymodel.evaluation.metrics import Array, joined
from polymodel.evaluation.values import Values
from polymodel.kinds.asked import VALUE
from polymodel.runs.run import PartKey, Run

if TYPE_CHECKING:
    import pandas as pd

Index = NDArray[np.int64]


def reliability(outcome: Values) -> dict[str, dict[str, float | None]]:
    """Slope and intercept of the truth over what was said, {value, low, high}: 1 and 0 where values hold.

    The interval leaves out one paper at a time (jackknife); none where papers are too few.
    """
    from scipy.stats import t

    names, place = np.unique(outcome.groups, return_inverse=True)
    count, known = len(names), ("slope", "intercept")
    if np.ptp(outcome.values) == 0:
        return {name: {"value": None, "low": None, "high": None} for name in known}
    whole = np.polyfit(outcome.values, outcome.truth, 1).tolist()
    if count < FEWEST or any(np.ptp(outcome.values[place != k]) == 0 for k in range(count)):
        return {name: {"value": value, "low": None, "high": None} for name, value in zip(known, whole, strict=True)}
    without = np.array([np.polyfit(outcome.values[place != k], outcome.truth[place != k], 1) for k in range(count)])
    sd = np.sqrt((count - 1) / count * ((without - without.mean(0)) ** 2).sum(0))
    reach = (float(t.ppf((1 + LEVEL) / 2, count - 1)) * sd).tolist()
    return {
        name: {"value": value, "low": value - off, "high": value + off}
        for name, value, off in zip(known, whole, reach, strict=True)
    }


@dataclass(frozen=True)
class Reach:
    """How far a value may be off, learned from papers that the models had not seen.

    Attributes:
        within: half the width of the interval that holds the truth for ``COVERAGE`` of papers' images, in the unit;
            None where papers are too few for so much.
        papers: how many it was learned from.
    """

    within: float | None
    papers: int


def reach_of_parts(run: Run, keys: Sequence[PartKey]) -> Reach | None:
    """What some parts' held-back answers say together; None where there are none.

    Raises:
        InputError: if the answers cannot be read.
    """
    frame = run.held_out(keys)
    if frame is None:
        return None
    errors = (frame[VALUE] - frame[TARGET]).abs().to_numpy(dtype=np.float64)
    groups = frame["group"].to_numpy(dtype=np.str_)
    within = reached_by(-errors, groups)
    return Reach(None if within is None else -within, len(set(groups.tolist())))


def coverage(run: Run, parts: Sequence[Answers]) -> dict[str, Any] | None:
    """How the intervals hold on the test side, each part by what its own training side taught.

    Returns:
        ``wanted``; ``within``, the mean half width; ``images`` and ``papers`` {value, low, high}, the share whose truth
        lies within. None where a part has nothing to learn from.
    """
    reaches = [reach_of_parts(run, [key]) for key in run.planned]
    widths = [reach.within for reach in reaches if reach is not None and reach.within is not None]
    if len(widths) < len(parts):
        return None
    held = np.concatenate([part.outcome.wrong <= width for part, width in zip(parts, widths, strict=True)])
    groups = np.concatenate([part.outcome.groups for part in parts])
    return {
        "wanted": COVERAGE,
        "within": float(np.mean(widths)),
        "images": float(held.mean()),
        "papers": over_papers(held, groups),
    }


@dataclass(frozen=True, kw_only=True)
class ValueTable(ControlTable):
    """Items as controls see them, with their values.

    Attributes:
        values: (n,) true numbers.
        sobel: (n,) the seed's Sobel value; empty where no image was read.
    """

    values: Array
    sobel: Array


Control = Callable[[ValueTable, Index, Index], Array]


def _constant(of: Callable[[Array], Any]) -> Control:
    return lambda table, train, test: np.full(len(test), float(of(table.values[train])))


def _looked_up(table: ValueTable, train: Index, test: Index) -> Array:
    """The mean of the same paper's training images, drawn to that of all as if by one more image."""
    names, place = np.unique(table.groups, return_inverse=True)
    overall = float(table.values[train].mean())
    sums = np.bincount(place[train], weights=table.values[train], minlength=len(names))
    counts = np.bincount(place[train], minlength=len(names))
    return np.asarray(((sums + overall) / (counts + 1))[place[test]])


def _learned(make: Callable[[], Any], features: Callable[[ValueTable], Array]) -> Control:
    def control(table: ValueTable, train: Index, test: Index) -> Array:
        seen = features(table)
        return np.asarray(make().fit(seen[train], table.values[train]).predict(seen[test]), dtype=np.float64)

    return control


def _forest() -> Any:
    from sklearn.ensemble import RandomForestRegressor

    return RandomForestRegressor(TREES, min_samples_leaf=3, random_state=0)


def _ridge() -> Any:
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), Ridge(1000.0))


CONSTANTS: Mapping[str, Control] = {"mean": _constant(np.mean), "median": _constant(np.median)}
"""What the training side alone says of every image."""
CONTROLS: Mapping[str, Control] = {
    "metadata": _learned(_forest, lambda table: table.metadata),
    "print_only": _learned(_ridge, lambda table: table.prints),
    "paper_lookup": _looked_up,
    "sobel": _learned(_forest, lambda table: table.sobel[:, None]),
}
"""As of ``polydata.auditing.controls`` and ``baselines``, for numbers; all need the images."""


class ValueJudge(LabelJudge):
    """What an evaluation of a run of numbers holds beside metrics; attributes as of ``LabelJudge``."""

    picture: ClassVar[str] = "values.png"

    def facts(self) -> dict[str, Any]:
        """As of ``LabelJudge``: ``unit`` of all errors; ``reliability`` and ``coverage`` as of the functions."""
        together = joined(self.outcomes)
        return {
            "unit": self.run.split["unit"],
            "reliability": reliability(together),
            "coverage": coverage(self.run, self.parts),
        }

    def figure(self) -> Figure:
        """What was said over what is true."""
        together = joined(self.outcomes)
        return values_figure(together.truth, together.values, str(self.run.split["unit"]))

    def models(self, with_images: bool) -> list[str]:
        """Names of what stands beside the model; without images what the training side alone says."""
        return [*CONSTANTS, *(CONTROLS if with_images else ())]

    def table(self, images: pd.DataFrame, with_images: bool, progress: Progress) -> ValueTable:
        """The images as controls see them."""
        paths, groups = [self.run.image_root / path for path in images["path"]], images["group"].tolist()
        labels = [self.run.classes.index(label) for label in images["label"]]
        values = images[TARGET].to_numpy(dtype=np.float64)
        if not with_images:
            none = np.zeros((len(images), 0))
            known = (np.array(labels), np.array(groups), none, none, len(self.run.classes))
            return ValueTable(*known, values=values, sobel=none)
        seen = read_table(paths, labels, groups, len(self.run.classes), progress)
        sobel = np.array([sobel_value(path.read_bytes()) for path in paths])
        return ValueTable(**vars(seen), values=values, sobel=sobel)

    def answer(self, name: str, table: Any, train: Index, test: Index) -> Array:
        """What one of ``models`` says of the test side."""
        return {**CONSTANTS, **CONTROLS}[name](table, train, test)
