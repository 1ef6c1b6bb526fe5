"""A scale bar that somebody corrects: it wins over every reading, is kept, shown as by hand, and taken back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from edit_scene import EditScene, box, figure, kept, panel, undo
from typer.testing import CliRunner

from polydata.catalogue.by_hand import edits_of, list_edits
from polydata.catalogue.described import panel_exports
from polydata.catalogue.screenings import save_readings, save_screenings
from polydata.catalogue.trace import trace
from polydata.cli import app
from polydata.errors import UsageError
from polydata.screening.sheets import write_sheets
from polydata.types import ScaleBar, Screening
from polydata.upkeep.trace import describe

READ = ScaleBar(2, "µm", 2, 60, "image", 0.9, 10, 70, 20)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> EditScene:
    return EditScene.make(tmp_path_factory.mktemp("bars"))


@pytest.fixture
def scene(original: EditScene, tmp_path: Path) -> EditScene:
    made = original.copy(tmp_path)
    read(made, READ)
    return made


def read(scene: EditScene, bar: ScaleBar | None) -> None:
    """What another reading of the picture says."""
    with scene.session() as session:
        image = scene_image(session.catalogue)
        save_readings(session.catalogue, 1, [(image, bar)])
        save_screenings(session.catalogue, "micrograph", 1, [(image, Screening(1.0, "accepted", "clear"))])


def scene_image(catalogue: Any) -> str:
    return str(catalogue.value("SELECT image_sha256 FROM panels WHERE label = 'a' ORDER BY panel_id LIMIT 1"))


def in_force(scene: EditScene) -> list[Any]:
    """Method, value, length and left end of each scale that is known of panel a, less what its caption says."""
    sql = """SELECT panel_scales.* FROM panel_scales JOIN panels USING (panel_id)
             WHERE panels.label = 'a' AND method <> 'caption'"""
    return [[row[name] for name in ("method", "value_um", "length_px", "x0")] for row in scene.rows(sql)]


def told(scene: EditScene) -> str:
    with scene.session() as session:
        return describe(trace(session, scene_image(session.catalogue)))


def test_a_bar_by_hand_outlives_every_reading_and_is_undone(scene: EditScene, tmp_path: Path) -> None:
    assert in_force(scene) == [["image", 2, 60, 10]]
    done = panel(scene, scene.panel_id(1, "a"), bar="5 um", bar_px=60)
    assert in_force(scene) == [["hand", 5, 60, 10]]  # only the value was corrected: the bar stays where it was read
    assert "5 µm (by hand, 60 pixels)" in told(scene)
    with scene.session() as session:
        page = write_sheets(session, tmp_path / "sheets").index.with_name("accepted-1.html").read_text("utf-8")
    assert "bar: 5 µm, by hand, 60 px" in page and '<i style="left:' in page
    kept(scene)
    read(scene, ScaleBar(9, "nm", 0.009, 30, "image", 0.9, 1, 31, 2))
    assert in_force(scene) == [["hand", 5, 60, None]]
    corner = scene.figure(1).panels[0].box
    moved = panel(scene, scene.panel_id(1, "a"), box=box(corner.x0, corner.y0, corner.x1 - 20, corner.y1))
    ((_, _, length, _),) = in_force(scene)
    assert abs(length - 60) < 0.5  # of a smaller piece of the picture at the same resolution
    kept(scene)
    assert undo(scene, moved.edit_id) == undo(scene, done.edit_id) == ()
    assert in_force(scene) == [["image", 0.009, 30, 1]]


def test_a_picture_may_have_no_bar(scene: EditScene) -> None:
    panel(scene, scene.panel_id(1, "a"), bar="none")
    assert in_force(scene) == [] and "no bar (by hand)" in told(scene)
    kept(scene)
    panel(scene, scene.panel_id(1, "a"), bar="0,5 µm", bar_px=80)
    with scene.session() as session:
        (row,) = (one for one in panel_exports(session.catalogue) if one["scale_source"] == "hand")
    corners = [row[name] for name in ("x0", "y0", "x1", "y1")]
    assert (row["page"], row["scale_um"], corners) == (
        1,
        0.5,
        [round(c, 1) for c in scene.figure(1).panels[0].box.as_list()],
    )
    assert in_force(scene) == [["hand", 0.5, 80, None]]


def test_how_a_record_was_joined_is_told_in_words(scene: EditScene) -> None:
    row = {"panel_id": scene.panel_id(1, "a"), "record_id": "r1", "method": "letter", "score": 0.99}
    with scene.session() as session:
        session.catalogue.upsert("records", [{"record_id": "r1", "source": "a.csv", "raw": "{}"}])
        session.catalogue.upsert("links", [row])
    assert "r1 joined by figure and letter, 99 % sure" in told(scene) and "none" not in told(scene)


@pytest.mark.parametrize(
    "asked", [{"bar": "five"}, {"bar": "5 µm", "bar_px": 1e6}, {"bar_px": 5}, {"bar": "none", "bar_px": 5}]
)
def test_what_is_no_bar_is_refused(asked: dict[str, Any], scene: EditScene) -> None:
    with pytest.raises(UsageError) as caught:
        panel(scene, scene.panel_id(1, "a"), **asked)
    assert "--bar none" in caught.value.hint and in_force(scene) == [["image", 2, 60, 10]]


def test_corrections_of_other_things_keep_their_ids(scene: EditScene) -> None:
    panel(scene, scene.panel_id(1, "b"), label="x")
    with scene.session() as session:
        (edit,) = edits_of(session.catalogue, session.catalogue.value("SELECT sha256 FROM papers"))
    assert "bar" not in edit.row()["changes"]


def twin(scene: EditScene) -> str:
    """Let panel b show the picture of a, captions that tell both scales; its id."""
    with scene.session() as session, session.catalogue.transaction():
        (a, b) = (scene_panel(session.catalogue, label) for label in "ab")
        same = [scene_image(session.catalogue), b]
        session.catalogue.run("UPDATE panels SET image_sha256 = ? WHERE panel_id = ?", same)
        session.catalogue.run("DELETE FROM scale_bars")
        captions = [{"panel_id": one, "value": n, "value_um": n} for one, n in ((a, 2), (b, 3))]
        rest = {"method": "caption", "unit": "µm", "confidence": 0.9}
        session.catalogue.upsert("scale_bars", [one | rest for one in captions])
    return str(b)


def scene_panel(catalogue: Any, label: str) -> str:
    sql = "SELECT panel_id FROM panels JOIN figures USING (figure_id) WHERE panels.label = ? AND page = 1"
    return str(catalogue.value(sql, [label]))


def exported(scene: EditScene) -> dict[str, tuple[Any, Any]]:
    with scene.session() as session:
        names = {scene_panel(session.catalogue, label): label for label in "ab"}
        rows = [row for row in panel_exports(session.catalogue) if row["panel_id"] in names]
    return {names[row["panel_id"]]: (row["scale_um"], row["scale_source"]) for row in rows}


def test_the_last_word_on_a_picture_counts_for_all_its_panels(scene: EditScene) -> None:
    b, a = twin(scene), scene.panel_id(1, "a")
    panel(scene, a, bar="none")
    assert exported(scene) == {"a": (None, None), "b": (None, None)}
    assert "no bar (by hand)" in told(scene)
    for asked, value in ((b, 5), (a, 9), (b, 7), (a, 8)):  # one of the two has the smaller id
        panel(scene, asked, bar=f"{value} um")
        assert exported(scene) == {"a": (value, "hand"), "b": (value, "hand")}
    panel(scene, b, bar="none")
    assert exported(scene) == {"a": (None, None), "b": (None, None)}


def test_a_length_that_nobody_typed_is_the_one_that_is_read(scene: EditScene) -> None:
    panel(scene, scene.panel_id(1, "a"), bar="none")
    panel(scene, scene.panel_id(1, "a"), bar="5 um")
    assert in_force(scene) == [["hand", 5, 60, 10]]
    read(scene, ScaleBar(9, "nm", 0.009, 30, "image", 0.9, 1, 31, 2))  # also where it is read later
    assert in_force(scene) == [["hand", 5, 30, 1]]
    panel(scene, scene.panel_id(1, "a"), bar="6 um", bar_px=44)
    panel(scene, scene.panel_id(1, "a"), bar="7 um")
    assert in_force(scene) == [["hand", 7, 44, None]]
    kept(scene)


def test_a_bar_by_hand_goes_with_the_panels_of_a_figure_cut_anew(scene: EditScene) -> None:
    panel(scene, scene.panel_id(1, "a"), bar="7 um", bar_px=100)
    corners = scene.figure(1).box
    figure(scene, 1, box=box(corners.x0 - 2, corners.y0, corners.x1, corners.y1 + 1))
    ((method, value, length, _),) = in_force(scene)
    assert (method, value) == ("hand", 7) and abs(length - 100) < 2
    kept(scene)


def test_a_bar_by_hand_whose_panel_went_is_named(scene: EditScene) -> None:
    said = panel(scene, scene.panel_id(1, "d"), bar="7 um", bar_px=100)
    corners = scene.figure(1).box
    cut = figure(scene, 1, box=box(corners.x0, corners.y0, corners.x1, (corners.y0 + corners.y1) / 2 - 4))
    assert said.edit_id in cut.note

    def states() -> dict[str, str]:
        with scene.session() as session:
            return {row["edit_id"]: row["state"] for row in list_edits(session.catalogue)}

    assert states()[said.edit_id].startswith("stale: its panel went") and states()[cut.edit_id] == "in force"
    assert scene.extract(again=True).stale
    assert states()[said.edit_id].startswith("stale: its panel went")
    assert undo(scene, cut.edit_id) == () and states()[said.edit_id] == "in force"


def test_a_bar_may_be_as_long_as_the_longer_side(scene: EditScene) -> None:
    with scene.session() as session, session.catalogue.transaction():
        session.catalogue.run("UPDATE images SET width = 50, height = 400")
    panel(scene, scene.panel_id(1, "a"), bar="5 um", bar_px=300)
    with pytest.raises(UsageError):
        panel(scene, scene.panel_id(1, "a"), bar="5 um", bar_px=401)


def test_what_nobody_typed_is_not_listed(scene: EditScene) -> None:
    panel(scene, scene.panel_id(1, "a"), bar="5 um", bar_px=30)
    with scene.session() as session:
        (row,) = list_edits(session.catalogue)
    assert row["changes"] == '{"bar": "5 µm", "bar_px": 30}'


def test_what_follows_is_the_same_for_a_bar_and_its_undoing(scene: EditScene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(scene.root)
    said = CliRunner().invoke(app, ["edit", "panel", scene.panel_id(1, "a"), "--bar", "5 um"])
    identifier = scene.rows("SELECT edit_id FROM edits")[0]["edit_id"]
    undone = CliRunner().invoke(app, ["edit", "undo", identifier])
    for result in (said, undone):
        assert "Next: polydata join" in result.output and "screen" not in result.output, result.output
