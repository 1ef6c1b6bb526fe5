"""Words that stand beneath or above each panel, "(a) PP/PA6 80/20", while the caption speaks of all."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pymupdf
import pytest
from panel_layouts import texture
from PIL import Image

from polydata.extraction.paper import extract_paper
from polydata.images.picture import ImageStore
from polydata.types import Figure
from polydata.workspace import ExtractSettings

WORDS = ("PP/PA6 80/20", "PP/PA6/SEBS", "PLA without PBAT", "LDPE after 5 min", "neat PS", "PC/ABS, annealed")


def figure(tmp_path: Path, seed: int, caption: str, mark: str) -> tuple[Figure, int, list[str]]:
    """A figure of micrographs, two or three to a row, each with its letter and words beneath."""
    rng = np.random.default_rng(seed)
    columns, rows = int(rng.integers(2, 4)), int(rng.integers(1, 3))
    count, side = columns * rows, float(rng.uniform(100, 150))
    words = [WORDS[n] for n in rng.permutation(len(WORDS))[:count]]
    with pymupdf.open() as document:
        page = document.new_page()
        y = 80.0
        for row in range(rows):
            for column in range(columns):
                n, x = row * columns + column, 60 + column * (side + 14)
                picture = io.BytesIO()
                Image.fromarray(texture(rng, 260, 260).clip(0, 255).astype(np.uint8)).save(picture, "PNG")
                page.insert_image(pymupdf.Rect(x, y, x + side, y + side), stream=picture.getvalue())
                text = f"{mark.format('abcdef'[n])} {words[n]}"
                page.insert_text((x + side / 2 - len(text) * 2, y + side + 11), text, fontsize=8)
            y += side + 24
        page.insert_text((60, y + 6), caption, fontsize=9)
        for n in range(12):
            page.insert_text(
                (60, y + 60 + 12 * n), "Running text of the paper goes on and on beneath the figure. " * 2, fontsize=9
            )
        document.save(tmp_path / "paper.pdf")
    paper = extract_paper(tmp_path / "paper.pdf", ImageStore(tmp_path / "store"), ExtractSettings())
    return paper.figures[0], count, words


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("mark", ["({})", "{})"])
def test_words_beneath_panels_are_theirs(tmp_path: Path, seed: int, mark: str) -> None:
    found, count, words = figure(
        tmp_path, seed, "Fig. 1. SEM micrographs of fracture surfaces of several blends.", mark
    )
    assert [panel.label for panel in found.panels] == list("abcdef"[:count])
    assert [panel.caption for panel in found.panels] == words


@pytest.mark.parametrize("seed", range(3))
def test_words_of_the_caption_come_first(tmp_path: Path, seed: int) -> None:
    listed = ", ".join(f"({letter}) sample {n}" for n, letter in enumerate("abcdef"[:6]))
    found, count, _ = figure(tmp_path, seed, f"Fig. 1. SEM micrographs: {listed}.", "({})")
    assert [panel.caption for panel in found.panels] == [f"sample {n}" for n in range(count)]
