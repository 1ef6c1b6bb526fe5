"""Papers, figures, panels and images: written as one paper at a time, read back for exports."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from polydata import ids
from polydata.catalogue.connect import Catalogue
from polydata.catalogue.edits import write_edits
from polydata.catalogue.manual_links import settle_manual_links
from polydata.catalogue.metadata import note_papers_changed
from polydata.catalogue.reattach import reattach, spots
from polydata.choices import Kind
from polydata.edits import Edit, Spot
from polydata.types import (
    Box,
    Composition,
    Failure,
    Figure,
    ImageInfo,
    Leftover,
    Mention,
    Panel,
    Paper,
    PaperMeta,
    ScaleBar,
)


@dataclass(frozen=True)
class Corrections:
    """What is written of a paper's corrections together with the paper.

    Attributes:
        edits: each with whether it is in force.
        undone: id of one that is taken back.
        moved: ids of panels, each with that of the panel which took its place.
    """

    edits: Sequence[Edit] = ()
    undone: str | None = None
    moved: Mapping[str, str] = field(default_factory=dict)


META = ("title", "doi", "journal", "year", "authors", "volume", "first_page", "first_page_text")
FIGURE = ("page", "label", "caption", "method", "confidence", "dpi")
PANEL = ("label", "caption", "caption_stem")
BAR = ("value", "unit", "value_um", "length_px", "method", "confidence")
"""Columns that are called as the parts of what extraction gives."""
IMAGE = tuple(part.name for part in fields(ImageInfo))


def _named(thing: object, names: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(thing, name) for name in names}


def _corners(box: Box) -> dict[str, float]:
    return _named(box, ("x0", "y0", "x1", "y1"))


def _paper_row(paper: Paper, path: Path, extractor: str) -> dict[str, Any]:
    return {
        "paper_id": ids.paper_id(paper.sha256),
        "sha256": paper.sha256,
        "source": "pdf",
        "file_name": paper.file_name,
        "path": str(path),
        **_named(paper.meta, META),
        "citation": paper.meta.reference,
        "pages": paper.pages,
        "status": "done",
        "extractor": extractor,
    }


def _figure_row(paper: Paper, figure: Figure) -> dict[str, Any]:
    return {
        "figure_id": ids.figure_id(paper.sha256, figure.page, figure.box),
        "paper_id": ids.paper_id(paper.sha256),
        **_corners(figure.box),
        **_named(figure, (*FIGURE, "kind")),
    }


def _panel_row(paper: Paper, figure: Figure, position: int, panel: Panel) -> dict[str, Any]:
    return {
        "panel_id": ids.panel_id(paper.sha256, figure.page, figure.box, panel.box),
        "figure_id": ids.figure_id(paper.sha256, figure.page, figure.box),
        "position": position,
        **_corners(panel.box),
        **_named(panel, (*PANEL, "kind")),
        "composition": json.dumps(asdict(panel.composition)) if panel.composition else None,
        "mentions": json.dumps([asdict(one) for one in panel.mentions]) if panel.mentions else None,
        "image_sha256": panel.image.sha256,
    }


def _leftover_row(paper: Paper, leftover: Leftover) -> dict[str, Any]:
    return {
        "leftover_id": ids.content_id("leftover", paper.sha256, leftover.what, leftover.page, *leftover.box.rounded()),
        "paper_id": ids.paper_id(paper.sha256),
        **_named(leftover, ("what", "page", "label", "text")),
        **_corners(leftover.box),
    }


def save_paper(
    catalogue: Catalogue, paper: Paper, path: Path, extractor: str, corrections: Corrections | None = None
) -> None:
    """Write a paper and all that belongs to it in one transaction; what an earlier reading left is replaced.

    Links, words on labels and screening by hand go with the panels that take the place of earlier ones.

    Args:
        path: where the PDF lay.
        extractor: version of the method that read it.
        corrections: by hand, which were made on it.
    """
    paper_id = ids.paper_id(paper.sha256)
    with catalogue.transaction():
        before = spots(catalogue, paper_id)
        delete_paper(catalogue, paper_id)
        catalogue.upsert("papers", [_paper_row(paper, path, extractor)])
        _write_found(catalogue, paper)
        _settle(catalogue, paper_id, before, corrections or Corrections())
        catalogue.run("DELETE FROM failures WHERE path = ? OR sha256 = ?", [str(path), paper.sha256])


def save_corrected(catalogue: Catalogue, paper: Paper, corrections: Corrections) -> None:
    """Write the figures of a paper that is in the catalogue as corrections left them, in one transaction."""
    paper_id = ids.paper_id(paper.sha256)
    with catalogue.transaction():
        before = spots(catalogue, paper_id)
        _delete_found(catalogue, paper_id)
        _write_found(catalogue, paper)
        _settle(catalogue, paper_id, before, corrections)


def _settle(catalogue: Catalogue, paper_id: str, before: Mapping[str, Spot], corrections: Corrections) -> None:
    write_edits(catalogue, corrections.edits, corrections.undone)
    reattach(catalogue, paper_id, before, corrections.moved)
    settle_manual_links(catalogue)


def _write_found(catalogue: Catalogue, paper: Paper) -> None:
    """Write figures, panels, images and leftovers, within the caller's transaction."""
    panels = [(figure, i, panel) for figure in paper.figures for i, panel in enumerate(figure.panels)]
    images = {panel.image.sha256: asdict(panel.image) for _, _, panel in panels}
    bars = [
        {"panel_id": ids.panel_id(paper.sha256, figure.page, figure.box, panel.box), **_named(panel.scale, BAR)}
        for figure, _, panel in panels
        if panel.scale
    ]
    catalogue.upsert("figures", [_figure_row(paper, figure) for figure in paper.figures])
    catalogue.upsert("images", list(images.values()))
    catalogue.upsert("panels", [_panel_row(paper, figure, i, panel) for figure, i, panel in panels])
    catalogue.upsert("scale_bars", bars)
    catalogue.upsert("leftovers", [_leftover_row(paper, leftover) for leftover in paper.leftovers])


