"""Images that look alike and bear different labels: the very pairs that the audit makes an error of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from polydata.catalogue.described import images_to_show
from polydata.catalogue.session import Session
from polydata.errors import InputError
from polydata.labels.conflicts.evidence import Conflict, LabelEvidence, Statement
from polydata.splits.alike import Pair, alike
from polydata.splits.evidence import read_evidence, with_copies
from polydata.splits.options import SplitOptions
from polydata.types import Progress


def same_picture(evidence: LabelEvidence, pairs: Sequence[Pair]) -> Iterator[Conflict]:
    """Kind ``duplicate``: two images that show nearly the same picture, or one place, have different labels.

    Args:
        evidence: of the images.
        pairs: of images that look alike, as the audit finds them too.
    """
    order = {image: number for number, image in enumerate(evidence.pictures)}
    for pair in pairs:
        if not pair.differs(evidence.labels):
            continue
        first, second = sorted((pair.a, pair.b), key=order.__getitem__)
        one, two = evidence.pictures[first], evidence.pictures[second]
        by = [f"{pair.bits} of 64 bits differ"] if pair.bits is not None else []
        by += [f"{pair.copy.match.inliers} keypoints agree"] if pair.copy else []
        what = "one place of a sample" if pair.is_view else "nearly the same picture"
        says = f"{what} ({', '.join(by)}) is {evidence.words(one['label'], two['label'])}"
        said = ((p["source"] or "", p["label"], "", p["file_name"] or p["panel_id"]) for p in (one, two))
        statements = tuple(Statement(*each) for each in said)
        weight = evidence.weight("duplicate", one["label"], two["label"])
        settled = (first, second) in evidence.distinct
        yield Conflict("duplicate", weight, (first, second), says, statements, settled)


def pairs_alike(
    session: Session, evidence: LabelEvidence, crops: bool | None, progress: Progress
) -> tuple[list[Pair], list[str]]:
    """Images that look alike, and why they were looked for by their hashes alone, where an image is lost."""
    seen, problems = read_evidence(session.catalogue, images_to_show(session.catalogue)), []
    if SplitOptions(crops=crops).looks_for_crops(len(seen.phash)):
        try:
            seen = with_copies(seen, session.images, progress)
        except InputError as error:
            problems = [f"crops and copies were not looked for: {error.message}"]
    return alike(seen, evidence.labels, evidence.distinct), problems
