"""What is true of every export, whatever its format."""

from __future__ import annotations

import csv
import io
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image
from split_scene import CLOSED, HOSTILE, OPEN, PRINTED, SplitScene, blot, make_scene

from polydata.errors import InputError, RefusedError, UsageError
from polydata.exports.formats import FORMATS
from polydata.exports.workflow import export_split
from polydata.ids import sha256_bytes, sha256_file
from polydata.images.picture import open_picture

Export = Any


def table(folder: Path) -> list[dict[str, str]]:
    with open(folder / "images.csv", newline="", encoding="utf-8") as handle:
        return list(csv.DictReader(handle))


def every_byte(folder: Path) -> dict[str, str]:
    return {str(p.relative_to(folder)): sha256_file(p) for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.mark.parametrize("format_", FORMATS)
def test_an_export_says_what_it_is(format_: str, export: Export, scene: SplitScene) -> None:
    result = export(format_)
    marks = json.loads((result.folder / "export.json").read_text())
    files = every_byte(result.folder)
    del files["export.json"]
    assert marks == {"format": format_, **result.marks, "files": files}
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
        assert not list(result.folder.rglob(f"*{sha256}.*"))
    assert named[next(s for s in closed if scene.papers[s] == CLOSED)]["licence"] == "CC-BY-ND-4.0"


def test_an_image_of_two_papers_needs_both_licences(scene: SplitScene, export: Export) -> None:
    twice = next(s for s, paper in scene.papers.items() if paper == OPEN)
    with scene.session() as session:
        panel = {"panel_id": "panel-z", "figure_id": "p7/f", "position": 9, "image_sha256": twice}
        session.catalogue.upsert("panels", [panel])
    try:
        result = export("parquet", release=True)
        assert result.withheld == 37
    finally:
        with scene.session() as session:
            session.catalogue.run("DELETE FROM panels WHERE panel_id = 'panel-z'")


def test_an_export_takes_the_place_of_an_earlier_one_and_of_nothing_else(export: Export, tmp_path: Path) -> None:
    folder = tmp_path / "x"
    export("imagefolder", folder)
    export("parquet", folder)
    assert not (folder / "train").exists()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("three years")
    for mark in (None, '{"other": "program"}', "no JSON", "[" * 100_000, "[]"):
        if mark is not None:
            (tmp_path / "mine" / "export.json").write_text(mark)
        with pytest.raises(RefusedError, match=r"holds other files: .*thesis\.txt"):
            export("parquet", tmp_path / "mine")
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "three years"
    marks = json.loads((folder / "export.json").read_text())
    for change in ({"made_by": "other 1.0"}, {"files": ["thesis.txt"]}, {"files": {}}):
        (tmp_path / "mine" / "export.json").write_text(json.dumps(marks | change))
        with pytest.raises(RefusedError, match=r"thesis\.txt"):
            export("parquet", tmp_path / "mine")
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "three years"
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        export("parquet", tmp_path / "file" / "x")


def test_what_a_user_put_into_an_export_stays(export: Export, tmp_path: Path) -> None:
    folder = export("imagefolder", tmp_path / "x").folder
    notes, hidden, card = folder / "train" / "my-notes.txt", folder / ".git" / "config", folder / "README.md"
    own, link = card.read_text(), folder / "link"
    hidden.parent.mkdir()
    for path in (notes, hidden):
        path.write_text("mine")
    card.write_text("my own card")
    link.symlink_to("split.json")
    for number in range(4):
        (folder / f"z{number}").write_text("mine")
    before = every_byte(folder)
    with pytest.raises(RefusedError) as refused:
        export("parquet", folder)
    named = ".git/config, README.md, link, train/my-notes.txt, z0 and 3 more."
    assert refused.value.message == f"{folder} holds other files: {named}"
    assert every_byte(folder) == before
    for path in (notes, hidden, link, *folder.glob("z?")):
        path.unlink()
    card.write_text(own)
    export("parquet", folder)
    assert (folder / "train.parquet").exists()
    assert not card.with_name("train").exists()
    assert [p.name for p in tmp_path.iterdir()] == ["x"]


def test_a_file_that_comes_while_it_is_written_stays(export: Export, tmp_path: Path) -> None:
    folder = export("imagefolder", tmp_path / "x").folder
    with pytest.raises(RefusedError, match="late"):
        export("parquet", folder, progress=lambda *_: (folder / "late").write_text("mine"))
    assert (folder / "late").read_text() == "mine"
    assert (folder / "train").exists()
    assert [p.name for p in tmp_path.iterdir()] == ["x"]


def test_the_folder_one_is_in_and_a_link_to_it(export: Export, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = export("imagefolder", tmp_path / "x").folder
    before = every_byte(folder)
    for place, named in ((folder, "."), (folder / "train", "..")):
        monkeypatch.chdir(place)
        with pytest.raises(RefusedError, match="you are in"):
            export("parquet", Path(named))
        assert every_byte(folder) == before
    monkeypatch.chdir(tmp_path)
    assert export("labelstudio", Path("x/../x/.")).folder == folder
    assert "d=x/images/" in json.loads((folder / "tasks.json").read_text())[0]["data"]["image"].replace("%2F", "/")
    (tmp_path / "link").symlink_to(folder)
    export("parquet", Path("link"))
    assert (tmp_path / "link").is_symlink()
    assert (folder / "train.parquet").exists()
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(InputError, match=r"cannot be written: [A-Z][a-z ]+\."):
        export("parquet", Path("loop"))


KILLED = """
import os, signal, sys
from pathlib import Path
from polydata.files.atomic import replacing_folder
folder, steps = Path(sys.argv[1]), int(sys.argv[2])
def die(event, args):
    global steps
    if event in ("os.rename", "shutil.rmtree") and Path(args[0]).is_relative_to(folder.parent):
        if not steps:
            os.kill(os.getpid(), signal.SIGKILL)
        steps -= 1
sys.addaudithook(die)
with replacing_folder(folder) as new:
    (new / "half").write_text("")
"""


@pytest.mark.parametrize(("steps", "stays"), [(0, True), (1, False), (2, True), (3, True)])
def test_a_kill_loses_nothing(steps: int, stays: bool, export: Export, tmp_path: Path) -> None:
    """Killed before each step of taking the place; ``stays``: something whole stands there even then."""
    folder = export("imagefolder", tmp_path / "x").folder
    before = every_byte(folder)
    (tmp_path / ".x.y.abcdefgh.part").mkdir()  # of another export, which may be running
    killed = subprocess.run([sys.executable, "-c", KILLED, folder, str(steps)], check=False)
    assert killed.returncode == (-signal.SIGKILL if steps < 3 else 0)
    assert folder.exists() == stays
    old = [path for path in (folder, *tmp_path.glob(".x.????????.part/old")) if path.exists()]
    assert (before in [every_byte(path) for path in old]) == (steps < 3)
    if steps >= 2:  # what was written in this test is no export
        (folder / "half").unlink()
    export("parquet", folder)
    assert (folder / "train.parquet").exists()
    assert sorted(p.name for p in tmp_path.iterdir()) == [".x.y.abcdefgh.part", "x"]


def test_what_was_moved_aside_is_looked_through_as_well(export: Export, tmp_path: Path) -> None:
    folder = export("imagefolder", tmp_path / "x").folder
    subprocess.run([sys.executable, "-c", KILLED, folder, "1"], check=False)
    (old,) = tmp_path.glob(".x.*.part/old")
    (old / "notes").write_text("mine")
    with pytest.raises(RefusedError, match="notes"):
        export("parquet", folder)
    assert (folder / "notes").read_text() == "mine"


def test_each_fold_has_a_place_of_its_own(tmp_path: Path) -> None:
    scene = make_scene(tmp_path / "w", folds=2)
    found = {}
    with scene.session() as session:
        for fold in (1, 2):
            result = export_split(session, "v1", "parquet", fold=fold, quick=True)
            assert result.folder == scene.workspace.exports / f"v1-fold-{fold}-parquet"
            found[fold] = json.loads((result.folder / "export.json").read_text())["fold"]
        result = export_split(session, "v1", "coco", fold=2, quick=True, release=True)
    assert result.folder.name == "v1-fold-2-coco-release"
    assert found == {1: 1, 2: 2}
    for fold in scene.split.folds:
        rows = table(scene.workspace.exports / f"v1-fold-{fold.number}-parquet")
        assert {r["image_sha256"] for r in rows if r["side"] == "test"} == {i.image_sha256 for i in fold.test}


def test_the_usual_place_without_folds(scene: SplitScene) -> None:
    with scene.session() as session:
        result = export_split(session, "v1", "coco", quick=True)
    assert result.folder == scene.workspace.exports / "v1-coco"


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
