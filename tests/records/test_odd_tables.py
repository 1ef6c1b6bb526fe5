"""Whatever people and spreadsheets write, a table comes in as it was meant or is refused with the cell named."""

from __future__ import annotations

import datetime as dt
import json
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from record_tables import ENCODINGS, Drawn, drawn_tables
from test_record_commands import call
from typer.testing import CliRunner
from workspaces import bare_session

from polydata.catalogue.connect import Catalogue
from polydata.catalogue.records import list_records
from polydata.cli import app
from polydata.errors import InputError, UsageError
from polydata.files import tables
from polydata.files.cells import MAX_ROWS, Odd
from polydata.files.tables import read_sheet
from polydata.records.columns import map_columns, nearest, parse_map
from polydata.records.importer import import_records
from polydata.records.reading import ReadRecords, read_records
from polydata.records.words import parse_meanings
from polydata.task import Task


def check(drawn: Drawn, read: ReadRecords, shift: int = 0) -> None:
    """Every row came in as it was meant, or is refused with its cell."""
    bad = {row.row: row.reason for row in read.bad}
    assert set(bad) == {row + len(drawn.above) + 2 + shift for row in drawn.odd}
    for row in drawn.odd:
        reason = bad[row + len(drawn.above) + 2 + shift]
        assert f"{drawn.address(row, shift=shift)} " in reason, reason
    told = {record.values["record_key"]: record for record in read.records}
    for number, truth in enumerate(drawn.truth):
        if number in drawn.odd:
            continue
        record = told[truth["record_key"]]
        for field in set(truth) - {"ratio"}:
            assert record.values[field] == truth[field], (field, drawn.header)
        assert tuple(part.ratio for part in record.components) == truth["ratio"], drawn.header
    assert set(drawn.unread) == set(read.columns.left)
    if any(line[0] for line in drawn.above):
        assert any("above the header" in notice for notice in read.notices)


@settings(max_examples=100, deadline=None)
@given(
    drawn_tables(workbook=False),
    st.sampled_from(",;\t|"),
    st.booleans(),
    st.data(),
)
def test_a_text_is_read_as_meant_or_its_cell_is_named(
    tmp_path_factory: pytest.TempPathFactory, drawn: Drawn, delimiter: str, said: bool, data: st.DataObject
) -> None:
    encoding = data.draw(st.sampled_from(ENCODINGS[drawn.words]))
    path = tmp_path_factory.mktemp("text") / "a.csv"
    path.write_bytes(drawn.delimited(delimiter, encoding, said))
    shown = encoding.startswith("utf")
    try:
        read = read_records(path)
    except InputError as error:
        assert not shown, encoding
        assert "line" in error.message
        assert "--encoding" in error.hint
        read = read_records(path, encoding=encoding)
    else:
        if encoding == "cp1252" and not path.read_bytes().isascii():
            assert any("Windows-1252" in notice for notice in read.notices)
    check(drawn, read, int(said))


@settings(max_examples=40, deadline=None)
@given(drawn_tables(workbook=True), st.integers(0, 2))
def test_a_workbook_is_read_as_meant_or_its_cell_is_named(
    tmp_path_factory: pytest.TempPathFactory, drawn: Drawn, sheets: int
) -> None:
    path = tmp_path_factory.mktemp("book") / "a.xlsx"
    drawn.workbook(path, sheets)
    read = read_records(path)
    assert read.columns.sheet == "Samples"
    assert all("Samples!" in row.reason for row in read.bad)
    check(drawn, read)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text("ab ,", min_size=1, max_size=6), min_size=8, max_size=20), st.data())
def test_a_quote_that_is_not_closed_swallows_no_rows(
    tmp_path_factory: pytest.TempPathFactory, cells: list[str], data: st.DataObject
) -> None:
    rows = [[f"k{n}", *(f'"{cell}"' for cell in cells[n : n + 3])] for n in range(0, len(cells) - 3, 3)]
    place = data.draw(st.integers(0, len(rows) - 1)), data.draw(st.integers(1, 3))
    rows[place[0]][place[1]] = rows[place[0]][place[1]][:-1]  # its closing quote is forgotten
    path = tmp_path_factory.mktemp("quote") / "a.csv"
    path.write_text("\n".join(["key,caption,polymers,morphology", *(",".join(row) for row in rows)]) + "\n")
    try:
        read = read_records(path)
    except InputError as error:
        assert f"line {place[0] + 2}" in error.message
        return
    assert read.bad


