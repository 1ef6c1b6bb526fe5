"""Metrics as tables: of several models, and of predictions from anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from polymodel.evaluation.answered import centre_of

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike


@dataclass(frozen=True, repr=False)
class Scores:
    """Metrics of several models on the same test images.

    Attributes:
        facts: all that was written, as the commands print it with --json.
        rows: by model, {metric: summary} as ``evaluation.intervals.summarise`` gives them.
    """

    facts: Mapping[str, Any]
    rows: Mapping[str, Mapping[str, Mapping[str, Any]]]

    def __repr__(self) -> str:
        return f"<Scores of {', '.join(self.rows)}; as a data frame: .table>"

    @property
    def table(self) -> pd.DataFrame:
        """A row for each (model, metric): value (the mean over parts), low, high and sd, as of ``score``."""
        import pandas as pd

        return pd.concat({name: table_of(row) for name, row in self.rows.items()}, names=["model"])


def table_of(summaries: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """A row for each metric."""
    import pandas as pd

    rows = {m: (centre_of(s), s["low"], s["high"], s.get("sd")) for m, s in summaries.items()}
    return pd.DataFrame.from_dict(rows, "index", float, ["value", "low", "high", "sd"]).rename_axis("metric")


def score(truth: ArrayLike, proba: ArrayLike, groups: ArrayLike | None = None, *, positive: int = 1) -> pd.DataFrame:
    """The metrics of predictions from anywhere, with 95 % intervals over papers.

    Args:
        truth: (n,) class indices.
        proba: (n, classes) probabilities from 0 to 1, or (n,) of class 1 of two.
        groups: (n,) names of the papers; each item is its own where None.
        positive: index of the positive one of two classes; of more each is held against the rest, and the mean given.

    Returns:
        A row for each metric: ``value``, ``low``, ``high`` as fractions (MCC from -1 to 1), NaN without meaning.

    Raises:
        UsageError: if shapes do not fit each other or values are no numbers or out of range.
    """
    from polymodel.evaluation.intervals import summarise
    from polymodel.evaluation.metrics import outcome_from

    return table_of(summarise([outcome_from(truth, proba, groups, positive)]))
