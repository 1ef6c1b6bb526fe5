"""The benchmark that asks whether the index orders published series: what it reads in records, and how it ranks."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import series_order as order

COLUMNS = ("image_file", "paper_id", "paper_group", "page", "panel", "caption", "polyinfo_morphology")


@pytest.mark.parametrize(
    ("text", "micrometres"),
    [
        ("Volume av. radius of dispersed phase; 0.24micron", 0.48),
        ("diam. of dispersed PEEK particle Dn=1.79micron, Dw=1.82micron", 1.79),
        ("(Dn) and wt. average (Dw) diam. of particles=3.55 and 7.14micron, resp. (SEM)", 3.55),
        ("PA-6 particle size;large(2-5micron)", None),
        ("POE distribution size;less than 0.6micron;SEM", None),
        ("av. size of particles; <2micron", None),
        ("pressed thin film of ca.10micron thickness", None),
    ],
)
def test_one_mean_size_is_read_and_no_range(text: str, micrometres: float | None) -> None:
    assert order.printed_size({"polyinfo_morphology": text}) == micrometres


@pytest.mark.parametrize(
    ("caption", "panel", "ratio"),
    [
        ("SEM of PS/PC blends: (a) 90/10, (b) 30/70", "b", ("PC/PS", 0.3)),
        ("SEM micrographs of PS/PC blend (90/10)", "a", ("PC/PS", 0.1)),
        ("SEM of PS/PC blends (a) 27/75, (b) 50/50", "a", None),  # 102 in all is a misprint
        ("SEM of PS/PC/PE blends 80/10/10", "a", None),
        ("Fracture surface", "", None),
    ],
)
def test_the_minor_share_is_read_of_two_polymers(caption: str, panel: str, ratio: tuple[str, float] | None) -> None:
    found = order.printed_ratio({"caption": caption, "panel": panel})
    assert found == (ratio if ratio is None else (ratio[0], pytest.approx(ratio[1])))


def test_series_are_pages_with_three_distinct_values(tmp_path: Path) -> None:
    captions = [f"SEM of PS/PC blends: (a) {w}/{100 - w}" for w in (90, 80, 60, 40)]
    rows = [(f"{k}.png", "7", "7", "3", "a", caption, "") for k, caption in enumerate(captions)]
    rows += [("no.png", "8", "8", "1", "a", captions[0], ""), ("", "7", "7", "3", "a", captions[0], "")]
    with open(tmp_path / "records.csv", "w", newline="") as out:
        csv.writer(out).writerows([COLUMNS, *rows])
    (one,) = order.series_of(tmp_path / "records.csv")
    assert one.kind == "ratio" and one.images == ("0.png", "1.png", "2.png", "3.png")
    assert one.places.tolist() == pytest.approx([0.1, 0.2, 0.4, 0.4])


def test_ranks_and_the_mean_over_papers() -> None:
    rising = np.array([1.0, 2, 3, 4])
    assert order.spearman(rising, rising**2) == pytest.approx(1)
    assert order.kendall(rising, -rising) == pytest.approx(-1)
    assert order.spearman(rising, np.ones(4)) == 0
    assert order.over_papers([1, 0, 0.5], ["a", "a", "b"]).tolist() == [0.5, 0.5]
    some = [order.Series(str(k), "size", f"paper {k}", (), rising) for k in range(6)]
    right = order.combined(some, [rising] * 6, order.spearman)
    assert right["value"] == pytest.approx(1) and right["p"] < 0.001
    wrong = order.combined(some, [-rising] * 6, order.spearman)
    assert wrong["value"] == pytest.approx(-1) and wrong["p"] == 1
