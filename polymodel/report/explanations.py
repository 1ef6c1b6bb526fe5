"""Explanations as a page, as a table, and as pictures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from polydata.console.output import next_step, print_table, say
from polydata.errors import InputError
from polydata.files.atomic import mark_of, write_text, writing_to
from polydata.images.html import data_address, small_jpeg, template
from polydata.images.picture import open_picture
from polydata.resources import VERSION
from polydata.splits.manifest import Item
from polymodel.evaluation.slices import split_items
from polymodel.prediction.answers import AnyPrediction, Prediction
from polymodel.prediction.explain import Explanation, Explanations
from polymodel.report.amounts import cited_as, percent, warn_leak
from polymodel.runs.card import TEMPLATES
from polymodel.runs.run import Run

SIDE, NEAR_SIDE = 420, 200
"""Pixels of the longer side of explained images and of training images on a page."""
FOR, AGAINST = (220, 60, 20), (30, 90, 200)
"""Colours of what speaks for the answer and of what speaks against it."""
STRENGTH = 0.65
"""How much of a pixel the colour takes where the map is strongest."""
FACTS = "explanations.json"
"""By which the folder is known as ours: all that the page says, as numbers."""


def write_explanations(found: Explanations, folder: Path) -> Path:
    """Write index.html, which needs nothing beside it, and explanations.json; gives the page.

    Raises:
        RefusedError: if the folder holds other files.
        InputError: if it cannot be written.
    """
    check_folder(folder)
    with writing_to(folder):
        facts = {"made_by": f"polydata {VERSION}", **found.facts()}
        write_text(folder / FACTS, json.dumps(facts, indent=1, ensure_ascii=False) + "\n")
        page = template("explain.html.j2", TEMPLATES, percent=percent).render(
            run=found.run, notes=found.notes, failed=found.failed, shown=cards(found)
        )
        write_text(folder / "index.html", page)
    return folder / "index.html"


def check_folder(folder: Path) -> None:
    """Make sure that a folder is new, empty or of an earlier page.

    Raises:
        RefusedError: if it holds other files.
        InputError: if it is no folder, or cannot be read.
    """
    with writing_to(folder):
        mark_of(folder, FACTS, ("made_by", "explanations"))


def cards(found: Explanations) -> list[dict[str, Any]]:
    """What a page shows of each explanation, pictures included."""
    items = split_items(found.run)
    return [_card(found, one, items) for one in found.done]


def _card(found: Explanations, one: Explanation, items: Mapping[str, Item]) -> dict[str, Any]:
    near = []
    for neighbour in one.nearest:
        known = items.get(neighbour.image_sha256)
        picture = small_picture(found.run.image_root / neighbour.path, NEAR_SIDE)
        cited = cited_as(known.extra if known else {}, neighbour.group)
        near.append({**vars(neighbour), **cited, "label": found.run.spoken(neighbour.label), "picture": picture})
    told = one.prediction
    return {
        "name": Path(told.path).name,
        "sha256": told.image_sha256,
        "answer": said(told, found.run),
        "label": found.run.spoken(items[told.image_sha256].label) if told.image_sha256 in items else "",
        "trained_on": told.trained_on,
        "unlike": told.out_of_distribution,
        "members": told.members,
        "picture": data_address(small_jpeg(one.shown.convert("RGB"), SIDE), "image/jpeg"),
        "overlay": data_address(small_jpeg(overlay(one), SIDE), "image/jpeg"),
        "speaks_for": bool((one.map > 0).any()),
        "strongest": float(np.abs(one.map).max()),
        "printed": one.printed,
        "without": said(one.printed.without, found.run) if one.printed and one.printed.without else "",
        "near": near,
    }


def said(told: AnyPrediction, run: Run) -> str:
    """An answer of a run in words."""
    if not isinstance(told, Prediction):
        within = "" if told.low is None or told.high is None else f" ({told.low:.3g} to {told.high:.3g})"
        return f"{told.value:.3g}{within} {told.unit}"
    calibrated = "" if told.p_calibrated is None else f", calibrated {percent(told.p_calibrated)} %"
    set_ = "" if told.prediction_set is None else f"; it may be {' or '.join(map(run.spoken, told.prediction_set))}"
    sure = f"probability of {run.spoken(told.positive)} {percent(told.p_positive)} %{calibrated}{set_}"
    return f"{run.spoken(told.label)} ({sure})".replace("_", " ")


def overlay(one: Explanation) -> Image.Image:
    """The picture with its map: what speaks for the answer in red, against it in blue, the strongest fullest."""
    grey = one.shown.convert("RGB")
    grey.thumbnail((SIDE, SIDE))
    strongest = float(np.abs(one.map).max()) or 1.0
    spread = Image.fromarray((one.map / strongest).astype(np.float32)).resize(grey.size, Image.Resampling.BILINEAR)
    weight = np.asarray(spread)[..., None]
    colour = np.where(weight > 0, np.array(FOR), np.array(AGAINST))
    mixed = np.asarray(grey) * (1 - STRENGTH * np.abs(weight)) + colour * STRENGTH * np.abs(weight)
    return Image.fromarray(mixed.clip(0, 255).astype(np.uint8))


def small_picture(path: Path, side: int) -> str:
    """An image, small, as a ``data:`` address; nothing where it is gone or cannot be read."""
    try:
        return data_address(small_jpeg(open_picture(path), side, 80), "image/jpeg")
    except InputError:
        return ""


def show_explanations(found: Explanations, page: Path) -> None:
    """A line an image, and where the page lies."""
    rows = []
    for one in found.done:
        told, near = one.prediction, one.nearest[0] if one.nearest else None
        ratio = one.printed.ratio if one.printed else None
        rows.append(
            {
                "image": Path(told.path).name,
                "answer": found.run.spoken(told.label) if isinstance(told, Prediction) else said(told, found.run),
                "print": "–" if ratio is None else f"{ratio:.1f} x its area",
                "nearest": f"{found.run.spoken(near.label)}, {near.distance:.2f}" if near else "–",
            }
        )
    print_table(rows, empty="No image could be read.")
    for note in found.notes:
        say(note)
    warn_leak(found.run.leakage)
    say(f"Wrote {page}. Open it in a browser.")
    next_step(f"polymodel report {found.run.name}")
