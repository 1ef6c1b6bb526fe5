"""Papers, figures, panels and images: written some at a time, and read back."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from polydata import ids
from polydata.catalogue.by_hand import inherit, reattach, records_linked_to, settle_manual_links, spots, write_edits
from polydata.catalogue.connect import Catalogue
from polydata.catalogue.lookup import among
from polydata.catalogue.metadata import note_papers_changed
from polydata.catalogue.successors import adopt, note_hidden
from polydata.choices import Kind
from polydata.edits import Edit, Spot
from polydata.files.find import path_as_text
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
        older: id of a paper that is the same but for its bytes, of which this one inherits what people said.
    """

    edits: Sequence[Edit] = ()
    undone: str | None = None
    moved: Mapping[str, str] = field(default_factory=dict)
    older: str | None = None


META = ("title", "doi", "journal", "year", "authors", "volume", "first_page", "first_page_text")
FIGURE = ("page", "label", "caption", "kind", "method", "confidence", "dpi")
PANEL = ("label", "caption", "caption_stem", "kind")
BEGUN = "extraction begun: "
"""Beginning of the key in ``settings`` of an extraction that has not ended."""
BAR = ("value", "unit", "value_um", "length_px", "method", "confidence", "said")
"""Columns that are called as the parts of what extraction gives."""
IMAGE = tuple(part.name for part in fields(ImageInfo))


def _named(thing: object, names: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(thing, name) for name in names}


@dataclass(frozen=True)
class Reading:
    """What was read of a PDF and is to be written.

    Attributes:
        path: where the PDF lay.
        corrections: by hand, which were made on it.
    """

    paper: Paper
    path: Path
    corrections: Corrections = Corrections()


def save_papers(catalogue: Catalogue, readings: Sequence[Reading], extractor: str) -> None:
    """Write papers and all that belongs to them in one transaction; what an earlier reading left is replaced.

    Links, words on labels and screening by hand go with the panels that take the place of earlier ones. Most of the
    time goes into planning statements, so ten papers take little longer than one.

    Args:
        readings: of different papers.
        extractor: version of the method that read them.
    """
    papers = [ids.paper_id(one.paper.sha256) for one in readings]
    with catalogue.transaction():
        before = spots(catalogue, papers)
        delete_papers(catalogue, papers)
        rows = []
        for paper_id, one in zip(papers, readings, strict=True):
            row = {
                "paper_id": paper_id,
                "source": "pdf",
                "path": path_as_text(one.path),
                "status": "done",
                "extractor": extractor,
            }
            row |= _named(one.paper, ("sha256", "file_name", "pages")) | {"citation": one.paper.meta.reference}
            rows.append(row | _named(one.paper.meta, META))
        catalogue.upsert("papers", rows)
        _write_found(catalogue, [one.paper for one in readings])
        _settle(catalogue, before, [(one.paper, one.corrections) for one in readings])
        catalogue.run(
            """DELETE FROM failures
               WHERE path IN (SELECT unnest($1::TEXT[])) OR sha256 IN (SELECT unnest($2::TEXT[]))""",
            [[row["path"] for row in rows], [row["sha256"] for row in rows]],
        )


def save_paper(catalogue: Catalogue, paper: Paper, path: Path, extractor: str) -> None:
    """Write one paper without corrections, see ``save_papers``."""
    save_papers(catalogue, [Reading(paper, path)], extractor)


def save_corrected(catalogue: Catalogue, paper: Paper, corrections: Corrections) -> None:
    """Write the figures of a paper that is in the catalogue as corrections left them, in one transaction."""
    papers = [ids.paper_id(paper.sha256)]
    with catalogue.transaction():
        before = spots(catalogue, papers)
        _delete_found(catalogue, papers)
        _write_found(catalogue, [paper])
        _settle(catalogue, before, [(paper, corrections)])


