"""``polydata scale-bar``: lines of JSON for files, rows of the catalogue for a workspace."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from bar_scene import draw_bar, texture
from commands import run, run_json
from pdf_sheet import png
from PIL import Image
from screen_scene import make_scene

from polydata.catalogue.session import open_session
from polydata.images.picture import ImageStore
from polydata.workspace import Workspace

FIELDS = ["file", "value", "unit", "value_um", "x0", "x1", "y", "length_px", "um_per_px", "confidence"]
STRANGE = "two\nlines\u2028and \x1b[31m more.png"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two pictures with bars, one without, one that is no picture; a text that is not asked for."""
    place = tmp_path_factory.mktemp("bars")
    (place / "sub").mkdir()
    Image.fromarray(draw_bar(5, "over", "10 µm").rgb).save(place / "a.png")
    Image.fromarray(draw_bar(5, "over", "500 nm").rgb).save(place / "sub/b.tif")
    texture(1, 300, 200).save(place / STRANGE)
    (place / "sub/broken.jpg").write_bytes(b"no picture")
    (place / "notes.txt").write_text("-", encoding="utf-8")
    return place


def lines(stdout: str) -> dict[str, dict[str, Any]]:
    """Each line of the output, read, by its file; a line ends at a line feed and nowhere else."""
    rows = [json.loads(line) for line in stdout.removesuffix("\n").split("\n")]
    assert all(list(row) == FIELDS for row in rows)
    return {row["file"]: row for row in rows}


def test_a_folder_gives_a_line_of_json_for_each_image(folder: Path) -> None:
    result = run("polydata", "scale-bar", folder, "--json", expect=3)
    rows = lines(result.stdout)
    assert set(rows) == {"a.png", "b.tif", STRANGE}
    assert len(result.stdout.splitlines()) == 3  # Python breaks lines at U+2028 too
    bar = rows["a.png"]
    assert (bar["value"], bar["unit"], bar["value_um"]) == (10, "µm", 10)
    assert bar["um_per_px"] == pytest.approx(bar["value_um"] / bar["length_px"], rel=1e-3)
    assert bar["x1"] - bar["x0"] == pytest.approx(bar["length_px"], abs=1.5)
    assert 0 < bar["confidence"] <= 1
    assert rows["b.tif"]["value_um"] == 0.5
    assert [rows[STRANGE][name] for name in FIELDS[1:]] == [None] * 9
    failed = [line for line in result.stderr.splitlines() if line.startswith("Failed: ")]
    assert len(failed) == 1 and "broken.jpg" in failed[0]
    assert "1 images could not be read" in result.stderr


def test_globs_and_single_files(folder: Path) -> None:
    assert set(lines(run("polydata", "scale-bar", folder / "*.png", "--json").stdout)) == {"a.png", STRANGE}
    assert set(lines(run("polydata", "scale-bar", folder / "a.png", "--json").stdout)) == {"a.png"}
    table = run("polydata", "scale-bar", folder / "a.png").stdout
    assert "a.png" in table and "10" in table
    broken = run("polydata", "scale-bar", folder / "sub/broken.jpg", "--json", expect=3)
    assert broken.stdout == ""
    assert "no image" in run("polydata", "scale-bar", folder / "none", expect=2).stderr.replace("file", "image")


def test_names_that_are_no_text_stay_one_line_of_json(tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/\xff.png"
    with open(name, "wb") as file:
        file.write(png(texture(2, 120, 90)))
    rows = lines(run("polydata", "scale-bar", tmp_path, "--json").stdout)
    assert list(rows) == ["\udcff.png"]


def test_a_workspace_is_read_once(tmp_path: Path) -> None:
    scene = make_scene(tmp_path / "w")
    place = scene.workspace.root
    info = ImageStore(place / "store").put(png(Image.fromarray(draw_bar(5, "over", "10 µm").rgb)))
    with scene.session() as session:
        session.catalogue.upsert("images", [vars(info)])
        session.catalogue.run("UPDATE panels SET image_sha256 = ? WHERE panel_id = ?", [info.sha256, scene.panel(0)])
    run("polydata", "screen", workspace=place)  # which needs the scale bars of what it accepts
    before = rows_of(place)
    assert len(before) == 4  # three that panels show, one that none shows any more; not the drawings
    assert [(image, um) for image, um, _ in before if um] == [(info.sha256, 10.0)]
    nothing = run_json("polydata", "scale-bar", workspace=place)
    assert nothing == {"images read now": 0, "scale bars found": 0, "failures": 0}
    again = run_json("polydata", "scale-bar", "--again", "--workers", "1", workspace=place)
    assert again == {"images read now": 3, "scale bars found": 1, "failures": 0}
    assert rows_of(place) == before


def rows_of(workspace: Path) -> list[tuple[Any, ...]]:
    with open_session(Workspace.open(workspace)) as session:
        return session.catalogue.tuples("SELECT image_sha256, value_um, length_px FROM scale_readings ORDER BY 1")


def test_an_image_that_is_missing_is_listed_and_read_when_it_is_back(tmp_path: Path) -> None:
    scene = make_scene(tmp_path / "w")
    place = scene.workspace.root
    missing = next((place / "store").rglob(f"{scene.images[0]}.png"))
    data = missing.read_bytes()
    missing.unlink()
    result = run("polydata", "scale-bar", workspace=place, expect=3)
    assert scene.images[0] in result.stderr and "1 images of the workspace could not be read" in result.stderr
    assert len(rows_of(place)) == 4
    missing.write_bytes(data)
    assert run_json("polydata", "scale-bar", workspace=place)["images read now"] == 1
