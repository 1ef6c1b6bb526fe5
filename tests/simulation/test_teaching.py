"""Simulated pictures to learn from: half of one phase, the same whoever draws them, kept once drawn."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from polydata.ids import sha256_file
from polydata.simulation.samples import Rng, Sample
from polydata.simulation.teaching import SIZE, VIEWS, draw_lessons


def test_samples_of_one_phase_and_of_two_take_turns(tmp_path: Path) -> None:
    lessons = draw_lessons(tmp_path / "s", 3 * VIEWS)
    assert [one.one_phase for one in lessons] == [False] * VIEWS + [True] * VIEWS + [False] * VIEWS
    assert len({one.sample for one in lessons}) == 3
    assert all(sha256_file(one.path) == one.sha256 for one in lessons)
    assert {Image.open(one.path).size for one in lessons} == {(SIZE, SIZE)}
    assert len({one.sha256 for one in lessons}) == 3 * VIEWS


def test_a_larger_set_begins_with_the_smaller_one_and_what_is_there_stays(tmp_path: Path) -> None:
    few = draw_lessons(tmp_path / "few", 5)
    told: list[int] = []
    more = draw_lessons(tmp_path / "more", 6, progress=lambda _what, done, _all: told.append(done))
    assert [one.sha256 for one in few] == [one.sha256 for one in more[:5]] and told == [1, 2, 3, 4, 5, 6]
    kept = few[0].path.stat().st_mtime_ns
    assert draw_lessons(tmp_path / "few", 6) == [*few, *draw_lessons(tmp_path / "few", 6)[5:]]
    assert few[0].path.stat().st_mtime_ns == kept


def test_pictures_may_be_taken_otherwise(tmp_path: Path) -> None:
    def black(_sample: Sample, _rng: Rng) -> Image.Image:
        return Image.new("L", (8, 8))

    assert len({one.sha256 for one in draw_lessons(tmp_path, 2, black)}) == 1
