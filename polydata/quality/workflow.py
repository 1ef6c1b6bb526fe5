"""How good the corpus is: a sample drawn, judged in a table or in Label Studio, and what follows for the whole."""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import Any, get_args

import numpy as np

from polydata.catalogue import quality as stored
from polydata.catalogue.session import Session
from polydata.choices import QualityKind
from polydata.errors import InputError, RefusedError, UsageError
from polydata.extraction.figure_pictures import Wanted, draw_all
from polydata.extraction.workflow import editor
from polydata.files.tables import read_table, refuse_other_table, write_csv
from polydata.ids import sha256_bytes
from polydata.quality.estimate import Stratum, estimate
from polydata.text.normalise import fold
from polydata.types import Box, Progress, quiet

KINDS: tuple[QualityKind, ...] = get_args(QualityKind)
DPI = 110
"""Pixels an inch of the pictures of pages; figures have twice as many."""
LEAST = 10
"""Units of each stratum at least, where it has so many."""
EXPECTED = {
    "pages with figures": 0.5,
    "pages without figures": 0.15,
    "figures of several panels": 0.6,
    "figures of one panel": 0.3,
    "accepted images": 0.2,
    "rejected images": 0.2,
    "borderline accepted images": 0.5,
    "borderline rejected images": 0.5,
}
"""By how much units of a stratum are thought to differ: more is drawn where that tells more."""
COLUMNS = ("unit", "kind", "place", "picture", "found", "named", "words")
COUNTED = tuple(name for names in stored.FIELDS.values() for name in names)
BOXES: Mapping[QualityKind, str] = {"page": "figures", "figure": "panels", "image": "micrographs"}
"""What of each kind was found in the first place."""


@dataclass(frozen=True)
class Drawn:
    """A sample.

    Attributes:
        units: how many of each kind were drawn.
        judged: of these already, since they were in a former sample.
        problems: units without a picture, one line a PDF.
    """

    units: dict[str, int]
    judged: int
    problems: tuple[str, ...]


def draw(
    session: Session,
    *,
    seed: int = 0,
    pages: int = 60,
    figures: int = 60,
    images: int = 100,
    again: bool = False,
    pictures: bool = True,
    progress: Progress = quiet,
) -> Drawn:
    """Draw a random sample of pages, figures and images to judge, in the place of a former one.

    What was counted stays with units that come again as they were; kinds of which none is drawn stay as they are.

    Args:
        session: open for writing.
        seed: the same draws the same of the same corpus.
        pages, figures, images: how many of each; a corpus with no more is judged whole. Of each stratum ``LEAST`` at
            least.
        again: also where a former sample was judged in part.
        pictures: draw pages and figures with the boxes of what was found.
        progress: told how many PDFs are drawn.

    Raises:
        UsageError: if there is nothing to draw from, or a number means nothing.
        RefusedError: if a former sample was judged and ``again`` is not said.
    """
    wanted: dict[QualityKind, int] = {"page": pages, "figure": figures, "image": images}
    kinds = [kind for kind, count in wanted.items() if count]
    if min(wanted.values()) < 0 or not kinds:
        raise UsageError("Nothing is to be drawn.", "Say how many: --pages, --figures, --images.")
    before = [row for row in stored.sampled(session.catalogue) if row["kind"] in kinds]
    done = sum(row["judged"] is not None for row in before)
    if done and not again:
        raise RefusedError(f"{done} units of a former sample were judged.", "Say --again to draw another one.")
    strata: list[dict[str, Any]] = []
    sample: list[dict[str, Any]] = []
    sources: dict[str, Mapping[str, Any]] = {}
    for kind in kinds:
        whole = stored.units(session.catalogue, kind)
        chosen = choose(whole, wanted[kind], random.Random(f"{seed} {kind}"))
        sizes = _sizes(whole).items()
        strata += [{"kind": kind, "stratum": name, "what": what, "seed": seed} | its for (name, what), its in sizes]
        for position, one in enumerate(chosen):
            sources[one["unit"]] = one
            own = {name: one[name] for name in ("unit", "stratum", "place", "found", "claims", "words")}
            sample.append(own | {"kind": kind, "position": position, "picture": _picture_name(one)})
    if not sample:
        raise UsageError("There is nothing to draw from.", "Read papers first: polydata extract PAPERS/")
    stored.save_sample(session.catalogue, strata, sample, kinds)
    for name in {one["picture"] for one in before} - {one["picture"] for one in sample}:
        with suppress(OSError):  # one that cannot be deleted does no harm
            session.images.figure(name).unlink(missing_ok=True)
    problems = _draw_pictures(session, sample, sources, progress) if pictures else []
    kept = sum(row["judged"] is not None for row in stored.sampled(session.catalogue) if row["kind"] in kinds)
    return Drawn({kind: sum(one["kind"] == kind for one in sample) for kind in KINDS}, kept, tuple(problems))


