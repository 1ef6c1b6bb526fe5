"""Contact sheets: the screened images as pages to look through and tick in a browser, without a server."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from polydata.catalogue.screenings import count_decisions, shown_screenings
from polydata.catalogue.session import Session
from polydata.errors import UsageError
from polydata.files.atomic import mark_of, other_files, write_text, writing_to
from polydata.images.html import TICKS, bar_shown, pdf_address, picture_address, script_hash, template
from polydata.images.picture import ImageStore
from polydata.resources import VERSION
from polydata.types import Progress, quiet

PER_PAGE = 200
SIDE = 180
"""Longer side of a thumbnail in pixels."""
COVERS, COVER_SIDE = 4, 120
"""Pictures by which the index shows a page, and the longer side of each in pixels."""
MAX_CAPTION = 400
BAR = ("method", "value", "unit", "length_px", "x0", "x1", "y")
PAGE = re.compile(r"index\.html|(borderline|accepted|rejected)-\d+\.html")

SECTIONS = ("borderline", "accepted", "rejected")
MARK, INDEX = "sheets.json", "index.html"
"""By which the folder is known as one of contact sheets, and the page to open."""


@dataclass(frozen=True)
class Sheets:
    """What was written.

    Attributes:
        index: the page to open.
        counts: of images, as ``polydata screen`` tells them.
        pages: pages beside the index.
        failures: images that could not be opened, each with its reason; their place on the sheet is empty.
    """

    index: Path
    counts: dict[str, int]
    pages: int
    failures: tuple[str, ...]


def write_sheets(session: Session, folder: Path, *, progress: Progress = quiet) -> Sheets:
    """Write ``index.html`` and pages of at most ``PER_PAGE`` images, each with its thumbnails inside.

    Borderline images come first, then accepted, then rejected ones; within a section the least sure first. Pages of
    an earlier, longer set are removed: those that its ``sheets.json`` names.

    Raises:
        UsageError: if no image was screened.
        InputError: if the folder cannot be written.
        RefusedError: if it holds other files.
    """
    rows = shown_screenings(session.catalogue)
    if not rows:
        raise UsageError("No image was screened, so there is nothing to show.", "Run polydata screen first.")
    sections: dict[str, list[dict[str, Any]]] = {name: [] for name in SECTIONS}
    for row in rows:
        sections["borderline" if row["borderline"] else row["decision"]].append(row)
    sheets = [
        (f"{name}-{number + 1}.html", name, images[number * PER_PAGE : (number + 1) * PER_PAGE])
        for name, images in sections.items()
        for number in range(math.ceil(len(images) / PER_PAGE))
    ]
    names = [name for name, _, _ in sheets]
    counts = count_decisions(session.catalogue)
    store, sheet, failures = session.images, template("sheet.html.j2"), []
    shared, done = {"pages": names, "script_hash": script_hash(TICKS)}, 0
    with writing_to(folder):
        earlier = _take_folder(folder, {*names, INDEX})
        for name, section, images in sheets:
            cards = []
            for row in images:
                card, failure = _card(row, store)
                cards.append(card)
                failures += [failure] if failure else []
                progress("Drawing", done := done + 1, len(rows))
            write_text(folder / name, sheet.render(title=section, cards=cards, here=name, **shared))
        index = folder / INDEX
        covers = [_cover(name, section, images, store) for name, section, images in sheets]
        write_text(index, sheet.render(title="Screening", cards=[], here=INDEX, counts=counts, covers=covers, **shared))
        for name in earlier - {*names, INDEX}:
            (folder / name).unlink(missing_ok=True)
        _mark(folder, {*names, INDEX})
    return Sheets(index, counts, len(sheets), tuple(failures))


def _take_folder(folder: Path, names: Set[str]) -> set[str]:
    """Make a folder one of contact sheets, before they are drawn; returns the pages of an earlier set."""
    mark = mark_of(folder, MARK, ("made_by", "pages")) or {"pages": []}
    earlier = {name for name in mark["pages"] if isinstance(name, str) and PAGE.fullmatch(name)}
    if foreign := sorted(name for name in names - earlier if (folder / name).exists()):
        raise other_files(folder, foreign)
    _mark(folder, earlier | names)
    return earlier


def _mark(folder: Path, names: Set[str]) -> None:
    write_text(folder / MARK, json.dumps({"made_by": f"polydata {VERSION}", "pages": sorted(names)}) + "\n")


def _cover(name: str, section: str, images: Sequence[Mapping[str, Any]], store: ImageStore) -> dict[str, Any]:
    """What the index shows of a page: its first pictures and how many images are on it."""
    first = (picture_address(store, row["image_sha256"], row["format"], COVER_SIDE)[0] for row in images[:COVERS])
    return {"page": name, "section": section, "images": len(images), "pictures": [one for one in first if one]}


def _card(row: Mapping[str, Any], store: ImageStore) -> tuple[dict[str, Any], str | None]:
    """What the template shows of an image, and why its picture is missing."""
    picture, failure = picture_address(store, row["image_sha256"], row["format"], SIDE)
    caption = " ".join((row["caption"] or "").split())
    return {
        **row,
        "picture": picture,
        "caption": caption if len(caption) <= MAX_CAPTION else f"{caption[: MAX_CAPTION - 1]}…",
        "pdf": pdf_address(row["path"], row["page"]),
        "bar": bar_shown({name: row[f"bar_{name}"] for name in BAR}, row["width"], row["height"]),
    }, failure
