"""A workspace kept in one file and brought back: its catalogue, settings and splits; images by hash, or with them."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import IO, Any

from polydata.catalogue.connect import BACKUPS, Catalogue, time_stamp
from polydata.catalogue.session import Session
from polydata.errors import CatalogueError, InputError, PolydataError, RefusedError
from polydata.files.atomic import PART, check_output, replacing, writing_to
from polydata.ids import sha256_bytes, sha256_file
from polydata.images.picture import ImageStore, file_name, image_store
from polydata.resources import VERSION
from polydata.splits.manifest import MANIFEST, read_manifest
from polydata.types import Progress, quiet, tracked
from polydata.workspace import RECORD_COLUMNS, RECORD_WORDS, SETTINGS, Workspace

CATALOGUE = "catalog.duckdb"
CONTENTS = "backup.json"
"""Member that names all others with their SHA-256; it comes last, so a backup that was cut off has none."""
FORMAT = 1
IMAGE = re.compile(r"store/[0-9a-f]{2}/([0-9a-f]{64})\.[a-z]{3,4}")


@dataclass(frozen=True)
class Backup:
    """A backup that was written.

    Attributes:
        file: the ZIP file.
        size_bytes: of the file.
        fingerprint: of the catalogue.
        files: members: catalogue, settings, task, splits and images.
        images: files of images among them.
        images_missing: images that were to come along and are missing or damaged, one line each.
    """

    file: Path
    size_bytes: int
    fingerprint: str
    files: int
    images: int
    images_missing: tuple[str, ...]


@dataclass(frozen=True)
class Restored:
    """What a restore did.

    Attributes:
        workspace: its folder.
        fingerprint: of the catalogue that is now there.
        before: where the catalogue that was there before lies now; None where there was none.
        aside: where images and splits lie now that were here and that this catalogue does not name; None without any.
        images: that came from the backup, or back from where they had been set aside.
        kept: files that differ from those of the backup and were left as they are.
        images_missing: how many images of the catalogue are not in the store.
    """

    workspace: Path
    fingerprint: str
    before: Path | None
    aside: Path | None
    images: int
    kept: tuple[str, ...]
    images_missing: int


def backup(session: Session, file: Path | None = None, *, images: bool = False, progress: Progress = quiet) -> Backup:
    """Write what the workspace holds to one ZIP file: the catalogue with all that people said, settings and splits.

    Args:
        session: open for writing, so that nobody else changes the catalogue meanwhile.
        file: its name ends in .zip and must be free; None makes one in backups/ of the workspace.
        images: whether the images come along. Otherwise the catalogue knows them by hash, and extraction or a merge
            brings them back. Runs never come along.

    Raises:
        RefusedError: if the file is there already.
        InputError, UsageError: if it cannot be written.
    """
    workspace = session.workspace
    file = file or workspace.root / BACKUPS / f"{workspace.root.name}-{time_stamp()}.zip"
    if file.parent == workspace.root / BACKUPS:
        with writing_to(file):
            file.parent.mkdir(exist_ok=True)
    check_output(file, (".zip",))
    if file.exists():
        raise RefusedError(f"{file} is there already.", "Name another file: a backup never takes another's place.")
    with writing_to(file), tempfile.TemporaryDirectory(prefix=".backup-", suffix=PART, dir=workspace.root) as folder:
        copy = Path(folder) / CATALOGUE
        session.catalogue.copy_to(copy)
        members = {CATALOGUE: copy} | {name: workspace.root / name for name in _plain_files(workspace)}
        pictures, missing = _pictures(session.images, session.catalogue) if images else ({}, [])
        written: dict[str, str] = {}
        with replacing(file) as out, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, path in tracked((members | pictures).items(), "Writing the backup", progress):
                # Pictures are compressed already.
                archive.write(path, name, zipfile.ZIP_STORED if name in pictures else None)
                written[name] = sha256_file(path)
            fingerprint = session.catalogue.fingerprint()
            contents = {
                "format": FORMAT,
                "made_by": f"polydata {VERSION}",
                "made": datetime.now(UTC).isoformat(timespec="seconds"),
                "fingerprint": fingerprint,
                "files": written,
            }
            archive.writestr(CONTENTS, json.dumps(contents, indent=1))
    size = file.stat().st_size
    return Backup(file, size, fingerprint, len(written), len(pictures), tuple(missing))


def _plain_files(workspace: Workspace) -> list[str]:
    """Settings, a task file within the workspace and the files of the splits, by their way from the root."""
    named = [SETTINGS, workspace.settings.task] if workspace.settings.task.endswith(".toml") else [SETTINGS]
    named += [name for name in (RECORD_WORDS, RECORD_COLUMNS) if (workspace.root / name).is_file()]
    found = [workspace.root / name for name in named] + sorted(workspace.splits.rglob("*"))
    return [
        path.relative_to(workspace.root).as_posix()
        for path in found
        if path.is_file() and path.resolve().is_relative_to(workspace.root) and not path.name.endswith(PART)
    ]


def _pictures(store: ImageStore, catalogue: Catalogue) -> tuple[dict[str, Path], list[str]]:
    """File of each image by its name in a backup, and those that cannot be had."""
    found, missing = {}, []
    for sha256, true_format in catalogue.tuples("SELECT sha256, format FROM images ORDER BY sha256"):
        try:
            path = store.path(sha256, true_format)
            if not path.is_file() or sha256_file(path) != sha256:
                raise InputError(f"The image {sha256} is missing or damaged.")
            found[f"store/{sha256[:2]}/{path.name}"] = path
        except InputError as error:
            missing.append(error.message)
    return found, missing


def restore(folder: Path, file: Path, progress: Progress = quiet) -> Restored:
    """Bring a workspace back from a backup, or from a copy of its catalogue (.duckdb) as migrations leave one.

    The catalogue that is there is kept in backups/, and images and splits that the new one does not name beside it:
    they come back when that one is restored. Settings and tasks that are there stay; those that are not come from the
    backup. Nothing is changed before all of the backup was found whole.

    Args:
        folder: of the workspace; it is made where it is missing.

    Raises:
        InputError: if the file is no backup, or not whole.
        CatalogueError: if another process holds the catalogue, or the backup's is newer than this program.
        WorkspaceError: if the folder cannot hold a workspace.
    """
    root = folder.resolve()
    with (
        writing_to(root, "Choose another --workspace."),
        _unpacked(root, file, progress) as (new, catalogue, there),
    ):
        with Catalogue.open(catalogue) as copy:  # brings it up to date, and says where it cannot
            fingerprint = copy.fingerprint()
            wanted = copy.tuples("SELECT sha256, format FROM images")
            splits = dict(copy.tuples("SELECT name, digest FROM splits"))
        _in_nobodys_hands(root / CATALOGUE)
        of_splits = [path for path in there if path.is_relative_to(new / "splits")]
        kept, images = _put(new, root, [path for path in there if path not in of_splits])
        workspace = Workspace.init(root)
        store = image_store(workspace)
        images += _bring_images_back(root / BACKUPS, store, wanted)
        stamped = root / BACKUPS / f"before-restore-{time_stamp()}"
        before = _keep(root / CATALOGUE, stamped.with_suffix(".duckdb"))
        catalogue.replace(root / CATALOGUE)
        # Only now: had it been killed before, the old catalogue would lack what it names.
        for path in store.unnamed(wanted):
            set_aside(path, stamped)
        for path in workspace.splits.glob(f"*/{MANIFEST}"):
            if splits.get(path.parent.name) != _digest(path.parent):
                set_aside(path.parent, stamped / "splits")
        kept += _put(new, root, of_splits)[0]
        _bring_splits_back(workspace, splits)
    missing = sum(not store.has(*image) for image in wanted) if store.remote is None else 0
    return Restored(
        root, fingerprint, before, stamped if stamped.exists() else None, images, tuple(kept), images_missing=missing
    )


def _put(folder: Path, root: Path, files: Sequence[Path]) -> tuple[list[str], int]:
    """Move files from below a folder to the same places below the root where nothing is.

    Returns:
        Names of those where something else is, and how many images were put.
    """
    kept, images = [], 0
    for path in files:
        name = path.relative_to(folder).as_posix()
        target = root / name
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            path.replace(target)
            images += bool(IMAGE.fullmatch(name))
        elif sha256_file(target) != sha256_file(path):
            kept.append(name)
    return kept, images


def set_aside(path: Path, folder: Path) -> None:
    """Move a file or folder into a folder among the backups, which may lie on another disk."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.move(path, folder / path.name)


