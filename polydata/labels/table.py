"""What people said of images as a table that outlives the catalogue: written, and read back into any workspace."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from polydata.catalogue import said as stored
from polydata.catalogue.session import Session
from polydata.errors import InputError
from polydata.files.tables import read_table, write_csv
from polydata.labels.resolve import follow

KINDS = ("answer", "decision", "screening", "distinct")


@dataclass(frozen=True)
class Brought:
    """What an import brought.

    Attributes:
        came: rows that are new here or of a later state, by kind.
        there: rows that were here already.
        kept: images of which something else was decided by hand here, which stays.
        waiting: images that no panel shows; what was said of them counts once their paper is read.
    """

    came: dict[str, int]
    there: int
    kept: tuple[str, ...]
    waiting: int


def export_answers(session: Session, path: Path) -> int:
    """Write all that people said of images as CSV; returns the number of rows.

    Columns: ``kind`` (answer, decision, screening, or distinct, whose ``choice`` is the other image), ``image_sha256``,
    its place (``paper``, ``doi``, ``page``, ``figure``, ``panel``) and looks (``phash``, ``width``, ``height``) where
    they are known, ``choice``, ``who``, ``when`` (UTC), ``why`` (comment or reason), and for answers what tells them
    apart on their server.

    Raises:
        InputError: if it cannot be written.
    """
    rows = stored.all_said(session.catalogue)
    write_csv(path, stored.SAID, rows)
    return len(rows)


def import_answers(session: Session, path: Path) -> Brought:
    """Read such a table back, in one transaction.

    Of an answer that is here too the later state stays; of a decision the one that was made here. An image is known by
    its hash, or as a picture that looks nearly the same.

    Raises:
        InputError: if the file is no such table, or a row cannot be what it should be; nothing is written then.
    """
    rows = [_checked(path, row.number, row.problem, row.values) for row in read_table(path)]
    catalogue = session.catalogue
    with catalogue.transaction():
        kept = stored.other_decisions(catalogue, [row for row in rows if row["kind"] == "decision"])
        stored.remember(catalogue, rows)
        came = stored.bring_said(catalogue, rows, path.name)
        follow(catalogue)
    waiting = stored.waiting(catalogue, {row["image_sha256"] for row in rows})
    return Brought(came, len(rows) - sum(came.values()) - len(kept), tuple(kept), waiting)


NUMBERS = {"width": 31, "height": 31, "project": 63, "annotation_id": 63, "task": 63}
"""Columns of whole numbers, each with the bits that the catalogue keeps of it."""


def _checked(path: Path, number: int, problem: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """A row with its values in their types."""
    row: dict[str, Any] = {name: values.get(name) or None for name in stored.SAID}
    try:
        if problem or row["kind"] not in KINDS or len(str(row["image_sha256"])) != 64:
            raise ValueError(problem or "it has no kind and image as polydata label export writes them")
        int(row["image_sha256"], 16)
        for name, bits in NUMBERS.items():
            row[name] = None if row[name] is None else int(row[name])
            if row[name] is not None and not 0 <= row[name] < 2**bits:
                raise ValueError(f"{name} is out of range")
        for name in ("cancelled", "deleted"):
            row[name] = str(row[name]).lower() == "true"
        row["when"] = None if row["when"] is None else datetime.fromisoformat(row["when"])
        if row["kind"] == "answer":
            json.loads(row["raw"] or "{}")
            missing = [name for name in ("server", "project", "annotation_id", "task", "who", "when") if not row[name]]
        else:
            missing = [] if row["choice"] else ["choice"]
            if row["kind"] == "distinct" and not re.fullmatch("[0-9a-f]{64}", str(row["choice"])):
                raise ValueError("its choice is no image")
        if missing:
            raise ValueError(f"it lacks {', '.join(missing)}")
    except (ValueError, TypeError) as error:
        raise InputError(f"{path}, row {number}: {error}.", "Take the table as it was written.") from error
    return row