def saved_again(catalogue: Catalogue, papers: Sequence[Paper]) -> dict[str, tuple[str, str]]:
    """Of papers that are new here, by the SHA-256 of each: id and SHA-256 of the paper that it is but for its bytes.

    Whoever saves a PDF with a note or a bookmark makes another file of it; pages and the words of the first are the
    same. Of several, one of the same file name comes first, then one that people worked on.
    """
    by_id = {ids.paper_id(paper.sha256): paper for paper in papers if (paper.meta.first_page_text or "").strip()}
    known = "SELECT paper_id FROM papers WHERE paper_id IN (SELECT unnest(?::TEXT[]))"
    for paper_id in catalogue.column(known, [list(by_id)]) if by_id else ():
        del by_id[paper_id]
    if not by_id:
        return {}
    found = catalogue.tuples(
        """WITH asked AS (
               SELECT unnest($1::TEXT[]) AS new, unnest($2::INTEGER[]) AS pages, unnest($3::TEXT[]) AS first_page_text,
                      unnest($4::TEXT[]) AS name)
           SELECT new, paper_id, sha256 FROM papers JOIN asked USING (pages, first_page_text) WHERE source = 'pdf'
           QUALIFY row_number() OVER (
               PARTITION BY new
               ORDER BY file_name = name DESC, sha256 IN (SELECT paper_sha256 FROM edits) DESC, paper_id) = 1""",
        [
            [paper.sha256 for paper in by_id.values()],
            [paper.pages for paper in by_id.values()],
            [paper.meta.first_page_text for paper in by_id.values()],
            [paper.file_name for paper in by_id.values()],
        ],
    )
    return {new: (paper_id, sha256) for new, paper_id, sha256 in found}


def _settle(
    catalogue: Catalogue, before: Mapping[str, Mapping[str, Spot]], papers: Sequence[tuple[Paper, Corrections]]
) -> None:
    """Let what people said follow papers that were written anew.

    Args:
        before: where the panels of each paper stood.
        papers: as they were written, in the same order.
    """
    after: dict[str, dict[str, Spot]] = {}
    moved: dict[str, str] = {}
    targets: list[str] = []
    for paper, its in papers:
        write_edits(catalogue, its.edits, its.undone)
        moved.update(its.moved)
        panels = after[ids.paper_id(paper.sha256)] = {}
        for figure in paper.figures:
            targets.append(ids.figure_id(paper.sha256, figure.page, figure.box))
            for panel in figure.panels:
                panel_id = ids.panel_id(paper.sha256, figure.page, figure.box, panel.box)
                panels[panel_id] = Spot(figure.page, figure.label, panel.label, panel.box, panel.image.sha256)
        targets += panels
    reattach(catalogue, before, after, moved)
    adopt(catalogue, [[panel.image for figure in paper.figures for panel in figure.panels] for paper, _ in papers])
    for paper_id, (_, its) in zip(before, papers, strict=True):
        if its.older is not None:
            inherit(catalogue, its.older, paper_id)
    settle_manual_links(catalogue, records_linked_to(catalogue, before, targets))


def _write_found(catalogue: Catalogue, papers: Iterable[Paper]) -> None:
    """Write figures, panels, images and leftovers, within the caller's transaction."""
    tables: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for paper in papers:
        pdf, paper_id = paper.sha256, ids.paper_id(paper.sha256)
        for figure in paper.figures:
            figure_id = ids.figure_id(pdf, figure.page, figure.box)
            keys = {"figure_id": figure_id, "paper_id": paper_id}
            tables["figures"].append({**keys, **asdict(figure.box), **_named(figure, FIGURE)})
            for position, panel in enumerate(figure.panels):
                panel_id = ids.panel_id(pdf, figure.page, figure.box, panel.box)
                row = {
                    "panel_id": panel_id,
                    "figure_id": figure_id,
                    "position": position,
                    "composition": json.dumps(asdict(panel.composition)) if panel.composition else None,
                    "mentions": json.dumps([asdict(one) for one in panel.mentions]) if panel.mentions else None,
                    "image_sha256": panel.image.sha256,
                }
                tables["panels"].append({**row, **asdict(panel.box), **_named(panel, PANEL)})
                tables["images"].append(asdict(panel.image))
                if panel.scale:
                    tables["scale_bars"].append({"panel_id": panel_id, **_named(panel.scale, BAR)})
        for one in paper.leftovers:
            leftover_id = ids.content_id("leftover", pdf, one.what, one.page, *one.box.rounded())
            row = {"leftover_id": leftover_id, "paper_id": paper_id, **asdict(one.box)}
            tables["leftovers"].append(row | _named(one, ("what", "page", "label", "text")))
    for table, rows in tables.items():
        catalogue.upsert(table, rows)


def delete_papers(catalogue: Catalogue, papers: Sequence[str]) -> None:
    """Delete what extraction wrote of papers. Images, links, votes, edits and annotations stay: not their own."""
    _delete_found(catalogue, papers)
    is_one, asked = among(papers)
    catalogue.run(f"DELETE FROM papers WHERE paper_id {is_one}", asked)  # noqa: S608 - parameters
    note_papers_changed(catalogue, papers)


