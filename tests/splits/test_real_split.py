"""Copies, export and gallery of the published split."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from browser import chromium, open_page
from PIL import Image
from selenium.webdriver.common.by import By
from torchvision.datasets import ImageFolder

from polydata.catalogue.session import Session, open_session
from polydata.exports.gallery import write_gallery
from polydata.exports.workflow import export_split
from polydata.published.workflow import import_published
from polydata.splits.manifest import Split, load_split
from polydata.splits.offline_copies import augment
from polydata.workspace import Workspace

pytestmark = [pytest.mark.realdata, pytest.mark.slow]
SIDES = {"train": 400, "test": 117}


@pytest.fixture(scope="module")
def imported(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Session, Split]]:
    workspace = Workspace.init(tmp_path_factory.mktemp("published"))
    with open_session(workspace) as session:
        import_published(session, shared_data / "nims")
        yield session, load_split(workspace.splits / "published")


def test_the_recipe_gives_1965_copies(imported: tuple[Session, Split]) -> None:
    _, split = imported
    result = augment(split, "paper")
    assert result.counts == {"compatible": 85 * 12, "incompatible": 315 * 3}
    with open(result.folder / "copies.csv", newline="", encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    assert len({row["sha256"] for row in rows}) == len(rows) == 1965
    assert {row["parent_sha256"] for row in rows} == {i.image_sha256 for i in split.folds[0].train}


def test_an_export_shows_every_picture(imported: tuple[Session, Split], tmp_path: Path) -> None:
    session, split = imported
    result = export_split(session, "published", "imagefolder", tmp_path / "x", quick=True)
    assert result.marks["leakage"]["reason"] == split.leakage["reason"]  # type: ignore[index]
    assert result.marks["licences"] == {"unknown": 517}
    for side, count in SIDES.items():
        read = ImageFolder(str(tmp_path / "x" / side))
        assert len(read) == count
        assert all(np.asarray(picture).max() > 0 for picture, _ in read)
        for path, _ in read.samples:
            with Image.open(path) as image:
                assert image.format == {".png": "PNG", ".jpg": "JPEG"}[Path(path).suffix]
    release = export_split(session, "published", "coco", tmp_path / "r", quick=True, release=True)
    assert release.withheld == 517
    assert list((tmp_path / "r").rglob("*.png")) == list((tmp_path / "r").rglob("*.jpg")) == []


@pytest.mark.browser
def test_the_gallery(imported: tuple[Session, Split], tmp_path: Path) -> None:
    session, _ = imported
    result = write_gallery(session, tmp_path / "g", "published")
    assert (result.images, result.failures) == (517, ())
    assert result.near_duplicates >= 18
    with chromium() as browser:
        assert open_page(browser, tmp_path / "g", "#side=test&label=compatible") == "16 of 517 images"
        assert open_page(browser, tmp_path / "g", "#side=train&label=incompatible") == "315 of 517 images"
        assert open_page(browser, tmp_path / "g", "#twins=1") == f"{result.near_duplicates} of 517 images"
        assert "Leaky split" in browser.find_element(By.TAG_NAME, "header").text
