"""What a report says first, and what stands where."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from polymodel.evaluation.figures import precision_recall_figure, reliability_figure, roc_figure
from polymodel.evaluation.published_results import COPIES, SIZE_NOTE, SIZES
from polymodel.report import report
from polymodel.report.amounts import cited_as, with_spread
from polymodel.report.verdict import verdict
from polymodel.runs.card import TEMPLATES
from polymodel.runs.run import Run


def summary(value: float | None, low: float | None = None, high: float | None = None) -> dict[str, Any]:
    return {"balanced_accuracy": {"value": value, "low": low, "high": high}}


def evaluation(low: float | None, high: float | None, sobel: float, leakage: str | None = None) -> dict[str, Any]:
    return {
        **summary(0.77, low, high),
        "baseline": "majority",
        "majority": summary(0.5),
        "controls": {"sobel": summary(sobel), "metadata": summary(0.55), "print_only": summary(0.45)},
        "test_images": 90,
        "test_groups": 12,
        "leakage": leakage,
    }


@pytest.mark.parametrize(
    ("sobel", "said"),
    [
        (
            0.58,
            "better than the majority (50.0 %) and Sobel (58.0 %) and the best of what sees no micrograph (55.0 %).",
        ),
        (0.7, "not told apart from Sobel (70.0 %): the interval holds it."),
        (0.9, "worse than Sobel (90.0 %)."),
    ],
)
def test_it_answers_by_the_interval(sobel: float, said: str) -> None:
    sentences = verdict(evaluation(0.6, 0.85, sobel), None)
    assert sentences[0].startswith("A balanced accuracy of 77.0 % (95 % interval 60.0 to 85.0) on 90 test images of 12")
    assert said in " ".join(sentences)


def test_without_an_interval_nothing_is_claimed() -> None:
    said = " ".join(verdict(evaluation(None, None, 0.6), None))
    assert "nothing is shown yet" in said and "better" not in said and "Sobel 60.0 %" in said


def test_of_numbers_the_smaller_error_is_the_better_one() -> None:
    def errors(value: float) -> dict[str, Any]:
        return {"mae": {"value": value, "low": 0.8 * value, "high": 1.2 * value}}

    known = {"unit": "um", "baseline": "mean", "mean": errors(3.0), "test_images": 90, "test_groups": 12}
    found = {**known, **errors(1.0), "controls": {"sobel": errors(0.5), "metadata": errors(1.1)}, "leakage": None}
    first, *others = verdict(found, None)
    assert first == "An MAE of 1 um (95 % interval 0.8 to 1.2) on 90 test images of 12 papers."
    assert "It is better than the mean (3 um)." in others and "It is worse than Sobel (0.5 um)." in others


def test_people_and_leaks_are_named() -> None:
    people = {"people": {"vote": summary(0.8), "images": 30}}
    said = " ".join(verdict(evaluation(0.6, 0.85, 0.55, "papers on both sides"), people))
    assert "not told apart from the vote of all people (80.0 %)" in said
    assert "People judged 30 images" in said and "leaks" in said


def test_a_spread_of_nothing_is_not_shown() -> None:
    assert with_spread({"mean": 0.8, "sd": 0.0}) == "80.0"
    assert with_spread({"mean": 0.8, "sd": 0.02}) == "80.0 ± 2.0"


def test_papers_are_cited_with_a_link() -> None:
    told = {"journal": "Polymer", "year": "2001", "doi": "10.1/a<b"}
    assert cited_as(told, "paper-1") == {"cited": "Polymer (2001)", "link": "https://doi.org/10.1/a%3Cb"}
    assert cited_as({}, "paper-1") == {"cited": "paper paper-1", "link": ""}


def test_three_figures_of_the_answers() -> None:
    truth = np.arange(40) % 2 == 0
    chance = np.where(truth, 0.8, 0.3)
    drawn = [draw(truth, chance, "not_compatible").axes[0] for draw in (roc_figure, precision_recall_figure)]
    roc, pr, reliability = *drawn, reliability_figure(truth, chance, "not_compatible").axes[0]
    assert all("not compatible" in axes.get_xlabel() + axes.get_ylabel() for axes in (roc, pr, reliability))
    assert all(len(axes.get_xticks()) == len(axes.get_yticks()) == 6 for axes in (roc, pr, reliability))
    assert roc.lines[1].get_ydata()[1] == 1.0 and pr.lines[1].get_ydata().max() == 1.0
    assert sorted(set(np.round(reliability.lines[1].get_xdata(), 2))) == [0.3, 0.8]


def test_calibrated_answers_stand_beside_raw_ones() -> None:
    truth = np.arange(40) % 2 == 0
    drawn = reliability_figure(truth, np.where(truth, 0.8, 0.3), "compatible", np.where(truth, 0.9, 0.1)).axes[0]
    _, raw, calibrated = drawn.lines
    assert sorted(set(np.round(raw.get_xdata(), 2))) == [0.3, 0.8]
    assert sorted(set(np.round(calibrated.get_xdata(), 2))) == [0.1, 0.9]
    assert [text.get_text() for text in drawn.get_legend().get_texts()] == ["as trained", "calibrated"]


def test_sobel_speaks_of_labels_as_the_rest_of_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {"split": "s", "positive": "a_b", "scoring": "pooled", "sobel_values": {"a_b": [1.0], "c": [2.0]}}
    drawn: list[Any] = []
    monkeypatch.setattr(report, "known_baselines", lambda *_: known)
    monkeypatch.setattr(report, "baseline_rows", lambda _: [])
    monkeypatch.setattr(report, "violin_figure", lambda values, _: drawn.append(values))
    monkeypatch.setattr(report, "as_svg", str)
    run = Run(Path("w/runs/r"), {"split": {"name": "s", "digest": "d", "recipe": {"partial": "as-a_b"}}})
    (found,) = report._baselines([run])
    assert found["positive"] == "a_b or partial" and drawn == [{"a_b or partial": [1.0], "c": [2.0]}]


def test_table_1_adds_up_but_for_one_share() -> None:
    """Copies and images are the seed's; the share of incompatible copies is printed as that of the compatible ones."""
    (often, compatible), (seldom, others) = COPIES
    assert (compatible + others, round(others / (compatible + others), 2)) == (SIZES["training"][0], 0.79)
    images, printed = SIZES["training, copies included"]
    assert often * compatible + seldom * others == images
    assert round(often * compatible / images, 3) == printed != round(seldom * others / images, 3)
    assert "1,020 + 945 = 1,965" in SIZE_NOTE and "51.9 % are compatible" in SIZE_NOTE and "48.1 %" in SIZE_NOTE


def test_own_results_come_before_the_printed_ones_and_baselines_once() -> None:
    page = (TEMPLATES / "report.html.j2").read_text("utf-8")
    assert page.index('class="verdict"') < page.index("<h3>Metrics</h3>") < page.index("Without a trained network")
    assert page.index("Without a trained network") < page.index("as printed, and these runs beside it")
    assert page.count("Sobel as in the seed") == 0 and page.count("mean of all people") == 0


def test_words_of_slices_stand_on_the_left() -> None:
    page = (TEMPLATES / "report.html.j2").read_text("utf-8")
    assert re.search(r"^\.value \{[^}]*text-align:left", page, re.MULTILINE)
    assert '<th class="value">value</th>' in page and '<td class="value">{{ row.value }}</td>' in page
