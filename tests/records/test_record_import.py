from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from record_tables import filled_template
from typer.testing import CliRunner
from workspaces import bare_session

from polydata.catalogue.connect import Catalogue
from polydata.catalogue.records import list_records
from polydata.catalogue.session import init as new_workspace
from polydata.cli import app
from polydata.errors import InputError, UsageError
from polydata.files.tables import read_table
from polydata.records.columns import map_columns, template
from polydata.records.importer import import_records
from polydata.records.reading import read_records
from polydata.records.record import FIELDS, parse_scale

HEADER = ["key", "caption", "polyinfo_morphology", "scale_um", "label", "reference", "image_file", "extra"]
REFERENCE = "Kim, H.; Lee, S. , Polymer , 45 , 3 , 1234-1240 (2004)"
ROWS = [
    ["1_page4_image1_a", "SEM of PA6&slash;PP", "none", "10", "Compatible", REFERENCE, "x_1.png", "kept"],
    ["1_page4_image1_b", "SEM\nof PA6/PP", "two phases", "0.5", "Incompatible", REFERENCE, "", ""],
]


def write_csv(path: Path, rows: list[list[str]], encoding: str = "utf-8-sig", delimiter: str = ",") -> Path:
    with open(path, "w", newline="", encoding=encoding) as handle:
        csv.writer(handle, delimiter=delimiter).writerows([HEADER, *rows])
    return path


def write_xlsx(path: Path, rows: list[list[str]]) -> Path:
    book = openpyxl.Workbook()
    book.active.title = "sample_export"  # type: ignore[union-attr]
    for row in [HEADER, *rows]:
        book["sample_export"].append(row)
    book.create_sheet("other")
    book.save(path)
    return path


def write_json(path: Path, rows: list[list[str]]) -> Path:
    objects = [dict(zip(HEADER, row, strict=True)) for row in rows]
    if path.suffix == ".jsonl":
        path.write_text("\n".join(map(json.dumps, objects)) + "\n")
    else:
        path.write_text(json.dumps({"records": objects}))
    return path


def test_every_format_gives_the_same_records(tmp_path: Path, catalogue: Catalogue) -> None:
    files = [
        write_csv(tmp_path / "a.csv", ROWS),
        write_csv(tmp_path / "b.csv", ROWS, encoding="cp1252", delimiter=";"),
        write_xlsx(tmp_path / "c.xlsx", ROWS),
        write_json(tmp_path / "d.json", ROWS),
        write_json(tmp_path / "e.jsonl", ROWS),
    ]
    ids = {tuple(sorted(r.record_id for r in read_records(path).records)) for path in files}
    assert len(ids) == 1
    report = import_records(bare_session(catalogue), files).records
    assert (report.imported, report.bad) == (2, ())
    said = [str(row) for row in report.repeated]
    assert said[0] == "b.csv, row 2: it says what a.csv, row 2 says"
    assert len(said) + len(report.replacements) == 8
    first = next(r for r in list_records(catalogue) if r["record_key"] == "1_page4_image1_a")
    assert first["caption"] == "SEM of PA6/PP"
    assert first["morphology"] is None
    assert first["scale_um"] == 10
    assert first["compatibility"] == "Compatible"
    assert (first["journal"], first["volume"], first["pages"], first["year"]) == ("Polymer", "45", "1234-1240", 2004)
    raw = json.loads(catalogue.value("SELECT raw FROM records WHERE record_key = '1_page4_image1_a'"))
    assert (raw["image_file"], raw["extra"]) == ("x_1.png", "kept")


def test_again_changes_nothing_and_a_changed_row_replaces(tmp_path: Path, catalogue: Catalogue) -> None:
    path = write_csv(tmp_path / "a.csv", ROWS)
    import_records(bare_session(catalogue), [path])
    before = catalogue.fingerprint()
    report = import_records(bare_session(catalogue), [write_csv(tmp_path / "other_name.csv", ROWS)]).records
    assert (report.imported, report.replaced, report.unchanged) == (0, 0, 2)
    assert catalogue.fingerprint() == before
    changed = [[*ROWS[0][:3], "20", *ROWS[0][4:]], ROWS[1]]
    report = import_records(bare_session(catalogue), [write_csv(path, changed)]).records
    assert (report.imported, report.replaced, report.unchanged) == (0, 1, 1)
    assert len(list_records(catalogue)) == 2


def test_the_row_of_a_record_is_kept_and_is_no_content(tmp_path: Path, catalogue: Catalogue) -> None:
    def rows(path: Path) -> list[tuple[str, int]]:
        report = import_records(bare_session(catalogue), [path]).records
        assert report.replaced == 0
        return [(row["source"], row["source_row"]) for row in list_records(catalogue)]

    first = write_csv(tmp_path / "a.csv", ROWS)
    assert rows(first) == [("a.csv", 2), ("a.csv", 3)]
    before = catalogue.fingerprint()
    assert rows(write_csv(tmp_path / "b.csv", ROWS[::-1])) == [("a.csv", 2), ("a.csv", 3)]
    assert rows(write_csv(first, ROWS[::-1])) == [("a.csv", 3), ("a.csv", 2)]
    assert catalogue.fingerprint() == before


