"""Every layout of make_pdf, through the whole extraction."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from make_pdf import LAYOUTS
from pdf_sheet import Expected, micrograph

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
