"""Takes a split out of the workspace: its rows, then its files, and no file that is not one of a split."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from polydata.catalogue.session import Session
from polydata.catalogue.splits import forget, registered
from polydata.catalogue.trace import runs_on
from polydata.errors import InputError, RefusedError
from polydata.files.atomic import other_files, writing_to
from polydata.splits.manifest import MANIFEST, check_name

OURS = re.compile(r"split\.json|(fold_\d+_)?(train|val|test)\.csv")


@dataclass(frozen=True)
class RemovedSplit:
    """What was removed, and what is left of it.

    Attributes:
        name: of the split.
        folder: where its lists lay.
        digest: as the catalogue knew it; None where it did not.
        runs: names of runs that were trained on a split of this name; they stay.
        copies: folders of augmented copies that were made of it; they stay.
    """

    name: str
    folder: Path
    digest: str | None
    runs: tuple[str, ...]
    copies: tuple[str, ...]


def remove_split(session: Session, name: str, *, confirmed: bool = False) -> RemovedSplit:
    """Remove a split, damaged or not; its images, and the runs that were trained on it, stay.

    A command that is killed between rows and files leaves a split that this removes as well.

    Args:
        session: open for writing.
        name: of the split.
        confirmed: somebody said that it may go: nothing brings it back but building it again.

    Raises:
        UsageError: if it cannot be the name of a split.
        InputError: if there is none of this name, or it cannot be deleted.
        RefusedError: if nobody confirmed it, or its folder holds other files.
    """
    folder = session.workspace.splits / check_name(name)
    digest = registered(session.catalogue, name)
    if digest is None and not folder.is_dir():
        raise InputError(f"There is no split {name}.", "List the splits with: polydata split list")
    runs = tuple(str(run["name"]) for run in runs_on(session.catalogue, name))
    if not confirmed:
        trained = f" The runs {', '.join(runs)} were trained on it, and could not be evaluated again." if runs else ""
        raise RefusedError(
            f"The split {name} was not removed.{trained}", f"If it may go: polydata split remove {name} --yes"
        )
    with writing_to(folder, "Close what uses it, then run this command again."):
        files = sorted(folder.iterdir()) if folder.is_dir() else []
        if foreign := [path.name for path in files if not OURS.fullmatch(path.name) or path.is_dir()]:
            raise other_files(folder, foreign)
        forget(session.catalogue, name)
        for path in sorted(files, key=lambda path: path.name == MANIFEST):  # last that by which it is known
            path.unlink()
        if folder.is_dir():
            folder.rmdir()
    copies = tuple(sorted(path.name for path in session.workspace.splits.glob(f"{name}+*")))
    return RemovedSplit(name, folder, digest, runs, copies)
