"""Corrections by hand: what each does, that a later reading keeps it, and that undoing gives back what was found."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from commands import run, run_json
from edit_scene import ALONE, LONELY, MISSED, WHOLE, EditScene, add, box, figure, kept, never_done, panel, undo

from polydata.catalogue.by_hand import edits_of, write_edits
from polydata.catalogue.session import open_session
from polydata.choices import Kind
from polydata.edits import Target
from polydata.errors import InputError, PolydataError, UsageError
from polydata.extraction import editing
from polydata.extraction.paper import extract_paper
from polydata.images.picture import image_store, open_picture
from polydata.types import Box
from polydata.workspace import ExtractSettings


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> EditScene:
    return EditScene.make(tmp_path_factory.mktemp("edits"))


@pytest.fixture
def scene(original: EditScene, tmp_path: Path) -> EditScene:
    return original.copy(tmp_path)


def test_a_paper_comes_back_from_the_catalogue_as_it_was_read(original: EditScene) -> None:
    assert original.paper() == extract_paper(original.pdf, image_store(original.workspace), ExtractSettings())


def test_a_figures_box_is_cut_anew_and_undone(scene: EditScene) -> None:
    found = scene.paper()
    done = figure(scene, 2, box="60,90,300,290")
    now = scene.figure(2)
    assert now.box == Box(60, 90, 300, 290) and (now.method, now.confidence) == ("by-hand", 1.0)
    assert now.label == "Figure 2" and now.kind == Kind.MICROGRAPH
    assert now.panels[0].box == now.box and now.panels[0].composition is not None
    image = now.panels[0].image
    assert open_picture(image_store(scene.workspace).path(image.sha256, image.format)).size == (
        image.width,
        image.height,
    )
    assert abs(image.width / image.height - 240 / 200) < 0.02
    assert done.result == scene.figure_id(2) and len(done.moved) == 1
    kept(scene)
    assert undo(scene, done.edit_id) == ()
    assert scene.paper() == found and scene.rows("SELECT * FROM edits") == []


def test_a_panel_is_added_lettered_kept_and_undone(scene: EditScene) -> None:
    found = scene.paper()
    gone = scene.figure(1).panels[3]
    panel(scene, scene.panel_id(1, "d"), delete=True)
    identifier, asked = scene.figure_id(1), editing.correction(box=box(*gone.box.as_list()), label="d")
    with scene.session() as session:
        done = editing.edit(session, "new panel", identifier, asked)
    now = scene.figure(1).panels
    assert [one.label for one in now] == list("abcd") and (done.target, done.panels) == ("panel", (3, 4))
    assert (now[3].caption, now[3].kind, now[3].image) == (gone.caption, Kind.MICROGRAPH, gone.image)
    assert done.result == scene.panel_id(1, "d")
    kept(scene)
    with scene.session() as session, pytest.raises(UsageError, match="stands there already") as caught:
        editing.edit(session, "new panel", identifier, asked)
    assert str(done.result) in caught.value.hint
    outside = box(WHOLE[0], WHOLE[3] - 20, WHOLE[2], WHOLE[3] + 60)
    with scene.session() as session, pytest.raises(UsageError, match="reaches out of its figure"):
        editing.edit(session, "new panel", identifier, editing.correction(box=outside))
    with scene.session() as session, pytest.raises(UsageError, match="needs its box"):
        editing.edit(session, "new panel", identifier, editing.correction(label="e"))
    undo(scene, done.edit_id)
    assert scene.figure(1).panels == now[:3]
    undo(scene, scene.rows("SELECT edit_id FROM edits")[0]["edit_id"])
    assert scene.paper() == found


def test_a_new_panel_that_a_later_reading_finds_too_is_one(scene: EditScene) -> None:
    there = scene.figure(1).panels[3]
    panel(scene, scene.panel_id(1, "d"), delete=True)
    with scene.session() as session:
        editing.edit(
            session, "new panel", scene.figure_id(1), editing.correction(box=box(*there.box.as_list()), label="q")
        )
        session.catalogue.run("DELETE FROM edits WHERE target = 'panel'")
    assert scene.extract(again=True).stale == ()
    assert [one.label for one in scene.figure(1).panels] == list("abcq")


def test_a_wider_box_is_taken_apart_as_extraction_does(scene: EditScene) -> None:
    found = scene.figure(1)
    figure(scene, 1, box=box(WHOLE[0], WHOLE[1], WHOLE[2], 229))
    half = scene.figure(1)
    assert len(half.panels) == 2 and {one.label for one in half.panels} <= {
        None,
        *"abcd",
    }  # no order of half the letters
    figure(scene, 1, box=box(*WHOLE))
    again = scene.figure(1)
    assert [one.label for one in again.panels] == list("abcd")
    for one, other in zip(found.panels, again.panels, strict=True):
        assert one.box.iou(other.box) > 0.95
        assert (one.caption, one.composition) == (other.caption, other.composition)
    kept(scene)


def test_a_caption_is_split_among_the_panels_and_read_anew(scene: EditScene) -> None:
    text = (
        "Figure 5. TEM micrographs of PS/PMMA blends: (a) 10/90; (b) 20/80; (c) 30/70 and (d) 40/60. Scale bars: 2 µm."
    )
    boxes = [one.box for one in scene.figure(1).panels]
    done = figure(scene, 1, caption=text)
    now = scene.figure(1)
    assert (now.label, now.caption, done.note, done.moved) == ("Figure 5", text, "", {})
    assert [one.box for one in now.panels] == boxes
    assert [one.caption for one in now.panels] == ["10/90", "20/80", "30/70", "40/60"]
    assert all(one.composition and one.composition.components == ("PS", "PMMA") for one in now.panels)
    assert all(one.scale and one.scale.value_um == 2 for one in now.panels)
    assert {m.value for one in now.panels for m in one.mentions if m.field == "technique"} == {"TEM"}
    kept(scene)


def test_a_caption_that_names_other_panels_says_how_to_cut_them(scene: EditScene) -> None:
    done = figure(scene, 2, caption="Figure 2. SEM of blends: (a) left and (b) right.")
    assert "names 2 panels, the figure has 1" in done.note and f"--box {box(*ALONE)}" in done.note


def test_a_caption_can_be_taken_away(scene: EditScene) -> None:
    figure(scene, 2, caption="", label="")
    now = scene.figure(2)
    assert (now.caption, now.label, now.panels[0].composition, now.panels[0].mentions) == (None, None, None, ())
    kept(scene)


def test_kind_of_a_figure_and_of_a_panel(scene: EditScene) -> None:
    figure(scene, 1, kind="photo")
    panel(scene, scene.panel_id(1, "c"), kind="plot")
    now = scene.figure(1)
    assert now.kind == Kind.PHOTO
    assert [one.kind for one in now.panels] == [Kind.PHOTO, Kind.PHOTO, Kind.PLOT, Kind.PHOTO]
    kept(scene)


def test_a_panels_label_brings_the_words_of_that_label(scene: EditScene) -> None:
    """Two labels that were swapped are swapped back, one after the other."""
    first, second = scene.panel_id(1, "a"), scene.panel_id(1, "b")
    panel(scene, first, label="b")
    panel(scene, second, label="a")
    now = scene.figure(1).panels
    assert [(one.label, one.caption) for one in now[:2]] == [("b", "80/20"), ("a", "90/10")]
    assert [one.composition.ratio for one in now[:2] if one.composition] == [(80.0, 20.0), (90.0, 10.0)]
    kept(scene)


def test_a_panels_words_by_hand_stay_when_the_figures_caption_changes(scene: EditScene) -> None:
    panel(scene, scene.panel_id(1, "a"), caption="neat PCL, AFM, scale bar 7 µm")
    one = scene.figure(1).panels[0]
    assert one.scale and one.scale.value_um == 7
    assert {m.value for m in one.mentions} >= {"PCL", "AFM"}
    figure(scene, 1, caption="Figure 1. Blends: (a) first; (b) second; (c) third and (d) fourth.")
    assert [p.caption for p in scene.figure(1).panels][:2] == ["neat PCL, AFM, scale bar 7 µm", "second"]
    kept(scene)


def test_a_panels_box_is_cut_anew_within_its_figure(scene: EditScene) -> None:
    old = scene.panel_id(1, "b")
    done = panel(scene, old, box="300,90,440,200")
    now = scene.figure(1).panels[1]
    assert now.box == Box(300, 90, 440, 200) and now.label == "b" and now.caption == "80/20"
    assert abs(now.image.width / now.image.height - 140 / 110) < 0.02
    assert done.moved == {old: scene.panel_id(1, "b")}
    kept(scene)
    assert undo(scene, done.edit_id) == () and scene.panel_id(1, "b") == old


def test_a_panel_and_a_figure_are_deleted_and_come_back(scene: EditScene) -> None:
    found = scene.paper()
    first = panel(scene, scene.panel_id(1, "d"), delete=True)
    second = figure(scene, 2, delete=True)
    assert first.result is None and second.result is None
    assert [len(one.panels) for one in scene.paper().figures] == [3]
    kept(scene)
    undo(scene, first.edit_id)
    assert [len(one.panels) for one in scene.paper().figures] == [4]
    undo(scene, second.edit_id)
    assert scene.paper() == found


def test_a_missed_figure_takes_its_caption_from_the_leftovers(scene: EditScene) -> None:
    assert [one.text for one in scene.paper().leftovers] == [LONELY]
    done = add(scene, page=3, box=box(*MISSED), label="Fig. 3")
    now = scene.figure(3)
    assert (now.caption, now.kind, now.method) == (LONELY, Kind.MICROGRAPH, "by-hand")
    assert now.panels[0].composition and now.panels[0].composition.ratio == (70.0, 30.0)
    assert scene.paper().leftovers == ()
    panel(scene, scene.panel_id(3, None), label="a", kind="scheme")
    kept(scene)
    with pytest.raises(UsageError, match="stands there on page 3 already"):
        add(scene, page=3, box=box(*MISSED), kind="photo")
    undo(scene, done.edit_id)
    assert [one.text for one in scene.paper().leftovers] == [LONELY]
    (left,) = scene.rows("SELECT stale FROM edits")
    assert "no figure stands there on page 3 any more" in left["stale"]


def test_corrections_build_on_each_other(scene: EditScene) -> None:
    first = figure(scene, 2, box="60,90,300,290")
    figure(scene, 2, label="Figure 9", kind="photo")
    panel(scene, scene.panel_id(2, None), box="70,100,200,200", label="x")
    kept(scene)
    assert undo(scene, first.edit_id) == ()  # label and lone panel still tell which is meant
    now = scene.figure(2)
    assert (now.box.rounded(), now.label, now.panels[0].box, now.panels[0].label) == (
        Box(*ALONE).rounded(), "Figure 9", Box(70, 100, 200, 200), "x",
    )  # fmt: skip


def test_links_votes_and_screening_follow_a_panel(scene: EditScene) -> None:
    old, image = scene.panel_id(2, None), scene.figure(2).panels[0].image.sha256
    with scene.session() as session:
        session.catalogue.upsert(
            "links", [{"panel_id": old, "record_id": "record-1", "method": "caption", "score": 1.0}]
        )
        vote = {"panel_id": old, "source": "file_name", "record_id": "", "label": "compatible", "evidence": "x"}
        session.catalogue.upsert("label_votes", [vote])
        session.catalogue.upsert("screening_corrections", [{"image_sha256": image, "decision": "rejected"}])

    def hang_on(identifier: str) -> None:
        for table in ("links", "label_votes"):
            assert [row["panel_id"] for row in scene.rows(f"SELECT * FROM {table}")] == [identifier], table
        (decided,) = scene.rows("SELECT * FROM screening_corrections")
        assert decided == {"image_sha256": scene.figure(2).panels[0].image.sha256, "decision": "rejected"}

    done = panel(scene, old, box="280,220,340,290")  # far from the old one: only the correction knows
    new = scene.panel_id(2, None)
    assert new != old
    hang_on(new)
    scene.extract(again=True)
    hang_on(new)
    undo(scene, done.edit_id)
    hang_on(old)
    figure(scene, 2, box="60,90,300,290")
    hang_on(scene.panel_id(2, None))
    figure(scene, 2, delete=True)
    assert scene.rows("SELECT panel_id FROM links") != []  # for an undoing


def test_what_does_not_find_its_target_is_stale_and_said(scene: EditScene) -> None:
    figure(scene, 2, kind="photo")
    panel(scene, scene.panel_id(1, "a"), label="z")
    sha256 = scene.paper().sha256
    with scene.session() as session:  # as if this had been made on a figure that is found no more
        (first, _) = edits_of(session.catalogue, sha256)
        elsewhere = replace(first, place=replace(first.place, page=7))
        write_edits(session.catalogue, [elsewhere], undone=first.edit_id)
    result = scene.extract(again=True)
    assert len(result.stale) == 1 and "no figure stands there on page 7" in result.stale[0]
    assert scene.figure(2).kind == Kind.MICROGRAPH and scene.figure(1).panels[0].label == "z"
    said = run("polydata", "extract", "--again", scene.pdf, workspace=scene.root, expect=3).stderr
    assert "Not corrected: paper.pdf: edit-" in said and "polydata list edits" in said
    states = [row["state"] for row in run_json("polydata", "list", "edits", workspace=scene.root)]
    assert states[1] == "in force" and states[0].startswith("stale: no figure stands there")
    identifier = scene.rows("SELECT edit_id FROM edits WHERE stale IS NOT NULL")[0]["edit_id"]
    before = scene.paper()
    assert undo(scene, identifier) == () and scene.paper() == before


def test_what_cannot_be_done_changes_nothing(scene: EditScene) -> None:
    before = scene.fingerprint()
    lone = scene.panel_id(2, None)

    def refused(match: str, call: Any, **asked: Any) -> None:
        with pytest.raises(PolydataError, match=match):
            call(**asked)

    refused("reaches out of page 2, which has 595 x 842", lambda **a: figure(scene, 2, **a), box="60,90,700,290")
    refused("no page 99: the PDF has 3", lambda **a: figure(scene, 2, **a), page=99)
    refused("smaller than 8", lambda **a: figure(scene, 2, **a), box="60,90,62,92")
    refused("another figure of page 1", lambda **a: figure(scene, 2, **a), page=1, box="50,80,455,380")
    refused("reaches out of its figure", lambda **a: panel(scene, lone, **a), box="60,90,400,290")
    refused("only panel", lambda **a: panel(scene, lone, **a), delete=True)
    same = box(*scene.figure(1).panels[0].box.as_list())
    refused("another panel", lambda **a: panel(scene, scene.panel_id(1, "b"), **a), box=same)
    refused("needs its page and box", lambda **a: add(scene, **a), page=3)
    what: Target
    for what in ("figure", "panel", "new figure", "new panel"):
        for identifier in ("abc", "figure-ffffffffff", "' OR 1=1 --"):
            with scene.session() as session, pytest.raises(InputError, match="id"):
                editing.edit(session, what, identifier, editing.correction(page=1, box="0,0,9,9"))
    assert scene.fingerprint() == before


def test_without_its_pdf_words_are_corrected_and_pictures_are_not(scene: EditScene, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere.pdf"
    with scene.session() as session:
        session.catalogue.run("UPDATE papers SET path = ?", [str(moved)])
    figure(scene, 1, caption="Figure 1. Blends of PS: (a) one; (b) two; (c) three and (d) four.", kind="photo")
    named = panel(scene, scene.panel_id(1, "a"), label="q")
    for attempt in (lambda: figure(scene, 2, box="60,90,300,290"), lambda: undo(scene, named.edit_id)):
        with pytest.raises(InputError, match="is not there any more"):
            attempt()
    shutil.copy(scene.pdf, moved)
    with open(moved, "ab") as out:
        out.write(b"\n")
    for attempt in (lambda: figure(scene, 2, box="60,90,300,290"), lambda: undo(scene, named.edit_id)):
        with pytest.raises(InputError, match="other bytes"):
            attempt()
    assert len(scene.rows("SELECT * FROM edits")) == 2


def test_a_pdf_too_slow_to_cut_is_a_plain_error(scene: EditScene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("polydata.extraction.pool.PATIENCE", 6)
    settings = scene.root / "polydata.toml"
    settings.write_text(settings.read_text().replace("# seconds_per_file = 600", "seconds_per_file = 0.5"))
    monkeypatch.setattr("polydata.extraction.editing.amend_paper", never_done)  # what the worker runs, and is ended in
    target = scene.figure_id(2)
    with open_session(scene.root) as session, pytest.raises(PolydataError, match=r"not done after 3 s"):
        editing.edit(session, "figure", target, editing.correction(box="60,90,300,290"))
    assert scene.rows("SELECT * FROM edits") == []


def test_a_write_that_fails_leaves_paper_and_edits_as_they_were(
    scene: EditScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = scene.fingerprint()
    monkeypatch.setattr("polydata.catalogue.papers.reattach", lambda *_: 1 / 0)  # the last step of the writing
    with pytest.raises(ZeroDivisionError):
        figure(scene, 2, kind="photo")
    assert scene.fingerprint() == before


def test_only_a_new_caption_asks_for_a_join_after_a_correction_of_a_panel(scene: EditScene) -> None:
    """Links go with the panel whose box is set right; a new picture is to be screened."""
    drawn, panel = scene.figure(1).panels[0].box, scene.panel_id(1, "a")
    inner = box(drawn.x0 + 2, drawn.y0 + 2, drawn.x1 - 2, drawn.y1 - 2)
    said = run("polydata", "edit", "panel", panel, "--box", inner, workspace=scene.root).stdout
    assert "Next: polydata screen; to take it back" in said
    said = run("polydata", "edit", "panel", scene.panel_id(1, "a"), "--caption", "own", workspace=scene.root).stdout
    assert "Next: polydata screen and polydata join; to take it back" in said


def test_the_commands(scene: EditScene) -> None:
    place = scene.root
    done = run_json("polydata", "edit", "figure", scene.figure_id(2), "--label", "Figure 2a", workspace=place)
    assert done["result"] == scene.figure_id(2) and done["target"] == "figure"
    assert scene.figure(2).label == "Figure 2a"
    hostile = "own \x1b[31mwords\u202e of\nit"
    said = run("polydata", "edit", "panel", scene.panel_id(1, "a"), "--caption", hostile, workspace=place).stdout
    assert "Corrected" in said and "polydata edit undo edit-" in said
    stored = scene.figure(1).panels[0].caption
    assert stored is not None and "\x1b" not in stored and "\n" not in stored
    listed = run("polydata", "list", "edits", workspace=place)
    assert "\x1b" not in listed.stdout and "\u202e" not in listed.stdout
    paper = done["paper_id"]
    new = run_json("polydata", "edit", "new-figure", paper, "--page", "3", "--box", box(*MISSED), "--kind", "photo",
                   workspace=place)  # fmt: skip
    assert scene.figure_id(3) == new["result"]
    exported = scene.root / "figures.jsonl"
    run("polydata", "export", "figures", "--output", exported, workspace=place)
    assert len(exported.read_text().splitlines()) == 3
    rows = run_json("polydata", "list", "edits", workspace=place)
    assert [(row["target"], row["state"]) for row in rows] == [
        ("figure", "in force"), ("panel", "in force"), ("new figure", "in force"),
    ]  # fmt: skip
    assert run_json("polydata", "extract", "--again", scene.pdf, workspace=place)["stale"] == []
    assert scene.figure(2).label == "Figure 2a" and scene.figure(3).kind == Kind.PHOTO
    assert run_json("polydata", "edit", "undo", new["edit_id"], workspace=place)["undone"] == new["edit_id"]
    assert len(scene.paper().figures) == 2
    wrong = run(
        "polydata", "edit", "figure", scene.figure_id(2), "--box", "1,2,\x1b3", workspace=place, expect=2
    ).stderr
    assert "is no box" in wrong and "\x1b" not in wrong
    run("polydata", "edit", "figure", scene.figure_id(2), workspace=place, expect=2)
    run("polydata", "edit", "figure", "figure-000000000000", "--label", "x", workspace=place, expect=1)
    run("polydata", "edit", "undo", "edit-000000000000", workspace=place, expect=1)
    run("polydata", "edit", "figure", scene.figure_id(2), "--delete", workspace=place)
    assert [one.page for one in scene.paper().figures] == [1]
