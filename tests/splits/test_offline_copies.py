"""Augmented copies: only of training images, the same again, complete after a kill, checked."""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from split_scene import SplitScene, blot, encoded, make_scene

from polydata.errors import RefusedError, UsageError
from polydata.ids import sha256_file
from polydata.images.transforms import draw_transform
from polydata.splits.offline_copies import augment
from polydata.splits.overview import list_splits


@pytest.fixture
def scene(tmp_path: Path) -> SplitScene:
    return make_scene(tmp_path / "w")


def table(path: Path) -> list[dict[str, str]]:
    with open(path, newline="", encoding="utf-8") as handle:
        return list(csv.DictReader(handle))


def test_twelve_and_three_of_training_images_alone(scene: SplitScene) -> None:
    result = augment(scene.split, "paper")
    train = {i.image_sha256: i for i in scene.split.folds[0].train}
    rows = table(result.folder / "copies.csv")
    assert result.folder == scene.workspace.splits / "v1+paper"
    assert {row["parent_sha256"] for row in rows} == set(train)
    wanted = {s: 12 if i.label == scene.split.positive else 3 for s, i in train.items()}
    assert Counter(row["parent_sha256"] for row in rows) == wanted
    assert len({row["sha256"] for row in rows}) == len(rows) == sum(wanted.values())
    for row in rows:
        assert sha256_file(result.folder / row["file"]) == row["sha256"]
        assert row["label"] == train[row["parent_sha256"]].label
        with Image.open(result.folder / row["file"]) as copy:
            assert (copy.size, copy.mode) == ((256, 256), "L")
    assert [r["file"] for r in table(result.folder / "train.csv")] == [r["file"] for r in rows]
    plan = json.loads((result.folder / "augment.json").read_text())
    assert (plan["split_digest"], plan["digest"]) == (scene.split.digest, result.digest)
    assert [row["name"] for row in list_splits(scene.workspace)] == ["v1"]


def test_the_same_again_and_another_seed(scene: SplitScene, tmp_path: Path) -> None:
    one = augment(scene.split, "paper")
    again = augment(scene.split, "paper")
    assert (again.made, again.digest) == (0, one.digest)
    assert augment(scene.split, "paper", folder=tmp_path / "b").digest == one.digest
    assert augment(scene.split, "paper", folder=tmp_path / "c", seed=1).digest != one.digest
    with pytest.raises(RefusedError, match="made otherwise"):
        augment(scene.split, "paper", seed=2)


def test_a_killed_run_is_completed(scene: SplitScene, tmp_path: Path) -> None:
    whole = augment(scene.split, "paper", folder=tmp_path / "whole")

    def die(*_: object) -> None:
        if len(list((tmp_path / "cut").rglob("*.png"))) == 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        augment(scene.split, "paper", folder=tmp_path / "cut", progress=die)
    half = next((tmp_path / "cut" / "images").rglob("*.png"))
    half.write_bytes(half.read_bytes()[:100])
    rest = augment(scene.split, "paper", folder=tmp_path / "cut")
    assert rest.digest == whole.digest
    assert rest.made == sum(whole.counts.values()) - 19
    assert rest.repaired == ()


def test_damage_is_found_and_mended(scene: SplitScene) -> None:
    whole = augment(scene.split, "paper")
    gone, changed, *_ = sorted((whole.folder / "images").rglob("*.png"))
    gone.unlink()
    changed.write_bytes(changed.read_bytes() + b"x")
    mended = augment(scene.split, "paper")
    assert set(mended.repaired) == {gone.name, changed.name}
    assert mended.digest == whole.digest


def test_folds_learn_from_their_own_training_side(tmp_path: Path) -> None:
    scene = make_scene(tmp_path / "w", folds=4)
    result = augment(scene.split, "paper")
    parent = {row["file"]: row["parent_sha256"] for row in table(result.folder / "copies.csv")}
    for fold in scene.split.folds:
        used = {parent[row["file"]] for row in table(result.folder / f"fold_{fold.number}_train.csv")}
        assert used == {i.image_sha256 for i in fold.train}
        assert used.isdisjoint(i.image_sha256 for i in fold.test)


def test_what_is_refused(scene: SplitScene, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no recipe"):
        augment(scene.split, "other")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("")
    with pytest.raises(RefusedError, match="other files"):
        augment(scene.split, "paper", folder=tmp_path / "mine")
    path = scene.split.image_path(min(scene.split.folds[0].train, key=lambda i: i.image_sha256))
    path.write_bytes(encoded(blot(999)))
    with pytest.raises(RefusedError, match="changed"):
        augment(scene.split, "paper")


@given(
    st.integers(1, 900),
    st.integers(1, 900),
    st.integers(0, 2**31),
    st.text("0123456789abcdef", min_size=4),
    st.integers(0, 11),
)
def test_no_corner_is_ever_empty(width: int, height: int, seed: int, image: str, number: int) -> None:
    grey = Image.new("L", (width, height), 200)
    copy = np.asarray(draw_transform(seed, image, number).apply(grey, 64))
    assert copy.shape == (64, 64)
    assert copy.min() >= 199


def test_copies_differ_and_the_first_is_the_middle() -> None:
    picture = blot(3, (400, 320))
    first = draw_transform(0, "ab", 0).apply(picture, 256)
    assert first.tobytes() == picture.crop((72, 32, 328, 288)).tobytes()
    assert len({draw_transform(0, "ab", number) for number in range(12)}) == 12
