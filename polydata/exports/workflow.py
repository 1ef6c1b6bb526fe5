"""Writes an export: the folder appears whole or not at all, and takes the place of an earlier export alone."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from polydata.catalogue.session import Session
from polydata.errors import RefusedError, UsageError
from polydata.exports.card import card_text, sample
from polydata.exports.content import Content, Entry, gather
from polydata.exports.formats import FORMATS, FormatName, format_named
from polydata.files.atomic import changed, checksums, mark_of, other_files, put_back, replacing_folder, writing_to
from polydata.ids import sha256_file
from polydata.splits.manifest import MANIFEST, Split
from polydata.splits.overview import show_split
from polydata.types import Progress, quiet

MARKS, CARD, TABLE, PICTURES = "export.json", "README.md", "images.csv", "README.jpg"


@dataclass(frozen=True)
class Exported:
    """What was written.

    Attributes:
        folder: where it lies.
        counts: images by side.
        withheld: how many of them are named only.
        folds: how many partitions the split has, of which one was written.
        marks: what the export says of itself.
    """

    folder: Path
    counts: dict[str, int]
    withheld: int
    folds: int
    marks: dict[str, Any]


def export_split(
    session: Session,
    name: str,
    format_: FormatName,
    folder: Path | None = None,
    *,
    fold: int = 1,
    release: bool = False,
    quick: bool = False,
    progress: Progress = quiet,
) -> Exported:
    """Write one partition of a split in a format, with the data card, a table of all images and the split's manifest.

    An earlier export in the same folder is replaced, if it is as it was written and nothing was added.

    Args:
        name: of the split.
        format_: one of ``polydata.exports.formats.FORMATS``.
        folder: where to write; ``exports/NAME-FORMAT`` in the workspace, with folds ``exports/NAME-fold-K-FORMAT``.
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
    split = show_split(session.workspace, name)
    named = folder or session.workspace.exports / _usual_name(split, format_, fold, release=release)
    with writing_to(named):
        target = Path(os.path.realpath(named))
        put_back(target)
        _refuse_others_files(target)
    pictures = "" if release else PICTURES  # of a release no licence was asked for them
    card = card_text(session, split, picture=pictures, quick=quick, progress=progress)
    content = gather(session, split, name=target.name, card=card, fold=fold, release=release)
    layout = format_named(format_)
    with writing_to(target), replacing_folder(target) as new:
        layout.write(content, new, progress)
        if pictures:
            (new / pictures).write_bytes(sample(session, split))
        _write_common(content, new, format_, layout.place)
        _refuse_others_files(target)  # once more: writing may have taken long
    counts = Counter(str(one.side) for one in content.entries)
    return Exported(target, dict(counts), content.marks["withheld"], len(split.folds), content.marks)


def _usual_name(split: Split, format_: str, fold: int, *, release: bool) -> str:
    parts = [split.name, f"fold-{fold}" if split.has_folds else "", format_, "release" if release else ""]
    return "-".join(part for part in parts if part)


def _refuse_others_files(target: Path) -> None:
    """Make sure that nothing is lost if the folder is deleted."""
    mark = mark_of(target, MARKS, ("made_by", "digest", "files"))
    if mark is not None:
        files = mark["files"] if isinstance(mark["files"], dict) else {}
        if foreign := changed(target, {**files, MARKS: sha256_file(target / MARKS)}):
            raise other_files(target, foreign)
    if Path.cwd().is_relative_to(target):
        raise RefusedError(
            f"{target} is the folder that you are in, and an export takes the place of the whole folder.",
            "Leave it (cd ..) and name it from there, or choose another --output.",
        )


def _write_common(content: Content, folder: Path, format_: str, place: Callable[[Entry], str]) -> None:
    """What stands in every export unless its format has written its own; the marks come last and list all files."""
    texts: Mapping[str, str] = {
        CARD: content.card,
        TABLE: content.table(place),
        MANIFEST: (content.split.folder / MANIFEST).read_text(encoding="utf-8"),
    }
    for name, text in texts.items():
        if not (folder / name).exists():
            (folder / name).write_text(text, encoding="utf-8", newline="")
    marks = {"format": format_, **content.marks, "files": checksums(folder)}
    text = json.dumps(marks, indent=2, ensure_ascii=False) + "\n"
    (folder / MARKS).write_text(text, encoding="utf-8", newline="")
