"""Measures of simulated micrographs come close to what is true of them, and what has no phases gets no numbers."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from polydata.errors import InputError, UsageError
from polydata.simulation.workflow import TABLE, simulate
from polydata.vision.burned_in import unprinted
from polydata.vision.morphology import HALFTONE, NOTHING, measure_morphology
from polymodel.cli import app
from polymodel.morphology.workflow import BAR, GIVEN, measure, read_scales, scale_of
from polymodel.morphology.workflow import TABLE as FROM_TABLE

COUNT = 20


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two images of each kind."""
    return simulate(tmp_path_factory.mktemp("simulated") / "s", count=COUNT, seed=902, workers=1).folder


@pytest.fixture(scope="module")
def truth(folder: Path) -> list[dict[str, str]]:
    with open(folder / TABLE, newline="", encoding="utf-8") as handle:
        return list(csv.DictReader(handle))


@pytest.fixture(scope="module")
def measured(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, object]]:
    found = measure(folder, scales=folder / TABLE, overlays=folder.parent / "overlays", workers=1)
    assert not found.failed
    assert len(list((folder.parent / "overlays").glob("*.png"))) == COUNT
    return [dict(row) for row in found.rows]


def errors(truth: list[dict[str, str]], measured: list[dict[str, object]], kinds: str, true: str, said: str) -> float:
    pairs = [
        (float(row[true]), float(str(found[said])))
        for row, found in zip(truth, measured, strict=True)
        if row["kind"] in kinds.split() and row[true] and found[said] is not None
    ]
    assert len(pairs) >= len(kinds.split())
    return float(np.median([abs(seen / real - 1) for real, seen in pairs]))


def test_lengths_are_within_a_twentieth(truth: list[dict[str, str]], measured: list[dict[str, object]]) -> None:
    continuous = "spinodal noisy-spinodal viscous-spinodal co-continuous interphase fibres"
    assert errors(truth, measured, continuous, "characteristic_length_um", "characteristic_length") < 0.03
    assert errors(truth, measured, continuous, "interface_per_um", "interface_density") < 0.08
    assert errors(truth, measured, "droplets holes bimodal", "characteristic_length_um", "characteristic_length") < 0.06


def test_diameters_are_within_a_tenth(truth: list[dict[str, str]], measured: list[dict[str, object]]) -> None:
    for name in ("number", "volume", "d50"):
        assert errors(truth, measured, "droplets holes", f"diameter_{name}_um", f"diameter_{name}") < 0.1


def test_one_phase_gets_no_numbers(truth: list[dict[str, str]], measured: list[dict[str, object]]) -> None:
    plain = [found for row, found in zip(truth, measured, strict=True) if row["kind"] == "homogeneous"]
    assert plain
    for found in plain:
        assert (found["kind"], found["note"]) == ("none", NOTHING)
        assert found["characteristic_length"] is found["diameter_number"] is found["anisotropy"] is None


def test_fibres_have_a_direction(truth: list[dict[str, str]], measured: list[dict[str, object]]) -> None:
    for row, found in zip(truth, measured, strict=True):
        if row["kind"] == "fibres":
            away = (float(str(found["direction_deg"])) - float(row["direction_deg"]) + 90) % 180 - 90
            assert abs(away) < 6


def test_without_a_scale_lengths_are_in_pixels(folder: Path) -> None:
    path = folder / "images/sim_000006.png"
    alone, scaled = (measure(path, bars=False, um_per_px=um).rows[0] for um in (None, 0.5))
    assert (alone["unit"], alone["scale_source"], alone["um_per_px"]) == ("px", "", None)
    assert (scaled["unit"], scaled["scale_source"], scaled["um_per_px"]) == ("um", GIVEN, 0.5)
    assert scaled["characteristic_length"] == pytest.approx(alone["characteristic_length"] / 2, rel=1e-4)
    assert scaled["interface_density"] == pytest.approx(alone["interface_density"] * 2, rel=1e-4)


def test_a_bar_is_read(folder: Path, truth: list[dict[str, str]]) -> None:
    printed = [row for row in truth if row["bar"] not in ("none", "split")]
    found = [measure(folder / row["file"]).rows[0] for row in printed[:3]]
    read = [(one, row) for one, row in zip(found, printed, strict=False) if one["scale_source"] == BAR]
    assert len(read) >= 2
    assert np.median([abs(one["um_per_px"] / float(row["um_per_px"]) - 1) for one, row in read]) < 0.05


def test_print_is_no_structure() -> None:
    rng = np.random.default_rng(0)
    plain = np.repeat(rng.integers(100, 140, (240, 320, 1), dtype=np.uint8), 3, 2)
    assert unprinted(plain).mean() > 0.98
    plain[210:] = 0
    plain[220:224, 20:120] = 255
    known = unprinted(plain)
    assert not known[211:].any()
    assert known[:200].mean() > 0.97


