"""Writes the gallery: one page, its scripts, the data in pieces, and small copies of the images as files.

    gallery.json                                      the mark by which the folder is known as a gallery
    index.html gallery.css filter.js gallery.js
    data/entries-0001.js ...      500 images each
    thumbs/ab/SHA256.jpg  views/ab/SHA256.jpg  pages/PAPER-PAGE.jpg

Only cards in sight are in the page, so ten thousand images are no burden. Small copies that are there are kept.
"""

from __future__ import annotations

import json
import os
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from polydata.catalogue.connect import Catalogue
from polydata.catalogue.described import described_panels, images_to_show
from polydata.catalogue.resolution import distinct_command, distinct_images
from polydata.catalogue.session import Session
from polydata.catalogue.splits import splits_of_images
from polydata.errors import InputError, UsageError
from polydata.exports.gallery_pages import add_pages
from polydata.files.atomic import mark_of, replacing, write_text, writing_to
from polydata.images.copies import find_copies
from polydata.images.hashes import near_hashes
from polydata.images.html import bar_shown, small_jpeg, template
from polydata.images.picture import ImageStore, open_picture
from polydata.papers.remove import older_papers
from polydata.resources import TEMPLATES, VERSION
from polydata.splits.evidence import families
from polydata.splits.manifest import Split
from polydata.splits.options import SplitOptions
from polydata.splits.overview import show_split
from polydata.types import Progress, quiet

GALLERY = TEMPLATES / "gallery"
STATIC = ("gallery.css", "filter.js", "gallery.js")
MARK = "gallery.json"
PER_FILE = 500
PIECE = re.compile(r"entries-\d{4,}\.js")
COPIES = {"views": (900, 85), "thumbs": (240, 72)}
"""Folders of small copies, with their longer side in pixels and their JPEG quality."""
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


@dataclass(frozen=True)
class Gallery:
    """What was written.

    Attributes:
        index: the page to open.
        images: how many there are.
        pages: how many of them can be seen on their PDF page.
        near_duplicates: how many look like another one.
        crops: whether they were looked for by keypoints too.
        failures: images and PDFs that could not be opened, each with its reason; the rest is there.
    """

    index: Path
    images: int
    pages: int
    near_duplicates: int
    crops: bool
    failures: tuple[str, ...]


def write_gallery(
    session: Session,
    folder: Path | None = None,
    name: str | None = None,
    *,
    crops: bool | None = None,
    progress: Progress = quiet,
) -> Gallery:
    """Write the gallery of a split, or of all images that are labelled or not rejected by the screening.

    Args:
        folder: new, empty, or of an earlier gallery, of which only what is missing is drawn; ``exports/gallery`` in
            the workspace, of a split ``exports/gallery-NAME``.
        name: of the split.
        crops: whether crops and copies are looked for by keypoints; None as for ``splits.options.SplitOptions``.
        progress: told of long work.

    Raises:
        UsageError: if there is no such split, or nothing to show.
        InputError: if the folder cannot be written.
        RefusedError: if it holds other files, or the split was changed.
    """
    split = show_split(session.workspace, name) if name else None
    folder = folder or session.workspace.exports / (f"gallery-{name}" if name else "gallery")
    entries, rows = gallery_entries(session.catalogue, split)
    if not entries:
        raise UsageError("There is no image to show.", "Extract papers or import a data set first.")
    title, crops = split.name if split else "All images", SplitOptions(crops=crops).looks_for_crops(len(entries))
    with writing_to(folder):
        mark_of(folder, MARK, ("made_by", "title"))
        write_text(folder / MARK, json.dumps({"made_by": f"polydata {VERSION}", "title": title}) + "\n")
        failures = _add_pictures(session.images, folder, entries, rows, progress)
        copies = _copies_of_places(session.images, entries, rows, progress) if crops else ()
        tie_twins(entries, rows, copies, distinct_images(session.catalogue))
        failures += add_pages(session.workspace, folder, entries, rows, progress)
        write_files(folder, entries, title=title, split=split)
    return Gallery(
        index=folder / "index.html",
        images=len(entries),
        pages=sum(entry["pageImage"] is not None for entry in entries),
        near_duplicates=sum(bool(entry["twins"]) for entry in entries),
        crops=crops,
        failures=tuple(failures),
    )


