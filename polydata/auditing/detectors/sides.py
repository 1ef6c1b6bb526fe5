"""What must not stand on both sides of a split: one picture or place, a paper, a figure, a paper under several ids."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from polydata.auditing.subject import Detection, Item, Need, Severity, Subject, counted, detector
from polydata.catalogue.resolution import distinct_command
from polydata.splits.alike import Pair, alike
from polydata.splits.evidence import families, leak, thin_sides, thin_words

SHOWN = 3
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
    words = "; ".join(thin_words(one, subject.spoken) for one in items[:SHOWN]) + (
        "; and more" if len(items) > SHOWN else ""
    )
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
    items += [_alike(subject, pair) for pair in _all(subject) if not pair.is_view]
    by = "" if subject.evidence.looked_for_copies else ", by hashes alone (crops were not looked for)"
    return _pairs(subject, items, f"are one picture, or nearly so{by}")


@detector("same-view", "Count both as one observation; build-split keeps them on one side.", Need.COPIES)
def same_view(subject: Subject) -> Detection:
    """Pictures of one place of a sample that were taken separately, such as at another magnification."""
    items = [_alike(subject, pair) for pair in _all(subject) if pair.is_view]
    return _pairs(subject, items, "show one place of a sample")


def _all(subject: Subject) -> list[Pair]:
    return alike(subject.evidence, subject.labels, subject.distinct)


def _pair(subject: Subject, a: str, b: str, by: str) -> dict[str, Any]:
    """Both images named, how they were found, in which partitions they are torn apart, and whether they are two."""
    found = {"by": by, "crosses_folds": subject.crossed(a, b), "distinct": (a, b) in subject.distinct}
    return {**subject.named(a, "a_"), **subject.named(b, "b_"), **found}


def _alike(subject: Subject, pair: Pair) -> dict[str, Any]:
    """A pair of two images, with how well its keypoints agree where they do."""
    hashed = None if pair.bits is None else f"hashes {pair.bits} bits apart"
    if pair.copy is None:
        return _pair(subject, pair.a, pair.b, hashed or "")
    match = pair.copy.match
    return {
        **_pair(subject, pair.a, pair.b, ", ".join(filter(None, (hashed, f"{match.inliers} keypoints")))),
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
    differing = [i for i in items if differs(i)]
    return Detection(
        Severity.ERROR if crossing or differing else Severity.WARNING,
        sorted(items, key=lambda item: not (item["crosses_folds"] or differs(item))),
        f"{counted(len(items), 'pair')} of images {what}; {crossing} on different sides, "
        f"{len(differing)} with different labels{looked_at}.",
        fix=_one_label(subject, differing[0]) if differing else None,
    )


def differs(pair: Item) -> bool:
    """Whether a pair of images bears two labels although nobody said that they are two pictures; False for no pair."""
    labels = pair.get("a_label"), pair.get("b_label")
    return labels[0] != labels[1] and None not in labels and not pair["distinct"]


def _one_label(subject: Subject, pair: Item) -> str:
    """What to do about a pair that is labelled in two ways, in the words of the first one that is."""
    a, b = pair["a_image"][:12], pair["b_image"][:12]
    return (
        f"Look at both. If they are one, give both one label: polydata label set {b} {pair['a_label']} --reason WHY; "
        f"where nobody can tell which, both {subject.task.unsure}, which leaves them out. If both labels are right, as "
        f"of frames of a series: {distinct_command(a, b)}. Then build the split anew."
    )
