"""Ids looked up: what one or its beginning means (paper, figure, panel, image, record, correction), and several."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from polydata.catalogue.connect import Catalogue
from polydata.errors import InputError

Kind = Literal["paper", "figure", "panel", "image", "record", "edit"]

MIN_DIGITS = 6
NAMED = 5
"""So many of several that an id can mean are named in the message."""

MOST_SINGLE = 1000
"""Parameters of one condition at most."""

_THINGS = {
    "paper": ("papers", "paper_id", "sha256", "polydata list papers"),
    "figure": ("figures", "figure_id", "NULL", "polydata export figures"),
    "panel": ("panels", "panel_id", "NULL", "polydata export panels"),
    "image": ("images", "sha256", "sha256", "polydata list screenings"),
    "record": ("records", "record_id", "NULL", "polydata records list --json"),
    "edit": ("edits", "edit_id", "NULL", "polydata list edits"),
}
"""Each kind of thing: its table, the column of its id, that of its SHA-256 where it has one, and what lists the ids."""

_PAPER = {
    "paper": "paper_id = ?",
    "figure": "paper_id = (SELECT paper_id FROM figures WHERE figure_id = ?)",
    "panel": "paper_id = (SELECT paper_id FROM panels JOIN figures USING (figure_id) WHERE panel_id = ?)",
    "edit": "sha256 = (SELECT paper_sha256 FROM edits WHERE edit_id = ?)",
}


def find(catalogue: Catalogue, identifier: str, *kinds: Kind) -> tuple[Kind, str]:
    """The one thing of these kinds that an id means.

    Args:
        identifier: an id or at least six digits of its beginning, with or without ``figure-`` and so on before them;
            of a paper also the SHA-256 of its PDF, of an image that of its bytes, of a record its own key.

    Returns:
        Its kind and its whole id; the SHA-256 of an image.

    Raises:
        InputError: if it is too short, or means nothing or several things.
    """
    found: list[tuple[Kind, str]] = []
    digits = {kind: identifier.removeprefix(f"{kind}-") for kind in kinds}
    if "record" in kinds:
        keyed = catalogue.tuples("SELECT record_id FROM records WHERE record_key = ? ORDER BY 1", [identifier])
        found += [("record", record) for (record,) in keyed]
    if not found and min(map(len, digits.values())) < MIN_DIGITS:
        if "record" in kinds:
            hint = f"Keys and ids stand in: polydata records list; of an id give at least {MIN_DIGITS} digits."
            raise InputError(f"No record has the key {identifier!r}, and for an id it is too short.", hint)
        raise InputError(f"{identifier!r} is too short for an id.", f"Give at least {MIN_DIGITS} digits of it.")
    for kind in (kind for kind in kinds if len(digits[kind]) >= MIN_DIGITS):
        table, key, hashed, _ = _THINGS[kind]
        rows = catalogue.tuples(
            f"""SELECT {key} FROM {table} WHERE starts_with({key}, ?) OR starts_with({hashed}, ?)
                ORDER BY {key}""",  # noqa: S608 - constants
            [f"{kind}-{digits[kind]}", digits[kind]],
        )
        found += [(kind, str(one)) for (one,) in rows if (kind, one) not in found]
    if len(found) == 1:
        return found[0]
    if found:
        several = ", ".join(one for _, one in found[:NAMED]) + (", ..." if len(found) > NAMED else "")
        plural = _either([f"{kind}s" for kind in kinds])
        raise InputError(
            f"Several {plural} have the id {identifier!r}: {several}.", "Give more digits, or one of these ids."
        )
    hint = "Ids stand in: " + ", ".join(dict.fromkeys(_THINGS[kind][-1] for kind in kinds))
    raise InputError(f"No {_either(kinds)} has the id {identifier!r}.", hint)


def _either(words: Sequence[str]) -> str:
    return " or ".join(part for part in (", ".join(words[:-1]), words[-1]) if part)


def find_papers(catalogue: Catalogue, identifiers: Sequence[str]) -> list[str]:
    """Ids of the papers that are meant, each once; raises as ``find``."""
    return list(dict.fromkeys(find(catalogue, identifier, "paper")[1] for identifier in identifiers))


def find_image(catalogue: Catalogue, identifier: str) -> str:
    """SHA-256 of the image that is meant, by itself or by a panel that shows it; raises as ``find``."""
    kind, found = find(catalogue, identifier, "image", "panel")
    shown = "SELECT image_sha256 FROM panels WHERE panel_id = ?"
    return found if kind == "image" else str(catalogue.value(shown, [found]))


@dataclass(frozen=True)
class InPdf:
    """A thing that was read from a PDF.

    ``paper_id``, ``sha256`` and ``path`` of the PDF are None for a correction whose paper is not in the catalogue.
    """

    identifier: str
    paper_id: str | None
    sha256: str | None
    path: str | None


def find_in_pdf(catalogue: Catalogue, kind: Literal["paper", "figure", "panel", "edit"], identifier: str) -> InPdf:
    """The paper, figure, panel or correction that is meant, with its PDF.

    Raises:
        InputError: as ``find``, and for one that was not read from a PDF.
    """
    _, found = find(catalogue, identifier, kind)
    rows = catalogue.tuples(f"SELECT paper_id, sha256, path FROM papers WHERE {_PAPER[kind]}", [found])  # noqa: S608
    thing = InPdf(found, *(rows[0] if rows else (None, None, None)))
    if kind != "edit" and thing.sha256 is None:
        raise InputError(f"{found} was not read from a PDF.", "Correct it in the data that it came from.")
    return thing


def begins(identifier: str, word: str) -> bool:
    """Whether a word is an id, or the beginning of it, by the rule of ``find``; the thing need not be there."""
    kind, _, digits = identifier.partition("-")
    return len(start := word.removeprefix(f"{kind}-")) >= MIN_DIGITS and digits.startswith(start)


def among(values: Collection[str]) -> tuple[str, list[Any]]:
    """What follows a column that must be one of some texts, and its parameters.

    A scan for some hundred single parameters takes a third of the time of one that is joined with a list.
    """
    if len(values) > MOST_SINGLE:
        return "IN (SELECT unnest(?::TEXT[]))", [list(values)]
    return f"IN ({', '.join('?' * len(values)) or 'NULL'})", list(values)
