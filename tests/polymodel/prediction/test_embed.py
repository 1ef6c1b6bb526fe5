"""Features as a table."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from small_split import Small, texture
from typer.testing import CliRunner

from polydata.types import Progress, quiet
from polymodel.cli import app
from polymodel.networks.features import FeatureCache

TINY = ("--arch", "timm:test_resnet", "--weights", "none", "--device", "cpu")


def call(small: Small, *words: object, expect: int = 0) -> str:
    result = CliRunner().invoke(app, ["embed", *map(str, words)], env={"POLYDATA_WORKSPACE": str(small.root)})
    assert result.exit_code == expect, result.output
    return result.stdout if expect == 0 else result.output


def test_a_split_becomes_a_table_of_features(small: Small, tmp_path: Path) -> None:
    output = tmp_path / "features.parquet"
    said = json.loads(call(small, "--split", "cv", "--output", output, *TINY, "--json"))
    frame = pd.read_parquet(output)
    assert frame["image_sha256"].tolist() == [i.image_sha256 for i in sorted_as_read(small)]
    assert list(frame.columns) == ["image_sha256", *(f"f{k}" for k in range(said["features"]))]
    assert said["images"] == len(frame) == 40
    values = frame.drop(columns="image_sha256").to_numpy()
    assert np.isfinite(values).all()
    # Textures of one grain lie nearer to each other than to those of the other.
    labels = np.array([{i.image_sha256: i.label for i in small.items}[sha] for sha in frame["image_sha256"]])
    means = [values[labels == label].mean(axis=0) for label in ("fine", "coarse")]
    spread = values[labels == "fine"].std(axis=0).mean()
    assert np.abs(means[0] - means[1]).mean() > spread
    assert "Wrote" in call(small, "--split", "cv", "--output", output, *TINY)


def sorted_as_read(small: Small) -> list[object]:
    """Items in the order in which the first fold lists them."""
    from polymodel.data.split import load_split

    fold = load_split("cv", small.root).folds[0]
    return [*fold.train, *fold.test]


def test_a_folder_of_images_too(small: Small, tmp_path: Path) -> None:
    (tmp_path / "in" / "deep").mkdir(parents=True)
    for name in ("a.png", "deep/same.png"):
        (tmp_path / "in" / name).write_bytes(texture(5, 1.0))
    (tmp_path / "in" / "bad.png").write_bytes(b"no image")
    output = tmp_path / "features.parquet"
    said = call(small, "--split", tmp_path / "in", "--output", output, *TINY, expect=3)
    assert "bad.png" in said and "Traceback" not in said
    assert len(pd.read_parquet(output)) == 1


def test_images_share_the_threads_and_bad_ones_are_listed_alone(
    small: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    get = FeatureCache.get

    def counted(self: FeatureCache, images: list[tuple[str, Path]], progress: Progress = quiet) -> object:
        asked.append(len(images))
        return get(self, images, progress)

    monkeypatch.setattr(FeatureCache, "get", counted)
    folder, output = tmp_path / "in", tmp_path / "features.parquet"
    folder.mkdir()
    for k in range(70):
        (folder / f"{k:02}.png").write_bytes(texture(1000 + k, 1.0, size=16))
    call(small, "--split", folder, "--output", output, *TINY)
    assert asked == [64, 6]
    whole = pd.read_parquet(output)
    asked.clear()
    for name in ("05", "69"):
        (folder / f"{name}.png").write_bytes(f"no image {name}".encode())
    said = "".join(call(small, "--split", folder, "--output", output, *TINY, expect=3).split())
    assert [k for k in range(70) if f"{k:02}.png" in said] == [5, 69]
    assert asked == [64, *[1] * 64, 6, *[1] * 6]
    assert pd.read_parquet(output).equals(whole.drop(index=[5, 69]).reset_index(drop=True))


@pytest.mark.parametrize(("output", "expect"), [("x.csv", 2), ("missing/x.parquet", 1)])
def test_an_output_that_cannot_be_is_refused(small: Small, tmp_path: Path, output: str, expect: int) -> None:
    call(small, "--split", "one", "--output", tmp_path / output, *TINY, expect=expect)
