"""Writes figures, panels and links of the catalogue as files that other programs read."""

from __future__ import annotations

import json
import shutil
from itertools import groupby
from pathlib import Path

from polydata.catalogue.described import figure_exports, panel_exports
from polydata.catalogue.records import best_candidates, link_exports, list_candidates
from polydata.catalogue.session import Session
from polydata.errors import InputError
from polydata.files.atomic import mark_of, refuse_any_file, refuse_other_file, replacing, writing_to
from polydata.files.tables import refuse_other_table, write_csv
from polydata.images.picture import SUFFIXES
from polydata.resources import VERSION

LINK_COLUMNS = ("pdf_sha256", "page", "figure_label", "panel_label", "record_id", "method", "score", "record_key")
CANDIDATE_COLUMNS = (
    "record", "panel", "likeliest", "record_key", "label", "sample", "caption", "record_figure", "record_panel",
    "paper", "page", "figure", "letter", "panel_caption", "score", "others",
)  # fmt: skip
LIKELY = 0.5
"""Score above which a candidate is right more often than not."""

MARK = "panels.json"
"""By which a folder is known as one of panels."""


def export_figures(session: Session, output: Path) -> int:
    """Write one figure of a PDF a line as JSON; returns how many.

    Keys: pdf_sha256, page (1-based), bbox ([x0, y0, x1, y1] in points, origin top left), label, caption, kind,
    panels ({label, bbox, caption, caption_stem, kind, image_sha256, panel_id}), file_name, figure_id, method,
    confidence (0 to 1), dpi.

    Raises:
        InputError: if it cannot be written.
        RefusedError: if another program's file is there.
    """
    refuse_other_file(output, r'\A\{"pdf_sha256": ')
    count = 0
    with writing_to(output), replacing(output) as out:
        for count, row in enumerate(figure_exports(session.catalogue), start=1):  # noqa: B007 - how many there were
            out.write(f"{json.dumps(row, ensure_ascii=False)}\n".encode())
    return count


def export_panels(session: Session, output: Path, *, accepted_only: bool = False) -> int:
    """Write the images of all panels and ``panels.csv`` beside them; returns the number of rows.

    Images lie in ``images/`` under their SHA-256, each once; several rows may name the same one.

    Args:
        accepted_only: only candidate micrographs by the automatic screening.

    Raises:
        InputError: if an image cannot be copied, or the table not be written.
        RefusedError: if the folder holds other files.
    """
    with writing_to(output):
        mark_of(output, MARK, ("made_by", "accepted_only"))
        with replacing(output / MARK) as out:
            out.write(f"{json.dumps({'made_by': f'polydata {VERSION}', 'accepted_only': accepted_only})}\n".encode())
    rows = [r for r in panel_exports(session.catalogue) if not accepted_only or r["screening"] == "accepted"]
    for row in rows:
        source = session.images.path(row["image_sha256"], row["format"])
        row["image"] = f"images/{row['image_sha256']}.{SUFFIXES[row.pop('format')]}"
        target = output / row["image"]
        if not target.exists():
            try:
                with open(source, "rb") as data, replacing(target) as out:
                    shutil.copyfileobj(data, out)
            except OSError as error:
                problem = f"{source} cannot be copied to {target}: {error.strerror}."
                raise InputError(problem, "Is the image store whole?") from error
    write_csv(output / "panels.csv", ["image", *(k for k in rows[0] if k != "image")] if rows else ["image"], rows)
    return len(rows)


def export_links(session: Session, output: Path) -> int:
    """Write the links of records to panels and figures of PDFs as CSV, one a row; returns how many.

    Columns: ``LINK_COLUMNS``. ``panel_label`` is empty where the link is to the figure, or its panel has no letter;
    ``score`` is 0 to 1.

    Raises:
        InputError: if it cannot be written.
        RefusedError: if another table is there.
    """
    refuse_other_table(output, LINK_COLUMNS)
    rows = link_exports(session.catalogue)
    write_csv(output, LINK_COLUMNS, rows)
    return len(rows)


def export_candidates(session: Session, output: Path) -> int:
    """Write the records that wait as CSV, one a row, as a table for ``polydata link --file``; returns how many.

    A file that is there may be one that somebody corrected, and is left alone.

    Columns: ``CANDIDATE_COLUMNS``. ``record`` and ``likeliest`` are ids, of the record and its best candidate, which
    the columns behind ``record_panel`` describe; ``panel`` is the same where it is right more often than not, else
    empty: to be filled in. ``others`` names those that come next, each with its place and score.

    Raises:
        InputError: if it cannot be written.
        RefusedError: if it is there and not empty.
    """
    refuse_any_file(output)
    rows = []
    for record, its in groupby(best_candidates(list_candidates(session.catalogue)), lambda row: row["record_id"]):
        best, *others = its
        named = [(one["panel_id"], one["figure"], one["panel"], f"{one['score']:.3f}") for one in others]
        said = "; ".join(" ".join(filter(None, words)) for words in named)
        panel = best["panel_id"] if best["score"] > LIKELY else None
        described = {"record": record, "panel": panel, "likeliest": best["panel_id"], "letter": best["panel"]}
        rows.append(best | described | {"others": said})
    write_csv(output, CANDIDATE_COLUMNS, rows)
    return len(rows)