def write_files(folder: Path, entries: Sequence[dict[str, Any]], *, title: str, split: Split | None) -> None:
    """Write the page with its scripts and the data; pieces of an earlier, larger gallery are removed.

    Raises:
        OSError: if the folder cannot be written.
    """
    files = []
    for start in range(0, len(entries), PER_FILE):
        files.append(f"data/entries-{start // PER_FILE + 1:04d}.js")
        write_text(folder / files[-1], data_script(entries[start : start + PER_FILE]))
    for old in (folder / "data").glob("entries-*.js"):
        if PIECE.fullmatch(old.name) and f"data/{old.name}" not in files:
            old.unlink()
    for name in STATIC:
        write_text(folder / name, (GALLERY / name).read_text(encoding="utf-8"))
    page = template("gallery/index.html.j2").render(
        title=title,
        files=files,
        total=len(entries),
        summary=f"digest {split.digest[:16]}" if split else "",
        leak=split.leakage["reason"] if split and split.leakage else None,
    )
    write_text(folder / "index.html", page)


def data_script(entries: Sequence[dict[str, Any]]) -> str:
    """Entries as a script in ASCII in which no text can end the script or a line, whatever it holds."""
    text = json.dumps(entries, ensure_ascii=True, separators=(",", ":"))
    for sign in "<>&":  # within JSON they stand in texts alone
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return f"Gallery.add({text});\n"


def _add_pictures(
    store: ImageStore, folder: Path, entries: Sequence[dict[str, Any]], rows: Sequence[Row], progress: Progress
) -> list[str]:
    """Give each entry its small copies; returns a line for each image that could not be opened."""
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        problems = []
        results = pool.map(lambda row: _copies(store, folder, row), rows)
        for done, (entry, problem) in enumerate(zip(entries, results, strict=True), start=1):
            name = f"{entry['sha'][:2]}/{entry['sha']}.jpg"
            entry |= {"thumb": None if problem else f"thumbs/{name}", "view": None if problem else f"views/{name}"}
            problems += [problem] if problem else []
            progress("Drawing images", done, len(rows))
    return problems


def _copies(store: ImageStore, folder: Path, row: Row) -> str | None:
    """Write what is missing of an image's copies; returns why it cannot be done, None where it was."""
    sha256 = row["image_sha256"]
    name = f"{sha256[:2]}/{sha256}.jpg"
    missing = [kind for kind in COPIES if not (folder / kind / name).exists()]
    if not missing:
        return None
    try:
        picture = open_picture(store.read(sha256, row["format"]))
    except InputError as error:
        return f"{sha256}: {error.message}"
    for kind in missing:  # the larger copy first: the picture shrinks
        jpeg = small_jpeg(picture, *COPIES[kind])
        with replacing(folder / kind / name) as out:
            out.write(jpeg)
    return None


def _copies_of_places(
    store: ImageStore, entries: Sequence[dict[str, Any]], rows: Sequence[Row], progress: Progress
) -> list[tuple[str, str]]:
    """Images that show the same place, as the audit finds and keeps them; what cannot be opened is left out."""
    pictures = {
        row["image_sha256"]: store.path(row["image_sha256"], row["format"])
        for entry, row in zip(entries, rows, strict=True)
        if entry["thumb"]
    }
    return [(copy.a, copy.b) for copy in find_copies(pictures, store.root / "copies", progress)]


def gallery_entries(catalogue: Catalogue, split: Split | None = None) -> tuple[list[dict[str, Any]], list[Row]]:
    """One entry an image, by paper, page and figure; and the row of its panel, from which pages can be drawn.

    Without a split all images are shown that are labelled or not rejected by the screening. A row says in ``older``
    whether its PDF was changed and read again since; an image is shown by such a reading only if no other shows it.

    Args:
        catalogue: open.
        split: its images with its labels, and the side on which each stands.
    """
    sides = _sides(split) if split else {}
    older = set(older_papers(catalogue))
    shown: dict[str, list[Row]] = defaultdict(list)
    for row in described_panels(catalogue, list(sides) if split else images_to_show(catalogue)):
        shown[row["image_sha256"]].append(row | {"older": row["paper_id"] in older})
    for rows in shown.values():
        rows.sort(key=lambda row: row["older"])
    order = sorted(shown.values(), key=lambda rows: _place_key(rows[0]))
    entries = [_entry(rows, sides, split) for rows in order]
    standing = splits_of_images(catalogue)
    for entry in entries:
        entry["splits"] = sorted({*standing.get(entry["sha"], ()), *([split.name] if split else ())})
    return entries, [rows[0] for rows in order]


