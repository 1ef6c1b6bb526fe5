"""Pages of PDFs as pictures beside the gallery, drawn in worker processes with the limits of extraction."""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from polydata.extraction.document.page import PagePicture, draw_pages
from polydata.extraction.pool import Readers
from polydata.files.atomic import replacing, write_text
from polydata.files.find import path_from_text
from polydata.images.picture import image_store
from polydata.types import Failure, Progress
from polydata.workspace import Workspace

FOLDER = "pages"
Row = Mapping[str, Any]
Sizes = dict[int, list[float]]
Job = tuple[Path, str, tuple[str, list[int]]]
"""A PDF, the paper that was read from it, and for ``draw_pages`` its SHA-256 and the pages to be drawn."""


def add_pages(
    workspace: Workspace, folder: Path, entries: Sequence[dict[str, Any]], rows: Sequence[Row], progress: Progress
) -> list[str]:
    """Give each entry the picture of its page and where on it figure and panel stand, or a note why there is none.

    Pages that lie there already are not drawn again.

    Args:
        workspace: with the limits.
        folder: of the gallery.
        entries: as ``gallery_entries`` gives them; changed.
        rows: of the entries' panels.
        progress: told of papers that are done.

    Returns:
        A line for each paper whose PDF could not be drawn.
    """
    papers: dict[str, list[int]] = defaultdict(list)
    for position, row in enumerate(rows):
        entries[position] |= {"pageImage": None, "pageNote": _lacks(row), "figureBox": None, "panelBox": None}
        if entries[position]["pageNote"] is None:
            papers[row["paper_id"]].append(position)
    failures = []
    drawn = _drawn(workspace, folder, {paper: [rows[at] for at in found] for paper, found in papers.items()})
    for done, (paper, sizes) in enumerate(drawn, start=1):
        progress("Drawing pages", done, len(papers))
        if isinstance(sizes, Failure):
            failures.append(sizes.detail)
        for position in papers[paper]:
            _place(entries[position], rows[position], sizes)
    return sorted(failures)


def _lacks(row: Row) -> str | None:
    """Why a page cannot be shown; None where it can be tried."""
    if row["pdf_sha256"] is None or row["page"] is None:
        return "This image came without a PDF."
    if row["path"] is None or not path_from_text(row["path"]).is_file():
        return f"The PDF {row['paper']} is not where it was read."
    if row["older"]:
        return f"The PDF {row['paper']} was changed and read again since; this is of an older reading."
    return None


def _place(entry: dict[str, Any], row: Row, sizes: Sizes | Failure) -> None:
    if isinstance(sizes, Failure):
        entry["pageNote"] = f"The page cannot be drawn: {sizes.reason}."
    elif row["page"] not in sizes:
        entry["pageNote"] = "The PDF has no such page any more."
    else:
        width, height = sizes[row["page"]]
        entry["pageImage"] = f"{FOLDER}/{row['paper_id']}-{row['page']}.jpg"
        for key, box in (("figureBox", row["figure_box"]), ("panelBox", row["panel_box"])):
            if box is not None:
                entry[key] = [box[0] / width, box[1] / height, box[2] / width, box[3] / height]


def _drawn(
    workspace: Workspace, folder: Path, papers: Mapping[str, Sequence[Row]]
) -> Iterator[tuple[str, Sizes | Failure]]:
    """Each paper with the sizes of its pages in points, or why they could not be drawn."""
    todo: list[Job] = []
    for paper, rows in papers.items():
        pages = sorted({int(row["page"]) for row in rows})
        known = _known(folder, paper)
        if all(page in known for page in pages):
            yield paper, known
        else:
            todo.append((path_from_text(rows[0]["path"]), paper, (str(rows[0]["pdf_sha256"]), pages)))
    settings = workspace.settings.extract
    while todo:
        now = {job[0]: job for job in todo}  # results come back by path: one paper of each at a time
        todo = [job for job in todo if now[job[0]] is not job]
        count = min(len(now), settings.workers or os.cpu_count() or 1)
        readers = Readers(image_store(workspace), settings, workers=count)
        for path, result in readers.each((path, draw_pages, asked) for path, _, asked in now.values()):
            paper = now[path][1]
            yield paper, result if isinstance(result, Failure) else _keep(folder, paper, result)


def _known(folder: Path, paper: str) -> Sizes:
    try:
        sizes = json.loads((folder / FOLDER / f"{paper}.json").read_text(encoding="utf-8"))
        return {int(page): [float(v) for v in size] for page, size in sizes.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _keep(folder: Path, paper: str, pictures: Sequence[PagePicture]) -> Sizes:
    """Write the pictures of a paper's pages, then their sizes, by which they are known to be there."""
    sizes = _known(folder, paper)
    for one in pictures:
        with replacing(folder / FOLDER / f"{paper}-{one.page}.jpg") as out:
            out.write(one.jpeg)
        sizes[one.page] = [one.width, one.height]
    write_text(folder / FOLDER / f"{paper}.json", json.dumps(sizes))
    return sizes
