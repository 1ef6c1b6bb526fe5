"""The published papers and records as a stranger holds them: without names, with references as people write them."""

from __future__ import annotations

import csv
import hashlib
import importlib.util
import random
from pathlib import Path
from types import ModuleType

import pymupdf

SHORT = {
    "Journal": "J.", "Applied": "Appl.", "Polymer": "Polym.", "Polymers": "Polym.", "Science": "Sci.",
    "European": "Eur.", "Physics": "Phys.", "Chemistry": "Chem.", "Chemical": "Chem.", "Advanced": "Adv.",
    "Advances": "Adv.", "Technologies": "Technol.", "Technology": "Technol.", "International": "Int.",
    "Engineering": "Eng.", "Macromolecular": "Macromol.", "Composites": "Compos.", "Materials": "Mater.",
    "Research": "Res.", "Symposium": "Symp.", "Series": "Ser.", "Bulletin": "Bull.", "Industrial": "Ind.",
}  # fmt: skip
LEFT_OUT = ("of", "and", "for", "&", "the", "in")
TEXTS = ("caption", "polyinfo_morphology", "literature_description", "scale_um", "label", "reference")
TITLE = pymupdf.Rect(40, 58, 555, 109)
"""Where make_papers prints the title of a paper."""


def abbreviated(journal: str) -> str:
    words = journal.replace(",", "").replace(":", "").split()
    return journal if len(words) < 2 else " ".join(SHORT.get(w, w) for w in words if w not in LEFT_OUT)


def damaged_reference(row: dict[str, str], rng: random.Random) -> str:
    """Without issue, its journal abbreviated, one digit of volume, pages or year wrong in a tenth of them."""
    if not row["journal"]:
        return row["reference"]
    numbers = f"{row['volume']} , {row['pages']} ({row['year']})"
    if rng.random() < 0.1:
        place = rng.choice([i for i, sign in enumerate(numbers) if sign.isdigit()])
        digit = (int(numbers[place]) + rng.randint(1, 9)) % 10
        numbers = f"{numbers[:place]}{digit}{numbers[place + 1 :]}"
    return f"{row['authors']} , {abbreviated(row['journal'])} , {numbers}"


def published_rows(source: Path) -> list[dict[str, str]]:
    with open(source, newline="", encoding="utf-8") as handle:
        return list(csv.DictReader(handle))


def damage(source: Path, target: Path, more: tuple[str, ...] = ()) -> Path:
    """The table of records with its texts, damaged references and the columns ``more``; the rest is gone.

    ``number`` among the columns counts the rows from 0.
    """
    rng = random.Random(0)
    rows = published_rows(source)
    for number, row in enumerate(rows):
        row |= {"reference": damaged_reference(row, rng), "number": str(number)}
    with open(target, "w", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, [*more, *TEXTS], extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    return target


def load_make_papers(tools: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_papers", tools / "make_papers.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def nameless_papers(made: Path, target: Path) -> list[dict[str, str]]:
    """Papers of make_papers under neutral names, without title and metadata; rows of panels.csv for the new bytes."""
    target.mkdir()
    with open(made / "panels.csv", newline="") as handle:
        panels = list(csv.DictReader(handle))
    for number, name in enumerate(sorted({row["pdf"] for row in panels})):
        with pymupdf.open(made / name) as document:
            document[0].add_redact_annot(TITLE)
            document[0].apply_redactions(images=pymupdf.PDF_REDACT_IMAGE_NONE)
            assert "study" not in document[0].get_text()
            document.set_metadata({})
            path = target / f"doc{number:03d}.pdf"
            document.save(path, garbage=3, deflate=True)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        for row in panels:
            if row["pdf"] == name:
                row["pdf_sha256"] = digest
    return panels
