"""Screening and kinds by pixels."""

from __future__ import annotations

import numpy as np
import pytest
from make_pdf import micrograph
from PIL import Image, ImageDraw

from polydata.errors import UsageError
from polydata.extract.kind import kind_of
from polydata.extract.pixelstats import measure
from polydata.extract.screen import RULES, get_rule
from polydata.types import Kind


def drawing() -> np.ndarray:
    image = Image.new("RGB", (400, 300), "white")
    pen = ImageDraw.Draw(image)
    pen.rectangle((40, 20, 380, 260), outline="black", width=2)
    pen.line([(40 + 10 * i, 140 + 60 * np.sin(i / 4)) for i in range(34)], fill="red", width=2)
    return np.asarray(image)


@pytest.mark.parametrize("name", sorted(RULES))
def test_every_rule_tells_micrographs_from_drawings(name: tuple[str, str]) -> None:
    rule = RULES[name]
    for seed in range(5):
        good = rule(np.asarray(micrograph(seed)))
        assert good.decision == "accepted"
        assert 0.8 < good.score <= 1
    bad = rule(drawing())
    assert bad.decision == "rejected"
    assert 0 <= bad.score < 0.4
    assert bad.reason


@pytest.mark.parametrize("name", sorted(RULES))
def test_every_rule_keeps_coloured_and_halftone_micrographs(name: tuple[str, str]) -> None:
    grey = np.asarray(micrograph(3, 400, 300))
    tinted = np.stack([grey[..., 0], grey[..., 1] // 2, grey[..., 2] // 3], axis=-1).astype(np.uint8)
    assert RULES[name](tinted).decision == "accepted"
    halftone = Image.fromarray(grey).convert("1").convert("RGB")
    assert RULES[name](np.asarray(halftone)).decision == "accepted"


@pytest.mark.parametrize("name", sorted(RULES))
def test_every_rule_rejects_what_shows_nothing(name: tuple[str, str]) -> None:
    for shape, value in (((200, 200, 3), 255), ((200, 200, 3), 0), ((20, 300, 3), 90), ((1, 1, 3), 0)):
        assert RULES[name](np.full(shape, value, np.uint8)).decision == "rejected"
    with pytest.raises(ValueError, match="rows x columns x 3"):
        RULES[name](np.zeros((20, 20), np.uint8))


def test_rules_are_found_by_name_and_version() -> None:
    assert get_rule("micrograph")[0] == 1
    with pytest.raises(UsageError, match="no screening rule"):
        get_rule("no such rule")


def test_kinds() -> None:
    picture, plot = measure(np.asarray(micrograph(1))), measure(drawing())
    assert kind_of(picture, None) == Kind.MICROGRAPH
    assert kind_of(picture, "Photographs of moulded bars") == Kind.MICROGRAPH
    assert kind_of(plot, "Stress against strain") == Kind.PLOT
    assert kind_of(plot, "FT-IR spectra of the blends") == Kind.SPECTRUM
    assert kind_of(plot, "Synthesis of the compatibilizer", "scheme") == Kind.SCHEME
    tinted = np.asarray(micrograph(1)).copy()
    tinted[..., 2] //= 2
    assert kind_of(measure(tinted), "Photographs of moulded bars") == Kind.PHOTO
    assert kind_of(measure(tinted), "Optical microscopy photographs") == Kind.MICROGRAPH
