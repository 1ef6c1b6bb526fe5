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
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from polydata.catalogue.session import Session
from polydata.errors import InputError, UsageError
from polydata.exports.gallery.entries import Row, gallery_entries, tie_twins
from polydata.exports.gallery.pages import add_pages
from polydata.files.atomic import mark_of, replacing, writing_to
from polydata.images.copies import find_copies
from polydata.images.html import small_jpeg, template, write_page
from polydata.images.picture import ImageStore, open_picture
from polydata.resources import TEMPLATES, VERSION
from polydata.splits.manifest import Split
from polydata.splits.options import Options
from polydata.types import Progress, quiet

GALLERY = TEMPLATES / "gallery"
STATIC = ("gallery.css", "filter.js", "gallery.js")
MARK = "gallery.json"
PER_FILE = 500
PIECE = re.compile(r"entries-\d{4,}\.js")
COPIES = {"views": (900, 85), "thumbs": (240, 72)}
"""Folders of small copies, with their longer side in pixels and their JPEG quality."""


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
    folder: Path,
    split: Split | None = None,
    *,
    crops: bool | None = None,
    progress: Progress = quiet,
) -> Gallery:
    """Write the gallery of a split, or of all images that are labelled or not rejected by the screening.

    Args:
        folder: new, empty, or of an earlier gallery, of which only what is missing is drawn.
        crops: whether crops and copies are looked for by keypoints; None as for ``splits.options.Options``.
        progress: told of long work.

    Raises:
        UsageError: if there is nothing to show.
        InputError: if the folder cannot be written.
        RefusedError: if it holds other files.
    """
    entries, rows = gallery_entries(session.catalogue, split)
    if not entries:
        raise UsageError("There is no image to show.", "Extract papers or import a data set first.")
    title, crops = split.name if split else "All images", Options(crops=crops).looks_for_crops(len(entries))
    with writing_to(folder):
        mark_of(folder, MARK, ("made_by", "title"))
        write_page(folder / MARK, json.dumps({"made_by": f"polydata {VERSION}", "title": title}) + "\n")
        failures = _add_pictures(session.images, folder, entries, rows, progress)
        tie_twins(entries, rows, _copies_of_places(session.images, entries, rows, progress) if crops else ())
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
        write_page(folder / files[-1], data_script(entries[start : start + PER_FILE]))
    for old in (folder / "data").glob("entries-*.js"):
        if PIECE.fullmatch(old.name) and f"data/{old.name}" not in files:
            old.unlink()
    for name in STATIC:
        write_page(folder / name, (TEMPLATES / name).read_text(encoding="utf-8"))
    page = template("gallery/index.html.j2").render(
        title=title,
        files=files,
        total=len(entries),
        summary=f"digest {split.digest[:16]}" if split else "",
        leak=split.leakage["reason"] if split and split.leakage else None,
    )
    write_page(folder / "index.html", page)


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
