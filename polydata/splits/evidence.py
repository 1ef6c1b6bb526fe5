"""What tells whether images belong together: papers, figures, references and pictures; and where a split leaks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, TypeVar

from polydata.catalogue.connect import Catalogue
from polydata.catalogue.metadata import supplements
from polydata.catalogue.splits import image_places, paper_references, polymers_of, shown_images
from polydata.errors import InputError
from polydata.images.copies import Copy, find_copies
from polydata.images.hashes import near_hashes
from polydata.images.picture import ImageStore
from polydata.splits.manifest import Item, Sides
from polydata.text.composition import parse_composition
from polydata.text.polymers import normal_form
from polydata.text.reference import reference_keys
from polydata.types import Progress, quiet

T = TypeVar("T", int, str)
GROUP_BY = ("paper", "doi", "citation", "supplement", "picture")
"""What keeps images together, as it stands in the recipe of a split."""


@dataclass(frozen=True, repr=False)
class Evidence:
    """What is known of some images that tells whether they belong together.

    Attributes:
        papers: papers that show an image, by its hash; at least one each, sorted.
        figures: figures that show an image, likewise.
        references: what names a paper (``doi:…``, ``citation:…``, ``supplement of:…``), by its id; may be empty.
        phash: perceptual hash of each image.
        facts: the row of ``catalogue.splits.shown_images`` of each image.
        copies: images that show the same place by their keypoints (``images.copies``).
        looked_for_copies: whether that was looked at.
        ties: what else keeps papers together that show an image, such as ``blend:PA6/PP``, by its hash.
    """

    papers: Mapping[str, tuple[str, ...]]
    figures: Mapping[str, tuple[str, ...]]
    references: Mapping[str, frozenset[str]]
    phash: Mapping[str, str]
    facts: Mapping[str, Mapping[str, Any]]
    copies: tuple[Copy, ...] = ()
    looked_for_copies: bool = False
    ties: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @cached_property
    def near(self) -> Mapping[str, tuple[str, ...]]:
        """For each perceptual hash all other hashes of these images that mean the same picture."""
        return _partners(near_hashes(self.phash.values()))

    @cached_property
    def copied(self) -> Mapping[str, tuple[str, ...]]:
        """For each image all others that show the same place by their keypoints."""
        return _partners((copy.a, copy.b) for copy in self.copies)


def _partners(pairs: Iterable[tuple[str, str]]) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, list[str]] = defaultdict(list)
    for a, b in pairs:
        found[a].append(b)
        found[b].append(a)
    return {one: tuple(others) for one, others in found.items()}


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
    for own, main in supplements(catalogue).items():
        for paper in (own, main):
            references[paper] |= {f"supplement of:{main}"}
    return Evidence(
        papers={image: tuple(sorted(found)) for image, found in papers.items()},
        figures={image: tuple(sorted(found)) for image, found in figures.items()},
        references=dict(references),
        phash={image: str(row["phash"]) for image, row in facts.items()},
        facts=facts,
    )


def with_copies(evidence: Evidence, store: ImageStore, progress: Progress = quiet) -> Evidence:
    """The same with copies looked for by keypoints, which reads every image once.

    The answer for a set of images is kept in ``store/copies``; delete that folder whenever you like.

    Raises:
        InputError: if an image is missing or cannot be read.
    """
    pictures = {image: store.path(image, facts["format"]) for image, facts in evidence.facts.items()}
    return replace(evidence, copies=find_copies(pictures, store.root / "copies", progress), looked_for_copies=True)


def with_ties(evidence: Evidence, catalogue: Catalogue, group_by: str) -> Evidence:
    """The same with what keeps papers together beside what tells that they are one.

    Args:
        evidence: of the images.
        catalogue: that knows them.
        group_by: a key of ``TIES``.

    Raises:
        InputError: if nothing of the kind is told of any image.
    """
    ties = TIES[group_by](evidence, catalogue)
    if group_by != "paper" and not ties:
        raise InputError(
            f"Of no image a {group_by} is told, so papers cannot be kept together by it.",
            "Join records that tell it, or leave --group-by out.",
        )
    return replace(evidence, ties=ties)


def _blends(evidence: Evidence, catalogue: Catalogue) -> dict[str, frozenset[str]]:
    """The first two polymers of each blend that an image shows, in the order of their names; none of unknown names."""
    named: dict[str, list[Sequence[str]]] = defaultdict(list)
    for image, words in polymers_of(catalogue, sorted(evidence.facts)):
        named[image].append(words.split(";"))
    for image in evidence.facts.keys() - named.keys():  # of an import nobody has read the caption
        composition = parse_composition(evidence.facts[image]["caption"])
        named[image].append(composition.components if composition else ())
    found: dict[str, frozenset[str]] = defaultdict(frozenset)
    for image, blends in named.items():
        for names in blends:
            known = list(dict.fromkeys(filter(None, map(normal_form, names))))
            if len(known) > 1:
                found[image] |= {f"blend:{'/'.join(sorted(known[:2]))}"}
    return dict(found)


def _of_fact(name: str) -> Callable[[Evidence, Catalogue], dict[str, frozenset[str]]]:
    return lambda evidence, _: {
        image: frozenset([f"{name}:{facts[name]}"]) for image, facts in evidence.facts.items() if facts[name]
    }


TIES: Mapping[str, Callable[[Evidence, Catalogue], dict[str, frozenset[str]]]] = {
    "paper": lambda *_: {},
    "blend": _blends,
    "journal": _of_fact("journal"),
    "year": _of_fact("year"),
}
"""What keeps images together beside their papers, by its name."""


@dataclass(frozen=True)
class Groups:
    """Images put together.

    Attributes:
        of_image: name of each image's group: the smallest id of its papers.
        merged: papers that stand in one group, each with the reasons: ``{"papers": [...], "by": [...]}``.
    """

    of_image: Mapping[str, str]
    merged: tuple[Mapping[str, Any], ...]


def families(members: Iterable[T], bonds: Iterable[Sequence[T]]) -> list[list[T]]:
    """Members put together that a bond ties, and all that follows from it: each family sorted, by its first."""
    from scipy.cluster.hierarchy import DisjointSet  # not at the start of each command that knows splits

    sets = DisjointSet(members)
    for first, *others in bonds:
        for other in others:
            sets.merge(first, other)
    return sorted(sorted(family) for family in sets.subsets())


def group_images(evidence: Evidence) -> Groups:
    """Put images together that share a paper, a DOI, a citation or a picture, and all that follows from it.

    The order in which images or papers come has no influence.
    """
    bonds = _bonds(evidence)
    groups = families({p for papers in evidence.papers.values() for p in papers}, bonds.values())
    name = {paper: papers[0] for papers in groups for paper in papers}
    reasons: dict[str, list[str]] = defaultdict(list)
    for bond, papers in bonds.items():
        reasons[name[papers[0]]].append(bond)
    return Groups(
        of_image={image: name[papers[0]] for image, papers in evidence.papers.items()},
        merged=tuple({"papers": papers, "by": reasons[papers[0]]} for papers in groups if len(papers) > 1),
    )


def _bonds(evidence: Evidence) -> dict[str, Sequence[str]]:
    """What ties papers together, sorted: a reference key or a picture, and the papers (at least two) that share it."""
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
    for image, ties in evidence.ties.items():
        for tie in ties:
            shared[tie].update(evidence.papers[image])
    for copy in evidence.copies:
        shared[f"picture:{copy.a}~{copy.b}"].update((*evidence.papers[copy.a], *evidence.papers[copy.b]))
    return {bond: sorted(papers) for bond, papers in sorted(shared.items()) if len(papers) > 1}


@dataclass(frozen=True)
class Leak:
    """What one kind of leak found.

    Attributes:
        detector: its name.
        count: how many held-out images (in all partitions) share something with what is trained on.
        items: one such image each: ``fold``, ``side`` (where it is ``val``), ``test`` and ``train`` (hashes of a pair),
            ``shared`` (what they share).
    """

    detector: str
    count: int
    items: tuple[Mapping[str, Any], ...]

    def describe(self, shown: int = 3) -> str:
        """One line for a person, with the first pairs."""
        pairs = "; ".join(
            f"{i['test'][:12]} ({i.get('side', 'test')}) and {i['train'][:12]} (train): {i['shared']}"
            for i in self.items[:shown]
        )
        more = f"; and {self.count - shown} more" if self.count > shown else ""
        partitions = len({i["fold"] for i in self.items})
        where = f" in {partitions} partitions" if partitions > 1 else ""
        return f"{self.detector}: {self.count} held-out images{where}: {pairs}{more}"


def _references(evidence: Evidence, item: Item) -> Iterable[str]:
    return sorted(key for paper in evidence.papers[item.image_sha256] for key in evidence.references.get(paper, ()))


def _like_pictures(evidence: Evidence, item: Item) -> Iterable[str]:
    own = evidence.phash[item.image_sha256]
    return (own, *evidence.near.get(own, ()), *evidence.copied.get(item.image_sha256, ()))


Keys = Callable[[Evidence, Item], Iterable[str]]
LEAKS: Mapping[str, tuple[Keys, Keys]] = {
    "shared-group": (lambda _, item: (item.group,),) * 2,
    "shared-paper": (lambda evidence, item: evidence.papers[item.image_sha256],) * 2,
    "shared-figure": (lambda evidence, item: evidence.figures[item.image_sha256],) * 2,
    "same-citation": (_references, _references),
    "near-duplicate": (lambda evidence, item: (evidence.phash[item.image_sha256], item.image_sha256), _like_pictures),
}
"""What a training image has, and what of it a held-out image must not meet."""


def thin_sides(folds: Sequence[Sides], labels: Collection[str]) -> tuple[dict[str, Any], ...]:
    """Sides of which a figure says little: one label is missing there, or all images are of one group.

    Where every test side is of one group, as where one paper is left out at a time, the test sides are looked at as
    one, for so they are scored.

    Args:
        labels: of the split.

    Returns:
        For each ``fold`` (0 for all together), ``side``, ``images``, ``groups`` and ``missing`` labels.
    """
    singles = len(folds) > 1 and all(len({item.group for item in sides.test}) == 1 for sides in folds)
    looked = [(number, side, items) for number, sides in enumerate(folds, start=1)
              for side, items in sides.named().items() if not (singles and side == "test")]  # fmt: skip
    if singles:
        looked.append((0, "test", [item for sides in folds for item in sides.test]))
    found = []
    for number, side, items in looked:
        missing = sorted(set(labels) - {item.label for item in items})
        groups = len({item.group for item in items})
        if missing or groups < 2:
            found.append({"fold": number, "side": side, "images": len(items), "groups": groups, "missing": missing})
    return tuple(found)


def thin_words(thin: Mapping[str, Any], spoken: Callable[[str], str] = str) -> str:
    """One of ``thin_sides`` in words.

    Args:
        spoken: how a label is said.
    """
    side = {"train": "training", "val": "validation", "test": "test"}[thin["side"]]
    where = f"the {side} side of partition {thin['fold']}" if thin["fold"] else f"all {side} sides together"
    faults = [f"no image labelled {' or '.join(map(spoken, thin['missing']))}"] if thin["missing"] else []
    faults += ["one paper alone"] if thin["groups"] < 2 else []
    return f"{where} ({thin['images']} images) holds {' and '.join(faults)}"


def find_leaks(folds: Sequence[Sides], evidence: Evidence) -> tuple[Leak, ...]:
    """Look for what partitions share between their sides; empty for a clean split.

    Every kind looks at every partition; a held-out image counts once for each partition it leaks in.
    """
    found = (leak(name, folds, evidence) for name in LEAKS)
    return tuple(one for one in found if one.count)


def leak(name: str, folds: Sequence[Sides], evidence: Evidence) -> Leak:
    """Look for one kind of leak.

    Args:
        name: one of ``LEAKS``.
    """
    items = tuple(
        {"fold": number, **pair}
        for number, sides in enumerate(folds, start=1)
        for pair in _crossing(sides, evidence, *LEAKS[name])
    )
    return Leak(name, len(items), items)


def _crossing(sides: Sides, evidence: Evidence, has: Keys, meets: Keys) -> Iterator[dict[str, str]]:
    """For each held-out image that meets what a training image has the first such pair, by hash."""
    for side, held_out, trained in (("test", sides.test, sides.trained), ("val", sides.val, sides.train)):
        first: dict[str, str] = {}
        for item in sorted(trained if held_out else (), key=lambda i: i.image_sha256):
            for key in has(evidence, item):
                first.setdefault(key, item.image_sha256)
        for item in sorted(held_out, key=lambda i: i.image_sha256):
            shared = next((key for key in meets(evidence, item) if key in first), None)
            if shared is not None:
                pair = {"test": item.image_sha256, "train": first[shared], "shared": shared}
                yield pair if side == "test" else {"side": side, **pair}
