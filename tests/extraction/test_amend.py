"""How a correction finds its target in another reading of its paper."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pdf_sheet import micrograph, png

from polydata import ids
from polydata.choices import Kind
from polydata.edits import Correction, Edit, Place, Target
from polydata.extraction.amend import amend
from polydata.images.picture import ImageStore
from polydata.types import Box, Figure, ImageInfo, Panel, Paper, PaperMeta

PAGE1 = Box(50, 80, 250, 280)
SHIFTED = Box(40, 80, 250, 280)
FAR = Box(300, 400, 500, 600)


class Press:
    """A cutter whose every picture is the same."""

    def __init__(self, image: ImageInfo) -> None:
        self.image = image

    def figure(self, page: int, box: Box, label: str | None, caption: str | None, kind: Kind | None) -> Figure:
        one = Panel(box, None, None, None, self.image, kind)
        return Figure(page, box, label, caption, kind, "by-hand", 1.0, 300, (one,))

    def panel(self, figure: Figure, box: Box) -> tuple[ImageInfo, Kind]:
        return self.image, Kind.PLOT


def press(tmp_path: Path) -> Press:
    return Press(ImageStore(tmp_path).put(png(micrograph(1, 40, 40))))


def paper(cutter: Press, *figures: tuple[Box, str | None]) -> Paper:
    found = tuple(cutter.figure(1, box, label, label, Kind.PLOT) for box, label in figures)
    return Paper("f" * 64, "a.pdf", 1, PaperMeta(), found)


def edit(target: Target, box: Box, label: str | None, number: int = 1, /, **asked: object) -> Edit:
    return Edit("f" * 64, number, target, Place(1, label, box), Correction(**asked))  # type: ignore[arg-type]


def test_a_figure_is_known_by_its_box_then_its_label_then_half_of_its_box(tmp_path: Path) -> None:
    cutter = press(tmp_path)
    asked = edit("figure", PAGE1, "Figure 1", kind="photo")

    def kinds(*figures: tuple[Box, str | None]) -> list[str | None]:
        return [one.kind for one in amend(paper(cutter, *figures), [asked], cutter).paper.figures]

    assert kinds((PAGE1, "Figure 2"), (FAR, "Figure 1")) == ["photo", "plot"]
    assert kinds((SHIFTED, "Figure 2"), (FAR, "Figure 1")) == ["photo", "plot"]
    assert kinds((Box(50, 80, 150, 300), "Figure 2"), (FAR, "Figure 1")) == ["plot", "photo"]
    assert kinds((Box(50, 80, 250, 200), None), (FAR, None)) == ["photo", "plot"]
    assert kinds((Box(50, 80, 150, 200), None), (FAR, "Figure 7")) == ["plot", "plot"]


def test_a_new_figure_that_is_found_later_is_one_and_as_the_user_said(tmp_path: Path) -> None:
    cutter = press(tmp_path)
    asked = edit("new figure", PAGE1, "Figure 4", page=1, box=PAGE1, label="Figure 4")
    made = amend(paper(cutter, (SHIFTED, None), (FAR, "Figure 1")), [asked], cutter)
    assert [(one.box, one.label) for one in made.paper.figures] == [(PAGE1, "Figure 4"), (FAR, "Figure 1")]
    old, new = (ids.panel_id("f" * 64, 1, box, box) for box in (SHIFTED, PAGE1))
    assert made.moved == {old: new} and made.edits[0].stale is None


def test_one_that_finds_nothing_says_why_and_the_others_are_made(tmp_path: Path) -> None:
    cutter = press(tmp_path)
    lost, fine = edit("figure", FAR, "Figure 9", delete=True), edit("figure", PAGE1, None, 2, label="Figure 1")
    made = amend(paper(cutter, (PAGE1, None)), [replace(lost, stale="before"), replace(fine, stale="before")], cutter)
    assert [one.stale for one in made.edits] == ["no figure stands there on page 1 any more", None]
    assert made.results == (None, ids.figure_id("f" * 64, 1, PAGE1))
    assert made.edits[1].edit_id == fine.edit_id


def test_what_became_of_a_panel_is_followed_through_all_corrections(tmp_path: Path) -> None:
    cutter = press(tmp_path)
    edits = [edit("figure", PAGE1, "Figure 1", box=FAR), edit("figure", FAR, "Figure 1", 2, box=SHIFTED)]
    made = amend(paper(cutter, (PAGE1, "Figure 1")), edits, cutter)
    first, _, last = (ids.panel_id("f" * 64, 1, box, box) for box in (PAGE1, FAR, SHIFTED))
    assert made.moved[first] == last
