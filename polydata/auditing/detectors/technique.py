"""Micrographs of another technique than most."""

from __future__ import annotations

from collections import Counter

from polydata.auditing.subject import Detector, Found, Severity, Subject, counted


def find(subject: Subject) -> Found | None:
    """Images whose caption names another technique than most captions do."""
    facts = subject.evidence.facts
    said = Counter(facts[i]["by_caption"] for i in subject.images if facts[i]["by_caption"])
    if len(said) < 2:
        return None
    usual = min(said, key=lambda name: (-said[name], name))
    items = tuple(
        {**subject.named(i), "technique": facts[i]["by_caption"]}
        for i in subject.images
        if usual not in (facts[i]["by_caption"] or usual).split(", ")
    )
    if not items:
        return None
    others = Counter(i["technique"] for i in items)
    words = ", ".join(f"{n} {name}" for name, n in sorted(others.items()))
    silent = len(subject.images) - sum(said.values())
    return Found(
        Severity.WARNING, items,
        f"{counted(len(items), 'image')} not {usual} by caption: {words}; {silent} captions name no technique.",
        fix=f"Leave them out with --where \"technique = '{usual}' or technique is null\", or share them out evenly "
        "with --stratify technique.",
    )  # fmt: skip


DETECTOR = Detector(
    name="technique",
    fix="Leave the others out with --where, or share them out evenly with --stratify technique.",
    find=find,
    alone=True,
)