def _bring_images_back(backups: Path, store: ImageStore, images: Sequence[tuple[str, str]]) -> int:
    """Move images that are not in the store back from where they were set aside; how many there were."""
    missing = [image for image in images if store.remote is None and not store.has(*image)]
    lie = {path.name: path for path in backups.glob("*/*")} if missing else {}
    count = 0
    for sha256, true_format in missing:
        path = lie.get(Path(file_name(sha256, true_format)).name)
        data = path.read_bytes() if path else b""
        if path and sha256_bytes(data) == sha256:  # damaged ones are set aside too
            store.keep(data, sha256, true_format)
            path.unlink()
            count += 1
    return count


def _bring_splits_back(workspace: Workspace, splits: Mapping[str, str]) -> None:
    """Move splits of these digests, by name, that are not there back from where they were set aside."""
    for folder in (workspace.root / BACKUPS).glob("*/splits"):
        for name, digest in splits.items():
            if not (workspace.splits / name).exists() and _digest(folder / name) == digest:
                shutil.move(folder / name, workspace.splits / name)


def _digest(folder: Path) -> str | None:
    """The digest of a split; None where there is none that can be read."""
    try:
        return str(read_manifest(folder)["digest"])
    except PolydataError:
        return None


@contextmanager
def _unpacked(root: Path, file: Path, progress: Progress) -> Iterator[tuple[Path, Path, list[Path]]]:
    """A folder below the root with the files of a backup, checked; the catalogue there, and all others."""
    try:
        source = file.open("rb")
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror}.", "Check that it is there.") from error
    root.mkdir(parents=True, exist_ok=True)
    with source, tempfile.TemporaryDirectory(prefix=".restore-", suffix=PART, dir=root) as folder:
        new = Path(folder)
        if zipfile.is_zipfile(source):
            _unpack(source, file, new, progress)
        elif file.suffix == ".duckdb":
            shutil.copyfile(file, new / CATALOGUE)
        else:
            raise InputError(f"{file} is no backup.", "Take one that polydata backup made, or a .duckdb file.")
        others = sorted(path for path in new.rglob("*") if path.is_file() and path != new / CATALOGUE)
        yield new, new / CATALOGUE, others


