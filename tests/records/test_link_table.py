"""Candidates decided in a table: all rows or none, the same again changes nothing, a corrected one corrects."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import openpyxl
import pytest
from browser import chromium
from edit_scene import EditScene
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joined_scene import WHOLE, add_records, blank, figure_of, run, scene
from selenium.webdriver.common.by import By
from typer.testing import CliRunner, Result
from workspaces import bare_session

from polydata.catalogue.by_hand import manual_links
from polydata.catalogue.connect import Catalogue
from polydata.catalogue.records import list_candidates
from polydata.cli import app
from polydata.errors import InputError
from polydata.exports.lists import CANDIDATE_COLUMNS, export_candidates
from polydata.files.tables import write_csv
from polydata.records.candidates_page import write_candidates
from polydata.records.join import link
from polydata.records.link_table import LinkedTable, link_table

Rows = list[tuple[str, str]]


def take(catalogue: Catalogue, folder: Path, rows: Rows, *, dry_run: bool = False) -> LinkedTable:
    path = folder / "links.csv"
    with open(path, "w", newline="") as handle:
        csv.writer(handle).writerows([("note", "Record", "panel"), *(("x", *row) for row in rows)])
    return link_table(bare_session(catalogue), path, dry_run=dry_run)


def stands(catalogue: Catalogue) -> set[tuple[str, str]]:
    return {(one.record_id, one.target_id) for one in manual_links(catalogue)}


def test_a_table_is_taken_once_and_a_corrected_one_corrects(catalogue: Catalogue, tmp_path: Path) -> None:
    before, after = scene(catalogue)
    one, two, three, four = add_records(catalogue, *(blank(record_key=k, caption=WHOLE) for k in "1234"))
    run(catalogue)
    figure = figure_of("paper-one", 2)
    rows = [("1", after[0]), ("1", after[1][:14]), (two, "nothing"), (three[:14], figure), (two, "Nothing"), ("9", "")]
    prints = catalogue.fingerprint()
    assert len(take(catalogue, tmp_path, rows, dry_run=True).linked) == 4
    assert catalogue.fingerprint() == prints
    done = take(catalogue, tmp_path, rows)
    assert (len(done.linked), done.unchanged, done.left_open, done.taken_back, done.bad) == (4, 0, 1, (), ())
    assert stands(catalogue) == {(one, after[0]), (one, after[1]), (two, ""), (three, figure)}
    assert {row["record_id"] for row in list_candidates(catalogue)} == {four}
    prints = catalogue.fingerprint()
    again = take(catalogue, tmp_path, rows)
    assert (again.linked, again.unchanged, catalogue.fingerprint()) == ((), 4, prints)
    link(bare_session(catalogue), four, before[0])  # of no record of the table
    done = take(catalogue, tmp_path, [("1", before[1]), ("2", after[0]), ("3", "nothing")])
    assert (len(done.linked), done.unchanged, len(done.taken_back)) == (3, 0, 4)
    assert stands(catalogue) == {(one, before[1]), (two, after[0]), (three, ""), (four, before[0])}


def test_one_bad_row_and_nothing_is_linked(catalogue: Catalogue, tmp_path: Path) -> None:
    _, after = scene(catalogue)
    add_records(catalogue, blank(record_key="1", caption=WHOLE), blank(record_key="2", panel="b", caption=WHOLE))
    prints = catalogue.fingerprint()
    done = take(
        catalogue, tmp_path, [("1", after[0]), ("9", after[0]), ("1", "panel-00000000"), ("", "x"), ("1", "nothing")]
    )
    assert [(row.row, row.file) for row in done.bad] == [
        (2, "links.csv"),
        (3, "links.csv"),
        (4, "links.csv"),
        (5, "links.csv"),
    ]
    said = [row.reason for row in done.bad]
    assert said[0] == "row 6 says that its record belongs to nothing"
    assert ("'9'" in said[1], "panel-00000000" in said[2]) == (True, True)
    assert catalogue.fingerprint() == prints
    (doubt,) = take(catalogue, tmp_path, [("2", after[0])]).doubts
    assert str(doubt) == "links.csv, row 2: the record says panel b, and this is panel a"
    (tmp_path / "t.csv").write_text("record,target\n1,2\n")
    with pytest.raises(InputError, match="no column 'panel'"):
        link_table(bare_session(catalogue), tmp_path / "t.csv")
    book = openpyxl.Workbook()
    for row in (["our links", None], ["record", "panel"], [2, after[1]], ["=1+1", after[0]]):
        book.active.append(row)  # type: ignore[union-attr]
    book.save(tmp_path / "t.xlsx")
    (bad,) = link_table(bare_session(catalogue), tmp_path / "t.xlsx").bad
    assert "cell Sheet!A4" in str(bad)


@given(rows=st.lists(st.tuples(st.sampled_from("123"), st.sampled_from(["a", "b", "c", "nothing", ""])), max_size=8))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_stands_is_what_the_last_table_says_of_its_records(
    catalogue: Catalogue, tmp_path: Path, rows: Rows
) -> None:
    if not catalogue.value("SELECT count(*) FROM records"):
        scene(catalogue)
        add_records(catalogue, *(blank(record_key=key, caption=WHOLE) for key in "123"))
        run(catalogue)
    ids = dict(catalogue.tuples("SELECT record_key, record_id FROM records"))
    panels = dict(zip("abc", catalogue.column("SELECT panel_id FROM panels ORDER BY 1 LIMIT 3"), strict=True))
    wanted = {(ids[record], panels.get(panel, "")) for record, panel in rows if panel}
    torn = any((record, "") in wanted and (record, panel) in wanted for record, panel in wanted if panel)
    before = stands(catalogue)
    done = take(catalogue, tmp_path, [(record, panels.get(panel, panel)) for record, panel in rows])
    named = {record for record, _ in wanted}
    assert bool(done.bad) == torn
    assert stands(catalogue) == (before if torn else wanted | {one for one in before if one[0] not in named})


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> EditScene:
    """A workspace in which two records wait."""
    made = EditScene.make(tmp_path_factory.mktemp("links"))
    (caption,) = {row["caption"] for row in made.rows("SELECT caption FROM figures WHERE page = 1")}
    with made.session() as session:
        add_records(session.catalogue, *({"record_key": key, "caption": caption} for key in ("<i>k</i>", "=l")))
        run(session.catalogue)
    return made


def call(workspace: Path, *words: str | Path, expect: int = 0) -> Result:
    result = CliRunner().invoke(app, ["--workspace", str(workspace), *map(str, words)])
    assert result.exit_code == expect, result.output
    return result


def test_the_table_of_candidates_is_one_of_links(original: EditScene, tmp_path: Path) -> None:
    root = original.copy(tmp_path / "w").root
    table = tmp_path / "candidates.csv"
    call(root, "export", "candidates", "-o", table)
    with open(table, newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert tuple(rows[0]) == CANDIDATE_COLUMNS
    queue = json.loads(call(root, "list", "candidates", "--json").stdout)
    first = {row["record_id"]: row["panel_id"] for row in reversed(queue)}
    assert {row["record"]: row["likeliest"] for row in rows} == first
    assert all(row["panel"] == (row["likeliest"] if float(row["score"]) > 0.5 else "") for row in rows)
    for row in rows:
        row["panel"] = row["likeliest"]
    write_csv(table, tuple(rows[0]), rows)
    assert all(len(row["others"].split("; ")) == 2 for row in rows)
    assert "linked" in call(root, "link", "--file", table, "--dry-run").stdout
    done = json.loads(call(root, "link", "--file", table, "--json").stdout)
    assert len(done["linked"]) == len(rows) == 2
    assert json.loads(call(root, "list", "candidates", "--json").stdout) == []
    (tmp_path / "bad.csv").write_text("record,panel\n=l,x\n")
    failed = call(root, "link", "--file", tmp_path / "bad.csv", expect=1)
    assert "Bad row: bad.csv, row 2: 'x' is too short for an id." in failed.stderr
    for words in (["--file", table, "k"], ["--dry-run", "k", "p"], [], ["--nothing"]):
        call(root, "link", *map(str, words), expect=2)


def test_the_page_shows_the_candidates_and_its_ticks_make_a_table(original: EditScene, tmp_path: Path) -> None:
    paper = original.copy(tmp_path / "w")
    page = tmp_path / "candidates.html"
    with paper.session() as session:
        session.catalogue.run("UPDATE records SET source = 'mine.csv', source_row = 5")
    call(paper.root, "list", "candidates", "--html", page)
    text = page.read_text(encoding="utf-8")
    assert text.count('<div class="muted">mine.csv, row 5</div>') == 2
    with paper.session() as session:
        queue = list_candidates(session.catalogue)
        assert write_candidates(session, page).cards == 2
    assert "<i>k</i>" not in text and "&lt;i&gt;k&lt;/i&gt;" in text
    assert text.count('<img src="data:image/jpeg;base64,') == len(queue) == 8
    one, two = dict.fromkeys(row["record_id"] for row in queue)
    panel = queue[0]["panel_id"]
    assert f"polydata link {one} {panel}</code>" in text
    with chromium() as browser:
        size = {"width": 1200, "height": 3000, "deviceScaleFactor": 1, "mobile": False}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        browser.get(page.as_uri())
        tops = "return ['.words', '.pictures'].map(c => document.querySelector(c).getBoundingClientRect().top)"
        assert len(set(browser.execute_script(tops))) == 1  # three candidates stand beside the words, not below

        def tick(record: str, value: str) -> None:
            browser.find_element(By.CSS_SELECTOR, f'input[name="{record}"][value="{record},{value}"]').click()

        for record, value in ((one, panel), (two, panel), (two, "nothing")):
            tick(record, value)
        made = browser.find_element(By.ID, "ticked").get_property("value")
    assert made == f"record,panel\n{one},{panel}\n{two},nothing\n"
    (tmp_path / "links.csv").write_text(str(made))
    assert "linked" in call(paper.root, "link", "--file", tmp_path / "links.csv").stdout
    with paper.session() as session:
        assert stands(session.catalogue) == {(one, panel), (two, "")}
        assert export_candidates(session, tmp_path / "none.csv") == 0
        assert write_candidates(session, page).cards == 0
