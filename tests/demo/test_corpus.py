"""The corpus says the truth about itself, has the flaws it names and no others, and is the same every time."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pymupdf
import pytest

from polydata.demo.corpus import Corpus, make_corpus
from polydata.errors import InputError, RefusedError, UsageError
from polydata.ids import sha256_file
from polydata.records.record import FIELDS
from polydata.records.rules import suggest
from polydata.task import Task

RECORD_COLUMNS = (
    "record_key", "doi", "reference", "authors", "journal", "volume", "issue", "pages", "year", "page", "figure",
    "panel", "caption", "polymers", "composition_ratio", "blending_method", "morphology", "literature_description",
    "scale_um", "compatibility",
)  # fmt: skip
MEASURED = "domain_spacing_um"
"""A column that is no field of records."""


def rows(path: Path) -> list[dict[str, str]]:
    with open(path, newline="", encoding="utf-8") as handle:
        return list(csv.DictReader(handle))


def pdfs(corpus: Corpus) -> list[Path]:
    return sorted((corpus.folder / "papers").iterdir())


def truth_of(corpus: Corpus) -> list[dict[str, Any]]:
    return json.loads((corpus.folder / "truth.json").read_text(encoding="utf-8"))


def grey(page: pymupdf.Page, box: tuple[float, float, float, float]) -> np.ndarray:
    pixmap = page.get_pixmap(dpi=110, clip=pymupdf.Rect(box), colorspace=pymupdf.csGRAY)
    return np.frombuffer(pixmap.samples, np.uint8).reshape(pixmap.height, pixmap.width)


def test_two_runs_give_the_same_bytes(tmp_path: Path, task: Task) -> None:
    one = make_corpus(tmp_path / "one", papers=2, seed=7, task=task, workers=1)
    other = make_corpus(tmp_path / "other", papers=2, seed=7, task=task, workers=2)
    names = sorted(p.relative_to(one.folder) for p in one.folder.rglob("*") if p.is_file())
    assert len(names) == 6
    for name in names:
        assert (one.folder / name).read_bytes() == (other.folder / name).read_bytes(), name
    assert one.labels == other.labels


def test_another_seed_gives_other_papers(small_corpus: Corpus, tmp_path: Path, task: Task) -> None:
    other = make_corpus(tmp_path / "other", papers=1, seed=4, task=task, workers=1)
    assert sha256_file(pdfs(other)[0]) not in {sha256_file(p) for p in pdfs(small_corpus)}


def test_no_date_and_no_random_id_stands_in_a_file(small_corpus: Corpus) -> None:
    for path in pdfs(small_corpus):
        with pymupdf.open(path) as document:
            assert not document.metadata["creationDate"]
            assert not document.metadata["modDate"]
            assert "/ID" not in document.pdf_trailer(compressed=True)


def test_boxes_lie_on_pixels(small_corpus: Corpus) -> None:
    seen = 0
    for paper in truth_of(small_corpus):
        with pymupdf.open(small_corpus.folder / "papers" / paper["pdf"]) as document:
            for figure in paper["figures"]:
                page = document[figure["page"] - 1]
                x0, y0, x1, y1 = figure["bbox"]
                assert page.rect.contains(pymupdf.Rect(figure["bbox"])), figure["label"]
                assert grey(page, (x0, y0, x1, y1)).min() < 128
                # Just outside is paper, on all sides.
                for side in ((x0 - 5, y0, x0 - 1.5, y1), (x1 + 1.5, y0, x1 + 5, y1), (x0, y0 - 4, x1, y0 - 1.5),
                             (x0, y1 + 1.5, x1, y1 + 4)):  # fmt: skip
                    assert grey(page, side).min() > 200, (paper["pdf"], figure["label"], side)
                for panel in figure.get("panel_boxes", []):
                    seen += 1
                    a, b, c, d = panel["bbox"]
                    inner = grey(page, (a + 2, b + 2, c - 2, d - 2))
                    assert 40 < inner.mean() < 200
                    # Micrographs reach to their edges: no white ground within the box.
                    for edge in (inner[:, :2], inner[:, -2:], inner[:2], inner[-2:]):
                        assert (edge > 245).mean() < 0.4
    assert seen == sum(small_corpus.labels.values())


def test_panels_lie_in_their_figure_apart_from_each_other(small_corpus: Corpus) -> None:
    for paper in truth_of(small_corpus):
        for figure in paper["figures"]:
            boxes = [pymupdf.Rect(p["bbox"]) for p in figure.get("panel_boxes", [])]
            x0, y0, x1, y1 = figure["bbox"]
            whole = pymupdf.Rect(x0 - 0.2, y0 - 0.2, x1 + 0.2, y1 + 0.2)
            assert all(whole.contains(box) for box in boxes)
            for i, one in enumerate(boxes):
                for other in boxes[i + 1 :]:
                    shared = pymupdf.Rect(one) & other
                    assert shared.is_empty or min(shared.width, shared.height) < 0.25


def test_captions_can_be_read_from_the_pages(small_corpus: Corpus) -> None:
    for paper in truth_of(small_corpus):
        with pymupdf.open(small_corpus.folder / "papers" / paper["pdf"]) as document:
            for figure in paper["figures"]:
                text = " ".join(document[figure["page"] - 1].get_text().split())
                assert figure["caption"] in text
                assert figure["caption"].startswith(figure["label"])
                for panel in figure.get("panel_boxes", []):
                    assert panel["caption"] in figure["caption"]


def test_text_stays_within_the_page(small_corpus: Corpus) -> None:
    for path in pdfs(small_corpus):
        with pymupdf.open(path) as document:
            for page in document:
                for block in page.get_text("blocks"):
                    assert block[0] > 20
                    assert block[2] < page.rect.width - 20
                    assert block[3] < page.rect.height - 8


def test_truth_and_panels_speak_of_the_same_files(small_corpus: Corpus) -> None:
    truth, panels = truth_of(small_corpus), rows(small_corpus.folder / "panels.csv")
    for paper in truth:
        assert paper["sha256"] == sha256_file(small_corpus.folder / "papers" / paper["pdf"])
        mine = [r for r in panels if r["pdf_sha256"] == paper["sha256"]]
        boxes = [(f["label"], f["page"], p["label"]) for f in paper["figures"] for p in f.get("panel_boxes", [])]
        assert [(r["figure"], int(r["page"]), r["panel"]) for r in mine] == boxes
        assert {f["kind"] for f in paper["figures"]} == {"plot", "scheme", "micrograph"}
    assert sum(small_corpus.labels.values()) == len(panels)


def test_printed_bars_agree_with_the_scale(small_corpus: Corpus) -> None:
    printed = [r for r in rows(small_corpus.folder / "panels.csv") if r["bar_um"]]
    assert printed
    for row in printed:
        assert float(row["bar_px"]) * float(row["um_per_px"]) == pytest.approx(float(row["bar_um"]), rel=1e-4)
    scales = {r["record_key"]: r["scale_um"] for r in rows(small_corpus.folder / "records.csv")}
    for row in printed:
        assert not row["record_key"] or float(scales[row["record_key"]]) == float(row["bar_um"])


def test_records_have_the_flaws_that_are_named_and_no_others(small_corpus: Corpus) -> None:
    records, panels = rows(small_corpus.folder / "records.csv"), rows(small_corpus.folder / "panels.csv")
    assert tuple(records[0]) == (*RECORD_COLUMNS, MEASURED)
    assert set(RECORD_COLUMNS) < set(FIELDS)
    assert all(0.01 < float(r[MEASURED]) < 120 for r in records)
    keys = [r["record_key"] for r in records]
    assert len(set(keys)) == len(keys)
    assert sum(not p["record_key"] for p in panels) == 1
    with_panel = {p["record_key"] for p in panels if p["record_key"]}
    assert [r["panel"] for r in records if r["record_key"] not in with_panel] == ["h"]
    number = {r["record_key"]: int(r["record_key"][:4]) for r in records}
    assert {n for r, n in zip(records, number.values(), strict=True) if not r["doi"]} == {3, 4}
    assert {number[r["record_key"]] for r in records if r["journal"].endswith(".")} == {4}
    assert {number[r["record_key"]] for r in records if r["doi"].startswith("https://")} == {2}


def test_records_state_or_describe_the_label(small_corpus: Corpus, task: Task) -> None:
    label = {p["record_key"]: p["label"] for p in rows(small_corpus.folder / "panels.csv")}
    right = silent = stated = total = 0
    for record in rows(small_corpus.folder / "records.csv"):
        if record["record_key"] not in label:
            continue
        total += 1
        if record["compatibility"]:
            stated += 1
            assert task.label_of(record["compatibility"]) == label[record["record_key"]]
        found = suggest(task, record["morphology"], record["literature_description"])
        silent += found is None
        right += found is not None and found.label == label[record["record_key"]]
    assert right + silent == total  # the rules err nowhere, and are silent on few
    assert silent < 0.25 * total
    assert 0.25 < stated / total < 0.75


def test_doi_stands_on_the_page_in_the_metadata_or_in_both(small_corpus: Corpus) -> None:
    places = []
    for path in pdfs(small_corpus):
        with pymupdf.open(path) as document:
            places.append(("10.5555/" in document[0].get_text(), "10.5555/" in document.metadata["subject"]))
    assert places == [(True, True), (True, True), (True, False), (False, True)]


def test_the_words_come_from_the_task(tmp_path: Path, task: Task) -> None:
    other = replace(
        task,
        labels=("mixed", "demixed", "between"), positive="mixed", negative="demixed", partial="between",
        spellings={"mixes": "mixed", "demixes": "demixed", "so-so": "between"},
    )  # fmt: skip
    corpus = make_corpus(tmp_path / "c", papers=1, seed=0, task=other, workers=1)
    assert set(corpus.labels) == {"mixed", "demixed", "between"}
    assert {r["label"] for r in rows(corpus.folder / "panels.csv")} <= set(other.labels)
    assert {r["compatibility"] for r in rows(corpus.folder / "records.csv")} <= {"", *other.spellings}


def test_a_folder_with_other_things_is_left_alone(tmp_path: Path, task: Task) -> None:
    (tmp_path / "thesis.pdf").write_bytes(b"mine")
    with pytest.raises(RefusedError, match=r"thesis\.pdf"):
        make_corpus(tmp_path, papers=1, seed=0, task=task)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.pdf"]
    own = tmp_path / "literature/papers/paper_1_of_mine.pdf"  # what it once took for its own
    own.parent.mkdir(parents=True)
    own.write_bytes(b"mine")
    with pytest.raises(RefusedError, match="papers"):
        make_corpus(tmp_path / "literature", papers=1, seed=0, task=task)
    assert own.read_bytes() == b"mine"
    with pytest.raises(InputError, match="cannot be written"):
        make_corpus(tmp_path / "thesis.pdf", papers=1, seed=0, task=task)


@pytest.mark.parametrize(("papers", "seed"), [(0, 0), (-1, 0), (10**6, 0), (1, -1)])
def test_numbers_out_of_range_are_refused(tmp_path: Path, task: Task, papers: int, seed: int) -> None:
    with pytest.raises(UsageError, match="cannot be made"):
        make_corpus(tmp_path, papers=papers, seed=seed, task=task)
