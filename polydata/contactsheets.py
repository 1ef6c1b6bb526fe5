"""Contact sheets: the screened images as pages to look through in a browser, without a server or scripts."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
from PIL import Image

from polydata.catalogue.connect import Catalogue
from polydata.catalogue.screenings import shown_screenings
from polydata.errors import InputError, UsageError
from polydata.files import replacing
from polydata.images import ImageStore, open_picture
from polydata.workspace import Workspace

PER_PAGE = 200
SIDE = 180
"""Longer side of a thumbnail in pixels."""
MAX_CAPTION = 400
MAX_STRETCH = 12
"""Strips that are longer than so many times their width are shown cut, for they would shrink to a line."""

SECTIONS = ("borderline", "accepted", "rejected")
Advance = Callable[[int], None]


@dataclass(frozen=True)
class Sheets:
    """What was written.

    Attributes:
        index: the page to open.
        counts: images a section.
        pages: pages beside the index.
        failures: images that could not be opened, each with its reason; their place on the sheet is empty.
    """

    index: Path
    counts: dict[str, int]
    pages: int
    failures: tuple[str, ...]


def write_sheets(
    workspace: Workspace, catalogue: Catalogue, folder: Path, *, advance: Advance = lambda _: None
) -> Sheets:
    """Write ``index.html`` and pages of at most ``PER_PAGE`` images, each with its thumbnails inside.

    Borderline images come first, then accepted, then rejected ones; within a section the least sure first. Pages of
    an earlier, longer set are removed.

    Raises:
        UsageError: if no image was screened.
        InputError: if the folder cannot be written.
    """
    rows = shown_screenings(catalogue)
    if not rows:
        raise UsageError("No image was screened, so there is nothing to show.", "Run polydata screen first.")
    sections = {name: [row for row in rows if section_of(row) == name] for name in SECTIONS}
    sheets = [
        (f"{name}-{number + 1}.html", name, images[number * PER_PAGE : (number + 1) * PER_PAGE])
        for name, images in sections.items()
        for number in range(math.ceil(len(images) / PER_PAGE))
    ]
    names = [name for name, _, _ in sheets]
    counts = {name: len(images) for name, images in sections.items()}
    store, template, failures = workspace.images(), _template(), []
    try:
        for name, section, images in sheets:
            cards = []
            for row in images:
                card, failure = _card(row, store)
                cards.append(card)
                failures += [failure] if failure else []
                advance(1)
            _write(folder / name, template.render(title=section, cards=cards, pages=names, here=name, counts=counts))
        index = folder / "index.html"
        _write(index, template.render(title="Screening", cards=[], pages=names, here="index.html", counts=counts))
        for old in (p for s in SECTIONS for p in folder.glob(f"{s}-*.html") if p.name not in names):
            old.unlink()
    except OSError as error:
        raise InputError(f"{folder} cannot be written: {error.strerror}.", "Choose another --output.") from error
    return Sheets(index, counts, len(sheets), tuple(failures))


def section_of(row: Mapping[str, Any]) -> str:
    """Where an image is shown: ``borderline``, ``accepted`` or ``rejected``."""
    return "borderline" if row["borderline"] else str(row["decision"])


def thumbnail(image: Image.Image) -> bytes:
    """A JPEG of at most ``SIDE`` pixels a side."""
    width, height = image.size
    if max(width, height) > MAX_STRETCH * min(width, height):
        short = min(width, height)
        image = image.crop((0, 0, min(width, MAX_STRETCH * short), min(height, MAX_STRETCH * short)))
    image.thumbnail((SIDE, SIDE))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=72)
    return out.getvalue()


def _card(row: Mapping[str, Any], store: ImageStore) -> tuple[dict[str, Any], str | None]:
    """What the template shows of an image, and why its picture is missing."""
    picture, failure = None, None
    try:
        pixels = thumbnail(open_picture(store.path(row["image_sha256"], row["format"])))
        picture = f"data:image/jpeg;base64,{base64.b64encode(pixels).decode()}"
    except InputError as error:
        failure = error.message
    caption = " ".join((row["caption"] or "").split())
    path = Path(row["path"]) if row["path"] else None
    return {
        **row,
        "picture": picture,
        "caption": caption if len(caption) <= MAX_CAPTION else f"{caption[: MAX_CAPTION - 1]}…",
        "pdf": f"{path.as_uri()}#page={row['page'] or 1}" if path and path.is_absolute() else None,
    }, failure


def _template() -> jinja2.Template:
    loader = jinja2.FileSystemLoader(Path(__file__).resolve().parent / "templates")
    environment = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("sheet.html.j2")


def _write(path: Path, text: str) -> None:
    with replacing(path) as out:
        out.write(text.encode("utf-8", errors="replace"))
