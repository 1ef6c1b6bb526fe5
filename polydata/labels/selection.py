"""Which images reviewers are asked about, and in what order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

from polydata.errors import UsageError
from polydata.files.predictions import Predictions, Uncertainty, uncertainty

Only = Literal["accepted", "unlabelled", "uncertain", "conflicts", "all"]
Row = Mapping[str, Any]

_KEEP: Mapping[Only, Callable[[Row], bool]] = {
    "unlabelled": lambda row: row["label"] is None,
    "uncertain": lambda row: not row["answered"],
    "conflicts": lambda row: bool(row["conflict"]),
}


def select_images(
    rows: Sequence[Row],
    only: Only,
    limit: int | None,
    predictions: Predictions | None = None,
    order: Uncertainty = "entropy",
) -> list[Row]:
    """The images a reviewer should see.

    Args:
        rows: of ``images_to_review``.
        only: ``accepted`` takes what the automatic screening accepted and what came with a published data set; of
            these ``unlabelled`` those without a label, ``conflicts`` those about which sources, reviewers or the
            predictions differ, and ``uncertain`` those with a prediction that no reviewer has answered, the least
            certain first; ``all`` takes every image of a panel.
        limit: the first so many of them, None for all.
        predictions: of a model.
        order: how ``uncertain`` measures uncertainty.

    Raises:
        UsageError: if there are no images, none was screened, or ``uncertain`` has no probabilities to go by.
    """
    if not rows:
        raise UsageError("The catalogue has no images.", "Read papers first: polydata extract PAPERS/")
    if only == "uncertain" and (predictions is None or not predictions.have_probabilities):
        raise UsageError(
            "Without a model's probabilities nothing is uncertain.",
            "Name them: --predictions FILE (as polymodel predict writes it) or --predictions RUN.",
        )
    chosen: Iterable[Row] = rows
    if only != "all":
        if not any(r["decision"] or r["imported"] for r in rows):
            raise UsageError(
                "No image was screened, so it is not known which are micrographs.",
                "Run polydata screen first, or push every image with --only all.",
            )
        keep = _KEEP.get(only)
        chosen = [
            r for r in rows
            if (r["imported"] or r["decision"] == "accepted")
            and (keep is None or keep(r) or (only == "conflicts" and _differs(r, predictions)))
        ]  # fmt: skip
    if only == "uncertain" and predictions is not None:
        known = predictions.by_image
        chosen = [r for r in chosen if r["image_sha256"] in known]
        # Sorting is stable: what is equally uncertain stays in the order of papers and pages.
        chosen = sorted(chosen, key=lambda r: -uncertainty(known[r["image_sha256"]], order))
    return list(chosen)[:limit]


def _differs(row: Row, predictions: Predictions | None) -> bool:
    found = predictions.by_image.get(row["image_sha256"]) if predictions else None
    return found is not None and row["label"] is not None and found.label != row["label"]
