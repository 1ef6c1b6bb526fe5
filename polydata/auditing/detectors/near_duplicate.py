"""Pictures that are there twice: the same bytes, encoded anew, scaled, cropped, turned or mirrored."""

from __future__ import annotations

from polydata.auditing.pairs import copy_item, pair_item, pairs_found, same_hash_pairs
from polydata.auditing.subject import Detector, Found, Subject


def find(subject: Subject) -> Found | None:
    """Pairs of images that are one picture, by their bytes, perceptual hashes or keypoints."""
    items = [
        {**pair_item(subject, image, image, "same bytes"), "papers": list(papers)} for image, papers in subject.repeated
    ]
    hashed = {(a, b): bits for a, b, bits in same_hash_pairs(subject)}
    copies = {(c.a, c.b): c for c in subject.evidence.copies if c.match.is_copy or (c.a, c.b) in hashed}
    for a, b in sorted({*hashed, *copies}):
        by_hash = f"hashes {hashed[a, b]} bits apart" if (a, b) in hashed else ""
        if (a, b) not in copies:
            items.append(pair_item(subject, a, b, by_hash))
            continue
        item = copy_item(subject, copies[a, b])
        items.append({**item, "by": ", ".join(filter(None, (by_hash, item["by"])))})
    by = "" if subject.evidence.looked_for_copies else ", by hashes alone (crops were not looked for)"
    return pairs_found(items, f"are one picture{by}")


DETECTOR = Detector(
    name="near-duplicate",
    fix="Keep one image of each pair; until then build-split keeps both on one side.",
    find=find,
)