def delete_paper(catalogue: Catalogue, paper_id: str) -> None:
    """Delete what extraction wrote of a paper. Images, links, votes, edits and annotations stay: not its own."""
    _delete_found(catalogue, paper_id)
    catalogue.run("DELETE FROM papers WHERE paper_id = ?", [paper_id])
    note_papers_changed(catalogue)


def _delete_found(catalogue: Catalogue, paper_id: str) -> None:
    """Delete figures, panels and leftovers of a paper, within the caller's transaction."""
    figures = "SELECT figure_id FROM figures WHERE paper_id = ?"
    panels = f"SELECT panel_id FROM panels WHERE figure_id IN ({figures})"  # noqa: S608
    catalogue.run(f"DELETE FROM scale_bars WHERE panel_id IN ({panels})", [paper_id])  # noqa: S608
    catalogue.run(f"DELETE FROM panels WHERE figure_id IN ({figures})", [paper_id])  # noqa: S608
    for table in ("figures", "leftovers"):
        catalogue.run(f"DELETE FROM {table} WHERE paper_id = ?", [paper_id])  # noqa: S608


def save_failure(catalogue: Catalogue, failure: Failure) -> None:
    """Record that a file could not be read; an older reading of the same bytes stays."""
    with catalogue.transaction():
        catalogue.upsert("failures", [asdict(failure)])


def read_by(catalogue: Catalogue, extractor: str) -> set[str]:
    """SHA-256 of the PDFs that this version of the method has read, and not failed to read since."""
    sql = """SELECT sha256 FROM papers WHERE extractor = ? AND sha256 IS NOT NULL
             AND sha256 NOT IN (SELECT sha256 FROM failures WHERE sha256 IS NOT NULL)"""
    return set(catalogue.column(sql, [extractor]))


def move_paper(catalogue: Catalogue, sha256: str, path: Path) -> None:
    """Note where a PDF that was read before lies now."""
    catalogue.run(
        "UPDATE papers SET path = ? WHERE sha256 = ? AND path IS DISTINCT FROM ?", [str(path), sha256, str(path)]
    )
    catalogue.run("DELETE FROM failures WHERE path = ? OR sha256 = ?", [str(path), sha256])


def forget_failure(catalogue: Catalogue, path: Path) -> None:
    """A path no longer holds a file that cannot be read."""
    catalogue.run("DELETE FROM failures WHERE path = ?", [str(path)])


def older_versions(catalogue: Catalogue, path: Path, sha256: str) -> list[str]:
    """Ids of papers that were read from this path when it held other bytes."""
    sql = "SELECT paper_id FROM papers WHERE path = ? AND sha256 <> ? ORDER BY paper_id"
    return catalogue.column(sql, [str(path), sha256])


def failures(catalogue: Catalogue) -> list[dict[str, Any]]:
    """Files that could not be read, by path."""
    return catalogue.rows("SELECT path, reason, detail, sha256 FROM failures ORDER BY path")


def extraction_counts(catalogue: Catalogue, pdf_sha256: Sequence[str]) -> dict[str, int]:
    """Papers, pages, figures, panels and micrograph panels among these PDFs."""
    return catalogue.rows(
        """
        SELECT count(*) AS papers, coalesce(sum(pages), 0)::BIGINT AS pages,
               coalesce(sum((SELECT count(*) FROM figures f WHERE f.paper_id = p.paper_id)), 0)::BIGINT AS figures,
               coalesce(sum((SELECT count(*) FROM panels JOIN figures f USING (figure_id)
                             WHERE f.paper_id = p.paper_id)), 0)::BIGINT AS panels,
               coalesce(sum((SELECT count(*) FROM panels JOIN figures f USING (figure_id)
                             WHERE f.paper_id = p.paper_id AND panels.kind = 'micrograph')), 0)::BIGINT AS micrographs
        FROM papers p WHERE list_contains(?, sha256)
        """,
        [list(pdf_sha256)],
    )[0]


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
        meta=PaperMeta(**{name: row[name] for name in META}, reference=row["citation"]),
        figures=tuple(_figure(one, panels.get(one["figure_id"], [])) for one in figures),
        leftovers=tuple(Leftover(o["what"], o["page"], o["label"], o["text"], _box(o)) for o in leftovers),
    )


def _box(row: dict[str, Any]) -> Box:
    return Box(row["x0"], row["y0"], row["x1"], row["y1"])


def _kind(word: str | None) -> Kind | None:
    return Kind(word) if word else None


def _figure(row: dict[str, Any], panels: list[Panel]) -> Figure:
    plain = {name: row[name] for name in FIGURE}
    return Figure(**plain, box=_box(row), kind=_kind(row["kind"]), panels=tuple(panels))


def _panel(row: dict[str, Any]) -> Panel:
    said = json.loads(row["composition"] or "null")
    lists = {name: tuple(said[name]) for name in ("components", "ratio")} if said else {}
    return Panel(
        **{name: row[name] for name in PANEL},
        box=_box(row),
        image=ImageInfo(**{name: row[f"image_{name}"] for name in IMAGE}),
        kind=_kind(row["kind"]),
        scale=ScaleBar(**{name: row[f"bar_{name}"] for name in BAR}) if row["bar_method"] else None,
        composition=Composition(**said | lists) if said else None,
        mentions=tuple(Mention(**one) for one in json.loads(row["mentions"] or "[]")),
    )
