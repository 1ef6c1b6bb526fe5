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
COUNTED = tuple(dict.fromkeys(name for names in stored.FIELDS.values() for name in names))


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
        strata += [{"kind": kind, "stratum": name, "seed": seed} | its for name, its in _sizes(whole).items()]
        for position, one in enumerate(chosen):
            sources[one["unit"]] = one
            own = {name: one[name] for name in ("unit", "stratum", "place", "found", "named", "words")}
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


def _sizes(whole: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, int]]:
    """Of each stratum how many units it has, and how much was found in them."""
    return {
        name: {"units": len(its)} | {column: sum(one[column] for one in its) for column in ("found", "named")}
        for name, its in _by_stratum(whole).items()
    }


def _picture_name(unit: Mapping[str, Any]) -> str:
    """64 digits for a picture: of what it shows, of the boxes on it and of the captions beside it; an image's own."""
    if "boxes" not in unit:
        return str(unit["unit"])
    return sha256_bytes(f"{unit['unit']} {unit['boxes']} {unit['words']}".encode())


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
        marks = tuple(Box(*corners) for corners in source["boxes"] if None not in corners)
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
        if _filled(row.values, COUNTED) and (not unit or _counts_read(unit, row.values) != unit["judged"]):
            hint = f"Take it over first: polydata quality import {path}; or name another file with -o."
            raise RefusedError(f"{path} has counts that the catalogue does not have (row {row.number}).", hint)


def _filled(values: Mapping[str, Any], names: Sequence[str]) -> bool:
    """Whether something stands in one of these cells."""
    return any(values.get(name) not in (None, "", "-") for name in names)


def _counts_read(unit: Mapping[str, Any] | None, values: Mapping[str, Any]) -> dict[str, int] | str:
    """What a row of the table counts in a unit of the sample, or why it cannot be used."""
    if unit is None:
        return f"{str(values.get('unit') or '')[:80]!r} is not in the sample"
    if PureWindowsPath(str(values.get("picture") or "")).stem != unit["picture"]:
        return "its picture is not that of the sample: what was found there has changed, or the column was"
    try:
        return stored.checked(unit["kind"], unit, values)
    except ValueError as error:
        return str(error)


def write_table(session: Session, path: Path) -> int:
    """Write the sample as a CSV file to be filled in; returns the number of rows.

    Columns: unit, kind, place, picture (a file to look at), found (how many boxes there are), named (figures with a
    caption), words (these captions), then what is counted, see ``catalogue.quality.FIELDS``: empty where it is to be
    filled in.

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
        own = {name: one[name] for name in COLUMNS} | {"picture": str(shown)}
        asked = {name: "" if name in stored.FIELDS[one["kind"]] else "-" for name in COUNTED}
        rows.append(own | asked | (one["judged"] or {}))
    write_csv(path, [*COLUMNS, *COUNTED], rows)
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
    judged = {unit: counts[0] for unit, counts in said.items() if all(one == counts[0] for one in counts)}
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
MEASURED: dict[str, tuple[QualityKind, str, str, str]] = {
    "figures": ("page", "found", "figures_right", "figures_missed"),
    "captions": ("page", "named", "captions_right", "captions_missed"),
    "panels": ("figure", "found", "panels_right", "panels_missed"),
    "micrographs": ("image", "found", "is_micrograph", "is_micrograph"),
}
"""What is measured, each with its kind of unit and the names of what was found, is right and was missed."""


def measured(session: Session) -> list[dict[str, Any]]:
    """Precision and recall of figures, captions, panels and the screening, as far as the sample was judged.

    Each row: what, measure, value, low and high (95 %; None where nothing can be said), judged and sampled (units of
    the sample), of (units of the corpus), changed (the corpus is no longer the one of which all this speaks). Empty
    where no sample was drawn.

    Args:
        session: with a sample.
    """
    sample = stored.sampled(session.catalogue)
    whole = stored.strata(session.catalogue)
    rows = []
    for what, (kind, found, right, missed) in MEASURED.items():
        its = [one for one in sample if one["kind"] == kind]
        if not its:
            continue
        strata = []
        for one in (row for row in whole if row["kind"] == kind):
            judged = [row for row in its if row["stratum"] == one["stratum"] and row["judged"]]
            counts = [_counts(row, found, right, missed) for row in judged]
            table = np.asarray(counts, np.float64).reshape(-1, 3)
            strata.append(Stratum(one["units"], one[found], table, single=kind == "image"))
        numbers = {
            "judged": sum(row["judged"] is not None for row in its),
            "sampled": len(its),
            "of": sum(row["units"] for row in whole if row["kind"] == kind),
            "changed": _changed(session, kind, its, [row for row in whole if row["kind"] == kind]),
        }
        for measure, result in zip(("precision", "recall"), estimate(strata), strict=True):
            rows.append({"what": what, "measure": measure} | vars(result) | numbers)
    return rows


def _changed(
    session: Session, kind: QualityKind, sample: Sequence[Mapping[str, Any]], strata: Sequence[Mapping[str, Any]]
) -> bool:
    """Whether strata have other sizes by now, or a unit of the sample is no longer as it was drawn."""
    whole = stored.units(session.catalogue, kind)
    now, pictures = _sizes(whole), {one["unit"]: _picture_name(one) for one in whole}
    then = {row["stratum"]: {name: row[name] for name in ("units", "found", "named")} for row in strata}
    return now != then or any(pictures.get(row["unit"]) != row["picture"] for row in sample)


def shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of ``measured`` as people read it: percent, and the interval in brackets."""
    percent = "not known yet"
    if row["value"] is not None:
        percent = f"{row['value']:.1%} [{row['low']:.1%}, {row['high']:.1%}]"
    judged = f"{row['judged']} of {row['sampled']} drawn of {row['of']}"
    return {"what": row["what"], "measure": row["measure"], "95 % interval": percent, "judged": judged}


def _counts(row: Mapping[str, Any], found: str, right: str, missed: str) -> tuple[int, int, int]:
    """How many were found in a unit, are right, and were missed. An image is one thing: found, or else missed."""
    there, judged = row[found], row["judged"]
    if right == missed:
        return there, judged[right] if there else 0, 0 if there else judged[right]
    return there, judged[right], judged[missed]
