"""The commands of the screening, run as a user runs them."""

from __future__ import annotations

from pathlib import Path

from commands import run, run_json
from screen_scene import make_scene


def test_look_correct_and_look_again(tmp_path: Path) -> None:
    scene = make_scene(tmp_path / "w")
    place = scene.workspace.root
    first = run_json("polydata", "screen", workspace=place)
    assert (first["screened now"], first["accepted"], first["changed side"]) == (5, 3, 0)
    changed = run_json("polydata", "screen", "--reject", scene.panel(1), "--accept", scene.images[3], workspace=place)
    assert (changed["accepted"], changed["decided by hand"], changed["changed side"]) == (3, 2, 2)
    sides = ("--reject", scene.images[1], "--undo", scene.images[3], "--accept", scene.images[3])
    run("polydata", "screen", *sides, workspace=place, expect=2)
    both = ("--accept", scene.panel(3), scene.panel(4), f"--reject={scene.panel(0)}", scene.panel(1))
    assert run_json("polydata", "screen", *both, workspace=place)["decided by hand"] == 4
    run("polydata", "screen", "--undo", scene.panel(0), scene.panel(4), workspace=place)
    rows = run_json("polydata", "list", "screenings", "--decision", "rejected", workspace=place)
    assert {row["image_sha256"]: row["by"] for row in rows} == {scene.images[1]: "hand", scene.images[4]: "rule"}
    strict = run_json("polydata", "screen", "--threshold", "1", workspace=place)
    assert (strict["accepted"], strict["threshold"]) == (1, 1.0)
    near = {row["image_sha256"] for row in run_json("polydata", "list", "screenings", "--borderline", workspace=place)}
    assert near <= {scene.images[0], scene.images[2]}  # neither what was decided by hand nor a clear drawing
    sheets = run_json("polydata", "sheets", workspace=place)
    counts = ("accepted", "rejected", "decided by hand", "borderline")
    assert [sheets[name] for name in counts] == [strict[name] for name in counts]
    assert Path(sheets["index"]).is_file()
    undone = run("polydata", "screen", "--undo", scene.panel(1), "--threshold", "0.5", workspace=place)
    assert "changed side" in undone.stdout
    assert run_json("polydata", "screen", workspace=place)["accepted"] == 4


def test_wrong_use_is_explained(tmp_path: Path) -> None:
    scene = make_scene(tmp_path / "w")
    place = scene.workspace.root
    assert "polydata screen" in run("polydata", "sheets", workspace=place, expect=2).stderr
    assert "at most 1" in run("polydata", "screen", "--threshold", "7", workspace=place, expect=2).stderr
    assert "list screenings" in run("polydata", "screen", "--accept", "panel-999999", workspace=place, expect=1).stderr
    several = ("polydata", "screen", "--reject", *scene.images[:3])
    assert run_json(*several, workspace=place)["rejected"] >= 3
    for words in (several[:2] + several[3:], (*several[:2], scene.images[4], *several[2:], "--undo", scene.images[3])):
        assert "not said what is to become of" in run(*words, workspace=place, expect=2).stderr
