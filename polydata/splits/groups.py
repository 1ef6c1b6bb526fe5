"""What may not be torn apart: images of one paper, and of papers that are one or share a picture."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scipy.cluster.hierarchy import DisjointSet

from polydata.splits.evidence import Evidence

GROUP_BY = ("paper", "doi", "citation", "supplement", "picture")
"""What keeps images together, as it stands in the recipe of a split."""


@dataclass(frozen=True)
class Groups:
    """Images put together.

    Attributes:
        of_image: name of each image's group: the smallest id of its papers.
        merged: papers that stand in one group, each with the reasons: ``{"papers": [...], "by": [...]}``.
    """

    of_image: Mapping[str, str]
    merged: tuple[Mapping[str, Any], ...]


def group_images(evidence: Evidence) -> Groups:
    """Put images together that share a paper, a DOI, a citation or a picture, and all that follows from it.

    The order in which images or papers come has no influence.
    """
    bonds = _bonds(evidence)
    sets = DisjointSet(sorted({p for papers in evidence.papers.values() for p in papers}))
    for papers in bonds.values():
        for other in papers[1:]:
            sets.merge(papers[0], other)
    name = {paper: min(subset) for subset in sets.subsets() for paper in subset}
    reasons: dict[str, set[str]] = defaultdict(set)
    members: dict[str, set[str]] = defaultdict(set)
    for bond, papers in bonds.items():
        reasons[name[papers[0]]].add(bond)
    for paper, group in name.items():
        members[group].add(paper)
    return Groups(
        of_image={image: name[papers[0]] for image, papers in evidence.papers.items()},
        merged=tuple(
            {"papers": sorted(members[group]), "by": sorted(reasons[group])}
            for group in sorted(members)
            if len(members[group]) > 1
        ),
    )


def _bonds(evidence: Evidence) -> dict[str, Sequence[str]]:
    """What ties papers together: a reference key or a picture, and the sorted papers (at least two) that share it."""
    shared: dict[str, set[str]] = defaultdict(set)
    for paper in {p for papers in evidence.papers.values() for p in papers}:
        for key in evidence.references.get(paper, ()):
            shared[key].add(paper)
    by_hash: dict[str, set[str]] = defaultdict(set)
    for image, papers in evidence.papers.items():
        by_hash[evidence.phash[image]].update(papers)
        if len(papers) > 1:
            shared[f"picture:{image}"].update(papers)
    for phash, papers_of in by_hash.items():
        if len(papers_of) > 1:
            shared[f"picture:{phash}"].update(papers_of)
        for other in evidence.near.get(phash, ()):
            shared[f"picture:{min(phash, other)}~{max(phash, other)}"].update(papers_of | by_hash[other])
    for copy in evidence.copies:
        shared[f"picture:{copy.a}~{copy.b}"].update((*evidence.papers[copy.a], *evidence.papers[copy.b]))
    return {bond: sorted(papers) for bond, papers in sorted(shared.items()) if len(papers) > 1}