def _delete_found(catalogue: Catalogue, papers: Sequence[str]) -> None:
    """Delete figures, panels and leftovers of papers, within the caller's transaction."""
    is_one, asked = among(papers)
    figures = catalogue.column(f"SELECT figure_id FROM figures WHERE paper_id {is_one}", asked)  # noqa: S608
    is_one, asked = among(figures)
    images = dict(catalogue.tuples(f"SELECT panel_id, image_sha256 FROM panels WHERE figure_id {is_one}", asked))  # noqa: S608
    note_hidden(catalogue, images.values())
    for table, column, its in (
        ("scale_bars", "panel_id", images),
        ("panels", "panel_id", images),
        ("figures", "figure_id", figures),
        ("leftovers", "paper_id", papers),
    ):
        if its:
            is_one, asked = among(its)
            catalogue.run(f"DELETE FROM {table} WHERE {column} {is_one}", asked)  # noqa: S608


def save_failure(catalogue: Catalogue, failure: Failure) -> None:
    """Record that a file could not be read; an older reading of the same bytes stays."""
    with catalogue.transaction():
        catalogue.upsert("failures", [asdict(failure) | {"path": path_as_text(Path(failure.path))}])


def read_by(catalogue: Catalogue, extractor: str) -> set[str]:
    """SHA-256 of the PDFs that this version of the method has read, and not failed to read since."""
    sql = """SELECT sha256 FROM papers WHERE extractor = ? AND sha256 IS NOT NULL
             AND sha256 NOT IN (SELECT sha256 FROM failures WHERE sha256 IS NOT NULL)"""
    return set(catalogue.column(sql, [extractor]))


def move_papers(catalogue: Catalogue, paths: Mapping[str, Path]) -> None:
    """Note where PDFs that were read before lie now, in one transaction.

    Args:
        paths: by the SHA-256 of each.
    """
    lie = [list(paths), [path_as_text(path) for path in paths.values()]]
    with catalogue.transaction():
        catalogue.run(
            """UPDATE papers SET path = lies.path
               FROM (SELECT unnest($1::TEXT[]) AS sha256, unnest($2::TEXT[]) AS path) lies
               WHERE papers.sha256 = lies.sha256 AND papers.path IS DISTINCT FROM lies.path""",
            lie,
        )
        catalogue.run(
            """DELETE FROM failures WHERE sha256 IN (SELECT unnest($1::TEXT[]))
               OR path IN (SELECT unnest($2::TEXT[]))""",
            lie,
        )


def forget_failure(catalogue: Catalogue, path: Path) -> None:
    """A path no longer holds a file that cannot be read."""
    catalogue.run("DELETE FROM failures WHERE path = ?", [path_as_text(path)])


def older_versions(catalogue: Catalogue, paths: Mapping[Path, str]) -> list[tuple[str, Path]]:
    """Ids of papers that were read from these paths when they held other bytes, each with its path.

    Args:
        paths: with the SHA-256 of what they hold now.
    """
    places = {path_as_text(path): path for path in paths}
    found = catalogue.tuples(
        """SELECT paper_id, path FROM papers JOIN (SELECT unnest($1::TEXT[]) AS path, unnest($2::TEXT[]) AS holds) lies
           USING (path) WHERE sha256 <> holds ORDER BY list_position($1, path), paper_id""",
        [list(places), list(paths.values())],
    )
    return [(paper_id, places[path]) for paper_id, path in found]


def failures(catalogue: Catalogue) -> list[dict[str, Any]]:
    """Files that could not be read, by path."""
    return catalogue.rows("SELECT path, reason, detail, sha256 FROM failures ORDER BY path")


def read_in_part(catalogue: Catalogue, what: str) -> list[dict[str, Any]]:
    """Paths of the PDFs of papers that have leftovers of a kind."""
    sql = """SELECT DISTINCT path FROM papers JOIN leftovers USING (paper_id)
             WHERE what = ? AND path IS NOT NULL ORDER BY path"""
    return catalogue.rows(sql, [what])


