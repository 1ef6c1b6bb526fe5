"""What becomes of print and scale on a picture before a network sees it, and that it is one rule everywhere."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_runs import FAST, call, parsed
from PIL import Image
from scipy.ndimage import gaussian_filter
from small_split import Small, make_small

from polydata.errors import InputError
from polydata.simulation.burnin import BarPrint, PrintStyle, burn_in
from polymodel.config import train_config
from polymodel.data.preparation import (
    Preparation,
    grey_resized,
    largest_box,
    printed_scale,
    sample_pixels,
    without_print,
)
from polymodel.recipes import BurnedIn, Finetune, Probe, read_recipe

TONE = 128
"""Mean grey of the drawn pictures."""


def printed(bar: str = "strip", letter: str = "white-box", period: float = 0.0) -> tuple[Image.Image, BarPrint]:
    """A drawn micrograph of 480 x 360 pixels with a letter and a bar; with a period, of vertical stripes."""
    noise = gaussian_filter(np.random.default_rng(1).normal(size=(360, 480)), 3)
    waves = np.sin(2 * np.pi * np.arange(480) / period) * np.ones((360, 1)) if period else noise / noise.std()
    picture = Image.fromarray(np.clip(TONE + 25 * waves, 0, 255).astype(np.uint8))
    style = PrintStyle(letter, "top-left", bar, "DejaVuSans.ttf", 0.055, True, 10, 8.0)
    bar_print = burn_in(picture, "a", style, 40.0)
    return picture.convert("RGB"), bar_print


def test_print_is_kept_masked_or_cropped() -> None:
    picture, bar = printed()
    assert bar.box is not None
    x0, y0, x1, y1 = bar.box
    whole = np.asarray(without_print(picture, BurnedIn.KEPT))
    assert np.array_equal(whole, np.asarray(picture.convert("L"))) and whole[y0 : y1 + 1, x0 : x1 + 1].min() == 255
    masked = np.asarray(without_print(picture, BurnedIn.MASKED))
    known = sample_pixels(picture)
    assert np.unique(masked[y0 : y1 + 1, x0 : x1 + 1]).tolist() == [np.median(whole[known]).astype(int)]
    assert np.array_equal(masked[known], whole[known]) and known.mean() > 0.8
    cropped = np.asarray(without_print(picture, BurnedIn.CROPPED))
    assert cropped.shape[0] < y0 and cropped.shape[1] < 480 and cropped.size > 0.7 * whole.size
    assert cropped.max() < 255 and cropped.min() > 0  # white and black are of the print alone


def test_a_picture_without_print_and_a_tiny_one_stay_as_they_are() -> None:
    plain, _ = printed("none", "none")
    for picture in (plain, plain.resize((30, 20)), Image.new("RGB", (1, 1))):
        for how in BurnedIn:
            assert np.array_equal(np.asarray(without_print(picture, how)), np.asarray(picture.convert("L")))


@given(st.integers(1, 14), st.integers(1, 14), st.integers(0, 2**32 - 1), st.floats(0.0, 1.0))
def test_the_largest_rectangle_is_the_largest(rows: int, columns: int, seed: int, share: float) -> None:
    known = np.random.default_rng(seed).random((rows, columns)) < share
    found = largest_box(known)
    areas = [
        (bottom - top) * (right - left)
        for top in range(rows) for bottom in range(top + 1, rows + 1)
        for left in range(columns) for right in range(left + 1, columns + 1)
        if known[top:bottom, left:right].all()
    ]  # fmt: skip
    assert (found is None) == (not areas)
    if found is not None:
        left, top, right, bottom = found
        assert known[top:bottom, left:right].all() and (bottom - top) * (right - left) == max(areas)


def period_of(view: np.ndarray) -> float:
    """Pixels of a period of vertical stripes."""
    line = view.mean(0) - view.mean()
    power = np.abs(np.fft.rfft(line * np.hanning(len(line)), 4096))
    return 4096 / float(np.argmax(power[8:]) + 8)


@pytest.mark.parametrize("wanted", [1.0, 2.0, 0.5])
def test_pictures_come_to_one_scale_whatever_theirs_is(wanted: float) -> None:
    seen = []
    for factor in (1.0, 1.5, 0.75):
        picture, bar = printed("boxed", period=24 / factor)
        scale = bar.value_um / bar.length_px
        assert printed_scale(picture) == pytest.approx(scale, rel=0.03)
        # A period of 24 pixels at one scale, of fewer where pixels are coarser: the same length in micrometres.
        shown = Preparation(160, ((200, 0), (300, 0)), "corners and centre", um_per_px=wanted * scale / factor)
        prepared = shown.prepare(picture)
        assert [one.shape[0] for one in prepared.renderings] == [200, 300]
        assert prepared.um_per_px == printed_scale(picture)
        seen.append([period_of(one[:130]) for one in prepared.renderings])
    assert np.allclose(seen, [[24 / wanted, 36 / wanted]], rtol=0.06)


def test_a_picture_without_a_bar_is_seen_as_ever() -> None:
    picture, _ = printed("none")
    usual = Preparation(100, ((120, 0), (200, 1)), "corners and centre")
    prepared = Preparation(100, ((120, 0), (200, 1)), "corners and centre", um_per_px=0.01).prepare(picture)
    assert prepared.um_per_px is None
    assert np.array_equal(prepared.views, usual.views(picture))


@given(st.integers(1, 90), st.integers(1, 90), st.floats(1e-9, 1e9))
def test_no_scale_makes_other_sizes(width: int, height: int, zoom: float) -> None:
    picture = Image.effect_noise((width, height), 50)
    assert grey_resized(picture, 40, 24, zoom).shape == grey_resized(picture, 40, 24).shape


OWN = 'extends = "{base}"\nname = "own"\nsummary = "mine"\n'


def recipe_file(folder: Path, base: str, more: str) -> Path:
    path = folder / f"{base}.toml"
    path.write_text(OWN.format(base=base) + more, encoding="utf-8")
    return path


def test_a_recipe_says_it_and_a_run_of_it_is_another_one(tmp_path: Path) -> None:
    names = set()
    for more in ("", 'burned_in = "masked"', 'burned_in = "cropped"', "um_per_px = 0.1", "um_per_px = 0.2"):
        config = train_config(Probe(recipe_file(tmp_path, "probe", more)))
        names.add(config.digest("0" * 64))
        assert bool(config.recipe.looked_for) == bool(more)
    assert len(names) == 5
    for base, more, part in (
        ("probe", 'burned_in = "gone"', "burned_in: 'gone'"),
        ("probe", "um_per_px = -1.0", "um_per_px: -1.0"),
        ("finetune", "short_side = 0\num_per_px = 0.1", "um_per_px, which means nothing"),
    ):
        with pytest.raises(InputError, match=part):
            read_recipe(recipe_file(tmp_path, base, more))
    assert train_config(Finetune(recipe_file(tmp_path, "paper", "um_per_px = 0.1"))).recipe.um_per_px == 0.1


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Small:
    """A workspace of few images, since print is looked for in each, and a picture with print and a scale bar."""
    made = make_small(tmp_path_factory.mktemp("few") / "w", groups=3)
    printed()[0].save(made.root.parent / "printed.png")
    return made


@pytest.mark.parametrize("base", ["probe", "finetune", "lp-ft"])
def test_training_and_prediction_see_the_same(base: str, few: Small, tmp_path: Path) -> None:
    recipe = recipe_file(tmp_path, base, 'burned_in = "cropped"\num_per_px = 0.1\n')
    usual = () if base == "probe" else ("--epochs", "1", "--patience", "0")
    call(few, "train", "one", *FAST, "--recipe", recipe, *usual, "--name", base)
    stored = read(few.workspace.runs / base / "parts/fold-1-seed-0/predictions.parquet")[-2:]
    images = [few.workspace.runs.parent / str(row["path"]) for row in stored]
    found = parsed(few, "predict", base, *images, few.root.parent / "printed.png", "--no-crops")
    for row, kept in zip(found["predictions"], stored, strict=False):
        assert row["p_fine"] == pytest.approx(kept["p_fine"], abs=1e-4)
    assert [note for note in found["notes"] if note.startswith("2 images have no scale bar that can be read")]
    told = call(few, "runs", "show", base)
    assert "print cropped" in told and "0.1 um a pixel where a bar can be read" in told
    refused = call(few, "export", base, "--output", tmp_path / "run.onnx", expect=1)
    assert "which a file could not bring about by itself" in refused and not (tmp_path / "run.onnx").exists()


def read(path: Path) -> list[dict[str, object]]:
    import pandas as pd

    rows: list[dict[str, object]] = json.loads(pd.read_parquet(path).to_json(orient="records"))
    return rows


def test_what_is_kept_of_images_is_not_mixed_up(tmp_path: Path) -> None:
    from polymodel.networks.features import FeatureCache
    from polymodel.networks.network import architecture, build

    network = build(architecture(FAST[1]), 2)
    network.module.eval()
    settings = ("", 'burned_in = "masked"', 'burned_in = "cropped"', "um_per_px = 0.1")
    recipes = [read_recipe(recipe_file(tmp_path, "probe", more)) for more in settings]
    folders = {FeatureCache(tmp_path, network, recipe, "cpu").folder for recipe in recipes}
    assert len(folders) == len(settings)