def test_repeated_rows_are_named_and_of_many_some(tmp_path: Path) -> None:
    call = [
        str(new_workspace(tmp_path / "w").root),
        "records",
        "import",
        str(write_csv(tmp_path / "a.csv", ROWS[:1] * 31)),
    ]
    said = CliRunner().invoke(app, ["-w", *call])
    assert said.stderr.count("Repeated row: a.csv, row ") == 20
    assert "Repeated row: a.csv, row 3: it says what row 2 says" in said.stderr
    assert "Repeated row: and 10 more: --json lists all" in said.stderr
    told = json.loads(CliRunner().invoke(app, ["-w", *call, "--json"]).stdout)
    assert [row["row"] for row in told["repeated"]] == list(range(3, 33))


def test_nothing_is_half_imported(tmp_path: Path, catalogue: Catalogue) -> None:
    bad = [
        ROWS[0],
        ["", "", "words", "1", "", "", "", ""],
        [*ROWS[1][:3], "very long", *ROWS[1][4:]],
        [*ROWS[0][:3], "99", *ROWS[0][4:]],
        [*ROWS[1], "too", "many"],
    ]
    path = write_csv(tmp_path / "a.csv", bad)
    report = import_records(bare_session(catalogue), [write_csv(tmp_path / "good.csv", ROWS), path]).records
    assert not report.done
    assert list_records(catalogue) == []
    assert [b.row for b in report.bad] == [3, 4, 5, 6]
    reasons = [b.reason for b in report.bad]
    assert "nothing identifies it" in reasons[0]
    assert "'very long' is no length" in reasons[1]
    assert "key and reference of row 2" in reasons[2]
    assert "10 cells under a header of 8" in reasons[3]
    report = import_records(bare_session(catalogue), [path], skip_bad=True).records
    assert (report.imported, len(report.bad), report.done) == (1, 4, True)


def test_rows_without_a_key_are_known_by_their_content(tmp_path: Path, catalogue: Catalogue) -> None:
    rows = [["", *row[1:]] for row in ROWS]
    assert import_records(bare_session(catalogue), [write_csv(tmp_path / "a.csv", rows)]).records.imported == 2
    assert import_records(bare_session(catalogue), [write_csv(tmp_path / "a.csv", rows)]).records.unchanged == 2


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.csv", b"", "no header"),
        ("a.csv", b"key,key\n1,2\n", "twice"),
        ("a.csv", b"foo,baz\n1,2\n", "no column that is known"),
        ("a.json", b"[1, {", "not JSON"),
        ("a.json", b"[" * 100_000, "not JSON"),
        ("a.json", b"3", "neither a list"),
        ("a.xlsx", b"PK nothing", "not a workbook"),
        ("a.pdf", b"%PDF", "no table"),
    ],
)
def test_a_file_that_is_no_table_is_refused(tmp_path: Path, name: str, data: bytes, words: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(InputError, match=words):
        read_records(tmp_path / name)


def test_sheets_are_named(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "a.xlsx", ROWS)
    assert len(read_table(path, "sample_export")) == 2
    with pytest.raises(InputError, match="no sheet 'x'"):
        read_table(path, "x")
    with pytest.raises(UsageError):
        read_table(write_csv(tmp_path / "a.csv", ROWS), "x")


def test_a_workbook_that_unpacks_to_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("polydata.files.workbook.MAX_UNPACKED", 2_000_000)
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b" " * 3_000_000)
    with pytest.raises(InputError, match="unpacks"):
        read_table(tmp_path / "a.xlsx")


def test_a_field_of_its_own_name_goes_before_its_aliases() -> None:
    assert map_columns(["Label", "compatibility", "Scale (um)", "image_file"]) == {
        "compatibility": ("compatibility",),
        "scale_um": ("Scale (um)",),
    }
    assert map_columns(["image", "KEY"]) == {"figure": ("image",), "record_key": ("KEY",)}


def test_scales() -> None:
    assert [parse_scale(t) for t in ("10", "500 nm", "2 µm", "100/300", ".5", "unclear")] == [
        10,
        0.5,
        2,
        100,
        0.5,
        None,
    ]
    for text in ("ten", "5 kg", "1/2/3"):
        with pytest.raises(ValueError, match="no length"):
            parse_scale(text)


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_the_template_can_be_imported_once_its_examples_are_replaced(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"t.{kind}"
    path.write_bytes(template(kind))  # type: ignore[arg-type]
    read = read_records(path)
    assert (len(read.records), [row.row for row in read.bad]) == (0, [2, 3])
    assert all("example of the template" in row.reason for row in read.bad)
    path = filled_template(path)
    read = read_records(path)
    assert (len(read.records), read.bad, read.doubtful) == (2, (), ())
    if kind == "csv":
        assert next(csv.reader(io.StringIO(path.read_text()))) == list(FIELDS)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200), st.sampled_from([".csv", ".json", ".jsonl", ".xlsx"]))
def test_any_bytes_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes, suffix: str) -> None:
    path = tmp_path_factory.mktemp("any") / f"a{suffix}"
    path.write_bytes(b"caption\n" + data if suffix == ".csv" else data)
    try:
        read_records(path)
    except InputError as error:
        assert error.message


@pytest.mark.realdata
def test_the_published_table_is_read_as_it_is(shared_data: Path, catalogue: Catalogue) -> None:
    path = shared_data / "nims" / "records.csv"
    report = import_records(bare_session(catalogue), [path]).records
    assert (report.imported, report.bad) == (556, ())
    assert import_records(bare_session(catalogue), [path]).records.unchanged == 556
    row = next(r for r in list_records(catalogue) if r["record_key"] == "63_page3_image1_a")
    assert (row["page"], row["figure"], row["panel"]) == (3, "1", "a")
    assert not any("_0.png" in str(value) for value in row.values())
