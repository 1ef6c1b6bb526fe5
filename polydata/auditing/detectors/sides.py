"""What must not stand on both sides of a split: one picture or place, a paper, a figure, a paper under several ids."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations, islice, pairwise, product
from typing import Any

from polydata.auditing.subject import Detection, Item, Need, Severity, Subject, counted, detector
from polydata.catalogue.resolution import distinct_command
from polydata.images.copies import Copy
from polydata.splits.evidence import families, leak, thin_sides, thin_words

SHOWN = 3
MOST_PAIRED = 12
"""Of so many images under one perceptual hash each is paired with each."""
KEEP_WHOLE = "Build a split that keeps papers whole: polydata build-split NAME."


@detector("shared-paper", KEEP_WHOLE, Need.SPLIT)
def shared_paper(subject: Subject) -> Detection:
    """Held-out images that share a paper with the training side."""
    return _shared(subject, "shared-paper", "a paper")


@detector("shared-figure", KEEP_WHOLE, Need.SPLIT)
def shared_figure(subject: Subject) -> Detection:
    """Held-out images that share a figure with the training side."""
    return _shared(subject, "shared-figure", "a figure")


@detector(
    "thin-side",
    "Label images of more papers of the missing label, or take another seed, fewer folds or a larger test fraction.",
    Need.SPLIT,
)
def thin_side(subject: Subject) -> Detection:
    """Sides that lack a label or hold one paper alone, so that figures of them say little."""
    items = thin_sides(subject.folds, set(subject.labels.values()))
    words = "; ".join(thin_words(one) for one in items[:SHOWN]) + ("; and more" if len(items) > SHOWN else "")
    severity = Severity.ERROR if len(subject.folds) == 1 else Severity.WARNING
    return Detection(severity, items, f"{words[:1].upper()}{words[1:]}.")


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
    names = {facts["paper_id"]: facts["paper"] for facts in evidence.facts.values()}
    items = [
        {
            "papers": group,
            "names": sorted(str(names.get(p, p)) for p in group),
            "images": sum(images[p] for p in group),
            "by": sorted(key for key, papers in shared.items() if papers[0] in group),
        }
        for group in families({p for papers in shared.values() for p in papers}, shared.values())
    ]
    return Detection(Severity.WARNING, items, f"{counted(len(items), 'paper')} known under several ids.")


@detector("near-duplicate", "Keep one image of each pair; until then build-split keeps both on one side.")
def near_duplicate(subject: Subject) -> Detection:
    """Pictures that are there twice: the same bytes, encoded anew, scaled, cropped, turned or mirrored."""
    items = [
        {**_pair(subject, image, image, "same bytes"), "papers": list(papers)} for image, papers in subject.repeated
    ]
    hashed = {(a, b): f"hashes {bits} bits apart" for a, b, bits in _near_hashes(subject)}
    copies = {(c.a, c.b): c for c in subject.evidence.copies if c.match.is_copy or (c.a, c.b) in hashed}
    for pair in sorted({*hashed, *copies}):
        if pair in copies:
            items.append(_copy(subject, copies[pair], hashed.get(pair)))
        else:
            items.append(_pair(subject, *pair, hashed[pair]))
    by = "" if subject.evidence.looked_for_copies else ", by hashes alone (crops were not looked for)"
    return _pairs(subject, items, f"are one picture, or nearly so{by}")


@detector("same-view", "Count both as one observation; build-split keeps them on one side.", Need.COPIES)
def same_view(subject: Subject) -> Detection:
    """Pictures of one place of a sample that were taken separately, such as at another magnification."""
    hashed = {(a, b) for a, b, _ in _near_hashes(subject)}
    views = [c for c in subject.evidence.copies if not c.match.is_copy and (c.a, c.b) not in hashed]
    return _pairs(subject, [_copy(subject, c) for c in views], "show one place of a sample")


def _near_hashes(subject: Subject) -> Iterator[tuple[str, str, int]]:
    """Images a < b whose perceptual hashes are the same or near, and by how many bits they differ.

    Of more than ``MOST_PAIRED`` images under one hash each is paired with the next alone, the first with those of near
    hashes: those of one label stand together and those without one last, so that different labels meet all the same.
    """
    under: dict[str, list[str]] = defaultdict(list)
    for image in sorted(
        subject.images, key=lambda image: (image not in subject.labels, subject.labels.get(image), image)
    ):
        under[subject.evidence.phash[image]].append(image)
    for images in under.values():
        some = combinations(images, 2) if len(images) <= MOST_PAIRED else pairwise(images)
        yield from ((min(pair), max(pair), 0) for pair in {*some, *_differing(subject, images)})
    for one, others in subject.evidence.near.items():
        for other in others:
            if one < other:
                bits = (int(one, 16) ^ int(other, 16)).bit_count()
                these = (under[h] if len(under[h]) <= MOST_PAIRED else under[h][:1] for h in (one, other))
                yield from ((min(pair), max(pair), bits) for pair in product(*these))


def _differing(subject: Subject, images: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The first two images of different labels, as those say whom nobody called two pictures; none where all agree."""
    pairs = (pair for pair in combinations(images, 2) if pair not in subject.distinct)
    labels = subject.labels
    yield from islice(((a, b) for a, b in pairs if labels.get(a) and labels.get(b) not in (None, labels[a])), 1)


