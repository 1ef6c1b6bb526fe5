"""What tells the label without a look at the micrograph: the paper's name, or something beside the picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from polydata.auditing.controls import CONTROLS, NARROW_CONTROLS, ControlTable, cross_validate
from polydata.auditing.controls import paper_lookup as look_up
from polydata.auditing.subject import Detection, Item, Need, Severity, Subject, detector
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
    random = cross_validate(look_up, table, grouped=False)
    on_random = [] if random is None else [_measured("random folds", random.auroc, random.accuracy, random.majority)]
    on_split = _on_split(subject, table)
    leaks = any(i["auroc"] >= TELLS for i in on_split)
    items = on_random + on_split
    words = ", ".join(f"AUROC {i['auroc']:.2f}, accuracy {i['accuracy']:.2f} on {i['where']}" for i in items)
    return Detection(
        Severity.ERROR if leaks else Severity.NOTE, items, f"The paper's name alone: {words}.", count=int(leaks)
    )


def _on_split(subject: Subject, table: ControlTable) -> list[Item]:
    """The look-up on the test sides, mean over the partitions that can be measured; none where none can."""
    from sklearn.metrics import roc_auc_score

    row = {image: k for k, image in enumerate(subject.labelled)}

    def rows(items: Sequence[SplitItem]) -> NDArray[np.int64]:
        return np.array([row[i.image_sha256] for i in items if i.image_sha256 in row], dtype=np.int64)

    measured = []
    for sides in subject.folds:
        train, test = rows(sides.trained), rows(sides.test)
        truth = table.labels[test]
        if len(np.unique(truth)) < 2 or not len(train):
            continue
        scores = look_up(table, train, test)
        most = np.bincount(table.labels[train], minlength=2).argmax()
        measured.append(
            (roc_auc_score(truth, scores[:, 1]), (scores.argmax(axis=1) == truth).mean(), (truth == most).mean())
        )
    return [_measured("the split", *np.mean(measured, axis=0).tolist())] if measured else []


def _measured(where: str, auroc: float, accuracy: float, majority: float) -> Item:
    return {
        "where": where,
        "auroc": round(auroc, 3),
        "accuracy": round(accuracy, 3),
        "majority": round(majority, 3),
    }


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
