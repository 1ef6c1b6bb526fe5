"""The join measured on the published records and papers that do not say who they are."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from pathlib import Path

import pytest
from commands import run, run_json
from damaged import damage, load_make_papers, nameless_papers, published_rows

Figure = tuple[str, str]
"""SHA-256 of a PDF and the label of a figure in it."""


class Truth:
    """What make_papers laid out.

    Attributes:
        figure: the published figure (paper, page, image) that each figure shows.
        panel: key of the image that each panel shows, by its figure and letter; '' where it is the only one.
    """

    def __init__(self, panels: list[dict[str, str]], rows: list[dict[str, str]]) -> None:
        published = {row["key"]: row for row in rows}
        shown = Counter((row["pdf_sha256"], row["figure"]) for row in panels)
        self.figure: dict[Figure, tuple[str, ...]] = {}
        self.panel: dict[tuple[Figure, str], str] = {}
        for row in panels:
            figure = row["pdf_sha256"], row["figure"]
            self.figure[figure] = figure_of(published[row["image_key"]])
            self.panel[figure, row["panel"] if shown[figure] > 1 else ""] = row["image_key"]


def figure_of(row: dict[str, str]) -> tuple[str, ...]:
    return row["paper_id"], row["page"], row["image"]


def score(
    found: list[dict[str, str]], queue: list[dict[str, str]], truth: Truth, rows: list[dict[str, str]]
) -> dict[str, float]:
    """Precision and recall of links to figures, precision of links to panels, and how often the queue holds the panel.

    Args:
        found: rows of ``export links``, with the row of each record as ``number``.
        queue: rows of ``list candidates``.
        truth: of the papers.
        rows: as published.
    """
    figures, panels, placed = list[bool](), list[bool](), set[int]()
    right = set[int]()
    for link in found:
        row, figure = rows[int(link["number"])], (link["pdf_sha256"], link["figure_label"])
        figures.append(truth.figure.get(figure) == figure_of(row))
        if figures[-1]:
            right.add(int(link["number"]))
        if link["panel_label"] or (figure, "") in truth.panel:
            panels.append(truth.panel.get((figure, link["panel_label"])) == row["key"])
            placed.add(int(link["number"]))
    offered = defaultdict(set)
    for one in queue:
        figure = one["pdf_sha256"], one["figure"]
        offered[int(one["record_key"])] |= {truth.panel.get((figure, letter)) for letter in (one["panel"] or "", "")}
    shown, drawn = set(truth.figure.values()), set(truth.panel.values())
    there = [number for number, row in enumerate(rows) if figure_of(row) in shown]
    rest = [number for number, row in enumerate(rows) if row["key"] in drawn and number not in placed]
    return {
        "figure precision": sum(figures) / len(figures),
        "figure recall": len(right) / len(there),
        "panels claimed": len(panels),
        "panel precision": sum(panels) / len(panels),
        "queue": sum(rows[number]["key"] in offered[number] for number in rest) / len(rest),
    }


@pytest.mark.realdata
@pytest.mark.slow
def test_nameless_papers_and_damaged_records_find_each_other(
    shared_data: Path, shared_tools: Path, tmp_path: Path
) -> None:
    nims, workspace = shared_data / "nims", tmp_path / "w"
    load_make_papers(shared_tools).make(nims, tmp_path / "made", 60, 1, ["grid"])
    panels = nameless_papers(tmp_path / "made", tmp_path / "pdfs")
    table = damage(nims / "records.csv", tmp_path / "records.csv", more=("number",))
    run("polydata", "init", workspace)
    run("polydata", "extract", tmp_path / "pdfs", workspace=workspace)
    run("polydata", "records", "import", "--map", "record_key=number", table, workspace=workspace)
    assert run_json("polydata", "join", workspace=workspace)["links"]["changed"]
    assert not run_json("polydata", "join", workspace=workspace)["links"]["changed"]
    exported = tmp_path / "links.csv"
    run("polydata", "export", "links", "--format", "csv", "--output", exported, workspace=workspace)

    records = run_json("polydata", "records", "list", workspace=workspace)
    number = {row["record_id"]: row["record_key"] for row in records}
    rows = published_rows(nims / "records.csv")
    with open(exported, newline="") as handle:
        found = [row | {"number": number[row["record_id"]]} for row in csv.DictReader(handle)]
    queue = [
        row | {"number": row["record_key"]} for row in run_json("polydata", "list", "candidates", workspace=workspace)
    ]
    scores = score(found, queue, Truth(panels, rows), rows)
    print(scores)
    assert scores["figure precision"] >= 0.98
    assert scores["figure recall"] >= 0.93
    assert scores["panel precision"] >= 0.95
    assert scores["panels claimed"] >= 65
    assert scores["queue"] >= 0.9
