"""Writes an export: the folder appears whole or not at all."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, cast

from polydata.audit.copies import Progress, quiet
from polydata.card import card_text
from polydata.catalogue.connect import Catalogue
from polydata.errors import InputError, RefusedError, UsageError
from polydata.exports.content import Advance, Content, Entry, csv_text, gather
from polydata.splits.manifest import MANIFEST
from polydata.splits.overview import show_split
from polydata.workspace import Workspace

FORMATS = ("imagefolder", "coco", "hf", "croissant", "parquet", "webdataset", "labelstudio", "fiftyone")
"""Names of the modules of this package that write a format."""
MARKS, CARD, TABLE = "export.json", "README.md", "images.csv"


class Writer(Protocol):
    """What each format's module offers."""

    def place(self, entry: Entry) -> str:
        """Where an image's file lies within the export, or the archive or table that holds it."""

    def write(self, content: Content, folder: Path, advance: Advance) -> None:
        """Write the format's own files into the folder, calling ``advance`` with 1 for each image."""


@dataclass(frozen=True)
class Exported:
    """What was written.

    Attributes:
        folder: where it lies.
        counts: images by side.
        withheld: how many of them are named only.
        marks: what the export says of itself.
    """

    folder: Path
    counts: dict[str, int]
    withheld: int
    marks: dict[str, Any]


def export_split(
    workspace: Workspace,
    catalogue: Catalogue,
    name: str,
    format_: str,
    folder: Path | None = None,
    *,
    fold: int = 1,
    release: bool = False,
    quick: bool = False,
    progress: Progress = quiet,
) -> Exported:
    """Write one partition of a split in a format, with the data card, a table of all images and the split's manifest.

    An earlier export in the same folder is replaced.

    Args:
        name: of the split.
        format_: one of ``FORMATS``.
        folder: where to write; ``exports/NAME-FORMAT`` in the workspace.
        fold: number of the partition, from 1.
        release: withhold images that no licence allows to pass on; they are named with hashes and provenance.
        quick: leave out of the card's audit what reads the images.
        progress: told of long work.

    Raises:
        UsageError: if there is no such format, split or partition.
        InputError: if an image is missing or damaged, or the folder cannot be written.
        RefusedError: if the split was changed, or the folder holds other files.
    """
    if format_ not in FORMATS:
        raise UsageError(f"There is no format {format_!r}.", f"Choose one of: {', '.join(FORMATS)}.")
    split = show_split(workspace, name)
    target = folder or workspace.exports / "-".join([name, format_, *(["release"] if release else [])])
    _refuse_others_files(target)
    card = card_text(workspace, catalogue, split, quick=quick, progress=progress)
    content = gather(workspace, catalogue, split, name=target.name, card=card, fold=fold, release=release)
    writer = cast(Writer, import_module(f"polydata.exports.{format_}"))
    temporary = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part"))
        writer.write(content, temporary, _counting(progress, len(content.entries)))
        _write_common(content, temporary, format_, writer.place)
        temporary.chmod(0o755)
        if target.exists():
            shutil.rmtree(target)
        temporary.rename(target)
    except OSError as error:
        raise InputError(f"{target} cannot be written: {error.strerror}.", "Choose another --output.") from error
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)  # gone already where it was moved
    counts = Counter(str(one.side) for one in content.entries)
    return Exported(target, dict(counts), content.marks["withheld"], content.marks)


def _counting(progress: Progress, total: int) -> Advance:
    """Tells of images written one after the other."""
    done = 0

    def advance(count: int) -> None:
        nonlocal done
        done += count
        progress("Writing", done, total)

    return advance


def _refuse_others_files(target: Path) -> None:
    if target.exists() and not (target / MARKS).is_file() and not (target.is_dir() and not any(target.iterdir())):
        raise RefusedError(f"{target} holds files that are no export of this program.", "Choose another --output.")


def _write_common(content: Content, folder: Path, format_: str, place: Callable[[Entry], str]) -> None:
    """What stands in every export unless its format has written its own."""
    texts: Mapping[str, str] = {
        CARD: content.card,
        TABLE: csv_text(content.rows(place)),
        MARKS: json.dumps({"format": format_, **content.marks}, indent=2, ensure_ascii=False) + "\n",
        MANIFEST: (content.split.folder / MANIFEST).read_text(encoding="utf-8"),
    }
    for name, text in texts.items():
        if not (folder / name).exists():
            (folder / name).write_text(text, encoding="utf-8", newline="")