def choose(whole: Sequence[Mapping[str, Any]], count: int, rng: random.Random) -> list[Mapping[str, Any]]:
    """A stratified random sample in a random order.

    Args:
        whole: units with their ``stratum``.
        count: how many; all where there are no more. More only where each stratum is to have its ``LEAST``.
        rng: draws.
    """
    strata = _by_stratum(whole)
    shares: dict[str, int] = {}
    while left := {name: its for name, its in strata.items() if name not in shares}:
        weights = {name: len(its) * EXPECTED.get(name, 0.3) for name, its in left.items()}
        each = (count - sum(shares.values())) / sum(weights.values())
        asked = {name: max(LEAST, math.ceil(each * weight)) for name, weight in weights.items()}
        full = {name: len(its) for name, its in left.items() if len(its) <= asked[name]}
        shares |= full or asked  # what full ones cannot give comes from the others
    chosen = [one for name, its in sorted(strata.items()) for one in rng.sample(its, shares[name])]
    rng.shuffle(chosen)
    return chosen


def _by_stratum(whole: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    strata = defaultdict(list)
    for one in whole:
        strata[str(one["stratum"])].append(one)
    return strata


def _sizes(whole: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], dict[str, int]]:
    """Of each stratum and all that is measured there: in how many units it is looked for, how much was found."""
    sizes: dict[tuple[str, str], dict[str, int]] = {}
    for one in whole:
        for what, found in one["found"].items():
            its = sizes.setdefault((one["stratum"], what), {"units": 0, "found": 0})
            its["units"] += 1
            its["found"] += found
    return sizes


def _picture_name(unit: Mapping[str, Any]) -> str:
    """64 digits for a picture: of what it shows, of the boxes on it and, on pages, of the captions beside it."""
    if "boxes" not in unit:
        return str(unit["unit"])
    words = "" if "letters" in unit else unit["words"]  # a figure's are said beside its letters, which may change alone
    return sha256_bytes(f"{unit['unit']} {unit['boxes']} {words}".encode())


def _draw_pictures(
    session: Session, sample: Sequence[Mapping[str, Any]], sources: Mapping[str, Mapping[str, Any]], progress: Progress
) -> list[str]:
    """Draw pages and figures with their boxes; a line for each PDF that cannot be drawn."""
    todo: dict[tuple[str, str], list[Wanted]] = defaultdict(list)
    for one in sample:
        if one["kind"] == "image":
            continue
        source = sources[one["unit"]]
        box = Box(*source["box"]) if source["box"] else None
        letters = source["letters"] if "letters" in one["found"] else [""] * len(source["boxes"])
        placed = zip(source["boxes"], letters, strict=True)
        marks = tuple((Box(*corners), letter) for corners, letter in placed if None not in corners)
        dpi = DPI if box is None else 2 * DPI
        todo[source["sha256"], source["path"] or ""].append(Wanted(one["picture"], source["page"], box, dpi, marks))
    with editor(session) as by:
        return draw_all(by, todo, progress)


def check_table(session: Session, path: Path) -> None:
    """Refuse, before anything is drawn, to take the place of what somebody counted, or of another's file.

    Args:
        session: with or without a sample.
        path: of the table that will be written.

    Raises:
        InputError: if it cannot be read or written.
        RefusedError: if another table is there, or one with counts that the catalogue does not have.
    """
    refuse_other_table(path, COLUMNS)
    if not path.exists() or not path.stat().st_size:
        return
    sample = {one["unit"]: one for one in stored.sampled(session.catalogue)}
    for row in read_table(path):
        unit = sample.get(str(row.values.get("unit")))
        if _filled(row.values, COUNTED) and not _is_known(unit, row.values):
            hint = f"Take it over first: polydata quality import {path}; or name another file with -o."
            raise RefusedError(f"{path} has counts that the catalogue does not have (row {row.number}).", hint)