def _pair(subject: Subject, a: str, b: str, by: str) -> dict[str, Any]:
    """Both images named, how they were found, in which partitions they are torn apart, and whether they are two."""
    found = {"by": by, "crosses_folds": subject.crossed(a, b), "distinct": (a, b) in subject.distinct}
    return {**subject.named(a, "a_"), **subject.named(b, "b_"), **found}


def _copy(subject: Subject, copy: Copy, also_by: str | None = None) -> dict[str, Any]:
    """A pair that was found by keypoints."""
    match = copy.match
    return {
        **_pair(subject, copy.a, copy.b, ", ".join(filter(None, (also_by, f"{match.inliers} keypoints")))),
        "agreement": round(match.agreement, 3),
        "overlap": round(match.overlap, 3),
        "scale": round(match.scale, 3),
        "mirrored": match.mirrored,
    }


def _pairs(subject: Subject, items: Sequence[Item], what: str) -> Detection:
    """An error where a pair is torn apart by a split or bears different labels; such pairs come first.

    A pair that somebody looked at and calls two pictures may bear two labels, but not stand on two sides.
    """
    found, items = items, [i for i in items if i["crosses_folds"] or not i["distinct"]]
    looked_at = f"; {len(found) - len(items)} others were looked at: they differ" if len(found) > len(items) else ""
    crossing = sum(bool(i["crosses_folds"]) for i in items)
    differing = [i for i in items if _differs(i)]
    return Detection(
        Severity.ERROR if crossing or differing else Severity.WARNING,
        sorted(items, key=lambda item: not (item["crosses_folds"] or _differs(item))),
        f"{counted(len(items), 'pair')} of images {what}; {crossing} on different sides, "
        f"{len(differing)} with different labels{looked_at}.",
        fix=_one_label(subject, differing[0]) if differing else None,
    )


def _differs(pair: Item) -> bool:
    labels = pair["a_label"], pair["b_label"]
    return labels[0] != labels[1] and None not in labels and not pair["distinct"]


def _one_label(subject: Subject, pair: Item) -> str:
    """What to do about a pair that is labelled in two ways, in the words of the first one that is."""
    a, b = pair["a_image"][:12], pair["b_image"][:12]
    return (
        f"Look at both. If they are one, give both one label: polydata label set {b} {pair['a_label']} --reason WHY; "
        f"where nobody can tell which, both {subject.task.unsure}, which leaves them out. If both labels are right, as "
        f"of frames of a series: {distinct_command(a, b)}. Then build the split anew."
    )
