"""Papers that are known under several ids, by a DOI, citation or supplement they share."""

from __future__ import annotations

from collections import defaultdict

from scipy.cluster.hierarchy import DisjointSet

from polydata.auditing.subject import Detector, Found, Severity, Subject, counted


def find(subject: Subject) -> Found | None:
    """Papers that share a reference, put together."""
    evidence = subject.evidence
    papers_of: dict[str, set[str]] = defaultdict(set)
    for papers in evidence.papers.values():
        for paper in papers:
            for key in evidence.references.get(paper, ()):
                papers_of[key].add(paper)
    shared = {key: sorted(papers) for key, papers in papers_of.items() if len(papers) > 1}
    if not shared:
        return None
    sets = DisjointSet(sorted({p for papers in shared.values() for p in papers}))
    for first, *others in shared.values():
        for other in others:
            sets.merge(first, other)
    names = {facts["paper_id"]: facts["paper"] for facts in evidence.facts.values()}
    images: dict[str, int] = defaultdict(int)
    for papers in evidence.papers.values():
        for paper in papers:
            images[paper] += 1
    items = tuple(
        {
            "papers": sorted(group),
            "names": sorted(str(names.get(p, p)) for p in group),
            "images": sum(images[p] for p in group),
            "by": sorted(key for key, papers in shared.items() if papers[0] in group),
        }
        for group in sorted(sets.subsets(), key=min)
    )
    return Found(Severity.WARNING, items, f"{counted(len(items), 'paper')} known under several ids.")


DETECTOR = Detector(
    name="same-citation",
    fix="Nothing if you build splits here: build-split keeps such papers together. Elsewhere, merge the ids.",
    find=find,
)
