"""Each export read by the library whose format it has."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import mlcroissant
import numpy as np
import pyarrow.parquet as pq
import pytest
import webdataset
from PIL import Image
from pycocotools.coco import COCO
from split_scene import TASK, SplitScene
from torchvision.datasets import ImageFolder

from polydata.exports.content import gather, readable
from polydata.exports.formats.folders import imagefolder
from polydata.types import quiet

Export = Any
SIDES = ("train", "test")


def items(scene: SplitScene, side: str) -> dict[str, str]:
    return {i.image_sha256: i.label for i in getattr(scene.split.folds[0], side)}


def test_imagefolder(export: Export, scene: SplitScene) -> None:
    folder = export("imagefolder").folder
    for side in SIDES:
        read = ImageFolder(str(folder / side))
        assert {Path(p).stem[-64:]: read.classes[k] for p, k in read.samples} == items(scene, side)
        assert all(np.asarray(picture).max() > 60 for picture, _ in read)


def test_classes_have_the_same_numbers_on_every_side(scene: SplitScene, tmp_path: Path) -> None:
    with scene.session() as session:
        content = gather(session, scene.split, name="x", card="")
        label = content.entries[0].item.label
        lacking = replace(
            content, entries=tuple(e for e in content.entries if (e.side, e.item.label) != ("test", label))
        )
        imagefolder.write(lacking, tmp_path, quiet)
    read = [ImageFolder(str(tmp_path / side), allow_empty=True) for side in SIDES]
    assert read[0].class_to_idx == read[1].class_to_idx
    assert label in read[1].class_to_idx


def test_names_of_files_can_be_read(scene: SplitScene) -> None:
    with scene.session() as session:
        content = gather(session, scene.split, name="x", card="")
    for entry in content.entries:
        assert re.fullmatch(r"[A-Za-z0-9_]+-([A-Za-z0-9_]+-){0,2}[0-9a-f]{64}\.\w+", entry.file or "")
    named = {"paper": "Zhang & Li (2019).v2.pdf", "figure": "Fig. 3", "panel": "b"}
    assert readable(named) == "Zhang_Li_2019_v2-Fig_3-b-"
    assert readable({"paper": "高分子.pdf", "figure": None, "panel": None}) == ""


def test_coco(export: Export, scene: SplitScene) -> None:
    folder = export("coco").folder
    for side in SIDES:
        read = COCO(str(folder / "annotations" / f"instances_{side}.json"))
        found = {}
        for image in read.loadImgs(read.getImgIds()):
            (annotation,) = read.loadAnns(read.getAnnIds(imgIds=[image["id"]]))
            with Image.open(folder / side / image["file_name"]) as picture:
                assert picture.size == (image["width"], image["height"]) == tuple(annotation["bbox"][2:])
            found[image["image_sha256"]] = read.loadCats([annotation["category_id"]])[0]["name"]
        assert found == items(scene, side)
        assert read.dataset["info"]["digest"] == scene.split.digest
        assert {one["name"] for one in read.dataset["licenses"]} >= {"unknown", "CC-BY-4.0"}


@pytest.mark.parametrize("release", [False, True])
def test_hf(release: bool, export: Export, scene: SplitScene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    import datasets

    folder = export("hf", release=release).folder
    read = datasets.load_dataset(str(folder), cache_dir=str(tmp_path / "cache"))
    for side in SIDES:
        names = read[side].features["label"].names
        assert {row["image_sha256"]: names[row["label"]] for row in read[side]} == items(scene, side)
        pictures = [row["image"] for row in read[side]]
        assert all(p.size == (64, 48) for p in pictures if p is not None)
        assert any(p is None for p in pictures) == release


def test_parquet(export: Export, scene: SplitScene) -> None:
    folder = export("parquet").folder
    for side in SIDES:
        read = pq.read_table(folder / f"{side}.parquet")
        assert dict(zip(read["image_sha256"].to_pylist(), read["label"].to_pylist(), strict=True)) == items(scene, side)
        assert json.loads(read.schema.metadata[b"polydata"])["digest"] == scene.split.digest


@pytest.mark.parametrize("release", [False, True])
def test_croissant(release: bool, export: Export, scene: SplitScene) -> None:
    result = export("croissant", release=release)
    read = mlcroissant.Dataset(str(result.folder / "croissant.json"))
    assert not read.metadata.ctx.issues.errors
    assert scene.split.digest in read.metadata.description
    rows = list(read.records("images"))
    wanted = items(scene, "train") | items(scene, "test")
    assert {r["images/image_sha256"].decode(): r["images/label"].decode() for r in rows} == wanted
    pictures = list(read.records("pictures"))
    assert len(pictures) == len(wanted) - result.withheld
    for row in pictures:
        assert row["pictures/label"].decode() == wanted[row["pictures/image_sha256"].decode()]
        assert row["pictures/image"].size == (64, 48)


def test_webdataset(export: Export, scene: SplitScene) -> None:
    folder = export("webdataset").folder
    for side in SIDES:
        shard = str(folder / f"{side}-000000.tar")
        samples = webdataset.WebDataset(shard, shardshuffle=False).decode("pil").to_tuple("png;jpg", "cls", "json")
        found = {}
        for picture, number, facts in samples:
            assert picture.size == (64, 48)
            assert facts["digest"] == scene.split.digest
            found[facts["image_sha256"]] = scene.split.classes[number]
        assert found == items(scene, side)


def test_label_studio(export: Export, scene: SplitScene) -> None:
    from label_studio_sdk.label_interface import LabelInterface

    folder = export("labelstudio").folder
    tasks = json.loads((folder / "tasks.json").read_text())
    page = LabelInterface((folder / "config.xml").read_text())
    for task in tasks:
        page.validate_task({"data": task["data"]})
        assert page.validate_annotation(task["annotations"][0])
        assert (folder.parent / task["data"]["image"].removeprefix("/data/local-files/?d=")).is_file()
    found = {t["data"]["polydata_id"]: t["annotations"][0]["result"][0]["value"]["choices"] for t in tasks}
    assert found == {k: [v] for k, v in (items(scene, "train") | items(scene, "test")).items()}
    assert Counter(t["data"]["side"] for t in tasks).keys() == set(SIDES)
    assert set(TASK.labels) >= {v[0] for v in found.values()}
