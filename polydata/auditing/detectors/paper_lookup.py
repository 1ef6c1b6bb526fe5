"""How far the name of the paper alone predicts the label."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from polydata.auditing.controls import ControlTable, cross_validate, paper_lookup
from polydata.auditing.subject import Detector, Found, Item, Need, Severity, Subject
from polydata.splits.leaks import Placed

TELLS = 0.6


def find(subject: Subject) -> Found | None:
    """The most frequent label of the same paper, on random folds and on the split."""
    table = _table(subject)
    random = cross_validate(paper_lookup, table, grouped=False)
    items: list[Item] = []
    if random is not None:
        items.append(
            {
                "where": "random folds",
                "auroc": round(random.auroc, 3),
                "accuracy": round(random.accuracy, 3),
                "majority": round(random.majority, 3),
            }
        )
    on_split = _on_split(subject, table)
    if on_split is not None:
        items.append(on_split)
    if not items:
        return None
    leaks = on_split is not None and on_split["auroc"] >= TELLS
    words = ", ".join(f"AUROC {i['auroc']:.2f}, accuracy {i['accuracy']:.2f} on {i['where']}" for i in items)
    return Found(
        Severity.ERROR if leaks else Severity.NOTE, tuple(items), f"The paper's name alone: {words}.", count=int(leaks)
    )


def _table(subject: Subject) -> ControlTable:
    nothing = np.zeros((len(subject.labelled), 0))
    number: dict[str, int] = {}
    groups = [number.setdefault(subject.groups[i], len(number)) for i in subject.labelled]
    return ControlTable(subject.is_positive, np.array(groups).astype(np.str_), nothing, nothing, 2)


def _on_split(subject: Subject, table: ControlTable) -> Item | None:
    """The lookup on the test sides, mean over the partitions that can be measured."""
    from sklearn.metrics import roc_auc_score

    row = {image: k for k, image in enumerate(subject.labelled)}

    def rows(items: Sequence[Placed]) -> NDArray[np.int64]:
        return np.array([row[i.image_sha256] for i in items if i.image_sha256 in row], dtype=np.int64)

    measured = []
    for sides in subject.folds:
        train, test = rows(sides.trained), rows(sides.test)
        truth = table.labels[test]
        if len(np.unique(truth)) < 2 or not len(train):
            continue
        scores = paper_lookup(table, train, test)
        most = int(np.bincount(table.labels[train], minlength=2).argmax())
        measured.append(
            (
                float(roc_auc_score(truth, scores[:, 1])),
                float((scores.argmax(axis=1) == truth).mean()),
                float((truth == most).mean()),
            )
        )
    if not measured:
        return None
    auroc, accuracy, majority = (round(float(v), 3) for v in np.mean(measured, axis=0))
    return {"where": "the split", "auroc": auroc, "accuracy": accuracy, "majority": majority}


DETECTOR = Detector(
    name="paper-lookup",
    fix="Keep papers whole (polydata build-split NAME): then the paper's name says nothing on the test side.",
    find=find,
    needs=frozenset((Need.LABELS,)),
)