def _filled(values: Mapping[str, Any], names: Sequence[str]) -> bool:
    """Whether something stands in one of these cells."""
    return any(stored.is_filled(values.get(name)) for name in names)


def _is_known(unit: Mapping[str, Any] | None, values: Mapping[str, Any]) -> bool:
    """Whether the catalogue has all that a row of the table counts."""
    counts = _counts_read(unit, values)
    return bool(unit and not isinstance(counts, str) and counts.items() <= (unit["judged"] or {}).items())


def _counts_read(unit: Mapping[str, Any] | None, values: Mapping[str, Any]) -> dict[str, int] | str:
    """What a row of the table counts in a unit of the sample, or why it cannot be used."""
    if unit is None:
        return f"{str(values.get('unit') or '')[:80]!r} is not in the sample"
    if PureWindowsPath(str(values.get("picture") or "")).stem != unit["picture"]:
        return "its picture is not that of the sample: what was found there has changed, or the column was"
    try:
        counts = stored.checked(unit["kind"], unit, values)
    except ValueError as error:
        return str(error)
    for what in stored.CLAIMED:
        if stored.MEASURED[what].right in counts and fold(str(values.get(what))) != fold(_claim(unit, what)):
            return f"its {what} are not those of the sample: what is said there has changed, or the column was"
    return counts


def _claim(unit: Mapping[str, Any], what: str) -> str:
    """What is said in a cell of the table: a dash where nothing is asked, a word where nothing was found."""
    return (unit["claims"][what] or stored.NO_CLAIM) if what in unit["claims"] else "-"


def write_table(session: Session, path: Path) -> int:
    """Write the sample as a CSV file to be filled in; returns the number of rows.

    Columns: unit, kind, place, picture (a file to look at), found (how many boxes there are), named (figures with a
    caption), words (these captions, or a figure's), what is claimed (``catalogue.quality.CLAIMED``), then what is
    counted (``FIELDS`` there): empty where it is to be filled in.

    Raises:
        UsageError: if nothing was drawn.
        InputError: if the file cannot be written.
        RefusedError: if another table is there.
    """
    refuse_other_table(path, COLUMNS)
    rows = []
    formats = {one["unit"]: one["format"] for one in stored.units(session.catalogue, "image")}
    for one in _sample(session):
        shown = session.images.figure(one["picture"])
        if one["kind"] == "image":
            shown = session.images.path(one["unit"], formats.get(one["unit"], "PNG"))
        own = {name: one[name] for name in ("unit", "kind", "place", "words")} | {"picture": str(shown)}
        own |= {"found": one["found"][BOXES[one["kind"]]], "named": one["found"].get("captions", 0)}
        claims = {what: _claim(one, what) for what in stored.CLAIMED}
        asked = {name: "" for what in one["found"] for name in stored.MEASURED[what].fields}
        rows.append(own | claims | dict.fromkeys(COUNTED, "-") | asked | (one["judged"] or {}))
    write_csv(path, [*COLUMNS, *stored.CLAIMED, *COUNTED], rows)
    return len(rows)


def read_judged(session: Session, path: Path) -> tuple[int, list[str]]:
    """Read a table of ``write_table`` back; rows that nothing was filled into are left as they are.

    Returns:
        How many units it judges, and rows that cannot be used, one line each: nothing of these is written.

    Raises:
        UsageError: if nothing was drawn.
        InputError: if the file cannot be read or is no such table.
    """
    sample = {one["unit"]: one for one in _sample(session)}
    said: dict[str, list[dict[str, int]]] = defaultdict(list)
    problems = []
    for row in read_table(path):
        unit = str(row.values.get("unit") or "")
        if unit in sample and not _filled(row.values, stored.FIELDS[sample[unit]["kind"]]):
            continue
        counts = _counts_read(sample.get(unit), row.values)
        if isinstance(counts, str):
            problems.append(f"row {row.number}: {counts}")
        else:
            said[unit].append(counts)
    judged = {
        unit: (sample[unit]["judged"] or {}) | counts[0]
        for unit, counts in said.items()
        if all(one == counts[0] for one in counts)
    }
    problems += [f"{sample[unit]['place']}: its rows count differently ({unit})" for unit in said if unit not in judged]
    if not judged and problems:
        raise InputError(f"{path} judges nothing: {problems[0]}.", "Write the table: polydata quality draw -o FILE")
    stored.save_judged(session.catalogue, judged)
    return len(judged), problems


