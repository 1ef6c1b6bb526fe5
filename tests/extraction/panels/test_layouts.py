"""Every layout of make_pdf, through the whole extraction."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pymupdf
import pytest
from make_pdf import LAYOUTS
from pdf_sheet import Expected, micrograph, png
from PIL import Image

from polydata.choices import Kind
from polydata.extraction.paper import extract_paper
from polydata.images.picture import ImageStore, open_picture
from polydata.types import Box, Figure, Paper
from polydata.workspace import ExtractSettings


def extract(tmp_path: Path, layout: str) -> tuple[Paper, list[Expected], ImageStore]:
    path = tmp_path / f"{layout}.pdf"
    expected = LAYOUTS[layout](path)
    store = ImageStore(tmp_path / "store")
    return extract_paper(path, store, ExtractSettings()), expected, store


def _folder(parent: Path, name: str) -> Path:
    (parent / name).mkdir()
    return parent / name


def words(text: str | None) -> list[str]:
    return re.findall(r"\w+", text or "")


@pytest.mark.parametrize("layout", sorted(LAYOUTS))
def test_figures_captions_and_panels(tmp_path: Path, layout: str) -> None:
    paper, expected, store = extract(tmp_path, layout)
    assert [one.label for one in paper.figures] == [one.label for one in expected]
    for figure, true in zip(paper.figures, expected, strict=True):
        assert figure.page == true.page
        assert figure.box.iou(Box(*true.box)) > 0.8, (figure.box, true.box)
        assert words(figure.caption) == words(true.caption)
        assert len(figure.panels) == max(1, len(true.panels))
        for panel, (label, rect) in zip(figure.panels, true.panels, strict=False):
            assert panel.label == label
            assert panel.box.iou(Box(*rect)) > 0.9
        for panel in figure.panels:
            assert store.path(panel.image.sha256, panel.image.format).is_file()
        if not true.panels:
            assert figure.panels[0].label is None
            assert figure.panels[0].box == figure.box
    assert paper.leftovers == ()


def test_running_twice_gives_the_same(tmp_path: Path) -> None:
    first, _, _ = extract(_folder(tmp_path, "a"), "touching")
    second, _, _ = extract(_folder(tmp_path, "b"), "touching")
    assert first == second


def test_kinds_follow_the_pixels(tmp_path: Path) -> None:
    paper, _, _ = extract(tmp_path, "below")
    assert [one.kind for one in paper.figures] == [Kind.MICROGRAPH, Kind.PLOT]
    assert extract(tmp_path, "mask")[0].figures[0].kind == Kind.SCHEME


def test_caption_parts_scale_and_stem(tmp_path: Path) -> None:
    figure: Figure = extract(tmp_path, "gutters")[0].figures[0]
    assert [panel.caption for panel in figure.panels] == ["90/10", "80/20", "70/30", "60/40"]
    for panel in figure.panels:
        assert panel.caption_stem is not None
        assert panel.caption_stem.startswith("SEM micrographs of the PLA/PBAT blends")
        assert panel.scale is not None
        assert (panel.scale.value_um, panel.scale.method) == (5.0, "caption")


def test_jpeg_objects_keep_their_bytes(tmp_path: Path) -> None:
    figure = extract(tmp_path, "objects")[0].figures[0]
    assert {panel.image.format for panel in figure.panels} == {"JPEG"}
    assert {(panel.image.width, panel.image.height) for panel in figure.panels} == {(320, 240)}


def test_picture_is_the_one_that_was_drawn(tmp_path: Path) -> None:
    paper, _, store = extract(tmp_path, "below")
    image = paper.figures[0].panels[0].image
    stored = np.asarray(open_picture(store.path(image.sha256, image.format)), np.float64)
    assert np.abs(stored - np.asarray(micrograph(1), np.float64)).max() == 0


def test_image_mask_is_not_inverted(tmp_path: Path) -> None:
    paper, _, store = extract(tmp_path, "mask")
    image = paper.figures[0].panels[0].image
    assert np.asarray(open_picture(store.path(image.sha256, image.format))).mean() > 180


def test_rotated_page_comes_out_upright(tmp_path: Path) -> None:
    paper, _, store = extract(tmp_path, "rotated")
    image = paper.figures[0].panels[0].image
    stored = open_picture(store.path(image.sha256, image.format)).resize((400, 300))
    true = np.asarray(micrograph(40, 400, 300).convert("L"), np.float64)
    found = np.asarray(stored.convert("L"), np.float64)
    assert np.corrcoef(true.ravel(), found.ravel())[0, 1] > 0.8


@pytest.mark.parametrize("seed", range(3))
def test_a_drawing_of_small_cells_is_one_panel(tmp_path: Path, seed: int) -> None:
    """Cells of dots and hatches on a scan look like micrographs each, and are too small to be any."""
    rng = np.random.default_rng(seed)
    rows, columns, cell = int(rng.integers(5, 9)), int(rng.integers(6, 10)), 58
    grey = np.full((rows * cell + 8, columns * cell + 8), 255, np.uint8)
    for row, column in np.ndindex(rows, columns):
        every, tone = int(rng.integers(2, 5)), rng.random((cell - 2, cell - 2))
        part = np.where((tone < rng.choice([0, 0.3, 0.6])) & (np.indices(tone.shape).sum(0) % every > 0), 0, 255)
        grey[4 + row * cell : 2 + (row + 1) * cell, 4 + column * cell : 2 + (column + 1) * cell] = part
        top, left = 3 + row * cell, 3 + column * cell
        grey[[top, top + cell], left : left + cell] = grey[top : top + cell, [left, left + cell]] = 0
    with pymupdf.open() as document:
        page = document.new_page(width=400, height=500)
        width, height = grey.shape[1] * 72 / 300, grey.shape[0] * 72 / 300
        page.insert_image(pymupdf.Rect(50, 80, 50 + width, 80 + height), stream=png(Image.fromarray(grey)))
        page.insert_text(
            (50, 100 + height), "Figure 1. Records of a logical partition within a physical one.", fontsize=9
        )
        document.save(tmp_path / "cells.pdf")
    paper = extract_paper(tmp_path / "cells.pdf", ImageStore(tmp_path / "store"), ExtractSettings())
    (figure,) = paper.figures
    assert len(figure.panels) == 1
