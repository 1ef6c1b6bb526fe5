"""The catalogue held against the store and the splits: what does not fit, and what of it can be mended."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from polydata.catalogue.connect import BACKUPS, Catalogue, time_stamp
from polydata.catalogue.session import Session
from polydata.errors import InputError, PolydataError
from polydata.extraction.workflow import extract
from polydata.files.atomic import PART, clear_half_written, half_written
from polydata.files.find import path_from_text
from polydata.ids import sha256_file
from polydata.images.picture import file_name
from polydata.splits.manifest import MANIFEST
from polydata.splits.overview import verify_split
from polydata.types import Progress, quiet, tracked
from polydata.upkeep.backup import set_aside

BELONGS = (
    ("figures", "paper_id", "papers"),
    ("leftovers", "paper_id", "papers"),
    ("paper_resolutions", "paper_id", "papers"),
    ("paper_links", "paper_id", "papers"),
    ("panels", "figure_id", "figures"),
    ("figure_links", "figure_id", "figures"),
    ("scale_bars", "panel_id", "panels"),
    ("links", "panel_id", "panels"),
    ("link_candidates", "panel_id", "panels"),
    ("label_votes", "panel_id", "panels"),
    ("links", "record_id", "records"),
    ("figure_links", "record_id", "records"),
    ("paper_links", "record_id", "records"),
    ("link_candidates", "record_id", "records"),
    ("record_components", "record_id", "records"),
    ("record_properties", "record_id", "records"),
)
"""Tables that a stage works out, each with the column that names a row of another. What people said may stand alone:
it waits until what it speaks of is read again."""

What = Literal["row", "missing image", "damaged image", "orphan", "half-written file", "split"]


@dataclass(frozen=True)
class Fault:
    """One thing that does not fit.

    Attributes:
        what: its kind.
        where: table, file, image or split.
        said: what is wrong, in words.
        mended: what was done about it; empty where nothing was.
    """

    what: What
    where: str
    said: str
    mended: str = ""


def check(session: Session, *, repair: bool = False, progress: Progress = quiet) -> list[Fault]:
    """Hold the catalogue against the image store and the splits.

    Args:
        session: open for writing where something is to be mended.
        repair: strike out rows that belong to nothing, remove half-written files and folders (what one had moved aside
            returns), move files that the catalogue does not know and damaged images to backups/, and read papers anew
            whose images are missing, where their PDFs lie where they lay. What people said is never touched.

    Returns:
        Everything that was found wrong; empty when all is well.
    """
    faults = [*_rows(session.catalogue, repair=repair), *_parts(session.workspace.root, repair=repair)]
    aside = session.workspace.root / BACKUPS / f"set-aside-{time_stamp()}"
    images = list(_images(session, aside if repair else None, progress))
    if repair and any(fault.what in ("missing image", "damaged image") for fault in images):
        images = _read_again(session, images, progress)
    faults += images
    for folder in sorted(session.workspace.splits.glob(f"*/{MANIFEST}")):
        name = folder.parent.name
        try:
            wrong = verify_split(session, name)
        except PolydataError as error:
            wrong = [error.message]
        faults += [Fault("split", name, said) for said in wrong]
    return faults


def _rows(catalogue: Catalogue, *, repair: bool) -> Iterator[Fault]:
    """Rows that belong to a row that is not there."""
    for table, column, owner in BELONGS:
        lost = f"FROM {table} WHERE {column} NOT IN (SELECT {column} FROM {owner})"  # noqa: S608 - constants
        count = catalogue.value(f"SELECT count(*) {lost}")
        if count and repair:
            catalogue.run(f"DELETE {lost}")
        if count:
            said = f"{count} rows belong to no row of {owner}"
            yield Fault("row", table, said, "struck out" if repair else "")
    for (sha256,) in catalogue.tuples("SELECT image_sha256 FROM panels EXCEPT SELECT sha256 FROM images ORDER BY 1"):
        yield Fault("row", "panels", f"a panel shows the image {sha256}, of which the catalogue knows nothing")


def _parts(root: Path, *, repair: bool) -> Iterator[Fault]:
    """What a killed process left half-written below the workspace. Runs look after their own."""
    for path in sorted(root.glob(f"**/.*{PART}")):
        above = path.relative_to(root).parts[:-1]
        if "runs" not in above and not any(map(half_written, above)):
            if repair:
                clear_half_written(path)
            yield Fault("half-written file", str(path), "a command was ended as it wrote", "removed" if repair else "")


def _images(session: Session, aside: Path | None, progress: Progress) -> Iterator[Fault]:
    """Images that are missing or damaged, and files of the store that no row names; moved aside where a place is."""
    store, known = session.images, session.catalogue.tuples("SELECT sha256, format FROM images ORDER BY sha256")
    for sha256, true_format in tracked(known, "Checking images", progress, len(known)):
        try:
            store.read(sha256, true_format)
        except InputError as error:
            path = store.root / file_name(sha256, true_format)
            there = path.is_file()
            moved = _set_aside(path, aside) if there else ""
            yield Fault("damaged image" if there else "missing image", sha256, error.message, moved)
    for path in store.unnamed(known):
        yield Fault("orphan", str(path), "no row of the catalogue names it", _set_aside(path, aside))


def _set_aside(path: Path, aside: Path | None) -> str:
    if aside is None:
        return ""
    set_aside(path, aside)
    return f"moved to {aside}"


def _read_again(session: Session, faults: list[Fault], progress: Progress) -> list[Fault]:
    """Read the papers anew that show images which are gone, and say of each image whether it came back."""
    gone = [fault.where for fault in faults if fault.what in ("missing image", "damaged image")]
    papers = session.catalogue.tuples(
        """SELECT DISTINCT papers.sha256, path FROM papers JOIN figures USING (paper_id) JOIN panels USING (figure_id)
           WHERE list_contains(?, image_sha256) AND path IS NOT NULL ORDER BY path""",
        [gone],
    )
    found = [(sha256, path_from_text(path)) for sha256, path in papers]
    there = [path for sha256, path in found if path.is_file() and sha256_file(path) == sha256]
    if there:
        extract(session, there, again=True, progress=progress)
    formats = dict(session.catalogue.tuples("SELECT sha256, format FROM images"))
    back = {sha256 for sha256 in gone if sha256 not in formats or session.images.has(sha256, formats[sha256])}
    return [Fault(f.what, f.where, f.said, "its paper was read anew" if f.where in back else f.mended) for f in faults]
