"""Taking papers out of a workspace: the catalogue first, then the images that nothing shows any more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from polydata.catalogue.connect import Catalogue
from polydata.catalogue.lookup import find_papers
from polydata.catalogue.metadata import tie_supplements
from polydata.catalogue.papers import failures, forget_failure
from polydata.catalogue.remove import papers_at_shared_paths, remove_papers, what_goes_with
from polydata.catalogue.session import Session
from polydata.errors import InputError, UsageError
from polydata.files.find import path_from_text
from polydata.ids import sha256_file


@dataclass(frozen=True)
class Removed:
    """What a removal did to the store.

    Attributes:
        images: that left it: files on this machine.
        failures: files that could not be deleted, each with the reason; the catalogue does not know them any more.
        left_behind: the address where these images stay, since other workspaces may keep theirs there too; None for a
            store on this machine.
    """

    images: int
    failures: tuple[str, ...]
    left_behind: str | None = None


def plan_removal(session: Session, identifiers: Sequence[str], *, older: bool = False) -> list[dict[str, Any]]:
    """Papers that are to go, and what goes with each of them (see ``catalogue.remove.what_goes_with``).

    Args:
        identifiers: ids of papers or SHA-256 of their PDFs, or the beginnings of these.
        older: also every paper whose file holds other bytes by now, while those were read as another paper.

    Raises:
        UsageError: if no paper is named in either way.
        InputError: if an identifier names no paper, or several.
    """
    if not identifiers and not older:
        raise UsageError("No paper is named.", "Name papers by their ids (polydata list papers), or give --older.")
    catalogue = session.catalogue
    chosen = find_papers(catalogue, identifiers)
    if older:
        chosen += [paper for paper in older_papers(catalogue) if paper not in chosen]
    return what_goes_with(catalogue, chosen)


def older_papers(catalogue: Catalogue) -> list[str]:
    """Papers of a path whose file now holds another of the papers that were read from it."""
    by_path: dict[str, dict[str, str]] = {}
    for row in papers_at_shared_paths(catalogue):
        by_path.setdefault(row["path"], {})[row["sha256"]] = row["paper_id"]
    older = []
    for path, papers in by_path.items():
        try:
            now = sha256_file(path_from_text(path))
        except OSError:
            continue  # the file is gone: nothing says which of them is the newer
        if now in papers:
            older += [paper for sha256, paper in papers.items() if sha256 != now]
    return older


def remove(session: Session, papers: Iterable[Mapping[str, Any]]) -> Removed:
    """Take the papers out of the catalogue, then the images that nothing shows any more out of the store's folder,
    and pictures that were drawn of its pages and figures.

    A command that is killed between the two steps leaves images without a paper, which do no harm.
    """
    gone, pictures = remove_papers(session.catalogue, [paper["paper_id"] for paper in papers])
    tie_supplements(session.catalogue)
    store = session.images
    failures = []
    for sha256, true_format in gone:
        try:
            store.remove(sha256, true_format)
        except OSError as error:
            failures.append(f"{store.place(sha256, true_format)}: {error.strerror or error}")
    left = len(failures)
    for path in map(store.figure, pictures):
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            failures.append(f"{path}: {error.strerror or error}")
    address = str(store.remote) if store.remote is not None and gone else None
    return Removed(len(gone) - left, tuple(failures), address)


def forget_failures(session: Session, named: Sequence[str] = ()) -> list[str]:
    """Strike files out of the list of failures. Returns their paths.

    Args:
        named: those that go, by path or by name alone; where none is named, all that are there no more.

    Raises:
        InputError: if nothing failed that is called so.
    """
    catalogue = session.catalogue
    failed = [row["path"] for row in failures(catalogue)]
    gone = [path for path in failed if not path_from_text(path).exists()]
    if named:
        found = {one: [p for p in failed if p == str(Path(one).resolve()) or one in (p, Path(p).name)] for one in named}
        if unknown := [one for one, paths in found.items() if not paths]:
            raise InputError(f"No file failed that is called {unknown[0]}.", "See them with: polydata list failures")
        gone = list(dict.fromkeys(path for paths in found.values() for path in paths))
    with catalogue.transaction():
        for path in gone:
            forget_failure(catalogue, path_from_text(path))
    return gone
