"""What cannot be decided waits with its candidates; what a person decides wins and stays."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from edit_scene import EditScene
from joined_scene import (
    WHOLE,
    add_figure,
    add_paper,
    add_records,
    blank,
    figure_links,
    figure_of,
    links,
    run,
    scene,
)
from typer.testing import CliRunner
from workspaces import bare_session

from polydata.catalogue.by_hand import list_manual_links, manual_links
from polydata.catalogue.connect import Catalogue
from polydata.catalogue.records import best_candidates, list_candidates, unlinked_records
from polydata.catalogue.remove import remove_papers
from polydata.catalogue.session import init as new_workspace
from polydata.cli import app
from polydata.errors import InputError
from polydata.exports.lists import LINK_COLUMNS, export_links
from polydata.extraction import editing
from polydata.records.importer import import_records
from polydata.records.join import link, unlink
from polydata.records.kept import objections
from polydata.task import Task

AFTER_A = "SEM of PP/PA blends after annealing: (a) 70/30"
AFTER_B = "SEM of PP/PA blends after annealing: (b) 50/50"


def candidates(catalogue: Catalogue, record: str) -> dict[str, float]:
    return {row["panel_id"]: row["score"] for row in list_candidates(catalogue) if row["record_id"] == record}


def test_a_caption_of_several_panels_stays_with_its_figure(catalogue: Catalogue) -> None:
    _, after = scene(catalogue)
    [vague] = add_records(catalogue, blank(record_key="1", caption=WHOLE))
    report = run(catalogue).links
    assert (report.linked, report.in_figure, report.queued) == (0, 1, 1)
    assert figure_links(catalogue) == {vague: figure_of("paper-one", 3)}
    scores = candidates(catalogue, vague)
    assert set(list(scores)[:2]) == set(after)
    assert scores[after[0]] == scores[after[1]] < 0.5
    [left] = unlinked_records(catalogue)
    assert (left["paper"], left["linked_figure"], left["candidates"]) == ("one.pdf", "Figure 3", len(scores))


def test_figures_of_the_same_words_are_not_chosen_between(catalogue: Catalogue) -> None:
    paper = add_paper(catalogue, "one", "")
    panels = [
        add_figure(catalogue, paper, n, f"Figure {n}. SEM of quenched PP/PA blends.", [(None, None)])[0]
        for n in (1, 2, 3)
    ]
    [record] = add_records(catalogue, blank(record_key="1", caption="SEM of quenched PP/PA blends", doi="10.1000/x"))
    catalogue.run("UPDATE papers SET doi = '10.1000/x'")
    report = run(catalogue).links
    assert (report.linked, report.in_figure, report.in_paper, report.queued) == (0, 0, 1, 1)
    scores = candidates(catalogue, record)
    assert set(scores) == set(panels)
    assert sum(scores.values()) <= 1


def test_records_that_quote_one_letter_share_its_chances(catalogue: Catalogue) -> None:
    _, after = scene(catalogue)
    ids = add_records(catalogue, *(blank(record_key=key, caption=AFTER_A) for key in "xy"))
    run(catalogue)
    assert links(catalogue) == {}
    for record in ids:
        scores = candidates(catalogue, record)
        assert 0.3 < scores[after[0]] < 0.6
        assert 0.3 < scores[after[1]] < 0.6


def test_one_panel_of_several_records_and_one_record_of_several_panels(catalogue: Catalogue) -> None:
    before, after = scene(catalogue)
    one, other, both = add_records(
        catalogue,
        blank(record_key="1", caption=WHOLE, panel="a"),
        blank(record_key="2", caption=WHOLE, panel="(a)"),
        blank(record_key="3", caption="SEM of PP/PA blends before annealing: (a) 70/30; (b) 50/50", panel="a, b"),
    )
    assert run(catalogue).links.methods == {"letter": 4}
    found = sorted(catalogue.tuples("SELECT record_id, panel_id FROM links"))
    assert found == sorted([(one, after[0]), (other, after[0]), (both, before[0]), (both, before[1])])


def test_polymers_and_ratio_find_the_panel_of_a_record_without_caption(catalogue: Catalogue) -> None:
    paper = add_paper(catalogue, "reference_no_0101911", "")
    panels = add_figure(
        catalogue,
        paper,
        1,
        "Figure 1. SEM of PP/PA6 blends: (a) 70/30; (b) 50/50.",
        [("a", "PP/PA6 70/30"), ("b", "PP/PA6 50/50")],
    )
    sample = {"sample_id": "7", "reference_no": "0101911", "polymers": "polypropylene; polyamide 6"}
    [record] = add_records(catalogue, sample | {"composition_ratio": "50/50 wt%"})
    run(catalogue)
    assert links(catalogue) == {record: panels[1]}


def test_a_link_by_hand_wins_and_is_taken_back(catalogue: Catalogue) -> None:
    _, after = scene(catalogue)
    task = Task.load()
    [one, two] = add_records(
        catalogue,
        blank(record_key="1", caption=AFTER_B, compatibility="immiscible"),
        blank(record_key="2", caption=AFTER_A),
    )
    link(bare_session(catalogue, task), "1", after[0])
    assert links(catalogue) == {one: after[0]}
    assert catalogue.tuples("SELECT panel_id FROM label_votes") == [(after[0],)]
    assert run(catalogue).links.methods == {"manual": 1}
    assert links(catalogue) == {one: after[0]}
    assert figure_links(catalogue) == {two: figure_of("paper-one", 3)}  # its panel was given away by hand
    prints = catalogue.fingerprint()
    assert not run(catalogue).changed
    assert catalogue.fingerprint() == prints

    assert [gone.target_id for gone in unlink(bare_session(catalogue, task), one)] == [after[0]]
    assert links(catalogue) == {}
    assert catalogue.tuples("SELECT panel_id FROM label_votes") == []
    run(catalogue)
    assert links(catalogue) == {one: after[1], two: after[0]}
    assert figure_links(catalogue) == {}
    with pytest.raises(InputError, match="no link by hand"):
        unlink(bare_session(catalogue, task), one)


def test_links_by_hand_to_figures_several_panels_and_nothing(catalogue: Catalogue) -> None:
    before, after = scene(catalogue)
    task = Task.load()
    [one] = add_records(catalogue, blank(record_key="1", caption=AFTER_B))
    figure = figure_of("paper-one", 2)
    link(bare_session(catalogue, task), one, figure)
    run(catalogue)
    assert (links(catalogue), figure_links(catalogue)) == ({}, {one: figure})
    for panel in before:
        link(bare_session(catalogue, task), one, panel.removeprefix("panel-")[:10])
    assert len(manual_links(catalogue)) == 3
    assert len(unlink(bare_session(catalogue, task), one, before[0])) == 1
    assert links(catalogue) == {one: before[1]}
    link(bare_session(catalogue, task), one, None)
    report = run(catalogue).links
    assert (report.linked, report.queued, links(catalogue), figure_links(catalogue)) == (0, 0, {}, {})
    assert [row["state"] for row in list_manual_links(catalogue)] == ["in force"]
    link(bare_session(catalogue, task), one, after[0])
    assert [link.target for link in manual_links(catalogue)] == ["panel"]
    for wrong in ("panel-0000000000", "abc", figure + "0"):
        with pytest.raises(InputError):
            link(bare_session(catalogue, task), one, wrong)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> EditScene:
    return EditScene.make(tmp_path_factory.mktemp("links"))


def test_links_by_hand_outlive_corrections_new_readings_and_removal(original: EditScene, tmp_path: Path) -> None:
    paper = original.copy(tmp_path)
    panel, figure = paper.panel_id(1, "b"), paper.figure_id(2)
    with paper.session() as session:
        one, two = add_records(session.catalogue, {"record_key": "1"}, {"record_key": "2"})
        link(session, one, panel)
        link(session, two, figure)

    def stand() -> tuple[dict[str, str], dict[str, str]]:
        with paper.session() as session:
            return links(session.catalogue), figure_links(session.catalogue)

    paper.extract(again=True)
    assert stand() == ({one: panel}, {two: figure})
    with paper.session() as session:
        for page, box in ((1, "46,76,460,384"), (2, "60,90,340,290")):
            editing.edit(session, "figure", _figure(session.catalogue, page), editing.correction(box=box))
        (paper_id,) = session.catalogue.tuples("SELECT paper_id FROM papers")[0]
    assert paper.panel_id(1, "b") != panel
    assert paper.figure_id(2) != figure
    moved = {one: paper.panel_id(1, "b")}, {two: paper.figure_id(2)}
    assert stand() == moved
    with paper.session() as session:
        remove_papers(session.catalogue, [paper_id])
        assert {row["state"][:5] for row in list_manual_links(session.catalogue)} == {"waits"}
        assert run(session.catalogue).links.linked == 0
    assert stand() == ({}, {})
    paper.extract()
    assert stand() == moved


def _figure(catalogue: Catalogue, page: int) -> str:
    return str(catalogue.value("SELECT figure_id FROM figures WHERE page = ?", [page]))


def test_links_are_exported(catalogue: Catalogue, tmp_path: Path) -> None:
    scene(catalogue)
    one, two = add_records(catalogue, blank(record_key="1", caption=AFTER_B), blank(record_key="2", caption=WHOLE))
    run(catalogue)
    assert export_links(bare_session(catalogue), tmp_path / "links.csv") == 2
    with open(tmp_path / "links.csv", newline="") as handle:
        table = csv.reader(handle)
        assert tuple(next(table)) == LINK_COLUMNS
        rows = {row[4]: row for row in table}
    assert (rows[one][7], rows[two][7]) == ("1", "2")  # the user's own keys
    assert rows[one][:6] == ["one", "4", "Figure 3", "b", one, "caption"]
    assert rows[two][:6] == ["one", "4", "Figure 3", "", two, "caption"]
    assert all(0.8 < float(row[6]) <= 1 for row in rows.values())


def call(workspace: Path, *words: str) -> str:
    result = CliRunner().invoke(app, ["--workspace", str(workspace), *words])
    assert result.exit_code == 0, result.output
    return result.output


def test_the_queue_is_worked_off_on_the_command_line(original: EditScene, tmp_path: Path) -> None:
    root = original.copy(tmp_path).root
    table = tmp_path / "t.csv"
    (caption,) = {row["caption"] for row in original.rows("SELECT caption FROM figures WHERE page = 1")}
    with open(table, "w", newline="") as handle:
        csv.writer(handle).writerows([["key", "caption"], ["k", caption]])
    call(root, "records", "import", str(table))
    assert "Next: polydata list candidates" in call(root, "join")
    queue = json.loads(call(root, "list", "candidates", "--json"))
    assert {row["record_key"] for row in queue} == {"k"}
    assert len({row["panel_id"] for row in queue}) == 4
    assert "k" in call(root, "list", "candidates")
    assert "is linked to panel-" in call(root, "link", "k", queue[0]["panel_id"])
    assert json.loads(call(root, "list", "candidates", "--json")) == []
    assert len(json.loads(call(root, "list", "manual-links", "--json"))) == 1
    assert json.loads(call(root, "unlink", "k", "--json"))[0]["target_id"] == queue[0]["panel_id"]
    assert "linked to nothing" in call(root, "link", "k", "--nothing")
    assert "1 links in" not in call(root, "export", "links", "--format", "csv", "--output", str(tmp_path / "l.csv"))
    assert CliRunner().invoke(app, ["--workspace", str(root), "link", "k"]).exit_code == 2


def test_a_wrong_year_is_imported_and_named(tmp_path: Path, catalogue: Catalogue) -> None:
    table = tmp_path / "t.csv"
    table.write_text("key,year,reference\na,2411,x\nb,2001,x\nb,2001,x\n")
    report = import_records(bare_session(catalogue), [table]).records
    assert (report.imported, report.bad) == (2, ())
    assert [str(row) for row in report.repeated] == ["t.csv, row 4: it says what row 3 says"]
    assert [str(row) for row in report.doubtful] == ["t.csv, row 2: year: 2411 can hardly be right"]


def test_a_link_by_hand_against_what_the_record_says_is_made_and_named(catalogue: Catalogue) -> None:
    _, after = scene(catalogue)
    other = add_figure(catalogue, add_paper(catalogue, "two", "", doi="10.1000/two"), 4, "SEM", [("C", None)])
    session = bare_session(catalogue, Task.load())
    add_records(
        catalogue,
        {"record_key": "fits", "reference": "ONE.pdf", "figure": "Fig. 3", "panel": "a, b"},
        {"record_key": "not", "reference": "one.pdf", "figure": "Figure 3", "panel": "e"},
        {"record_key": "doi", "doi": "10.1000/one", "figure": "4"},
        {"record_key": "silent", "caption": "SEM"},
    )
    assert objections(session, link(session, "fits", after[1])) == []
    assert objections(session, link(session, "silent", other[0])) == []
    assert objections(session, link(session, "not", None)) == []
    assert objections(session, link(session, "not", other[0])) == [
        "the record names one.pdf, and this stands in two.pdf",
        "the record says Figure 3, and this is Figure 4",
        "the record says panel e, and this is panel C",
    ]
    assert objections(session, link(session, "not", figure_of("paper-one", 3))) == []
    assert objections(session, link(session, "doi", other[0])) == [
        "the record's DOI is 10.1000/one, and that of this paper 10.1000/two"
    ]
    assert len(links(catalogue)) == 4  # each was made all the same


def test_the_queue_shows_the_best_of_each_record(catalogue: Catalogue) -> None:
    rows = [
        {"record_id": record, "score": score} for record, scores in {"a": (0.3, 0.3, 0.2, 0.1), "b": (0.5, 0.0002),
        "c": (0.0, 0.0)}.items() for score in scores
    ]  # fmt: skip
    assert [(r["record_id"], r["score"]) for r in best_candidates(rows, 3)] == [
        ("a", 0.3), ("a", 0.3), ("a", 0.2), ("b", 0.5), ("c", 0.0)
    ]  # fmt: skip


def test_the_queue_and_leftovers_fit_a_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    place = new_workspace(tmp_path / "w")
    words = "scanning electron micrographs of polypropylene and polyamide blends in many words"
    with Catalogue.open(place.catalogue) as catalogue:
        paper = add_paper(catalogue, "a_paper_with_quite_a_long_file_name_of_its_own", "")
        add_figure(catalogue, paper, 12, words, [(letter, None) for letter in "abcde"])
        add_records(catalogue, {"reference": f"{paper.removeprefix('paper-')}.pdf", "caption": words, "panel": "k"})
        run(catalogue)
    call = [
        CliRunner().invoke(app, ["-w", str(place.root), "list", *words]).output
        for words in (["candidates"], ["leftovers"], ["candidates", "--all"])
    ]
    queue, leftovers, every = (one.splitlines() for one in call)
    assert max(len(line) for line in (*queue, *leftovers)) <= 80
    assert (len(queue), len(every)) == (2 + 3 + 2, 2 + 5 + 1)
    assert "Of 5 the best 3 of each record" in queue[-2]
    head = next(line for line in leftovers if line.startswith("record"))
    row = leftovers[leftovers.index(head) + 2]
    assert "letter" in head and len(row.split()[0]) == 8 and row[head.index("letter")] == "k"
