"""Files and folders that take their place only when they are whole, and folders of others that stay untouched."""

from __future__ import annotations

import glob
import json
import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote

from polydata.errors import InputError, RefusedError, UsageError
from polydata.ids import sha256_file

PART = ".part"
"""Suffix of a file that is being written. A killed process may leave one; nothing ever reads it."""


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file to write into that is moved to ``path`` when the block ends, and removed when it fails.

    Folders above it are made. Who may read it is decided by the umask, as for any new file.

    Raises:
        OSError: if the folder cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{secrets.token_hex(8)}{PART}")
    try:
        with temporary.open("xb") as out:  # not mkstemp, which leaves the umask out of account
            yield out
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_text(path: Path, text: str) -> None:
    """Write a text file (UTF-8), whole or not at all; folders above it are made.

    Raises:
        OSError: if it cannot be written.
    """
    with replacing(path) as out:
        out.write(text.encode("utf-8", errors="replace"))


def check_output(path: Path, suffixes: Sequence[str], ours: str | None = None) -> None:
    """Refuse a file that could not be written, or that somebody else wrote, before the work is done.

    Args:
        suffixes: that its name may end in.
        ours: as for ``refuse_other_file``, where the beginning of a file tells who wrote it.

    Raises:
        UsageError: for another suffix.
        InputError: if it is a folder itself, or its folder is missing or cannot be written.
        RefusedError: if it is there and no earlier file of this kind.
    """
    if path.suffix.lower() not in suffixes:
        raise UsageError(f"{path} does not end in {' or '.join(suffixes)}.", "Give the file such a name.")
    if path.is_dir():
        raise InputError(f"{path} cannot be written: it is a folder.", "Name another file with --output.")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise InputError(f"{path} cannot be written: {path.parent} is missing or read-only.", "Make the folder first.")
    if ours is not None:
        refuse_other_file(path, ours)


def refuse_other_file(path: Path, ours: str) -> None:
    """Refuse to take the place of a file that this program did not write; an empty one is nobody's.

    Args:
        ours: regular expression that is found in the first ``HEAD`` bytes of every file of this kind.

    Raises:
        InputError: if it cannot be read.
        RefusedError: if it is there and holds something else.
    """
    try:
        with writing_to(path), path.open("rb") as there:
            head = there.read(HEAD).decode("utf-8", errors="replace")
    except InputError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            return
        raise
    if head and not re.search(ours, head):
        raise other_file(path)


def refuse_any_file(path: Path) -> None:
    """Refuse to take the place of a file, for somebody may have filled it in; raises as ``refuse_other_file``."""
    refuse_other_file(path, "(?!)")  # which is found in nothing


def other_file(path: Path) -> RefusedError:
    """Why a file is not written to."""
    return RefusedError(
        f"{path} is there already, and is not an earlier file of the kind that would take its place.",
        "Name another file, or move it away.",
    )


def folder_name(label: str) -> str:
    """A label as the name of a folder: the same for the same label, another for another, safe on every system."""
    return quote(label, safe=" ").replace(".", "%2E")


MADE_BY = "polydata "
"""How what a mark says of its maker begins."""
NEW, OLD = "new", "old"
"""Within the working folder: what is being written, and what it takes the place of."""
HEAD = 4096
"""So many bytes of a file tell who wrote it."""
NAMED = 5
"""Only so many files are named in a message."""


@contextmanager
def writing_to(place: Path, hint: str = "Choose another --output.") -> Iterator[None]:
    """Whatever the system refuses within the block is the fault of the file or folder that is written.

    Raises:
        InputError: for any ``OSError``.
    """
    try:
        yield
    except OSError as error:
        raise InputError(f"{place} cannot be written: {error.strerror or error}.", hint) from error


def mark_of(folder: Path, name: str, keys: Collection[str]) -> dict[str, Any] | None:
    """What a folder that we made says of itself; None where there is no folder yet, or nothing in it.

    Args:
        name: of the JSON file by which the folder is known.
        keys: what stands in that file; ``made_by`` must name this program if it is there.

    Raises:
        RefusedError: if the folder holds files and no such mark.
        OSError: if it is no folder, or cannot be read.
    """
    try:
        there = sorted(path.name for path in folder.iterdir() if not half_written(path.name))
    except FileNotFoundError:
        return None
    if not there:
        return None
    try:
        mark = json.loads((folder / name).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        mark = None
    if isinstance(mark, dict) and set(keys) <= set(mark) and str(mark.get("made_by", MADE_BY)).startswith(MADE_BY):
        return mark
    raise other_files(folder, there)


def half_written(name: str) -> bool:
    """Whether a file or folder of this name is one that is being written."""
    return name.startswith(".") and name.endswith(PART)


def other_files(folder: Path, names: Sequence[str]) -> RefusedError:
    """Why a folder is not written to."""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return RefusedError(
        f"{folder} holds other files: {', '.join(names[:NAMED])}{more}.",
        "Choose another folder, or move them away.",
    )


def checksums(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below a folder, by its path from there."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): sha256_file(path) for path in files}


def changed(folder: Path, files: Mapping[str, str]) -> list[str]:
    """What lies below a folder beside files of these SHA-256, by its path from there; empty folders do not count."""
    found = []
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink() or not path.is_dir():
            ours = path.is_file() and not path.is_symlink() and name in files and sha256_file(path) == files[name]
            found += [] if ours else [name]
    return found


@contextmanager
def replacing_folder(place: Path) -> Iterator[Path]:
    """A new folder to write into, which takes the place of ``place`` when the block ends, and goes when it fails.

    What stands at ``place`` is moved aside for that and then deleted. A process that is killed in between leaves it
    beside the place, in ``.NAME.XXXXXXXX.part/old``; see ``put_back``.

    Raises:
        OSError: if the folder cannot be written or moved.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(dir=place.parent, prefix=f".{place.name}.", suffix=PART))
    new, old = work / NEW, work / OLD
    try:
        new.mkdir()
        yield new
        if place.exists():
            place.rename(old)
        new.rename(place)
    except BaseException:
        if old.exists() and not place.exists():
            old.rename(place)
        shutil.rmtree(work, ignore_errors=True)
        raise
    shutil.rmtree(work, ignore_errors=True)


def put_back(place: Path) -> None:
    """Undo what a killed ``replacing_folder`` left: a folder that it had moved aside returns, the rest is deleted."""
    for work in place.parent.glob(f".{glob.escape(place.name)}.????????{PART}"):
        clear_half_written(work)


def clear_half_written(path: Path) -> None:
    """Delete a file or folder that a killed process left half-written, but put back what ``replacing_folder`` moved.

    Raises:
        OSError: if a file cannot be deleted.
    """
    if not path.is_dir():
        path.unlink(missing_ok=True)
        return
    place = path.with_name(path.name[1 : -len(f".????????{PART}")])
    if (path / NEW).exists() and (path / OLD).exists() and not place.exists():
        (path / OLD).rename(place)
    shutil.rmtree(path, ignore_errors=True)
