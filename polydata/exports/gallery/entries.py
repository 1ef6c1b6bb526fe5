"""What the gallery shows of each image, as plain values for JSON."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from scipy.cluster.hierarchy import DisjointSet

from polydata.catalogue.connect import Catalogue
from polydata.catalogue.described import described_panels, images_to_show
from polydata.catalogue.splits import splits_of_images
from polydata.images.hashes import near_hashes
from polydata.papers.remove import older_papers
from polydata.splits.manifest import Split

RECORD = {
    "morphology": "Morphology",
    "literature": "Literature",
    "polymers": "Polymers",
    "ratio": "Ratio",
    "blending": "Blending",
    "compatibility": "Record says",
    "reference": "Reference",
}
"""Columns of a record and what they are called on the page."""
MAX_TEXT = 4000
"""Longer texts are cut."""
MAX_TWINS = 50
MAX_PLACES = 20
Row = Mapping[str, Any]


def gallery_entries(catalogue: Catalogue, split: Split | None = None) -> tuple[list[dict[str, Any]], list[Row]]:
    """One entry an image, by paper, page and figure; and the row of its panel, from which pages can be drawn.

    Without a split all images are shown that are labelled or not rejected by the screening. A row says in ``older``
    whether its PDF was changed and read again since; an image is shown by such a reading only if no other shows it.

    Args:
        catalogue: open.
        split: its images with its labels, and the side on which each stands.
    """
    sides, labels = _sides(split) if split else ({}, {})
    older = set(older_papers(catalogue))
    shown: dict[str, list[Row]] = defaultdict(list)
    for row in described_panels(catalogue, list(sides) if split else images_to_show(catalogue)):
        shown[row["image_sha256"]].append(row | {"older": row["paper_id"] in older})
    for rows in shown.values():
        rows.sort(key=lambda row: row["older"])
    order = sorted(shown.values(), key=lambda rows: _place_key(rows[0]))
    entries = [_entry(rows, sides, labels) for rows in order]
    standing = splits_of_images(catalogue)
    for entry in entries:
        entry["splits"] = sorted({*standing.get(entry["sha"], ()), *([split.name] if split else ())})
    return entries, [rows[0] for rows in order]


def _place_key(row: Row) -> tuple[Any, ...]:
    return (row["paper"], row["page"] or 0, row["figure"] or "", row["panel"] or "", row["panel_id"])


def _sides(split: Split) -> tuple[dict[str, str], dict[str, str]]:
    """Side and label of each image; with folds the side is the fold in which it is tested."""
    sides: dict[str, str] = {}
    labels: dict[str, str] = {}
    for fold in split.folds:
        for item in fold.train:
            sides.setdefault(item.image_sha256, "train")
            labels[item.image_sha256] = item.label
        for item in fold.val:
            sides.setdefault(item.image_sha256, "val")
            labels[item.image_sha256] = item.label
        for item in fold.test:
            labels[item.image_sha256] = item.label
            if fold.repeat == 1:
                sides[item.image_sha256] = f"test in fold {fold.number}" if split.has_folds else "test"
    return sides, labels


def _entry(rows: Sequence[Row], sides: Mapping[str, str], labels: Mapping[str, str]) -> dict[str, Any]:
    row, sha256 = rows[0], rows[0]["image_sha256"]
    caption = row["caption"] or row["caption_stem"] or row["figure_caption"]
    whole = row["figure_caption"] if row["figure_caption"] != caption else None
    return {
        "sha": sha256,
        "label": labels.get(sha256, row["label"]),
        "labelSource": row["label_source"],
        "said": list(row["said"] or ()),
        "conflict": bool(row["conflict"]),
        "side": sides.get(sha256, ""),
        "technique": row["technique"],
        "paper": row["paper"],
        "doi": row["doi"],
        "title": row["title"],
        "page": row["page"],
        "figure": row["figure"],
        "panel": row["panel"],
        "caption": _text(caption) or "",
        "record": [["Figure", _text(whole)]] * bool(whole) + _record(row["record"]),
        "scales": [_scale(one, row) for one in row["scales"] or ()],
        "width": row["width"],
        "height": row["height"],
        "places": sorted({_where(other) for other in rows[1:]})[:MAX_PLACES],
        "ids": [other["panel_id"] for other in rows[:MAX_PLACES]],
        "twins": [],
        "family": 0,
    }


def _text(value: object) -> str | None:
    text = " ".join(str(value or "").split())
    return text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 1]}…"


def _record(record: Row | None) -> list[list[str]]:
    return [[name, text] for key, name in RECORD.items() if (text := _text((record or {}).get(key)))]


def _scale(scale: Row, row: Row) -> dict[str, Any]:
    """A scale with the ends and the height of its bar as shares of the image."""
    x0, x1, y = scale["x0"], scale["x1"], scale["y"]
    at = None if None in (x0, x1, y) else [x0 / row["width"], x1 / row["width"], y / row["height"]]
    return {"text": f"{scale['value']:g} {scale['unit']}", "method": scale["method"], "at": at}


def _where(row: Row) -> str:
    page = "" if row["page"] is None else f"p. {row['page']}"
    return ", ".join(part for part in (row["paper"], page, row["figure"], row["panel"]) if part)


def tie_twins(entries: Sequence[dict[str, Any]], rows: Sequence[Row], copies: Iterable[tuple[str, str]]) -> None:
    """Write to each entry the positions of others that show the same, and the first position of its whole family.

    Args:
        entries: changed.
        rows: of the entries' panels.
        copies: SHA-256 of images that show the same place though their hashes differ (crops, turned or touched up).
    """
    by_hash: dict[str, list[int]] = defaultdict(list)
    at = {}
    for position, row in enumerate(rows):
        by_hash[row["phash"]].append(position)
        at[row["image_sha256"]] = position
    families = DisjointSet(range(len(entries)))
    alike: dict[int, set[int]] = defaultdict(set)
    groups = [*by_hash.values(), *(by_hash[a] + by_hash[b] for a, b in near_hashes(by_hash))]
    groups += [[at[a], at[b]] for a, b in copies]
    for group in groups:
        for one in group:
            alike[one] |= set(group) - {one}
            families.merge(group[0], one)
    for position, entry in enumerate(entries):
        entry["twins"] = sorted(alike[position])[:MAX_TWINS]
        entry["family"] = int(min(families.subset(position))) if alike[position] else position
