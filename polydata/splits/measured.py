"""Numbers instead of labels: which images have a value in their records, and the bins in which sides are made alike."""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from polydata.catalogue.session import Session
from polydata.catalogue.splits import label_choices, linked_records
from polydata.errors import InputError
from polydata.splits.choose import Chosen, left_outside
from polydata.splits.options import SplitOptions
from polydata.task import Task
from polydata.text.caption_scales import MICROMETRES
from polydata.text.normalise import fold

BINS = 4
"""Bins of equally many images, whose shares the sides hold alike."""
SOURCE = "record"
_CELL = re.compile(r"([-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[-+]?\d+)?)\s*(\S*)")
_LENGTHS = {fold(unit): um for unit, um in MICROMETRES.items()} | {"um": 1.0, "micron": 1.0, "microns": 1.0}


def choose_values(session: Session, options: SplitOptions, task: Task) -> Chosen:
    """Decide for every image that a panel shows whether it takes part, and under which value.

    Where the task's column is no record's, what it is called there is looked up in the rows as they were imported.

    Raises:
        InputError: if no linked record has the column, or all values are the same.
    """
    said: dict[str, set[str]] = defaultdict(set)
    known = False
    for record in linked_records(session.catalogue):
        cells = {fold(key): value for key, value in _flat(record).items()}
        known |= fold(task.column) in cells
        cell = cells.get(fold(task.column))
        if cell is not None and str(cell).strip():
            said[record["image_sha256"]].add(str(cell).strip())
    if not known:
        raise InputError(
            f"No record that is linked to a panel has a column {task.column}.",
            "Import records with that column and join them: polydata records import FILE, polydata join",
        )
    values: dict[str, float] = {}
    excluded: Counter[str] = Counter()
    contradictory = []
    for row, outside in left_outside(session, options, label_choices(session.catalogue, None)):
        image = row["image_sha256"]
        found = {read_value(cell, task.unit) for cell in said.get(image, ())}
        if outside:
            excluded[outside] += 1
        elif row["answer"] == session.task.not_a_micrograph:
            excluded["reviewers: no micrograph"] += 1
        elif not found:
            excluded["no value"] += 1
        elif None in found:
            excluded[f"no number in {task.unit}"] += 1
        elif len(found) > 1:
            excluded["contradictory values"] += 1
            contradictory.append({"image_sha256": image, "said": sorted(said[image])})
        else:
            values[image] = float(next(iter(found)) or 0.0)
    edges = bin_edges(list(values.values()))
    names = bin_names(edges, task.unit)
    labels = {image: (names[bisect_left(edges, value)], SOURCE) for image, value in values.items()}
    return Chosen(labels, dict(sorted(excluded.items())), tuple(contradictory), tuple(names), values)


def _flat(record: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of a record, and the cells of its row as it was read."""
    raw = json.loads(record["raw"] or "{}")
    return {**(raw if isinstance(raw, dict) else {}), **{k: v for k, v in record.items() if v is not None}}


def read_value(cell: str, unit: str) -> float | None:
    """The number of a cell in a unit: as it stands, or converted where it names another unit of length.

    Args:
        cell: such as ``2.5``, ``2.5 um`` or ``2500 nm``.
        unit: of the task.

    Returns:
        None where it is no single number, or its unit is another that cannot be converted.
    """
    match = _CELL.fullmatch(fold(cell).replace("\u03bc", "u").replace("\u00b5", "u"))
    if match is None or not np.isfinite(float(match[1])):
        return None
    given, wanted = match[2], fold(unit).replace("\u03bc", "u")
    if given in ("", wanted):
        return float(match[1])
    factors = {key.replace("\u03bc", "u"): um for key, um in _LENGTHS.items()}
    if not {given, wanted} <= factors.keys():
        return None
    return float(f"{float(match[1]) * factors[given] / factors[wanted]:.12g}")  # 36 nm are 0.036 um to the last digit


def bin_edges(values: Sequence[float]) -> list[float]:
    """The largest value of each bin but the last: ``BINS`` of equally many values, fewer where values repeat.

    Raises:
        InputError: if there are no two different values.
    """
    numbers = np.array(sorted(values), dtype=np.float64)
    if len(np.unique(numbers)) < 2:
        raise InputError(
            f"A split of values needs images with different ones; found: {len(numbers)} images, "
            f"{len(np.unique(numbers))} values.",
            "Join more records, or name another --where.",
        )
    edges = np.unique(np.quantile(numbers, np.arange(1, BINS) / BINS, method="lower"))
    found: list[float] = edges[edges < numbers[-1]].tolist()
    return found


def bin_names(edges: Sequence[float], unit: str) -> list[str]:
    """Bins in words, rising: up to the first edge, between two, over the last."""
    digits = next(n for n in range(4, 18) if n == 17 or len({f"{edge:.{n}g}" for edge in edges}) == len(edges))
    said = [f"{edge:.{digits}g}" for edge in edges]
    between = [f"{low} to {high} {unit}" for low, high in pairwise(said)]
    return [f"up to {said[0]} {unit}", *between, f"over {said[-1]} {unit}"]
