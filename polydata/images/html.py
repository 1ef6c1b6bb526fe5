"""Pages for a browser that need nothing beside themselves: no server, scripts and pictures inside."""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from polydata.errors import InputError
from polydata.files.find import path_from_text
from polydata.files.tables import plain, table
from polydata.images.picture import ImageStore, open_picture
from polydata.resources import TEMPLATES

if TYPE_CHECKING:
    import jinja2

MAX_TEXT = 1_500
"""Characters of a caption that a card shows."""
TICKS = "ticks.js.j2"
"""The script that gathers what is ticked on a page into one text to copy."""
MAX_STRETCH = 12
"""Strips that are longer than so many times their width are shown cut, for they would shrink to a line."""


def small_jpeg(image: Image.Image, side: int, quality: int = 72) -> bytes:
    """A JPEG of at most ``side`` pixels a side; the image itself may be changed.

    Args:
        image: RGB or grey.
        side: of the longer side, in pixels; smaller images keep their size.
        quality: of the JPEG, 1 to 95.
    """
    width, height = image.size
    if max(width, height) > MAX_STRETCH * min(width, height):
        short = min(width, height)
        image = image.crop((0, 0, min(width, MAX_STRETCH * short), min(height, MAX_STRETCH * short)))
    image.thumbnail((side, side))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality)
    return out.getvalue()


def bar_shown(scale: Mapping[str, Any], width: int, height: int) -> dict[str, Any] | None:
    """A scale as pages show it: text, how it is known, the ends and the height of its bar as shares of the image.

    Args:
        scale: ``value``, ``unit``, ``method``, and the bar's ends ``x0``, ``x1`` and height ``y`` in pixels, or None.
        width, height: of the image in pixels.

    Returns:
        ``text``, ``method`` (``by hand``, ``image``, ``caption``) and ``at`` (None without ends); None without a value.
    """
    if scale["value"] is None:
        return None
    x0, x1, y = scale["x0"], scale["x1"], scale["y"]
    at = None if None in (x0, x1, y) else [x0 / width, x1 / width, y / height]
    method = "by hand" if scale["method"] == "hand" else scale["method"]
    return {"text": f"{scale['value']:g} {scale['unit']}", "method": method, "at": at}


def template(name: str, folder: Path = TEMPLATES, **filters: Callable[..., Any]) -> jinja2.Template:
    """A file of ``templates``; a value that is missing is an error.

    In HTML every text is escaped; Markdown has the filters ``plain`` and ``table`` of ``files.tables`` instead. What a
    terminal shows is called ``.txt.j2``.
    """
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        autoescape=jinja2.select_autoescape(disabled_extensions=("md.j2", "txt.j2"), default=True),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"plain": plain, "table": lambda rows: "\n".join(table(rows)), **filters}
    return environment.get_template(name)


def script_hash(name: str) -> str:
    """Of a script among the templates: what a page names in its policy, so that no other runs there."""
    return base64.b64encode(hashlib.sha256(template(name).render().encode()).digest()).decode()


def data_address(data: bytes, media_type: str) -> str:
    """Bytes as a ``data:`` address."""
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


def picture_address(store: ImageStore, sha256: str, true_format: str, side: int) -> tuple[str | None, str | None]:
    """A small copy of a stored image as a ``data:`` address, and why there is none.

    Args:
        side: longer side of the copy in pixels.
    """
    try:
        pixels = small_jpeg(open_picture(store.path(sha256, true_format)), side)
    except InputError as error:
        return None, error.message
    return data_address(pixels, "image/jpeg"), None


def pdf_address(path: str | None, page: int | None) -> str | None:
    """Where a browser finds a page of a PDF on this machine; None where that is not known."""
    place = path_from_text(path) if path else None
    return f"{place.as_uri()}#page={page or 1}" if place and place.is_absolute() else None


@dataclass(frozen=True)
class Written:
    """A page of cards that was written.

    Attributes:
        cards: how many are on it.
        left_out: those that had no place.
        failures: images that could not be opened, each with its reason.
    """

    path: Path
    cards: int
    left_out: int
    failures: tuple[str, ...]


class Pictures:
    """Pictures of a page; each is read once for each size.

    Args:
        store: of the images.
    """

    def __init__(self, store: ImageStore) -> None:
        self.failures: dict[str, str] = {}
        """Images that could not be opened, each with its reason."""
        self._store = store
        self._addresses: dict[tuple[str, int], str | None] = {}

    def shown(self, row: Mapping[str, Any], side: int) -> dict[str, Any]:
        """What a template shows of a panel: the row, and its ``address``, ``place``, ``caption`` and ``pdf``.

        Args:
            row: of ``catalogue.annotations.pictures``.
            side: the longer one of the picture, in pixels.
        """
        page = "" if row["page"] is None else f"p. {row['page']}"
        where = ", ".join(part for part in (row["paper"], page, row["figure"]) if part)
        return {
            **row,
            "address": self._address(row, side),
            "place": where + (f" ({row['panel']})" if row["panel"] else ""),
            "caption": " ".join((row["caption"] or "").split())[:MAX_TEXT],
            "pdf": pdf_address(row["path"], row["page"]),
        }

    def _address(self, row: Mapping[str, Any], side: int) -> str | None:
        key = (row["image_sha256"], side)
        if key not in self._addresses:
            self._addresses[key], failure = picture_address(self._store, *key[:1], row["format"], side)
            if failure:
                self.failures[row["image_sha256"]] = failure
        return self._addresses[key]
