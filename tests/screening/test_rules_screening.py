"""Screening and kinds by pixels."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest
from bar_scene import draw_bar
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pdf_sheet import micrograph
from PIL import Image, ImageDraw, ImageFilter

from polydata.choices import Kind
from polydata.errors import UsageError
from polydata.screening.rules import COARSE, FINE, RULES, get_rule, screen_by_model
from polydata.vision.kind import AGAINST, IN_COLOURS, TOLD, TOLD_OF_GREY, by_microscope, evidence, kind_of
from polydata.vision.measures import PixelStats, measure
from polydata.vision.micrograph import SHOWN, picture_odds, shown_in

GREY = PixelStats(white=0.0, textured=0.9, levels=0.9, colour=0.0, saturation=0.0, extremes=0.0, modal=0.1)
COLOURED = replace(GREY, colour=0.1, saturation=0.3)


def drawing() -> np.ndarray:
    image = Image.new("RGB", (400, 300), "white")
    pen = ImageDraw.Draw(image)
    pen.rectangle((40, 20, 380, 260), outline="black", width=2)
    pen.line([(40 + 10 * i, 140 + 60 * np.sin(i / 4)) for i in range(34)], fill="red", width=2)
    return np.asarray(image)


@pytest.mark.parametrize("name", sorted(RULES))
def test_every_rule_tells_micrographs_from_drawings(name: str) -> None:
    rule = RULES[name][1]
    for seed in range(5):
        good = rule(np.asarray(micrograph(seed)), "Blends", False, None)
        assert good.decision == "accepted"
        assert 0.8 < good.score <= 1
    bad = rule(drawing(), None, False, None)
    assert bad.decision == "rejected"
    assert 0 <= bad.score < 0.4
    assert bad.reason


@pytest.mark.parametrize("name", sorted(RULES))
def test_every_rule_keeps_coloured_and_halftone_micrographs(name: str) -> None:
    grey = np.asarray(micrograph(3, 400, 300))
    tinted = np.stack([grey[..., 0], grey[..., 1] // 2, grey[..., 2] // 3], axis=-1).astype(np.uint8)
    assert RULES[name][1](tinted, None, None, None).decision == "accepted"
    halftone = Image.fromarray(grey).convert("1").convert("RGB")
    assert RULES[name][1](np.asarray(halftone), None, None, None).decision == "accepted"


@pytest.mark.parametrize("name", sorted(RULES))
def test_every_rule_rejects_what_shows_nothing(name: str) -> None:
    for shape, value in (((200, 200, 3), 255), ((200, 200, 3), 0), ((20, 300, 3), 90), ((1, 1, 3), 0)):
        assert RULES[name][1](np.full(shape, value, np.uint8), None, False, None).decision == "rejected"
    with pytest.raises(ValueError, match="rows x columns x 3"):
        RULES[name][1](np.zeros((20, 20), np.uint8), None, False, None)


def test_rules_are_found_by_name() -> None:
    assert get_rule("micrograph")[0] == 13
    with pytest.raises(UsageError, match="no screening rule"):
        get_rule("no such rule")


def lit(seed: int) -> np.ndarray:
    """Smooth things in light from one side, as an electron microscope shows devices, and a camera does."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:240, :320] / np.array([240, 320])[:, None, None]
    grey = 60 + 120 * (rng.uniform(-1, 1) * x + rng.uniform(-1, 1) * y)
    for _ in range(rng.integers(1, 4)):
        across, down, radius = rng.uniform(0.2, 0.8), rng.uniform(0.2, 0.8), rng.uniform(0.1, 0.35)
        away = np.hypot((x - across) * 4 / 3, y - down)
        grey = np.where(away < radius, rng.uniform(20, 230) + 60 * (1 - away / radius) * rng.choice([-1, 1]), grey)
        grey = np.where(abs(away - radius) < 0.008, 235, grey)
    grey = np.asarray(Image.fromarray(grey.clip(0, 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(1.2)))
    grained = grey + rng.normal(0, rng.uniform(1, 6), grey.shape)
    return np.repeat(grained.clip(0, 255).astype(np.uint8)[..., None], 3, 2)


def test_what_a_microscope_is_said_to_have_taken_is_no_photograph() -> None:
    shown = [lit(seed) for seed in range(20)]
    alike = [rgb for rgb in shown if picture_odds(rgb)[1] in ("photograph", "medical image")]
    assert len(alike) > 10
    for rgb in alike:
        assert screen_by_model(rgb, "SEM images of the tips", False).decision == "accepted"
        assert screen_by_model(rgb, "Tips of the probes", False).decision == "rejected"
    for own, whole in (
        (None, "SEM images of the tips"),
        ("TEM micrograph of a tip", "Photographs of probes"),
        ("tip", "Scanning electron photographs"),
        ("tip", "Fig. 1. SEM photos of tips and their morphology"),
    ):
        assert by_microscope(own, whole, GREY) and not by_microscope(own, whole, COLOURED)
    for own, whole in (
        ("Photograph of the probe", "SEM images of its tips"),
        ("Photograph of the specimen under the microscope", None),
        (None, "Digital photographs of the films; SEM of the pellets"),
        (None, "Micro-CT slices showing the morphology of foams"),
        (None, "X-ray radiograph of the part, TEM"),
        (None, "Specimens that were examined by SEM"),
        (None, "Morphology of the pellets, magnification 2x"),
    ):
        assert not by_microscope(own, whole, GREY)
    for words in ("SEM micrographs and size distribution", "SEM images of the tips"):
        assert screen_by_model(drawing(), words, False).decision == "rejected"


def test_a_caption_decides_only_where_the_pixels_hesitate() -> None:
    grey = np.asarray(micrograph(3))
    plain, told = screen_by_model(grey), screen_by_model(grey, "SEM micrographs of PP/PE 70/30 blends")
    assert plain.score <= told.score
    assert f"caption speaks of microscopy +{TOLD_OF_GREY}" in told.reason
    assert (plain.morphology or 0) < (told.morphology or 0)  # only one caption speaks of a blend
    assert screen_by_model(drawing(), "SEM micrographs and size distribution").decision == "rejected"
    tinted = grey.copy()
    tinted[..., 2] //= 2
    blend = "Blends of PP and PE"
    assert screen_by_model(grey, blend, True).score > screen_by_model(grey, blend).score
    assert screen_by_model(drawing(), "SEM micrographs and size distribution", True).decision == "rejected"
    assert "photographs" in screen_by_model(tinted, "Photographs of moulded bars").reason
    assert "photographs" not in screen_by_model(grey, "Photographs of moulded bars").reason


@pytest.mark.parametrize(("length", "told"), [("20 µm", FINE), ("500 nm", FINE), ("3 mm", COARSE), ("2 cm", COARSE)])
def test_a_scale_bar_tells_micrographs_from_photographs_of_samples(length: str, told: float) -> None:
    picture = draw_bar(2, "over", length).rgb
    said = screen_by_model(picture, "Samples", False)
    assert f"scale bar {length} {told:+.1f}" in said.reason
    assert (said.score > screen_by_model(draw_bar(2, "over", "").rgb, "Samples", False).score) == (told > 0)


def test_what_a_paper_shows_without_a_caption_is_mostly_no_micrograph() -> None:
    grey = np.asarray(micrograph(3))
    assert screen_by_model(grey, None, True).score < screen_by_model(grey, "Blends of PP and PE", True).score
    assert "no caption" not in screen_by_model(grey, None).reason  # of a picture of which nothing is known


@pytest.mark.parametrize(
    ("caption", "told"),
    [
        ("Images of the device", True),
        ("Polarized light images of the blend", False),
        ("Tissue stained with eosin", False),
        ("Morphology of the blend. Scale bars, 20 µm", False),
        ("Specimens beside the scale bar: 2 cm", True),
    ],
)
def test_colours_need_words_that_account_for_them(caption: str, told: bool) -> None:
    tinted = np.asarray(micrograph(3)).copy()
    tinted[..., 2] //= 2
    assert ("no word accounts" in screen_by_model(tinted, caption).reason) == told
    assert "no word accounts" not in screen_by_model(np.asarray(micrograph(3)), caption).reason


def test_a_grey_picture_beside_micrographs_is_likely_one_and_a_photograph_is_none() -> None:
    caption = "(a) SEM image of a blend, (b) processed. (c) Photograph of the plate"
    assert evidence("processed", "", GREY, caption) == (TOLD, "microscopy of other panels")
    assert evidence("processed", "", COLOURED, caption) == (0.0, "")
    assert evidence("Photograph of the plate", "", COLOURED, caption)[0] < -4


@pytest.mark.parametrize(
    ("own", "whole", "speaks"),
    [
        ("corresponding FFT", "TEM images of the particles", "patterns"),
        ("SAED pattern", "HRTEM image and SAED pattern", "patterns"),
        ("TEM image with its SAED pattern", "TEM", "microscopy"),
        (None, "Agarose gel electrophoresis of the products", "patterns"),
        ("strain map", "STEM images", "patterns"),
    ],
)
def test_images_that_are_no_view_of_a_morphology(own: str | None, whole: str, speaks: str) -> None:
    assert evidence(own, whole, GREY)[1] == speaks


@settings(max_examples=40, deadline=None)
@given(
    arrays(np.uint8, st.tuples(st.integers(48, 90), st.integers(48, 90), st.just(3))),
    st.none() | st.text(max_size=200),
)
def test_every_picture_gets_a_score(rgb: np.ndarray, caption: str | None) -> None:
    said = screen_by_model(rgb, caption)
    assert 0 <= said.score <= 1
    assert (said.decision == "accepted") == (said.score >= 0.5)
    assert said.morphology is not None and 0 <= said.morphology <= said.score
    assert said == screen_by_model(rgb, caption)


def test_a_huge_caption_takes_no_time() -> None:
    for text in ("polarized " * 200_000, "1/" * 500_000, "SEM" * 300_000):
        start = time.process_time()
        screen_by_model(np.asarray(micrograph(1)), text)
        assert time.process_time() - start < 10


def test_kinds_by_pixels_and_words() -> None:
    picture, plot = measure(np.asarray(micrograph(1))), measure(drawing())
    assert kind_of(2.0, picture, None) == Kind.MICROGRAPH
    assert kind_of(2.0, picture, "Photographs of moulded bars") == Kind.MICROGRAPH
    assert kind_of(-3.0, plot, "Stress against strain") == Kind.PLOT
    assert kind_of(-3.0, plot, "FT-IR spectra of the blends") == Kind.SPECTRUM
    assert kind_of(-3.0, plot, "Synthesis of the compatibilizer", "scheme") == Kind.SCHEME
    tinted = np.asarray(micrograph(1)).copy()
    tinted[..., 2] //= 2
    assert kind_of(1.0, measure(tinted), "Photographs of moulded bars") == Kind.PHOTO
    assert kind_of(2.0, measure(tinted), "Optical microscopy photographs") == Kind.MICROGRAPH
    assert kind_of(-1.0, plot, "SEM micrographs") == Kind.MICROGRAPH


@pytest.mark.parametrize(
    ("own", "whole", "told"),
    [
        ("", "SEM micrographs of the blends", TOLD),
        ("after 5 min", "SEM image of the anode and digital photographs of a lamp", 0.0),
        ("photograph of the lamp", "SEM image of the anode and photograph of the lamp", 2 * AGAINST["photographs"]),
        ("optical micrograph", "SEM image of the anode and photograph of the lamp", TOLD),
        ("C segregation", "EPMA mapping of elemental segregation; SEM image", AGAINST["maps"]),
        ("SEM image", "SEM image and EDS maps of carbon", TOLD),
        ("carbon", "SEM image and EDS maps of carbon", AGAINST["maps"]),
        ("height", "AFM height and phase maps of the blend", TOLD),
        ("", "Schematic of the process", AGAINST["drawings"]),
        ("", "Contour graphs of the induced electric field", IN_COLOURS * AGAINST["computed fields"]),
        ("", "FEM modeling of the numerically simulated field", IN_COLOURS * AGAINST["computed fields"]),
        (
            "calculated near field intensity",
            "SEM image and calculated near field intensity",
            IN_COLOURS * 2 * AGAINST["computed fields"],
        ),
        ("SEM image", "SEM image and calculated near field intensity", TOLD),
        ("Fluorescence images of tumor-bearing animals", "", 2 * AGAINST["animals"]),
        ("H&E stained sections of tumor-bearing mice", "", 0.0),
        ("", "In vivo fluorescence imaging of mice after 24 h", AGAINST["animals"]),
        ("", "Stress against strain", 0.0),
        ("EDS image with the presence of F", "Section of a cathode", AGAINST["maps"]),
        ("", "Composite of EDS images of Al and Ni", AGAINST["maps"]),
        ("carbon", "Elementary mapping images of the film", AGAINST["maps"]),
        ("Segmentation where white is pore", "SEM images of a cathode", 2 * AGAINST["segmentations"]),
        ("SEM image and its segmentation", "", TOLD),
        ("Sliced micro-CT images in x-y planes", "SEM images of fibres", 2 * AGAINST["tomography"]),
        ("Detector's image overlaid with segmentation", "", 0.0),
        ("", "Binarized images of the blends", AGAINST["segmentations"]),
        ("Binary blend images", "", 0.0),
    ],
)
def test_what_words_add(own: str, whole: str, told: float) -> None:
    assert evidence(own, whole, COLOURED)[0] == told
    assert evidence(own, whole, GREY)[0] >= told


@pytest.mark.parametrize(
    ("own", "whole", "map_"),
    [
        ("", "Cross-sectional elemental distribution map of Zn in membranes measured by EPMA", True),
        ("Zn elemental distribution map", "Membranes after deposition", True),
        ("", "SEM image and EDX maps of the blend", False),
        ("", "EDX mapping: morphology and carbon", False),
        ("secondary electron picture", "Elemental mapping of the membrane", False),
    ],
)
def test_grey_maps_are_maps_where_no_microscopy_is_spoken_of(own: str, whole: str, map_: bool) -> None:
    assert (evidence(own, whole, GREY)[1] == "maps") is map_


def test_one_colour_on_black_is_a_map_where_a_caption_speaks_of_maps() -> None:
    rng = np.random.default_rng(1)
    counts = rng.random((120, 160)) < 0.015
    for channels in ([255, 0, 0], [0, 255, 0], [200, 200, 0], [0, 180, 255], [255, 120, 0]):
        shown = np.where(counts[..., None], np.array(channels), 0).astype(np.uint8)
        stats = measure(shown)
        assert stats.colour < 0.02 and stats.saturation > 0.9
        assert evidence("SEM image of the alloy", "SEM micrographs and EDS mapping", stats) == (AGAINST["maps"], "maps")
        assert evidence("polarized light micrograph", "Micrographs and Raman maps", stats)[1] != "maps"
        assert evidence("SEM image of the alloy", "SEM micrographs", stats)[1] == "maps"  # what else could it be
        for painted in (
            "False-coloured SEM image",
            "AFM image",
            "SEM and confocal image",
            "SEM image, colored by height",
        ):
            assert evidence(painted, "Images of the alloy", stats)[1] == "microscopy"
        for also in ("fluorescence microscopy", "laser scanning microscope", "optical"):
            assert evidence(None, f"SEM and {also} images", stats)[1] == "microscopy"
        assert evidence("Scanning Electron Microscopy image", None, stats)[1] == "maps"
    lettered = Image.fromarray(np.asarray(micrograph(2)))  # grey, with coloured print
    ImageDraw.Draw(lettered).text((20, 20), "x = 0.1", fill="yellow", font_size=40)
    told = evidence("SEM image of the alloy", "SEM micrographs and EDS mapping", measure(np.asarray(lettered)))
    assert told[1] == "microscopy"


def test_a_pattern_beside_a_micrograph_is_told_by_its_looks() -> None:
    alone = evidence("TEM image of the blend", None, GREY)[0]
    assert evidence("TEM image and SAED of the blend", None, GREY)[0] < alone
    for words in ("TEM image (inset: SAED pattern)", "SEM image and water contact angle"):
        assert evidence(words, None, GREY)[0] == alone
    assert evidence(None, "TEM images and SAED patterns", GREY)[0] == alone


def test_maps_that_another_panel_speaks_of_and_scale_bars_that_words_tell() -> None:
    shown = np.where(np.random.default_rng(2).random((120, 160, 1)) < 0.02, [255, 0, 0], 0).astype(np.uint8)
    caption = "(C) TEM image of a blend. (E) EDX elemental mapping images of a blend"
    assert evidence("AFM image of a blend", None, measure(shown))[1] == "microscopy"
    assert evidence("TEM image of a blend", None, measure(shown), caption) == (AGAINST["maps"], "maps")
    assert evidence("EDS analysis of the wires", None, measure(shown)) == (AGAINST["maps"], "maps")
    said = "(a) Confocal micrograph of a blend. (b) EDX spectrum of the filler"
    assert evidence("Confocal micrograph of a blend", None, measure(shown), said)[1] == "microscopy"
    assert evidence("Pattern by ED", None, measure(shown)) == (0.0, "")
    for words in ("Cracks in a particle. Scale bar is 2.5 µm", "Pores. Scale bars: (a) 200 nm", "Scale-bar = 10 um"):
        assert evidence(None, words, GREY) == (TOLD, "a short scale bar")
        assert evidence(None, words, COLOURED) == (0.0, "")
    assert evidence(None, "The device. Scale bar: 5 mm", GREY) == (0.0, "")


def test_what_the_network_makes_of_pictures() -> None:
    grey = np.asarray(micrograph(1))
    grain = 6 * np.random.default_rng(0).standard_normal(drawing().shape[:2])[..., None]
    scan = (drawing() * np.array([0.82, 0.8, 0.72]) + grain).clip(0, 255).astype(np.uint8)
    assert picture_odds(grey)[0] > 1 and picture_odds(grey)[1] == "micrograph"
    assert picture_odds(drawing())[0] < -1 and picture_odds(drawing())[1] == "drawing"
    assert picture_odds(scan)[0] < 0
    assert shown_in(grey).shape == (len(SHOWN),) and abs(shown_in(grey).sum() - 1) < 1e-6
