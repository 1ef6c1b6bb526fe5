"""A PDF that was saved again with other bytes, and panels whose pictures got other bytes, keep what people said."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pymupdf
import pytest
from edit_scene import EditScene
from PIL import Image

from polydata.catalogue.by_hand import list_edits
from polydata.catalogue.papers import load_paper, save_paper
from polydata.catalogue.remove import remove_papers
from polydata.catalogue.session import Session
from polydata.extraction import editing
from polydata.extraction.workflow import EXTRACTOR, extract
from polydata.labels.resolve import set_label, undo
from polydata.records.join import link
from polydata.types import Paper


@pytest.fixture
def scene(tmp_path: Path) -> EditScene:
    made = EditScene.make(tmp_path)
    with made.session() as session:
        session.catalogue.upsert("records", [{"record_id": "record-0123456789", "source": "s", "raw": "{}"}])
        panels = session.catalogue.column("SELECT panel_id FROM panels ORDER BY image_sha256")
        link(session, "record-0123456789", panels[0])
        figure = session.catalogue.value("SELECT figure_id FROM figures WHERE label = 'Figure 2'")
        editing.edit(session, "figure", figure, editing.correction(caption="What it really shows."))
        session.catalogue.upsert("annotations", [answer(n, image) for n, image in enumerate(images(session))])
        set_label(session, images(session)[1], "incompatible", reason="seen")
    return made


def images(session: Session) -> list[str]:
    return session.catalogue.column("SELECT DISTINCT image_sha256 FROM panels ORDER BY 1")


def answer(number: int, image: str) -> dict[str, Any]:
    said = {"annotator": "a@b.c", "choice": "compatible", "cancelled": False, "deleted": False, "raw": "{}"}
    place = {"server": "s", "project": 1, "annotation_id": number, "task": number, "role": "label"}
    return {**place, **said, "image_sha256": image, "updated_at": "2026-01-01 00:00:00"}


def said(session: Session) -> list[tuple[str, str]]:
    """The answer on each image that is shown, by label of the panel's figure and place."""
    return session.catalogue.tuples(
        """SELECT DISTINCT concat_ws(' ', figures.label, panels.label), labels.label
           FROM panels JOIN figures USING (figure_id) LEFT JOIN labels USING (image_sha256) ORDER BY 1"""
    )


def append_a_byte(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\n")


def add_a_note(path: Path) -> None:
    with pymupdf.open(path) as document:
        document[0].add_text_annot((50, 50), "read this")
        data = document.tobytes()
    path.write_bytes(data)


def write_anew(path: Path) -> None:
    with pymupdf.open(path) as document:
        data = document.tobytes(garbage=4, deflate=True, clean=True)
    path.write_bytes(data)


@pytest.mark.parametrize("save", [append_a_byte, add_a_note, write_anew])
@pytest.mark.parametrize("older", ["stays", "removed"])
def test_a_pdf_that_was_saved_again(scene: EditScene, save: Any, older: str) -> None:
    with scene.session() as session:
        (before,) = session.catalogue.column("SELECT paper_id FROM papers")
        answers = said(session)
    save(scene.pdf)
    with scene.session() as session:
        done = extract(session, [scene.pdf.resolve()], workers=1)
        assert (done.done, done.stale) == (1, ())
        if older == "removed":
            remove_papers(session.catalogue, [before])
        (paper,) = session.catalogue.column("SELECT paper_id FROM papers WHERE paper_id <> ?", [before])
        captions = [figure.caption for figure in load_paper(session.catalogue, paper).figures]
        assert "What it really shows." in captions
        edits = [row["state"] for row in list_edits(session.catalogue) if row["paper"] == "paper.pdf"]
        assert edits == ["in force"] * (1 if older == "removed" else 2)
        linked = session.catalogue.tuples(
            """SELECT record_id, links.method FROM links JOIN panels USING (panel_id) JOIN figures USING (figure_id)
               WHERE paper_id = ?""",
            [paper],
        )
        assert linked == [("record-0123456789", "manual")]
        assert said(session) == answers


def test_another_paper_inherits_nothing(scene: EditScene, tmp_path: Path) -> None:
    other = tmp_path / "other.pdf"
    with pymupdf.open(scene.pdf) as document:
        document[0].insert_text((60, 770), "Another paper altogether, by other people.")
        document.save(other)
    with scene.session() as session:
        extract(session, [other], workers=1)
        assert session.catalogue.value("SELECT count(*) FROM edits") == 1


def re_encoded(paper: Paper, session: Session) -> Paper:
    """The paper as another version of the method would give it: the same panels as JPEG."""

    def other(sha256: str, form: str) -> Any:
        with Image.open(io.BytesIO(session.images.read(sha256, form))) as picture:
            out = io.BytesIO()
            picture.convert("L").save(out, "JPEG", quality=85)
        return session.images.put(out.getvalue())

    figures = tuple(
        replace(figure, panels=tuple(
            replace(panel, image=other(panel.image.sha256, panel.image.format)) for panel in figure.panels
        ))
        for figure in paper.figures
    )  # fmt: skip
    return replace(paper, figures=figures)


def test_answers_follow_a_panel_whose_picture_got_other_bytes(scene: EditScene) -> None:
    with scene.session() as session:
        (paper_id,) = session.catalogue.column("SELECT paper_id FROM papers")
        paper, answers, old = load_paper(session.catalogue, paper_id), said(session), images(session)
        save_paper(session.catalogue, re_encoded(paper, session), scene.pdf, EXTRACTOR)
        assert not set(images(session)) & set(old)
        assert said(session) == answers
        # And back again, and what was decided by hand can be taken back.
        save_paper(session.catalogue, paper, scene.pdf, EXTRACTOR)
        assert images(session) == old
        assert said(session) == answers
        assert session.catalogue.value("SELECT count(*) FROM image_successors") == len(old)
        assert undo(session)["choice"] == "incompatible"
        assert {label for _, label in said(session)} == {"compatible"}


def test_answers_follow_to_the_near_identical_picture_of_a_paper_that_was_removed(scene: EditScene) -> None:
    with scene.session() as session:
        (paper_id,) = session.catalogue.column("SELECT paper_id FROM papers")
        paper, answers = load_paper(session.catalogue, paper_id), said(session)
        other = re_encoded(paper, session)
        remove_papers(session.catalogue, [paper_id])
        assert said(session) == []
        save_paper(session.catalogue, other, scene.pdf, EXTRACTOR)
        assert said(session) == answers
