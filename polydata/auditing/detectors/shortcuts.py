"""What tells the label without a look at the micrograph: the paper's name, or something beside the picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from polydata.auditing.controls import CONTROLS, ControlTable, cross_validate, measure
from polydata.auditing.subject import Detection, Need, Severity, Subject, detector
from polydata.auditing.tell_tales import ASKED, LEVEL, tell_tales

TELLS = 0.6
"""AUROC from which the paper's name is said to tell something."""


def _sides(subject: Subject, torn: bool = False) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Places of labelled images on the training and test side of each partition, or of those that tear papers apart."""
    row = {image: k for k, image in enumerate(subject.labelled)}
    found = []
    for sides in subject.folds:
        train, test = ([row[i.image_sha256] for i in items if i.image_sha256 in row]
                       for items in (sides.trained, sides.test))  # fmt: skip
        both = {subject.groups[subject.labelled[k]] for k in train} & {
            subject.groups[subject.labelled[k]] for k in test
        }
        if train and test and (both or not torn):
            found.append((np.array(train, dtype=np.int64), np.array(test, dtype=np.int64)))
    return found


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
    on_split = measure(CONTROLS["paper_lookup"], table, _sides(subject))
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
    """What stands beside the micrograph: whether it tells the label on folds of whole papers, better than by chance."""
    items = [
        {
            "control": name,
            "auroc": round(found.auroc, 3),
            "p": round(found.p, 3),
            "auroc_on_split": None if found.on_split is None else round(found.on_split, 3),
            "p_on_split": None if found.p_on_split is None else round(found.p_on_split, 3),
            "tells": found.tells,
        }
        for name, found in tell_tales(subject.table, ASKED, _sides(subject, torn=True)).items()
    ]
    telling = sum(bool(i["tells"]) for i in items)
    words = ", ".join(
        f"{i['control']} {i['auroc']:.2f} (p {i['p']:.2f})"
        + (
            f" and {i['auroc_on_split']:.2f} on the split, whose papers stand on both sides"
            if i["p_on_split"] is not None
            else ""
        )
        for i in items
    )
    return Detection(
        Severity.WARNING if telling else Severity.NOTE,
        items,
        f"AUROC without the micrograph, on folds of whole papers: {words}; {telling} tell the label (at a level of "
        f"{LEVEL:.0%} for all together).",
        count=telling,
    )
