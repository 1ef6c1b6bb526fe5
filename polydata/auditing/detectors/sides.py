"""What stands on both sides of a split: papers, figures, and papers that are one under several ids."""

from __future__ import annotations

from collections import Counter, defaultdict

from scipy.cluster.hierarchy import DisjointSet

from polydata.auditing.subject import Detection, Need, Severity, Subject, counted, detector
from polydata.splits.leaks import leak

KEEP_WHOLE = "Build a split that keeps papers whole: polydata build-split NAME."


@detector("shared-paper", KEEP_WHOLE, Need.SPLIT)
def shared_paper(subject: Subject) -> Detection:
    """Held-out images that share a paper with the training side."""
    return _shared(subject, "shared-paper", "a paper")


@detector("shared-figure", KEEP_WHOLE, Need.SPLIT)
def shared_figure(subject: Subject) -> Detection:
    """Held-out images that share a figure with the training side."""
    return _shared(subject, "shared-figure", "a figure")


def _shared(subject: Subject, kind: str, what: str) -> Detection:
    found = leak(kind, subject.folds, subject.evidence)
    file = {image: facts["file_name"] for image, facts in subject.evidence.facts.items()}
    items = [{**pair, "test_file": file[pair["test"]], "train_file": file[pair["train"]]} for pair in found.items]
    held_out = sum(len(sides.test) + len(sides.val) for sides in subject.folds)
    return Detection(Severity.ERROR, items, f"{found.count} of {held_out} held-out images share {what} with training.")


@detector(
    "same-citation",
    "Nothing if you build splits here: build-split keeps such papers together. Elsewhere, merge the ids.",
)
def same_citation(subject: Subject) -> Detection:
    """Papers that are known under several ids, by a DOI, citation or supplement they share."""
    evidence = subject.evidence
    images = Counter(paper for papers in evidence.papers.values() for paper in papers)
    papers_of: dict[str, list[str]] = defaultdict(list)
    for paper in sorted(images):
        for key in evidence.references.get(paper, ()):
            papers_of[key].append(paper)
    shared = {key: papers for key, papers in papers_of.items() if len(papers) > 1}
    sets = DisjointSet(sorted({p for papers in shared.values() for p in papers}))
    for first, *others in shared.values():
        for other in others:
            sets.merge(first, other)
    names = {facts["paper_id"]: facts["paper"] for facts in evidence.facts.values()}
    items = [
        {
            "papers": sorted(group),
            "names": sorted(str(names.get(p, p)) for p in group),
            "images": sum(images[p] for p in group),
            "by": sorted(key for key, papers in shared.items() if papers[0] in group),
        }
        for group in sorted(sets.subsets(), key=min)
    ]
    return Detection(Severity.WARNING, items, f"{counted(len(items), 'paper')} known under several ids.")
