"""Opens the catalogue of a workspace, its task's words written into it."""

from __future__ import annotations

from polydata.catalogue.connect import Catalogue
from polydata.catalogue.resolution import note_changes
from polydata.task import Task
from polydata.workspace import Workspace


def open_catalogue(workspace: Workspace, *, read_only: bool = False) -> Catalogue:
    """The workspace's catalogue, made and brought up to date where needed.

    When a session that may write ends, labels that became others meanwhile are noted in their history.

    Args:
        read_only: for commands that only look: several of them may run at once.

    Raises:
        CatalogueError: if another process holds it, or it is newer than this program.
    """
    task = workspace.task()
    catalogue = Catalogue.open(workspace.catalogue, read_only=read_only)
    if not _knows(catalogue, task):
        if read_only:
            catalogue.close()
            catalogue = Catalogue.open(workspace.catalogue)
        _write(catalogue, task)
    if not read_only:
        catalogue.at_end = note_changes
    return catalogue


def _source_rows(task: Task) -> list[tuple[str, int, list[str] | None, bool]]:
    return [
        (s.name, rank, list(s.vocabulary) if s.vocabulary else None, s.refines)
        for rank, s in enumerate(task.sources, start=1)
    ]


def _knows(catalogue: Catalogue, task: Task) -> bool:
    words = catalogue.tuples("SELECT label, position FROM label_words ORDER BY position")
    sources = catalogue.tuples("SELECT source, rank, vocabulary, refines FROM label_sources ORDER BY rank")
    return words == [(w, i) for i, w in enumerate(task.labels)] and sources == _source_rows(task)


def _write(catalogue: Catalogue, task: Task) -> None:
    with catalogue.transaction():
        catalogue.run("DELETE FROM label_words")
        catalogue.run("DELETE FROM label_sources")
        catalogue.upsert("label_words", [{"label": w, "position": i} for i, w in enumerate(task.labels)])
        names = ("source", "rank", "vocabulary", "refines")
        catalogue.upsert("label_sources", [dict(zip(names, row, strict=True)) for row in _source_rows(task)])
