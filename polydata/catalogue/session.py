"""An open workspace: its settings, catalogue, task and images, in one object that every stage takes."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from polydata.catalogue.connect import Catalogue
from polydata.catalogue.resolution import note_changes
from polydata.task import Task
from polydata.workspace import Workspace

if TYPE_CHECKING:  # imported when images or a frame are asked for: most commands need neither
    import pandas as pd
    import pyarrow as pa

    from polydata.images.picture import ImageStore


class Session:
    """An open workspace. Use it as a context manager: its catalogue is let go when the block ends.

    Args:
        workspace: the folder and its settings.
        catalogue: of that workspace, open.
        task: another than the workspace's own.
    """

    def __init__(self, workspace: Workspace, catalogue: Catalogue, task: Task | None = None) -> None:
        self.workspace = workspace
        self.catalogue = catalogue
        self.task = task or workspace.task()

    @cached_property
    def images(self) -> ImageStore:
        """The store of the images.

        Raises:
            WorkspaceError: if the address under [store] cannot be used.
        """
        from polydata.images.picture import image_store

        return image_store(self.workspace)

    def papers(self, *, arrow: bool = False) -> pd.DataFrame | pa.Table:
        """The papers: what ``polydata list papers --json`` lists, one row each, by file name.

        Columns: paper_id, file, doi, title, journal, year, volume, first_page (as printed), pages (of the file),
        figures and panels (how many), supplement_of (file of its paper), resolved, licence, status. What is not known
        is empty.

        Args:
            arrow: a ``pyarrow.Table`` instead of a ``pandas.DataFrame``; it holds no pictures. So for every frame.
        """
        return self._frame("papers", arrow)

    def figures(self, *, arrow: bool = False) -> pd.DataFrame | pa.Table:
        """The figures, one row each, in the order of the pages.

        Columns: figure_id, paper_id, paper_file, pdf_sha256, source, page (from 1), box (x0, y0, x1, y1 in points of
        1/72 inch, origin top left; empty for imported figures), label, caption, kind, method, confidence (0 to 1), dpi
        (of its picture), image_sha256 and format (lists, of its panels), image (the pictures of its panels).
        """
        return self._frame("figures", arrow)

    def panels(self, *, arrow: bool = False) -> pd.DataFrame | pa.Table:
        """The panels: what ``polydata export panels`` writes, one row each, in the order of the pages.

        Columns: panel_id, image_sha256, format, label, label_source, conflict, panel_label, caption, caption_stem,
        polymers, composition_ratio, blending_method, scale_um (length of the scale bar in micrometres), scale_source,
        kind, technique, screening_score (0 to 1), screening, screening_by_hand, morphology (0 to 1), record_id,
        figure_id, figure_label, page (from 1), paper_id, pdf_sha256, paper_file, doi, title, journal, year, box (as
        in ``figures``), image (shows in a notebook; ``.open()`` gives a PIL image, ``.path`` its file).
        """
        return self._frame("panels", arrow)

    def labels(self, *, arrow: bool = False) -> pd.DataFrame | pa.Table:
        """The labels that follow from all that was said, one row an image, by its SHA-256.

        Columns: image_sha256, label (empty where nothing decides), source (that decided), conflict (whether sources
        or reviewers differ), said (list of ``source=label``).
        """
        return self._frame("labels", arrow)

    def records(self, *, arrow: bool = False) -> pd.DataFrame | pa.Table:
        """The records of samples: what ``polydata records list --json`` lists, one row each.

        Columns: record_id, source (file), the fields of ``polydata records template`` (scale_um in micrometres), and
        linked_panels (how many).
        """
        return self._frame("records", arrow)

    def splits(self, *, arrow: bool = False) -> pd.DataFrame | pa.Table:
        """Where images stand in the splits, one row an image, fold and split.

        Columns: split (its name), digest, fold (from 1), side (``train`` or ``test``), image_sha256, label, group_id.
        """
        return self._frame("splits", arrow)

    def _frame(self, name: str, arrow: bool) -> pd.DataFrame | pa.Table:
        from polydata.catalogue.frames import read_frame

        return read_frame(self.catalogue, lambda: self.images, name, arrow=arrow)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.catalogue.__exit__(kind)

    def close(self) -> None:
        """Write everything out and let go of the catalogue."""
        self.catalogue.close()


def open(folder: Workspace | Path | str | None = None, read_only: bool = False) -> Session:
    """Open a workspace; leave it with ``close``, or use it as a context manager.

    Its catalogue is made and brought up to date where needed. When a session that may write ends, labels that became
    others meanwhile are noted in their history.

    Args:
        folder: of the workspace, or the workspace; None takes POLYDATA_WORKSPACE, or the first found from here upwards.
        read_only: for those that only look: several of them may be open at once.

    Raises:
        WorkspaceError: if there is no workspace, or its settings cannot be read.
        CatalogueError: if another process holds the catalogue, or it is newer than this program.
    """
    place = folder if isinstance(folder, Workspace) else Workspace.find(None if folder is None else Path(folder))
    task = place.task()
    catalogue = Catalogue.open(place.catalogue, read_only=read_only)
    wanted = _task_rows(task)
    if any(catalogue.rows(f"SELECT * FROM {table} ORDER BY 2") != rows for table, rows in wanted.items()):  # noqa: S608
        if read_only:
            catalogue.close()
            catalogue = Catalogue.open(place.catalogue)
        with catalogue.transaction():
            for table, rows in wanted.items():
                catalogue.run(f"DELETE FROM {table}")  # noqa: S608
                catalogue.upsert(table, rows)
    if not read_only:
        catalogue.at_end = note_changes
    return Session(place, catalogue, task)


open_session = open
"""The same under a name of its own, for those who import it."""


def _task_rows(task: Task) -> dict[str, list[dict[str, Any]]]:
    """The tables that follow from a task, in the order of their second column."""
    sources = [
        {"source": s.name, "rank": rank, "vocabulary": list(s.vocabulary or ()) or None, "refines": s.refines}
        for rank, s in enumerate(task.sources, start=1)
    ]
    words = [{"label": word, "position": position} for position, word in enumerate(task.labels)]
    return {"label_sources": sources, "label_words": words}


def init(folder: Path | str) -> Workspace:
    """Make a workspace: settings, catalogue, image store, and folders for splits, runs and exports.

    Args:
        folder: made if need be; it may hold other files.

    Raises:
        WorkspaceError: if it cannot be written.
    """
    workspace = Workspace.init(Path(folder))
    open_session(workspace).close()
    return workspace
