from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw
from sklearn.metrics import balanced_accuracy_score

from polydata.auditing.controls import CONTROLS, ControlTable, read_table
from polydata.errors import InputError

SIZE = (120, 90)


def picture(seed: int, *, bar: bool = False, size: tuple[int, int] = SIZE, kind: str = "PNG") -> bytes:
    """Grey noise; ``bar`` burns a white strip with black letters into the bottom."""
    pixels = np.random.default_rng(seed).normal(128, 30, (size[1], size[0])).clip(0, 255).astype(np.uint8)
    image = Image.fromarray(pixels)
    if bar:
        draw = ImageDraw.Draw(image)
        draw.rectangle((0, size[1] - 8, size[0], size[1]), fill=250)
        draw.text((4, size[1] - 10), "10 um", fill=0)
    out = io.BytesIO()
    image.save(out, kind)
    return out.getvalue()


def table(folder: Path, files: list[bytes], labels: list[int], groups: list[str] | None = None) -> ControlTable:
    paths = []
    for k, data in enumerate(files):
        paths.append(folder / f"{k}.img")
        paths[-1].write_bytes(data)
    return read_table(paths, labels, groups or [str(k) for k in range(len(files))], 2)


def score(name: str, made: ControlTable) -> float:
    """Balanced accuracy on the odd items after learning from the even ones."""
    places = np.arange(len(made.labels))
    test = places[1::2]
    chances = CONTROLS[name](made, places[::2], test)
    assert chances.shape == (len(test), 2)
    assert chances.sum(1) == pytest.approx(np.ones(len(test)))
    return float(balanced_accuracy_score(made.labels[test], chances.argmax(1)))


LABELS = [0, 0, 1, 1] * 15


def test_nothing_gives_the_label_away(tmp_path: Path) -> None:
    made = table(tmp_path, [picture(k) for k in range(60)], LABELS)
    for name in CONTROLS:
        assert 0.25 < score(name, made) < 0.75, name


def test_print_gives_itself_away_to_the_print_control_alone(tmp_path: Path) -> None:
    made = table(tmp_path, [picture(k, bar=bool(label)) for k, label in enumerate(LABELS)], LABELS)
    assert score("print_only", made) > 0.95
    assert score("paper_lookup", made) < 0.75


def test_texture_is_hidden_from_the_print_control(tmp_path: Path) -> None:
    """The same grey level with two grain sizes: plain to see in the picture, averaged away in the cells."""
    files = []
    for k, label in enumerate(LABELS):
        rng = np.random.default_rng(k)
        grain = 3 if label else 1
        small = rng.choice([98, 158], (SIZE[1] // grain, SIZE[0] // grain)).astype(np.uint8)
        out = io.BytesIO()
        Image.fromarray(small).resize(SIZE, Image.Resampling.NEAREST).save(out, "PNG")
        files.append(out.getvalue())
    assert score("print_only", table(tmp_path, files, LABELS)) < 0.8


@pytest.mark.parametrize("give_away", [{"size": (150, 90)}, {"kind": "JPEG"}])
def test_metadata_gives_itself_away_to_the_metadata_control(tmp_path: Path, give_away: dict[str, object]) -> None:
    files = [picture(k, **(give_away if label else {})) for k, label in enumerate(LABELS)]  # type: ignore[arg-type]
    made = table(tmp_path, files, LABELS)
    assert score("metadata", made) > 0.95
    assert score("print_only", made) < 0.75


def test_papers_on_both_sides_give_themselves_away_to_the_lookup(tmp_path: Path) -> None:
    groups = [f"paper {k // 2}" for k in range(60)]
    made = table(tmp_path, [picture(k) for k in range(60)], LABELS, groups)
    assert score("paper_lookup", made) == 1.0
    assert score("majority", made) == 0.5


def test_lookup_ties_and_unknown_papers_go_to_the_majority() -> None:
    empty = np.zeros((6, 1))
    made = ControlTable(np.array([0, 0, 0, 1, 1, 0]), np.array(["a", "b", "t", "t", "t", "new"]), empty, empty, 2)
    chances = CONTROLS["paper_lookup"](made, np.array([0, 1, 2, 3]), np.array([4, 5]))
    assert chances.argmax(1).tolist() == [0, 0]
    assert chances[1] == pytest.approx([0.75, 0.25])


def test_a_training_side_of_one_label(tmp_path: Path) -> None:
    made = table(tmp_path, [picture(k) for k in range(8)], [0] * 6 + [1] * 2)
    for control in CONTROLS.values():
        assert control(made, np.arange(6), np.array([6, 7])).tolist() == [[1.0, 0.0]] * 2


def test_answers_repeat(tmp_path: Path) -> None:
    made = table(tmp_path, [picture(k) for k in range(60)], LABELS)
    for control in CONTROLS.values():
        first, second = (control(made, np.arange(40), np.arange(40, 60)) for _ in range(2))
        assert np.array_equal(first, second)


def test_wrong_input_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="belong together"):
        read_table([tmp_path / "a"], [0, 1], ["a"], 2)
    with pytest.raises(InputError, match=r"gone\.png"):
        read_table([tmp_path / "gone.png"], [0], ["a"], 2)
    (tmp_path / "bad.png").write_bytes(b"no image")
    with pytest.raises(InputError, match=r"bad\.png"):
        read_table([tmp_path / "bad.png"], [0], ["a"], 2)
