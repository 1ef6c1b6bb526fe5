"""What is true of every export, whatever its format."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image
from split_scene import CLOSED, HOSTILE, OPEN, PRINTED, SplitScene, blot

from polydata.cli.export import SplitFormat
from polydata.errors import InputError, RefusedError, UsageError
from polydata.exports.write import FORMATS
from polydata.ids import sha256_bytes, sha256_file
from polydata.images import open_picture

Export = Any


def table(folder: Path) -> list[dict[str, str]]:
    with open(folder / "images.csv", newline="", encoding="utf-8") as handle:
        return list(csv.DictReader(handle))


def every_byte(folder: Path) -> dict[str, str]:
    return {str(p.relative_to(folder)): sha256_file(p) for p in sorted(folder.rglob("*")) if p.is_file()}


def test_the_command_knows_every_format() -> None:
    assert [str(one) for one in SplitFormat] == list(FORMATS)


@pytest.mark.parametrize("format_", FORMATS)
def test_an_export_says_what_it_is(format_: str, export: Export, scene: SplitScene) -> None:
    result = export(format_)
    marks = json.loads((result.folder / "export.json").read_text())
    assert marks == {"format": format_, **result.marks}
    assert (marks["split"], marks["digest"], marks["leakage"]) == ("v1", scene.split.digest, None)
    assert marks["licences"] == {"CC-BY-4.0": 6, "CC-BY-ND-4.0": 6, "CC-BY-SA-4.0": 6, "unknown": 30}
    card = (result.folder / "README.md").read_text(encoding="utf-8")
    assert scene.split.digest in card
    assert "## Known problems" in card
    assert (result.folder / "split.json").read_bytes() == (scene.split.folder / "split.json").read_bytes()
    rows = table(result.folder)
    assert {row["image_sha256"] for row in rows} == set(scene.kinds)
    assert {row["side"] for row in rows} == {"train", "test"}
    assert all(row["doi"] == f"10.5555/{scene.papers[row['image_sha256']]}" for row in rows)
    for row in rows:
        if (path := result.folder / row["file"]).suffix in (".png", ".jpg"):
            assert sha256_file(path) == row["file_sha256"]


@pytest.mark.parametrize("format_", FORMATS)
def test_the_same_split_gives_the_same_bytes(format_: str, export: Export, tmp_path: Path) -> None:
    one, two = export(format_, tmp_path / "a" / "same"), export(format_, tmp_path / "b" / "same")
    assert every_byte(one.folder) == every_byte(two.folder)


def test_files_are_what_their_names_say_and_show_the_picture(export: Export, scene: SplitScene) -> None:
    result = export("imagefolder")
    for row in table(result.folder):
        path, sha256 = result.folder / row["file"], row["image_sha256"]
        kind = scene.kinds[sha256]
        with Image.open(path) as image:
            assert image.format == {".png": "PNG", ".jpg": "JPEG"}[path.suffix]
            seen = np.asarray(image.convert("L"), float)
        assert (sha256_file(path) == sha256) == (kind in ("png", "jpeg", "opaque"))
        wanted = np.asarray(blot(scene.numbers[sha256]), float)
        if kind == "deep":  # shown with its darkest value as black and its brightest as white
            wanted = (wanted - wanted.min()) * 255 / (wanted.max() - wanted.min())
        assert np.abs(seen - wanted).mean() < (6 if kind in ("jpeg", "gif") else 1), kind


@pytest.mark.parametrize("format_", FORMATS)
def test_a_release_withholds_what_may_not_be_passed_on(format_: str, export: Export, scene: SplitScene) -> None:
    result = export(format_, release=True)
    assert result.withheld == 36
    named = {row["image_sha256"]: row for row in table(result.folder)}
    assert set(named) == set(scene.kinds)
    closed = {sha256 for sha256, paper in scene.papers.items() if paper not in (OPEN, PRINTED)}
    assert {sha256 for sha256, row in named.items() if not row["file_sha256"]} == closed
    everything = b"".join(path.read_bytes() for path in result.folder.rglob("*") if path.is_file())
    for sha256 in closed:
        row = named[sha256]
        assert (row["file"], row["caption"]) == ("", "")
        assert row["phash"]
        assert row["doi"] == f"10.5555/{scene.papers[sha256]}"
        stored = next(scene.workspace.store.rglob(f"{sha256}.*"))
        assert stored.read_bytes() not in everything
        assert f"blend {scene.numbers[sha256]}/70".encode() not in everything
        assert not list(result.folder.rglob(f"{sha256}.*"))
    assert named[next(s for s in closed if scene.papers[s] == CLOSED)]["licence"] == "CC-BY-ND-4.0"


def test_an_image_of_two_papers_needs_both_licences(scene: SplitScene, export: Export) -> None:
    twice = next(s for s, paper in scene.papers.items() if paper == OPEN)
    with scene.catalogue() as catalogue:
        panel = {"panel_id": "panel-z", "figure_id": "p7/f", "position": 9, "image_sha256": twice}
        catalogue.upsert("panels", [panel])
    try:
        result = export("parquet", release=True)
        assert result.withheld == 37
    finally:
        with scene.catalogue() as catalogue:
            catalogue.run("DELETE FROM panels WHERE panel_id = 'panel-z'")


def test_an_export_takes_the_place_of_an_earlier_one_and_of_nothing_else(export: Export, tmp_path: Path) -> None:
    folder = tmp_path / "x"
    export("imagefolder", folder)
    export("parquet", folder)
    assert not (folder / "train").exists()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("three years")
    with pytest.raises(RefusedError, match="no export"):
        export("parquet", tmp_path / "mine")
    assert (tmp_path / "mine" / "thesis.txt").exists()
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        export("parquet", tmp_path / "file" / "x")


def test_a_lost_image_ends_it_without_a_trace(export: Export, scene: SplitScene, tmp_path: Path) -> None:
    path = next(scene.workspace.store.rglob("*.png"))
    data = path.read_bytes()
    path.write_bytes(data[:-1])
    try:
        with pytest.raises(InputError, match="damaged"):
            export("imagefolder", tmp_path / "out" / "x")
        assert list(tmp_path.rglob("*.png")) == []
    finally:
        path.write_bytes(data)


def test_what_cannot_be_asked_for(export: Export) -> None:
    with pytest.raises(UsageError, match="no format"):
        export("xml")
    with pytest.raises(UsageError, match="no 2"):
        export("parquet", fold=2)


def test_texts_stay_whole(export: Export, scene: SplitScene) -> None:
    result = export("parquet")
    captions = set(pq.read_table(result.folder / "train.parquet")["caption"].to_pylist())
    assert " ".join(HOSTILE.split()) in captions
    assert sha256_bytes(b"") not in {row["file_sha256"] for row in table(result.folder)}
    image = pq.read_table(result.folder / "test.parquet")["image"][0].as_py()
    assert open_picture(io.BytesIO(image["bytes"]).getvalue()).size == (64, 48)