def test_a_large_picture_is_measured_in_its_own_pixels(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    picture = Image.open(folder / "images/sim_000006.png").convert("RGB")
    whole, _ = measure_morphology(np.asarray(picture))
    monkeypatch.setattr("polydata.vision.morphology.LARGEST", 200)
    shrunk, phases = measure_morphology(np.asarray(picture))
    assert phases.known.shape == (200, 200)
    assert shrunk.characteristic_length == pytest.approx(whole.characteristic_length, rel=0.05)


def test_a_halftone_has_no_structure() -> None:
    y, x = np.mgrid[:200, :240]
    dots = (np.hypot(y % 6 - 3, x % 6 - 3) < 2.2) & (np.hypot(y - 100, x - 120) > 40)
    found, phases = measure_morphology(np.repeat(np.where(dots, 0, 255).astype(np.uint8)[..., None], 3, 2))
    assert (found.kind, found.note) == ("none", HALFTONE)
    assert found.row()["characteristic_length"] is None
    assert not phases.phases.any()


@pytest.mark.parametrize("value", [0, 128])
def test_a_plain_picture_has_nothing(value: int) -> None:
    found, _ = measure_morphology(np.full((100, 120, 3), value, np.uint8))
    assert found.kind == "none"


@pytest.mark.parametrize(("shape", "um"), [((20, 100, 3), None), ((100, 100), None), ((100, 100, 3), -1.0)])
def test_what_cannot_be_measured_is_refused(shape: tuple[int, ...], um: float | None) -> None:
    with pytest.raises(ValueError, match=r"scale|micrograph"):
        measure_morphology(np.zeros(shape, np.uint8), um)


def test_a_strip_fails_alone(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((64, 20_000), np.uint8)).save(tmp_path / "strip.png")
    Image.fromarray(np.zeros((128, 128), np.uint8)).save(tmp_path / "plain.png")
    found = measure(tmp_path, workers=1)
    assert [Path(path).name for path, _ in found.failed] == ["strip.png"]
    assert [row["file"] for row in found.rows] == ["plain.png"]


def test_scales_come_from_a_table(folder: Path, tmp_path: Path) -> None:
    assert all(scale > 0 for scale in read_scales(folder / TABLE)["sim_000003.png"].values())
    two = tmp_path / "two.csv"
    two.write_text("path,um_per_px\na/img.png,0.01\nb/img.png,0.05\n")
    scales = read_scales(two)
    assert [scale_of(Path(f"/x/{name}/img.png"), "", scales) for name in "abc"] == [0.01, 0.05, None]
    two.write_text("file,um_per_px\nimg.png,0.01\nimg.png,0.05\n")
    with pytest.raises(InputError, match="several scales"):
        scale_of(Path("/x/a/img.png"), "", read_scales(two))
    wrong, none = tmp_path / "wrong.csv", tmp_path / "none.csv"
    wrong.write_text("file,um_per_px\na.png,-2\n")
    none.write_text("file,scale\na.png,2\n")
    with pytest.raises(InputError, match="row 2"):
        read_scales(wrong)
    with pytest.raises(InputError, match="no scale"):
        read_scales(none)
    with pytest.raises(UsageError, match="cannot be"):
        measure(folder, um_per_px=-1)


def test_the_commands_write_tables_and_say_what_failed(tmp_path: Path) -> None:
    runner, made = CliRunner(), tmp_path / "made"
    said = runner.invoke(app, ["simulate", "-n", "3", "-o", str(made), "--size", "128", "--json"])
    assert said.exit_code == 0, said.output
    assert json.loads(said.stdout)["images"] == 3
    (made / "images" / "broken.png").write_bytes(b"no image")
    table = tmp_path / "measures.csv"
    options = ["--scales", str(made / TABLE), "-o", str(table), "--overlays", str(tmp_path / "o")]
    said = runner.invoke(app, ["morphology", str(made), *options])
    assert said.exit_code == 3, said.output
    assert "broken.png" in said.stderr
    assert NOTHING.split()[0] in said.stdout
    with open(table, newline="", encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    assert [row["scale_source"] for row in rows] == [FROM_TABLE] * 3
    assert len(list((tmp_path / "o").iterdir())) == 3
    again = runner.invoke(app, ["morphology", str(made / "images" / "sim_000000.png"), "--no-bars", "--json"])
    assert json.loads(again.stdout)[0]["unit"] == "px"
    assert runner.invoke(app, ["morphology", str(tmp_path / "missing")]).exit_code == 1
