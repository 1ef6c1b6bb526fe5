"""Labels that are rare, and papers that hold one label alone."""

from __future__ import annotations

from collections import Counter, defaultdict

from polydata.auditing.subject import Detector, Found, Item, Need, Severity, Subject

RARE = 0.2


def find(subject: Subject) -> Found | None:
    """Images and papers of each label; a label is rare below a fifth of the images."""
    images = Counter(subject.labels.values())
    papers: dict[str, set[str]] = defaultdict(set)
    labels_of: dict[str, set[str]] = defaultdict(set)
    for image, label in subject.labels.items():
        papers[label].add(subject.groups[image])
        labels_of[subject.groups[image]].add(label)
    total = len(subject.labels)
    items: tuple[Item, ...] = tuple(
        {
            "label": label,
            "images": images[label],
            "share": round(images[label] / total, 4),
            "papers": len(papers[label]),
            "rare": images[label] < RARE * total,
        }
        for label in subject.task.labels
        if images[label]
    )
    rare = [i for i in items if i["rare"]]
    pure = sum(len(found) == 1 for found in labels_of.values())
    words = ", ".join(f"{i['label']} {i['images']} ({100 * images[i['label']] / total:.1f} %)" for i in items)
    return Found(
        Severity.WARNING if rare else Severity.NOTE,
        items,
        f"{words}; {pure} of {len(labels_of)} papers hold one label alone.",
        count=len(rare),
    )


DETECTOR = Detector(
    name="class-imbalance",
    fix="Report AUROC and balanced accuracy beside accuracy, and label more papers of the rare label.",
    find=find,
    needs=frozenset((Need.LABELS,)),
)
