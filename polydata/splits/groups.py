"""What may not be torn apart: images of one paper, and of papers that are one or share a picture."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from scipy.cluster.hierarchy import DisjointSet

from polydata.catalogue.connect import Catalogue
from polydata.catalogue.metadata import supplements
from polydata.catalogue.splits import image_places, paper_references, shown_images
from polydata.doi import find_doi
from polydata.errors import InputError
from polydata.splits.pictures import near_hashes

GROUP_BY = ("paper", "doi", "citation", "supplement", "picture")
"""What keeps images together, as it stands in the recipe of a split."""

_SMALL_WORDS = frozenset(("of", "the", "and", "for", "in", "on", "a", "an", "de", "der", "die", "und", "fur"))


@dataclass(frozen=True)
class Evidence:
    """What is known of some images that tells whether they belong together.

    Attributes:
        papers: papers that show an image, by its hash; at least one each, sorted.
        figures: figures that show an image, likewise.
        references: what names a paper (``doi:…``, ``citation:…``, ``supplement of:…``), by its id; may be empty.
        phash: perceptual hash of each image.
        facts: the row of ``catalogue.splits.shown_images`` of each image.
    """

    papers: Mapping[str, tuple[str, ...]]
    figures: Mapping[str, tuple[str, ...]]
    references: Mapping[str, frozenset[str]]
    phash: Mapping[str, str]
    facts: Mapping[str, Mapping[str, Any]]

    @cached_property
    def near(self) -> Mapping[str, tuple[str, ...]]:
        """For each perceptual hash all other hashes of these images that mean the same picture."""
        found: dict[str, list[str]] = defaultdict(list)
        for one, other in near_hashes(self.phash.values()):
            found[one].append(other)
            found[other].append(one)
        return {k: tuple(v) for k, v in found.items()}


@dataclass(frozen=True)
class Groups:
    """Images put together.

    Attributes:
        of_image: name of each image's group: the smallest id of its papers.
        merged: papers that stand in one group, each with the reasons: ``{"papers": [...], "by": [...]}``.
    """

    of_image: Mapping[str, str]
    merged: tuple[Mapping[str, Any], ...]


def doi_key(text: str | None) -> str | None:
    """``doi:`` and the first DOI of a text as ``polydata.doi`` reads it; None where there is none."""
    doi = find_doi(text)
    return f"doi:{doi}" if doi else None


def citation_key(journal: str | None, volume: str | None, pages: str | None, year: int | None) -> str | None:
    """A key that two references share only if they are one paper; None where a part is missing.

    Journal by the first letters of its words (``J. Appl. Polym. Sci.`` and the full name agree), volume,
    first page or article number, and year.
    """
    letters = "".join(w[0] for w in re.findall(r"[^\W\d_]+", _plain(journal)) if w not in _SMALL_WORDS)
    number = "".join(re.findall(r"[^\W_]+", _plain(volume)))
    page = re.match(r"(?:pp?\.?\s*)?([a-z]?\d+)", _plain(pages))
    if not (letters and number and page and year):
        return None
    return f"citation:{letters}|{number}|{page[1]}|{year}"


def text_key(citation: str | None) -> str | None:
    """The letters and digits of a reference given as a text, where it holds at least volume, page and year."""
    plain = _plain(citation)
    numbers = re.findall(r"\d+", plain)
    if len(numbers) < 3 or not any(re.fullmatch(r"(1[89]|20)\d\d", n) for n in numbers):
        return None
    return "citation:" + "".join(re.findall(r"[^\W_]+", plain))


def _plain(text: str | None) -> str:
    folded = unicodedata.normalize("NFKD", (text or "")[:2000])
    return "".join(c for c in folded if not unicodedata.combining(c)).casefold().strip()


def reference_keys(row: Mapping[str, Any]) -> frozenset[str]:
    """All keys of one row of ``catalogue.splits.paper_references``."""
    keys = (
        doi_key(row["doi"]),
        doi_key(row["citation"]),
        text_key(row["citation"]),
        citation_key(row["journal"], row["volume"], row["pages"], row["year"]),
    )
    return frozenset(k for k in keys if k)


def read_evidence(catalogue: Catalogue, images: Iterable[str], source: str | None = None) -> Evidence:
    """Read from the catalogue what is known of images.

    Args:
        source: look only at papers of this source (``papers.source``), whatever else shows the images.

    Raises:
        InputError: if the catalogue holds no panel that shows one of them.
    """
    wanted = sorted(set(images))
    facts = {row["image_sha256"]: row for row in shown_images(catalogue, wanted, source)}
    missing = [image for image in wanted if image not in facts]
    if missing:
        raise InputError(
            f"{len(missing)} images of the split are not shown by any panel of the catalogue, first {missing[0]}.",
            "Extract or import what shows them, then build the split again.",
        )
    papers: dict[str, set[str]] = defaultdict(set)
    figures: dict[str, set[str]] = defaultdict(set)
    for image, figure, paper in image_places(catalogue, wanted, source):
        papers[image].add(paper)
        figures[image].add(figure)
    references: dict[str, frozenset[str]] = defaultdict(frozenset)
    for row in paper_references(catalogue, sorted({p for found in papers.values() for p in found})):
        references[row["paper_id"]] |= reference_keys(row)
    for own, (main, _) in supplements(catalogue).items():
        for paper in (own, main):
            references[paper] |= {f"supplement of:{main}"}
    return Evidence(
        papers={image: tuple(sorted(found)) for image, found in papers.items()},
        figures={image: tuple(sorted(found)) for image, found in figures.items()},
        references=dict(references),
        phash={image: str(row["phash"]) for image, row in facts.items()},
        facts=facts,
    )


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
        shared[f"picture:{image}"].update(papers)
    for phash, papers_of in by_hash.items():
        shared[f"picture:{phash}"].update(papers_of)
        for other in evidence.near.get(phash, ()):
            shared[f"picture:{min(phash, other)}~{max(phash, other)}"].update(papers_of | by_hash[other])
    return {bond: sorted(papers) for bond, papers in sorted(shared.items()) if len(papers) > 1}
