"""What is wrong with labels: contradictions, likely errors, and labels that are rare."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from polydata.auditing.subject import Detection, Need, Severity, Subject, counted, detector
from polydata.errors import InputError

SUGGESTS, BY_HAND = "rule", "manual"
"""The text rules only suggest a label: they contradict nobody; a label that was set by hand settles what others say."""
RARE = 0.2
FOLDS = 5
STRENGTH = 0.3
"""Inverse regularisation of the logistic regression on embeddings whose mean square sum is 1, as of polymodel's probe:
so it means the same for however many features a network has."""

Array = NDArray[np.float64]


@detector(
    "contradiction", "Look at them with polydata conflicts and set the right ones: polydata label set.", alone=True
)
def contradiction(subject: Subject) -> Detection:
    """Images whose sources disagree although each could have said what the other says, and nobody set a label."""
    coarse = {s.name: s.vocabulary for s in subject.task.sources if s.vocabulary}
    finer = {s.name for s in subject.task.sources if s.refines}
    items = []
    for image in subject.images:
        said = [(source, label) for source, label in subject.said.get(image, ()) if source != SUGGESTS]
        refined = {label for source, label in said if source in finer}
        heard = {label for source, label in said if refined <= set(coarse.get(source, refined))}
        if len(heard) > 1 and all(source != BY_HAND for source, _ in said):
            items.append({**subject.named(image), "said": [f"{source}={label}" for source, label in said]})
    first = items[0]["image"][:12] if items else "IMAGE"
    return Detection(
        Severity.ERROR,
        items,
        f"{counted(len(items), 'image')} with labels that exclude each other.",
        fix=f"Look at them with polydata conflicts, then set the right one of each: "
        f"polydata label set {first} LABEL --reason WHY.",
    )


@detector(
    "stale-label",
    "A split keeps the labels that it was built with: build one with those of today, polydata build-split NAME.",
    Need.SPLIT,
    alone=True,
)
def stale_label(subject: Subject) -> Detection:
    """Images of the split whose label is another one now, or none."""
    items = [{**subject.named(image), "now": now} for image, (_, now) in sorted(subject.relabelled.items())]
    message = f"{counted(len(items), 'image')} with another label now than in the split, or none."
    return Detection(Severity.WARNING, items, message)


@detector("label-noise", "Look at them again and set what is wrong: polydata label set.", Need.LABELS, Need.OPINION)
def label_noise(subject: Subject) -> Detection:
    """Labels that cleanlab takes for errors, since a model that never saw them finds them improbable; surest first.

    Images of a group of which the model learned from another image are left out, as are labels of embeddings that no
    model can be fitted for, since all images of one label stand in one group.

    Raises:
        InputError: if the opinions speak of none of the images, or of those of one label alone.
    """
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores

    assert subject.opinions is not None
    judged = subject.opinions.chances or subject.opinions.features
    known = {subject.groups[image] for image in subject.opinions.learned if image in subject.groups}
    rows = [k for k, i in enumerate(subject.labelled) if i in judged and subject.groups[i] not in known]
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
        rows = [k for k, chance in zip(rows, chances, strict=True) if not np.isnan(chance)]
        images, labels, chances = (
            [subject.labelled[k] for k in rows],
            subject.is_positive[rows],
            chances[~np.isnan(chances)],
        )
        if not 0 < labels.sum() < len(labels):
            return Detection(Severity.NOTE, [], "Each label stands in one paper alone, so that no model can be fitted.")
    both = np.stack([1 - chances, chances], axis=1)
    quality = get_label_quality_scores(labels, both)
    chance = f"p_{subject.task.positive}"
    items = [
        {**subject.named(images[k]), "quality": round(float(quality[k]), 4), chance: round(float(chances[k]), 4)}
        for k in find_label_issues(labels, both, return_indices_ranked_by="self_confidence")
    ]
    return Detection(
        Severity.WARNING,
        items,
        f"{len(items)} of {len(images)} labels look wrong to a model that never saw them ({subject.opinions.origin}); "
        f"of {len(subject.labelled) - len(images)} labelled images it says nothing.",
    )


def _out_of_fold(features: Array, labels: NDArray[np.int64], groups: NDArray[np.str_]) -> Array:
    """Probability of the positive label of each image by a model that saw no image of its group, (n,).

    NaN where the images of all other groups in the fold bear one label, so that there is nothing to learn.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedGroupKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    count = max(2, min(FOLDS, int(np.bincount(labels).min()), len(np.unique(groups))))
    model = make_pipeline(StandardScaler(), LogisticRegression(C=STRENGTH / features.shape[1], max_iter=5000))
    folds = StratifiedGroupKFold(n_splits=count, shuffle=True, random_state=0)
    chances = np.full(len(labels), np.nan)
    for train, test in folds.split(features, labels, groups):
        if len(np.unique(labels[train])) == 2:
            chances[test] = model.fit(features[train], labels[train]).predict_proba(features[test])[:, 1]
    return chances


@detector(
    "class-imbalance",
    "Report AUROC and balanced accuracy beside accuracy, and label more papers of the rare label.",
    Need.LABELS,
)
def class_imbalance(subject: Subject) -> Detection:
    """Images and papers of each label; a label is rare below a fifth of the images."""
    images = Counter(subject.labels.values())
    together = {(label, subject.groups[image]) for image, label in subject.labels.items()}
    papers = Counter(label for label, _ in together)
    total = len(subject.labels)
    items: list[dict[str, Any]] = [
        {
            "label": label,
            "images": images[label],
            "share": round(images[label] / total, 4),
            "papers": papers[label],
            "rare": images[label] < RARE * total,
        }
        for label in subject.task.labels
        if images[label]
    ]
    rare = sum(i["rare"] for i in items)
    labels_of = Counter(paper for _, paper in together)
    pure = sum(count == 1 for count in labels_of.values())
    words = ", ".join(f"{subject.spoken(i['label'])} {i['images']} ({100 * i['images'] / total:.1f} %)" for i in items)
    return Detection(
        Severity.WARNING if rare else Severity.NOTE,
        items,
        f"{words}; {pure} of {len(labels_of)} papers hold one label alone.",
        count=rare,
    )