def _sample(session: Session) -> list[dict[str, Any]]:
    sample = stored.sampled(session.catalogue)
    if not sample:
        raise UsageError("No sample was drawn.", "Draw one: polydata quality draw")
    return sample


CHANGED = "The corpus has changed since the sample was drawn: the numbers are of what it was then."


def measured(session: Session) -> list[dict[str, Any]]:
    """Precision and recall of all that is measured (``catalogue.quality.MEASURED``), as far as the sample was judged.

    Each row: what, measure, value, low and high (95 %; None where nothing can be said), judged and sampled (units of
    the sample), of (units of the corpus), changed (the corpus is no longer the one of which all this speaks). Empty
    where no sample was drawn.

    Args:
        session: with a sample.
    """
    sample = stored.sampled(session.catalogue)
    whole = stored.strata(session.catalogue)
    now = {kind: stored.units(session.catalogue, kind) for kind in dict.fromkeys(one["kind"] for one in sample)}
    rows = []
    for what, one in stored.MEASURED.items():
        its = [row for row in sample if row["kind"] == one.kind and what in row["found"]]
        if not its:  # it was drawn when this was not measured yet
            continue
        parts = [row for row in whole if row["what"] == what]
        said = [row for row in its if row["judged"] and one.right in row["judged"]]
        strata = []
        for part in parts:
            counts = [_counts(row, what) for row in said if row["stratum"] == part["stratum"]]
            table = np.asarray(counts, np.float64).reshape(-1, 3)
            strata.append(Stratum(part["units"], part["found"], table, single=one.kind == "image"))
        numbers = {
            "judged": len(said),
            "sampled": len(its),
            "of": sum(part["units"] for part in parts),
            "changed": _changed(now[one.kind], what, its, parts),
        }
        for measure, result in zip(("precision", "recall"), estimate(strata), strict=True):
            rows.append({"what": what, "measure": measure} | vars(result) | numbers)
    return rows


def _changed(
    now: Sequence[Mapping[str, Any]],
    what: str,
    sample: Sequence[Mapping[str, Any]],
    strata: Sequence[Mapping[str, Any]],
) -> bool:
    """Whether strata have other sizes by now, or a unit of the sample is no longer as it was drawn."""
    sizes = {name: its for (name, one), its in _sizes(now).items() if one == what}
    then = {row["stratum"]: {name: row[name] for name in ("units", "found")} for row in strata}
    as_it_is = {one["unit"]: (_picture_name(one), one["claims"].get(what)) for one in now}
    return sizes != then or any(
        as_it_is.get(row["unit"]) != (row["picture"], row["claims"].get(what)) for row in sample
    )


def shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of ``measured`` as people read it: percent, and the interval in brackets."""
    percent = "not known yet"
    if row["value"] is not None:
        percent = f"{row['value']:.1%} [{row['low']:.1%}, {row['high']:.1%}]"
    judged = f"{row['judged']} of {row['sampled']} drawn of {row['of']}"
    return {"what": row["what"], "measure": row["measure"], "95 % interval": percent, "judged": judged}


def _counts(row: Mapping[str, Any], what: str) -> tuple[int, int, int]:
    """How many were found in a unit, are right, and were missed. Of a screening an image is found, or else missed."""
    one, there, judged = stored.MEASURED[what], row["found"][what], row["judged"]
    if one.right == one.missed:
        return there, judged[one.right] if there else 0, 0 if there else judged[one.right]
    return there, judged[one.right], judged[one.missed]
