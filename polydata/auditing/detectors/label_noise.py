"""Labels that a model which never saw them finds improbable (confident learning)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from polydata.auditing.subject import Detector, Found, Need, Severity, Subject
from polydata.errors import InputError

FOLDS = 5
STRENGTH = 3e-4
"""Inverse regularisation of the logistic regression on embeddings, that of polymodel's recipe probe."""

Array = NDArray[np.float64]


def find(subject: Subject) -> Found | None:
    """Images whose label cleanlab takes for an error, the surest first.

    Raises:
        InputError: if the opinions speak of none of the images, or of those of one label alone.
    """
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores

    assert subject.opinions is not None
    known = subject.opinions.chances or subject.opinions.features
    rows = [k for k, image in enumerate(subject.labelled) if image in known]
    images = [subject.labelled[k] for k in rows]
    labels = subject.is_positive[rows]
    if not 0 < labels.sum() < len(labels):
        raise InputError(
            f"{subject.opinions.origin} speaks of {len(images)} of the {len(subject.labelled)} labelled images"
            f"{', all of one label' if images else ''}: nothing can be said of their labels.",
            "Name the predictions or embeddings of these very images.",
        )
    if subject.opinions.chances:
        chances = np.array([subject.opinions.chances[i] for i in images])
    else:
        features = np.stack([subject.opinions.features[i] for i in images])
        chances = _out_of_fold(features, labels, np.array([subject.groups[i] for i in images]))
    both = np.stack([1 - chances, chances], axis=1)
    issues = find_label_issues(labels, both, return_indices_ranked_by="self_confidence")
    quality = get_label_quality_scores(labels, both)
    items = tuple(
        {**subject.named(images[k]), "quality": round(float(quality[k]), 4), "p_positive": round(float(chances[k]), 4)}
        for k in issues
    )
    if not items:
        return None
    return Found(
        Severity.WARNING, items,
        f"{len(items)} of {len(images)} labels look wrong to a model that never saw them ({subject.opinions.origin}); "
        f"of {len(subject.labelled) - len(images)} labelled images it says nothing.",
    )  # fmt: skip


def _out_of_fold(features: Array, labels: NDArray[np.int64], groups: NDArray[np.str_]) -> Array:
    """Probability of the positive label of each image by a model that saw no image of its group, (n,)."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    count = max(2, min(FOLDS, int(np.bincount(labels).min()), len(np.unique(groups))))
    model = make_pipeline(StandardScaler(), LogisticRegression(C=STRENGTH, max_iter=5000))
    folds = StratifiedGroupKFold(n_splits=count, shuffle=True, random_state=0)
    chances = cross_val_predict(model, features, labels, groups=groups, cv=folds, method="predict_proba")
    return np.asarray(chances[:, 1], dtype=np.float64)


DETECTOR = Detector(
    name="label-noise",
    fix="Look at them again and set what is wrong: polydata label set.",
    find=find,
    needs=frozenset((Need.LABELS, Need.OPINION)),
)
