"""A paper to correct: four panels with letters, one micrograph, and a picture that extraction misses."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from make_pdf import PANEL_TEXT
from pdf_sheet import MARGIN, WIDTH, Rect, Sheet, grid, micrograph

from polydata.catalogue.papers import load_paper
from polydata.catalogue.session import Session, open_session
from polydata.extraction import editing
from polydata.extraction.editing import Edited
from polydata.extraction.workflow import ExtractionResult, extract
from polydata.types import Figure, Paper
from polydata.workspace import Workspace

WHOLE: Rect = (MARGIN, 80.0, MARGIN + 404, 380.0)
ALONE: Rect = (MARGIN, 80.0, MARGIN + 300, 300.0)
MISSED: Rect = (MARGIN, 80.0, MARGIN + 100, 150.0)
LONELY = "Figure 3. TEM micrograph of a PS/PMMA (70/30) blend. Scale bar: 2 µm."


def never_done(*_: object) -> None:
    """Work of a worker that has to be ended."""
    time.sleep(60)


def draw(path: Path) -> None:
    sheet = Sheet(21)
    sheet.picture(WHOLE, grid([micrograph(100 + i, 320, 240) for i in range(4)], 2, gap=8))
    sheet.caption(PANEL_TEXT, MARGIN, 390, MARGIN + 400)
    sheet.prose(MARGIN, 440, WIDTH - MARGIN, 760)
    sheet.new_page()
    sheet.picture(ALONE, micrograph(7, 300, 220))
    sheet.caption("Figure 2. SEM micrograph of the PLA/PBAT (50/50) blend.", MARGIN, 310, MARGIN + 300)
    sheet.prose(MARGIN, 360, WIDTH - MARGIN, 760)
    sheet.new_page()
    sheet.picture(MISSED, micrograph(8, 200, 140))
    sheet.prose(MARGIN, 170, WIDTH - MARGIN, 600)
    sheet.caption(LONELY, MARGIN, 640, MARGIN + 300)
    sheet.save(path)


@dataclass
class EditScene:
    """A workspace with that paper, extracted."""

    workspace: Workspace
    pdf: Path

    @classmethod
    def make(cls, folder: Path) -> EditScene:
        scene = cls(Workspace.init(folder / "w"), folder / "paper.pdf")
        draw(scene.pdf)
        scene.extract()
        return scene

    def copy(self, folder: Path) -> EditScene:
        """Another workspace with the same catalogue; its PDF is the same file."""
        shutil.copytree(self.workspace.root, folder / "w")
        return EditScene(Workspace.open(folder / "w"), self.pdf)

    @property
    def root(self) -> Path:
        return self.workspace.root

    def session(self) -> Session:
        return open_session(self.workspace)

    def extract(self, *, again: bool = False) -> ExtractionResult:
        with self.session() as session:
            return extract(session, [self.pdf.resolve()], workers=1, again=again)

    def paper(self) -> Paper:
        with self.session() as session:
            (paper,) = session.catalogue.tuples("SELECT paper_id FROM papers")
            return load_paper(session.catalogue, paper[0])

    def figure(self, page: int) -> Figure:
        (figure,) = (one for one in self.paper().figures if one.page == page)
        return figure

    def rows(self, sql: str, *parameters: object) -> list[dict[str, Any]]:
        with self.session() as session:
            return session.catalogue.rows(sql, parameters)

    def figure_id(self, page: int) -> str:
        return str(self.rows("SELECT figure_id FROM figures WHERE page = ?", page)[0]["figure_id"])

    def panel_id(self, page: int, label: str | None) -> str:
        found = self.rows(
            """SELECT panel_id FROM panels JOIN figures USING (figure_id)
               WHERE page = ? AND panels.label IS NOT DISTINCT FROM ?""",
            page,
            label,
        )
        return str(found[0]["panel_id"])

    def fingerprint(self) -> str:
        with self.session() as session:
            return session.catalogue.fingerprint()


def figure(scene: EditScene, number: int, **asked: Any) -> Edited:
    identifier = scene.figure_id(number)
    with scene.session() as session:
        return editing.edit(session, "figure", identifier, editing.correction(**asked))


def panel(scene: EditScene, identifier: str, **asked: Any) -> Edited:
    with scene.session() as session:
        return editing.edit(session, "panel", identifier, editing.correction(**asked))


def add(scene: EditScene, **asked: Any) -> Edited:
    paper = scene.rows("SELECT paper_id FROM papers")[0]["paper_id"]
    with scene.session() as session:
        return editing.edit(session, "new figure", paper, editing.correction(**asked))


def undo(scene: EditScene, identifier: str) -> tuple[str, ...]:
    with scene.session() as session:
        return editing.undo(session, identifier)[1]


def box(*corners: float) -> str:
    return ",".join(f"{value:g}" for value in corners)


def kept(scene: EditScene) -> None:
    """Reading the paper again leaves exactly what the corrections left."""
    before, paper = scene.fingerprint(), scene.paper()
    assert scene.extract(again=True).stale == ()
    assert scene.paper() == paper
    assert scene.fingerprint() == before
