"""What tells the label without a look at the micrograph: the paper's name, or something beside the picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from polydata.auditing.controls import CONTROLS, NARROW_CONTROLS, ControlTable, cross_validate, measure
from polydata.auditing.subject import Detection, Need, Severity, Subject, detector
from polydata.splits.manifest import Item as SplitItem

TELLS = 0.6
"""AUROC from which a control is said to tell something."""
ASKED = {name: CONTROLS[name] for name in ("metadata", "print_only")} | NARROW_CONTROLS


@detector(
    "paper-lookup",
    "Keep papers whole (polydata build-split NAME): then the paper's name says nothing on the test side.",
    Need.LABELS,
)
def paper_lookup(subject: Subject) -> Detection:
    """How far the most frequent label of the same paper predicts the label, on random folds and on the split."""
    number: dict[str, int] = {}
    groups = np.array([number.setdefault(subject.groups[i], len(number)) for i in subject.labelled])
    nothing = np.zeros((len(groups), 0))
    table = ControlTable(subject.is_positive, groups.astype(np.str_), nothing, nothing, 2)
    row = {image: k for k, image in enumerate(subject.labelled)}

    def rows(items: Sequence[SplitItem]) -> NDArray[np.int64]:
        return np.array([row[i.image_sha256] for i in items if i.image_sha256 in row], dtype=np.int64)

    sides = ((rows(sides.trained), rows(sides.test)) for sides in subject.folds)
    on_split = measure(CONTROLS["paper_lookup"], table, ((train, test) for train, test in sides if len(train)))
    leaks = on_split is not None and round(on_split.auroc, 3) >= TELLS
    items = [
        {
            "where": where,
            "auroc": round(found.auroc, 3),
            "accuracy": round(found.accuracy, 3),
            "majority": round(found.majority, 3),
        }
        for where, found in (
            ("random folds", cross_validate(CONTROLS["paper_lookup"], table, grouped=False)),
            ("the split", on_split),
        )
        if found
    ]
    words = ", ".join(f"AUROC {i['auroc']:.2f}, accuracy {i['accuracy']:.2f} on {i['where']}" for i in items)
    return Detection(
        Severity.ERROR if leaks else Severity.NOTE, items, f"The paper's name alone: {words}.", count=int(leaks)
    )


@detector(
    "metadata-leak",
    "Report these beside every model (polymodel evaluate does), crop print away, and resize all images alike.",
    Need.LABELS,
    Need.PIXELS,
)
def metadata_leak(subject: Subject) -> Detection:
    """Control models that never see the micrograph, on random and on grouped folds."""
    items = []
    for name, control in ASKED.items():
        random, grouped = (cross_validate(control, subject.table, grouped) for grouped in (False, True))
        if random is not None and grouped is not None:
            items.append(
                {
                    "control": name,
                    "auroc_random": round(random.auroc, 3),
                    "auroc_grouped": round(grouped.auroc, 3),
                    "sd_random": round(random.sd, 3),
                    "sd_grouped": round(grouped.sd, 3),
                    "tells": max(random.auroc, grouped.auroc) >= TELLS,
                }
            )
    telling = sum(bool(i["tells"]) for i in items)
    words = ", ".join(f"{i['control']} {i['auroc_random']:.2f} / {i['auroc_grouped']:.2f}" for i in items)
    return Detection(
        Severity.WARNING if telling else Severity.NOTE,
        items,
        f"AUROC without the micrograph, random / grouped folds: {words}.",
        count=telling,
    )