def _place_key(row: Row) -> tuple[Any, ...]:
    return (row["paper"], row["page"] or 0, row["figure"] or "", row["panel"] or "", row["panel_id"])


def _sides(split: Split) -> dict[str, str]:
    """The side of each image; with folds it is the fold in which the image is tested."""
    sides: dict[str, str] = {}
    for fold in split.folds:
        for side, items in fold.named().items():
            for item in items:
                if side != "test":
                    sides.setdefault(item.image_sha256, side)
                elif fold.repeat == 1:
                    sides[item.image_sha256] = f"test in fold {fold.number}" if split.has_folds else side
    return sides


def _entry(rows: Sequence[Row], sides: Mapping[str, str], split: Split | None) -> dict[str, Any]:
    row, sha256 = rows[0], rows[0]["image_sha256"]
    caption = row["caption"] or row["caption_stem"] or row["figure_caption"]
    told = {"Figure": row["figure_caption"] if row["figure_caption"] != caption else None}
    told |= {name: (row["record"] or {}).get(key) for key, name in RECORD.items()}
    return {
        "sha": sha256,
        "label": split.spoken(split.items[sha256].label) if split else row["label"],
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
        "caption": _text(caption),
        "record": [[name, text] for name, value in told.items() if (text := _text(value))],
        "scales": [bar_shown(one, row["width"], row["height"]) for one in row["scales"] or ()],
        "width": row["width"],
        "height": row["height"],
        "places": sorted({_where(other) for other in rows[1:]})[:MAX_PLACES],
        "ids": [other["panel_id"] for other in rows[:MAX_PLACES]],
        "fixes": [fix for other in rows[:MAX_PLACES] if (fix := _fix(other))],
        "twins": [],
        "apart": [],
        "family": 0,
    }


def _fix(row: Row) -> str:
    """The command that corrects a panel, with its box as it is; empty where it was not read from a PDF."""
    if row["panel_box"] is None or row["pdf_sha256"] is None:
        return ""
    return f"polydata edit panel {row['panel_id']} --box {','.join(f'{value:.1f}' for value in row['panel_box'])}"


def _text(value: object) -> str:
    text = " ".join(str(value or "").split())
    return text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 1]}…"


def _where(row: Row) -> str:
    page = "" if row["page"] is None else f"p. {row['page']}"
    return ", ".join(part for part in (row["paper"], page, row["figure"], row["panel"]) if part)


def tie_twins(
    entries: Sequence[dict[str, Any]],
    rows: Sequence[Row],
    copies: Iterable[tuple[str, str]],
    distinct: Collection[tuple[str, str]],
) -> None:
    """Write to each entry the positions of others that show the same, and the first position of its whole family.

    Where their labels differ, ``apart`` holds the command that says of both that they are two pictures.

    Args:
        entries: changed.
        rows: of the entries' panels.
        copies: SHA-256 of images that show the same place though their hashes differ (crops, turned or touched up).
        distinct: pairs, in both directions, of which somebody said that already.
    """
    by_hash: dict[str, list[int]] = defaultdict(list)
    at = {}
    for position, row in enumerate(rows):
        by_hash[row["phash"]].append(position)
        at[row["image_sha256"]] = position
    alike: dict[int, set[int]] = defaultdict(set)
    groups = [*by_hash.values(), *(by_hash[a] + by_hash[b] for a, b in near_hashes(by_hash))]
    groups += [[at[a], at[b]] for a, b in copies]
    for group in groups:
        for one in group:
            alike[one] |= set(group) - {one}
    for family in families(range(len(entries)), groups):
        for position in family:
            entry, twins = entries[position], sorted(alike[position])[:MAX_TWINS]
            others = [other for other in map(entries.__getitem__, twins) if other["label"] != entry["label"]]
            apart = [
                distinct_command(entry["sha"], other["sha"])
                for other in others
                if None not in (entry["label"], other["label"]) and (entry["sha"], other["sha"]) not in distinct
            ]
            entry |= {"twins": twins, "family": family[0], "apart": apart}