def _unpack(source: IO[bytes], file: Path, folder: Path, progress: Progress) -> None:
    """Write the members that the contents name, no others, each checked."""
    damaged = f"{file} is no backup, or not whole"
    try:
        with zipfile.ZipFile(source) as archive:
            contents: dict[str, Any] = json.loads(archive.read(CONTENTS))
            files: dict[str, str] = dict(contents["files"])
            if contents["format"] != FORMAT or CATALOGUE not in files:
                raise InputError(f"{file} is a backup of another kind.", "Update polydata.")
            size = sum(archive.getinfo(name).file_size for name in files)
            if size > shutil.disk_usage(folder).free:
                raise InputError(f"{file} holds {size} bytes, and there is no room for them.", "Make room.")
            for name, sha256 in tracked(files.items(), "Reading the backup", progress):
                if not _allowed(name):
                    raise InputError(f"{damaged}: it names a file {name[:80]!r}.")
                target = folder / name
                target.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(name) as packed, target.open("wb") as out:
                    shutil.copyfileobj(packed, out)
                image = IMAGE.fullmatch(name)
                if sha256_file(target) != sha256 or (image and image[1] != sha256):
                    raise InputError(f"{damaged}: {name} is not what was written.")
    except (zipfile.BadZipFile, zlib.error, LookupError, ValueError, TypeError, EOFError, RuntimeError) as error:
        raise InputError(f"{damaged}: {error}", "Take another one.") from error


def _allowed(name: str) -> bool:
    """Whether a member is what a backup holds: the catalogue, settings, a task, a file of a split or an image."""
    path = PurePosixPath(name)
    inside = not path.is_absolute() and ".." not in path.parts and "\\" not in name and path.as_posix() == name
    ours = name in (CATALOGUE, SETTINGS) or path.suffix == ".toml" or path.parts[0] == "splits"
    return inside and (ours or bool(IMAGE.fullmatch(name)))


def _in_nobodys_hands(path: Path) -> None:
    """Make sure that no other process holds a catalogue; one that cannot be read is held by none."""
    if path.exists():
        try:
            Catalogue.open(path).close()
        except CatalogueError as error:
            if "in use" in error.message:
                raise


def _keep(path: Path, target: Path) -> Path | None:
    """Keep a catalogue, and what a killed process left beside it, in the backups; it stays until one takes its place.

    A workspace without a catalogue would get an empty one from the next command.
    """
    if not path.exists():
        return None
    target.parent.mkdir(exist_ok=True)
    beside = path.with_name(f"{path.name}.wal")
    for here, there in ((beside, target.with_name(f"{target.name}.wal")), (path, target)):
        if here.exists():
            try:
                there.hardlink_to(here)
            except OSError:  # not every disk has links
                with replacing(there) as out, here.open("rb") as source:
                    shutil.copyfileobj(source, out)
    beside.unlink(missing_ok=True)
    return target


def as_facts(done: Backup | Restored) -> dict[str, Any]:
    """What was done, for a table: lists are counted."""
    return {k: len(v) if isinstance(v, tuple) else v for k, v in dataclasses.asdict(done).items()}
