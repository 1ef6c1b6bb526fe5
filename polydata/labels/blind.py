"""What people see in a split's test images, as a table that ``polydata label agreement --table`` reads."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from polydata.catalogue.connect import Catalogue
from polydata.catalogue.label_projects import blind_answers
from polydata.errors import InputError, UsageError
from polydata.files.atomic import replacing

TRUTH = "truth"


def write_answers(catalogue: Catalogue, split: str, path: Path) -> tuple[int, list[str]]:
    """Write a CSV file: a row an image, with its label in the split and a column for each person who answered blind.

    Returns:
        The number of images, and the people.

    Raises:
        UsageError: if nobody has answered.
        InputError: if the file cannot be written.
    """
    rows = blind_answers(catalogue, split)
    if not rows:
        raise UsageError(
            f"Nobody has answered blind about the split {split!r}.",
            f"Ask: polydata label push --blind --split {split}; then polydata label pull.",
        )
    people = sorted({row["annotator"] for row in rows})
    answers = {(row["image_sha256"], row["annotator"]): row["choice"] for row in rows}
    truths = {row["image_sha256"]: row["truth"] for row in rows}
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["image_sha256", TRUTH, *people])
    table.writerows([s, truth, *(answers.get((s, who), "") for who in people)] for s, truth in truths.items())
    try:
        with replacing(path) as out:
            out.write(text.getvalue().encode())
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}.", "Name another file with --output.") from error
    return len(truths), people
