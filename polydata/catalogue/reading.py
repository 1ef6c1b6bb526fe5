"""A paper as it stands in the catalogue, in the form in which extraction gives it."""

from __future__ import annotations

import json
from typing import Any

from polydata.catalogue.connect import Catalogue
from polydata.choices import Kind
from polydata.types import (
    Box,
    Composition,
    Figure,
    ImageInfo,
    Leftover,
    Mention,
    Panel,
    Paper,
    PaperMeta,
    ScaleBar,
)

IMAGE = ("sha256", "phash", "width", "height", "format", "mode", "alpha_only", "size_bytes")
BAR = ("value", "unit", "value_um", "length_px", "method", "confidence")
SAME_NAME = ("title", "doi", "journal", "year", "authors", "volume", "first_page", "first_page_text")


def load_paper(catalogue: Catalogue, paper_id: str) -> Paper:
    """A paper that was read from a PDF, with all that ``save_paper`` wrote of it.

    Args:
        paper_id: of a paper in the catalogue.
    """
    row = catalogue.rows("SELECT * FROM papers WHERE paper_id = ?", [paper_id])[0]
    panels: dict[str, list[Panel]] = {}
    for one in catalogue.rows(
        f"""SELECT panels.*, {", ".join(f"images.{name} AS image_{name}" for name in IMAGE)},
                   {", ".join(f"bars.{name} AS bar_{name}" for name in BAR)}
            FROM panels JOIN figures USING (figure_id) JOIN images ON images.sha256 = image_sha256
            LEFT JOIN scale_bars bars USING (panel_id) WHERE paper_id = ? ORDER BY position""",  # noqa: S608 - constants
        [paper_id],
    ):
        panels.setdefault(one["figure_id"], []).append(_panel(one))
    figures = catalogue.rows("SELECT * FROM figures WHERE paper_id = ? ORDER BY page, y0, x0, figure_id", [paper_id])
    leftovers = catalogue.rows("SELECT * FROM leftovers WHERE paper_id = ? ORDER BY page, y0, leftover_id", [paper_id])
    return Paper(
        sha256=row["sha256"],
        file_name=row["file_name"],
        pages=row["pages"],
        meta=PaperMeta(**{name: row[name] for name in SAME_NAME}, reference=row["citation"]),
        figures=tuple(_figure(one, panels.get(one["figure_id"], [])) for one in figures),
        leftovers=tuple(Leftover(o["what"], o["page"], o["label"], o["text"], _box(o)) for o in leftovers),
    )


def _box(row: dict[str, Any]) -> Box:
    return Box(row["x0"], row["y0"], row["x1"], row["y1"])


def _kind(word: str | None) -> Kind | None:
    return Kind(word) if word else None


def _figure(row: dict[str, Any], panels: list[Panel]) -> Figure:
    plain = {name: row[name] for name in ("page", "label", "caption", "method", "confidence", "dpi")}
    return Figure(**plain, box=_box(row), kind=_kind(row["kind"]), panels=tuple(panels))


def _panel(row: dict[str, Any]) -> Panel:
    return Panel(
        box=_box(row),
        label=row["label"],
        caption=row["caption"],
        caption_stem=row["caption_stem"],
        image=ImageInfo(**{name: row[f"image_{name}"] for name in IMAGE}),
        kind=_kind(row["kind"]),
        scale=ScaleBar(**{name: row[f"bar_{name}"] for name in BAR}) if row["bar_method"] else None,
        composition=_composition(row["composition"]),
        mentions=tuple(Mention(**one) for one in json.loads(row["mentions"] or "[]")),
    )


def _composition(text: str | None) -> Composition | None:
    if text is None:
        return None
    said = json.loads(text)
    return Composition(**said | {"components": tuple(said["components"]), "ratio": tuple(said["ratio"])})