def test_a_quote_whose_partner_stands_rows_below_is_found(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('key,caption,morphology\ns1,"SEM of A,droplets\ns2,SEM of B,lamellae\ns3,SEM of C",fibrils\n')
    (bad,) = read_records(path).bad
    assert "cell B2" in bad.reason
    path.write_text('key,caption,morphology\ns1,"SEM\nof A",droplets\ns2,SEM of B,lamellae\n')
    assert [r.values["caption"] for r in read_records(path).records] == ["SEM of A", "SEM of B"]


def test_cells_merged_over_columns_are_refused_where_a_field_needs_them(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for line in (["key", "journal", "volume", "caption"], ["s1", "Polymer", None, "x"], ["s2", "Polymer", 4, "y"]):
        sheet.append(line)
    sheet.merge_cells("B2:C2")
    book.save(tmp_path / "a.xlsx")
    read = read_records(tmp_path / "a.xlsx")
    assert ([row.row for row in read.bad], [r.values["record_key"] for r in read.records]) == ([2], ["s2"])
    assert "Sheet!C2 belongs to the merged cells B2:C2" in read.bad[0].reason


def test_numbers_are_taken_as_a_workbook_shows_them(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for line in (["key", "caption", "ratio"], [7, "x", 0.7], [8, "y", 0.5]):
        sheet.append(line)
    sheet["A2"].number_format = "000"
    sheet["C2"].number_format = "0%"
    sheet["C3"].number_format = "# ?/?"
    book.save(tmp_path / "a.xlsx")
    read = read_records(tmp_path / "a.xlsx")
    assert [(r.values["record_key"], r.values["composition_ratio"]) for r in read.records] == [("007", "70%")]
    assert "Sheet!C3 holds the number 0.5 shown as a fraction" in read.bad[0].reason


def test_a_formula_that_was_calculated_to_nothing_is_an_empty_cell(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for line in (["key", "caption", "morphology"], ["s1", "x", '=IF(A2="","","")']):
        sheet.append(line)
    book.save(tmp_path / "a.xlsx")
    assert read_records(tmp_path / "a.xlsx").bad
    with zipfile.ZipFile(tmp_path / "a.xlsx") as old, zipfile.ZipFile(tmp_path / "b.xlsx", "w") as new:
        for name in old.namelist():
            text = old.read(name)
            new.writestr(name, text.replace(b'<c r="C2">', b'<c r="C2" t="str">') if "sheet1" in name else text)
    (record,) = read_records(tmp_path / "b.xlsx").records
    assert record.values["morphology"] is None


def test_a_workbook_whose_styles_point_to_nothing_is_refused(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.save(tmp_path / "a.xlsx")
    with zipfile.ZipFile(tmp_path / "a.xlsx") as old, zipfile.ZipFile(tmp_path / "b.xlsx", "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b'borderId="0"', b'borderId="99"'))
    with pytest.raises(InputError, match="not a workbook that can be read"):
        read_sheet(tmp_path / "b.xlsx")


def test_other_sheets_and_hidden_rows_are_named(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for title, keys in (("first", "ab"), ("second", "c")):
        sheet = book.create_sheet(title)
        for line in (["key", "caption", "doi"], *([key, "SEM", "10.1000/a"] for key in keys)):
            sheet.append(line)
    book["first"].row_dimensions[3].hidden = True
    book.save(tmp_path / "a.xlsx")
    read = read_records(tmp_path / "a.xlsx")
    assert (read.columns.sheet, len(read.records)) == ("first", 2)
    assert any("'second'" in notice for notice in read.notices)
    assert any("row 3 is hidden" in notice for notice in read.notices)
    assert [r.values["record_key"] for r in read_records(tmp_path / "a.xlsx", "second").records] == ["c"]


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (["Polymer B", "Polymer A"], {"polymers": ("Polymer A", "Polymer B")}),
        (["polymers", "Polymer A", "Polymer B"], {"polymers": ("polymers",)}),
        (["Polymer A", "Polymer C"], {}),
        (["Polymer A (wt%)", "Polymer B (wt%)"], {"composition_ratio": ("Polymer A (wt%)", "Polymer B (wt%)")}),
        (["A:B"], {"composition_ratio": ("A:B",)}),
        (["Miscible?"], {"compatibility": ("Miscible?",)}),
        (["Vol.", "Fig."], {"volume": ("Vol.",), "figure": ("Fig.",)}),
        (["Phase separated?", "Operator"], {}),
    ],
)
def test_columns_are_known_as_people_write_them(columns: list[str], expected: dict[str, tuple[str, ...]]) -> None:
    assert map_columns(columns) == expected


def test_columns_that_are_not_read_are_named_with_the_nearest_field(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("key,caption,Morphologie,Operator,\ns1,x,droplets,me,loose\n")
    read = read_records(tmp_path / "a.csv")
    left = {"Morphologie": ("morphology",), "Operator": (), "column E": ()}
    assert (dict(read.columns.left) == left) or read.bad
    assert nearest("Morphologie") == ("morphology",)
    assert nearest("Which figur") == ("figure",)
    assert nearest("Scale panel") == ("scale_um", "panel")
    assert nearest("Remarks") == ()


def test_a_component_and_its_part_stay_together(tmp_path: Path) -> None:
    lines = ["key,Polymer A,Polymer B,Polymer C,wt% A,wt% B,wt% C", "s1,PP,,PA6,70,30,", "s2,PP,,PA6,70,,30"]
    (tmp_path / "a.csv").write_text("\n".join([*lines, "s3,PP,PA6,,60,40,"]) + "\n")
    read = read_records(tmp_path / "a.csv")
    assert [(row.row, "F2" in row.reason) for row in read.bad] == [(2, True)]
    made = [[(c.name, c.ratio, c.unit) for c in record.components] for record in read.records]
    assert made == [[("PP", 70.0, "wt%"), ("PA6", 30.0, "wt%")], [("PP", 60.0, "wt%"), ("PA6", 40.0, "wt%")]]


def test_units_in_a_header_belong_to_its_cells(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("key,caption,Scale bar (nm),Fig. No.\ns1,x,500,4b\ns2,y,2 um,S3\n")
    read = read_records(tmp_path / "a.csv")
    said = [[r.values[name] for name in ("scale_um", "figure", "panel")] for r in read.records]
    assert said == [[0.5, "Figure 4", "b"], [2.0, "Figure S3", None]]
    (tmp_path / "b.csv").write_text("key,caption,Scale bar\ns1,x,500\n")
    assert any("micrometres" in notice for notice in read_records(tmp_path / "b.csv").notices)


def test_a_field_may_be_said_to_stand_in_two_columns(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("key,matrix,minor\ns1,PP,PA6\n")
    columns = parse_map(["polymers=matrix", "polymers=minor", "record_key=key"])
    (record,) = read_records(tmp_path / "a.csv", columns=columns).records
    assert record.values["polymers"] == "PP; PA6"
    with pytest.raises(UsageError, match="one column"):
        parse_map(["year=a", "year=b"])


@pytest.fixture
def workspace(tmp_path: Path) -> str:
    folder = str(tmp_path / "w")
    assert CliRunner().invoke(app, ["init", folder]).exit_code == 0
    return folder


def test_what_yes_means_is_said_once_and_kept(workspace: str, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("Sample,Caption,Miscible?\ns1,x,Yes\ns2,y,no\ns3,z,immiscible\n")
    code, text = call(workspace, "records", "import", str(path))
    assert (code, text.count("Unknown label")) == (0, 2)
    choices = "compatible|incompatible|partially_compatible'"
    assert f"--meaning 'Miscible?: Yes={choices} --meaning 'Miscible?: no={choices}" in " ".join(text.split())
    meanings = ["--meaning", "Miscible?: yes=compatible", "--meaning", "Miscible?: no=incompatible"]
    assert "Unknown label" not in call(workspace, "records", "import", *meanings, str(path))[1]
    more = tmp_path / "b.csv"
    more.write_text("Sample,Caption,Miscible?\ns9,x,NO\n")
    assert "Unknown label" not in call(workspace, "records", "import", str(more))[1]
    rows = json.loads(call(workspace, "records", "list", "--json")[1])
    words = {row["record_key"]: row["compatibility"] for row in rows}
    assert words == {"s1": "compatible", "s2": "incompatible", "s3": "immiscible", "s9": "incompatible"}
    for wrong in ("yes=compatible", "Miscible?: yes=nolabel", "Miscible?: =compatible"):
        with pytest.raises(UsageError):
            parse_meanings(Task.load(), [wrong])


def test_a_trial_writes_nothing(tmp_path: Path, catalogue: Catalogue) -> None:
    path = tmp_path / "a.csv"
    path.write_text("key,caption\ns1,x\n")
    import_records(bare_session(catalogue), [path])
    before = catalogue.fingerprint()
    path.write_text("key,caption\ns1,z\ns2,y\n")
    report = import_records(bare_session(catalogue), [path], dry_run=True).records
    assert (report.imported, report.replaced, len(report.shown)) == (1, 1, 2)
    assert dict(report.replacements[0].changes) == {"caption": ("x", "z")}
    assert (catalogue.fingerprint(), len(list_records(catalogue))) == (before, 1)


def test_an_object_that_says_a_key_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"key": "s1", "caption": "x", "caption": "y"}\n{"key": "s2"}\n')
    (bad,) = read_records(tmp_path / "a.jsonl").bad
    assert "'caption' stands twice" in bad.reason


def test_large_tables_are_refused_before_they_fill_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.csv").write_text("key,caption\n" + "s,x\n" * (MAX_ROWS + 1))
    with pytest.raises(InputError, match="rows"):
        read_sheet(tmp_path / "a.csv")
    monkeypatch.setattr(tables, "MAX_JSON", 100)
    (tmp_path / "a.json").write_text(json.dumps([{"key": "s"}] * 20))
    with pytest.raises(InputError, match="larger") as caught:
        read_sheet(tmp_path / "a.json")
    assert "JSON Lines" in caught.value.hint
    monkeypatch.setattr(tables, "MAX_CELLS", 10)
    nested = [{"key": f"s{number}", "more": {"of": [1, 2]}} for number in range(3)]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, nested)))
    with pytest.raises(InputError, match="more than 100,000 rows or 10 values"):
        read_sheet(tmp_path / "a.jsonl")
    (tmp_path / "a.json").write_text(json.dumps(nested[:1]))
    assert len(read_sheet(tmp_path / "a.json").rows) == 1
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active.append(["key", "caption"])
    book.active["XFD1048576"] = "far"
    book.save(tmp_path / "a.xlsx")
    told: list[int] = []
    rows = read_sheet(tmp_path / "a.xlsx", progress=lambda step, done, total: told.append(done)).rows
    assert ([row.number for row in rows], told[:2]) == ([1_048_576], [500, 1000])
    monkeypatch.setattr("polydata.files.workbook.MAX_CELLS", 2)
    with pytest.raises(InputError, match="cells"):
        read_sheet(tmp_path / "a.xlsx")


def test_a_line_too_long_for_a_record_is_a_bad_row(tmp_path: Path) -> None:
    """Memory is taken for one line at a time, so that a line of nothing but brackets does not fill it."""
    brackets = ",".join(["[]"] * 3_000_000)
    (tmp_path / "a.jsonl").write_text(f'{{"key": "s1"}}\n\n{{"key": [{brackets}]}}\n{{"key": "s2"}}')
    tracemalloc.start()
    rows = read_sheet(tmp_path / "a.jsonl").rows
    assert tracemalloc.get_traced_memory()[1] < 60_000_000
    tracemalloc.stop()
    assert [(row.number, row.problem) for row in rows] == [(1, ""), (3, "it has more than 1,000,000 signs"), (4, "")]


@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_of_objects_their_text_alone_is_held(tmp_path: Path, name: str) -> None:
    """As objects of Python such rows take four to eight times the room of their text."""
    lines = [json.dumps({f"key {n}": n for n in range(19)} | {"key": f"s{number}"}) for number in range(20_000)]
    text = "\n".join(lines) if name == "a.jsonl" else f"[{','.join(lines)}]"
    (tmp_path / name).write_text(text)
    tracemalloc.start()
    rows = read_sheet(tmp_path / name).rows
    assert [row.values["key"] for row in rows] == [f"s{number}" for number in range(20_000)]
    assert tracemalloc.get_traced_memory()[1] < 3 * len(text)
    tracemalloc.stop()
    assert len(rows) == 20_000 and next(iter(rows)).number == 1


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda part: st.lists(part, max_size=3) | st.dictionaries(st.text(max_size=3), part, max_size=3),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(JSON, max_size=4), st.sampled_from([None, 1]), st.integers(0, 60), st.sampled_from(["", "]", ",", "x"]))
def test_a_list_that_is_read_piece_by_piece_is_what_json_reads(
    tmp_path: Path, value: list[Any], indent: int | None, at: int, harm: str
) -> None:
    text = json.dumps(value, indent=indent)
    text = f" {text[: at % (len(text) + 1)]}{harm}{text[at % (len(text) + 1) :]}\n"
    (tmp_path / "a.json").write_text(text)
    try:
        wanted = json.loads(text)
    except ValueError as error:
        with pytest.raises(InputError) as caught:
            read_sheet(tmp_path / "a.json")
        assert str(error) in caught.value.message
        return
    found = [row.values for row in read_sheet(tmp_path / "a.json").rows if not row.problem]
    assert found == [one for one in wanted if isinstance(one, dict) and any(v not in (None, "") for v in one.values())]


def test_answers_that_nobody_typed_are_named(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    assert book.active is not None
    for line in (["image", "R1"], ["a", "1"], ["b", dt.datetime(2024, 1, 10)]):
        book.active.append(line)
    book.save(tmp_path / "a.xlsx")
    with pytest.raises(InputError, match="Sheet!B3 holds a date"):
        tables.read_answers(tmp_path / "a.xlsx", "image", ["R*"])


def test_odd_cells_are_texts_for_who_does_not_ask() -> None:
    cell = Odd("x", "is odd")
    assert (cell, cell.why, json.dumps([cell])) == ("x", "is odd", '["x"]')
