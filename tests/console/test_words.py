"""What the programs say where something is not as it was meant: what is wrong, where, and what to type next."""

from __future__ import annotations

from pathlib import Path

import pytest
from commands import run, run_json
from edit_scene import EditScene

from polydata.errors import InputError
from polydata.extraction.editing import correction, edit
from polydata.files.predictions import read_embeddings


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> EditScene:
    return EditScene.make(tmp_path_factory.mktemp("scene"))


def test_a_file_that_is_no_pdf_can_be_forgotten(scene: EditScene, tmp_path: Path) -> None:
    place = scene.workspace.root
    bad = tmp_path / "notes.pdf"
    bad.write_text("no PDF")
    assert "polydata remove failures" in run("polydata", "extract", bad, workspace=place, expect=3).stderr
    assert run_json("polydata", "remove", "failures", workspace=place) == []
    assert "other.pdf" in run("polydata", "remove", "failures", "other.pdf", workspace=place, expect=1).stderr
    assert run_json("polydata", "remove", "failures", "notes.pdf", workspace=place) == [str(bad)]
    assert run_json("polydata", "list", "failures", workspace=place) == []


def test_a_table_is_no_pdf(scene: EditScene, tmp_path: Path) -> None:
    place, table, renamed = scene.workspace.root, tmp_path / "table.xlsx", tmp_path / "paper.xlsx"
    table.write_bytes(b"PK\3\4")
    said = run("polydata", "extract", table, workspace=place, expect=2).stderr
    assert f"polydata records import {table}" in said
    renamed.write_bytes(scene.pdf.read_bytes())  # a PDF is one, whatever it is called
    run("polydata", "extract", renamed, workspace=place)


def test_a_model_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no file and no run .*nomodel") as caught:
        read_embeddings(tmp_path / "nomodel")
    assert "polymodel runs list" in caught.value.hint


def test_unknown_words_come_with_the_place_where_they_are_added(scene: EditScene, tmp_path: Path) -> None:
    place, table = scene.workspace.root, tmp_path / "records.csv"
    table.write_text("record_key,reference,figure,panel,compatibility\nk,,Figure 1,a,perhaps so\n")
    run("polydata", "records", "import", table, workspace=place)
    with scene.session() as session:
        panel = session.catalogue.value("SELECT min(panel_id) FROM panels")
    run("polydata", "link", "k", panel, workspace=place)
    stderr = run("polydata", "join", workspace=place).stderr
    assert "records import records.csv --meaning 'compatibility: perhaps so=" in stderr


def test_a_correction_says_how_many_panels_there_are(tmp_path: Path) -> None:
    scene = EditScene.make(tmp_path)
    with scene.session() as session:
        x0, y0, x1, y1 = scene.figure(1).box.as_list()
        done = edit(session, "figure", scene.figure_id(1), correction(box=f"{x0},{y0},{(x0 + x1) / 2},{y1}"))
    assert done.panels == (4, 2)


def test_images_whose_panel_is_gone_are_not_counted(tmp_path: Path) -> None:
    scene = EditScene.make(tmp_path)
    place = scene.workspace.root
    run("polydata", "screen", workspace=place)
    panel = run_json("polydata", "list", "screenings", workspace=place)[0]["panel_id"]
    run("polydata", "edit", "panel", panel, "--delete", workspace=place)
    counts = run_json("polydata", "screen", workspace=place)
    steps = {row["step"]: row["count"] for row in run_json("polydata", "status", workspace=place)["funnel"]}
    assert counts["accepted"] == steps["accepted"]
    assert counts["accepted"] + counts["rejected"] == steps["screened"] == steps["images"]