def extraction_counts(catalogue: Catalogue, pdf_sha256: Sequence[str]) -> dict[str, int]:
    """Papers, pages, figures, panels and micrograph panels among these PDFs."""
    return catalogue.rows(
        """
        WITH chosen AS (SELECT * FROM papers WHERE list_contains(?, sha256)), found AS (
            SELECT panels.kind FROM panels JOIN figures USING (figure_id) JOIN chosen USING (paper_id)
        )
        SELECT count(*) AS papers, coalesce(sum(pages), 0)::BIGINT AS pages,
               (SELECT count(*) FROM figures JOIN chosen USING (paper_id)) AS figures,
               (SELECT count(*) FROM found) AS panels,
               (SELECT count(*) FROM found WHERE kind = 'micrograph') AS micrographs
        FROM chosen
        """,
        [list(pdf_sha256)],
    )[0]


def note_begun(catalogue: Catalogue, words: Sequence[str]) -> None:
    """Note that an extraction begins, told in these words, until ``note_ended``."""
    catalogue.upsert("settings", [{"key": BEGUN + json.dumps(words), "value": "begun"}])


def note_ended(catalogue: Catalogue, words: Sequence[str]) -> None:
    """It came to its end, and so did those that were asked for no more: the same paths, or files and folders below."""
    ended = {Path(word) for word in words if not word.startswith("--")}
    for other in begun_extractions(catalogue):
        paths = [Path(word) for word in other]
        if other == list(words) or all(path.is_absolute() and ended & {path, *path.parents} for path in paths):
            catalogue.run("DELETE FROM settings WHERE key = ?", [BEGUN + json.dumps(other)])


def begun_extractions(catalogue: Catalogue) -> list[list[str]]:
    """The words of extractions that did not come to their end."""
    keys = catalogue.column("SELECT key FROM settings WHERE starts_with(key, ?) ORDER BY key", [BEGUN])
    return [json.loads(key.removeprefix(BEGUN)) for key in keys]


def load_paper(catalogue: Catalogue, paper_id: str) -> Paper:
    """A paper that was read from a PDF, with all that ``save_papers`` wrote of it.

    Args:
        paper_id: of a paper in the catalogue.
    """
    (row,) = catalogue.rows("SELECT * FROM papers WHERE paper_id = ?", [paper_id])
    panels: dict[str, list[Panel]] = defaultdict(list)
    for one in catalogue.rows(
        f"""SELECT panels.*, {", ".join(f"images.{name} AS image_{name}" for name in IMAGE)},
                   {", ".join(f"bars.{name} AS bar_{name}" for name in BAR)}
            FROM panels JOIN figures USING (figure_id) JOIN images ON images.sha256 = image_sha256
            LEFT JOIN scale_bars bars USING (panel_id) WHERE paper_id = ? ORDER BY position""",  # noqa: S608 - constants
        [paper_id],
    ):
        panels[one["figure_id"]].append(_panel(one))
    figures = catalogue.rows("SELECT * FROM figures WHERE paper_id = ? ORDER BY page, y0, x0, figure_id", [paper_id])
    leftovers = catalogue.rows("SELECT * FROM leftovers WHERE paper_id = ? ORDER BY page, y0, leftover_id", [paper_id])
    return Paper(
        sha256=row["sha256"],
        file_name=row["file_name"],
        pages=row["pages"],
        meta=PaperMeta(**{name: row[name] for name in META}, reference=row["citation"]),
        figures=tuple(Figure(**_kinded(o, FIGURE), box=_box(o), panels=tuple(panels[o["figure_id"]])) for o in figures),
        leftovers=tuple(Leftover(o["what"], o["page"], o["label"], o["text"], _box(o)) for o in leftovers),
    )


def _box(row: dict[str, Any]) -> Box:
    return Box(row["x0"], row["y0"], row["x1"], row["y1"])


def _kinded(row: dict[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """The columns of these names, the kind as one of ``Kind``."""
    return {name: row[name] for name in names} | {"kind": Kind(row["kind"]) if row["kind"] else None}


def _panel(row: dict[str, Any]) -> Panel:
    said = json.loads(row["composition"] or "null")
    lists = {name: tuple(said[name]) for name in ("components", "ratio")} if said else {}
    return Panel(
        **_kinded(row, PANEL),
        box=_box(row),
        image=ImageInfo(**{name: row[f"image_{name}"] for name in IMAGE}),
        scale=ScaleBar(**{name: row[f"bar_{name}"] for name in BAR}) if row["bar_method"] else None,
        composition=Composition(**said | lists) if said else None,
        mentions=tuple(Mention(**one) for one in json.loads(row["mentions"] or "[]")),
    )
