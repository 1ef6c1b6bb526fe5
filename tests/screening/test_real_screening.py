"""The screening on published micrographs and on panels of real papers."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from polydata.choices import Kind
from polydata.images.picture import ImageStore, open_picture
from polydata.screening.rules import get_rule
from polydata.types import Box, Paper
from polydata.vision.technique import technique_of

pytestmark = [pytest.mark.realdata, pytest.mark.slow]
NO_SEM = ("TEM", "Transmission", "Optical", "OM ")


def test_published_micrographs_are_kept(shared_data: Path) -> None:
    _, rule = get_rule("micrograph")
    files = sorted((shared_data / "nims" / "images").iterdir())
    kept = [rule(np.asarray(open_picture(path)), None, None, None).decision == "accepted" for path in files]
    assert len(kept) == 517
    assert np.mean(kept) >= 0.99
    for path, accepted in zip(files, kept, strict=True):
        if path.name.startswith("520_page5_image1_"):  # pictures held in the alpha channel alone, halftoned
            assert accepted, path.name


def test_no_technique_is_better_than_a_wrong_one(shared_data: Path) -> None:
    with open(shared_data / "nims" / "records.csv", encoding="utf-8", newline="") as rows:
        captions = {row["image_file"]: row["caption"] for row in csv.DictReader(rows) if row["image_file"]}
    other = {name: caption for name, caption in captions.items() if caption.startswith(NO_SEM)}
    assert len(other) >= 8
    for name, caption in other.items():
        said = technique_of(np.asarray(open_picture(shared_data / "nims" / "images" / name)))
        assert said is None or said[:3].lower() == caption[:3].lower(), name
    said = [technique_of(np.asarray(open_picture(shared_data / "nims" / "images" / n))) for n in sorted(captions)[::6]]
    assert set(said) <= {None, "SEM"}


def test_panels_of_papers(shared_data: Path, literature: tuple[ImageStore, Mapping[str, Paper]]) -> None:
    """None of these papers took part in training."""
    _, rule = get_rule("micrograph")
    store, papers = literature
    right, missed = [], []
    for paper in json.loads((shared_data / "papers" / "truth.json").read_text(encoding="utf-8")):
        for figure in papers[paper["pdf"]].figures:
            kinds = [
                t["kind"]
                for t in paper["figures"]
                if t["page"] == figure.page and Box(*t["bbox"]).iou(figure.box) > 0.5
            ]
            if not kinds or kinds[0] == "mixed":
                continue
            for panel in figure.panels:
                rgb = np.asarray(open_picture(store.path(panel.image.sha256, panel.image.format)))
                accepted = (
                    rule(rgb, figure.caption, panel.kind == Kind.MICROGRAPH, panel.caption).decision == "accepted"
                )
                right.append(accepted == (kinds[0] == "micrograph"))
                if kinds[0] == "micrograph" and not accepted:
                    missed.append(f"{paper['pdf']} page {figure.page} {panel.label}")
    assert len(right) > 80
    assert missed == []
    assert np.mean(right) >= 0.97
