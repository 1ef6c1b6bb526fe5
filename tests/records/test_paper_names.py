"""Tables that name their papers by PDF file, and tables whose samples repeat."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from joined_scene import FIRST_PAGE, REFERENCE, add_figure, add_paper, add_records, links, run
from workspaces import bare_session

from polydata.catalogue.connect import Catalogue
from polydata.catalogue.records import list_records
from polydata.catalogue.session import Session
from polydata.catalogue.session import init as new_workspace
from polydata.errors import UsageError
from polydata.records.columns import map_columns, parse_map
from polydata.records.importer import import_records
from polydata.records.match_figures import Captions
from polydata.records.match_papers import PaperMatcher
from polydata.records.reading import read_records
from polydata.records.record import make_record
from polydata.task import Task
from polydata.text.reference import paper_named, with_paper, without_name
from polydata.workspace import RECORD_COLUMNS


def table(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n")
    return path


def paper_of(**cells: str) -> tuple[str | None, str] | None:
    nothing = dict.fromkeys(("doi", "citation", "title", "journal", "year", "first_page_text"))
    names = {"paper-0123456789abcdef": "Kim_2004.pdf", "paper-0123459999abcdef": "other.PDF"}
    papers = [nothing | {"paper_id": one, "file_name": name} for one, name in names.items()]
    row = make_record({"record_key": "k", **cells}, source="t", raw={}).as_row()
    match = PaperMatcher(lambda _: papers, Captions(()), []).find(row)
    return (match.paper_id, match.method) if match else None


@pytest.mark.parametrize(
    "name",
    [
        "Kim_2004.pdf",
        "kim_2004",
        " KIM_2004.PDF ",
        "papers/Kim_2004.pdf",
        r"C:\papers\Kim_2004.pdf",
        "paper-01234567",
        "01234567",
    ],
)
def test_a_record_names_its_paper_by_file_or_id(name: str) -> None:
    right = ("paper-0123456789abcdef", "file_name")
    assert paper_of(paper=name) == paper_of(reference=name) == right
    assert paper_of(paper=name, reference=REFERENCE) == right  # the name stands beside what is cited


@pytest.mark.parametrize("name", ["Kim_2005.pdf", "Kim", "012345", "1", "paper-ffffffff"])
def test_no_other_name_is_taken_for_a_paper(name: str) -> None:
    found = paper_of(paper=name)
    assert found is None or found[0] is None  # 012345 begins the ids of both


def test_a_reference_with_a_name_is_still_a_citation() -> None:
    record = make_record({"reference": REFERENCE, "paper": "kim.pdf"}, source="t", raw={})
    plain = make_record({"reference": REFERENCE}, source="t", raw={})
    parts = ("authors", "journal", "volume", "pages", "year")
    assert [record.values[part] for part in parts] == [plain.values[part] for part in parts]
    assert record.former_id == plain.record_id  # the table of before, its last column read now
    keyed = [make_record({**cells, "record_key": "k"}, source="t", raw={}).record_id for cells in (
        {"reference": REFERENCE}, {"reference": REFERENCE, "paper": "a.pdf"}, {"reference": REFERENCE, "paper": "b"}
    )]  # fmt: skip
    assert len(set(keyed)) == 1  # a file may be called otherwise tomorrow
    assert make_record({"paper": "Polymer 45 (2004) 1234.pdf"}, source="t", raw={}).values["volume"] is None
    assert make_record({"paper": "10.1000/a.1"}, source="t", raw={}).values["doi"] == "10.1000/a.1"
    assert make_record({"record_key": "k", "paper": "b_1.tif"}, source="t", raw={}).values["reference"] is None
    joined = with_paper("Kim 2004", "a [1].pdf")
    assert (paper_named(joined), without_name(joined)) == (paper_named("A [1].PDF"), "Kim 2004")


@pytest.mark.parametrize(
    "heading", ["PDF file", "PDF", "pdf_name", "File", "File name", "Filename", "Paper", "Paper ID"]
)
def test_columns_that_name_a_paper_are_known(heading: str) -> None:
    assert map_columns([heading, "Fig."]) == {"figure": ("Fig.",), "paper": (heading,)}


def test_a_table_keyed_by_pdf_files_is_joined(tmp_path: Path, catalogue: Catalogue) -> None:
    for name in ("one", "two"):
        panels = add_figure(catalogue, add_paper(catalogue, name, FIRST_PAGE), 3, "SEM", [("a", None), ("b", None)])
    path = table(tmp_path / "mine.csv", "PDF file,Fig.,Panel", "TWO.pdf,3,a", "two,Figure 3,b")
    assert import_records(bare_session(catalogue), [path]).records.imported == 2
    assert run(catalogue).links.methods == {"letter": 2}
    assert sorted(links(catalogue).values()) == sorted(panels)


def test_a_letter_that_was_not_read_leaves_the_figure(catalogue: Catalogue) -> None:
    paper = add_paper(catalogue, "one", "")
    for number in range(1, 12):
        add_figure(catalogue, paper, number, f"Figure {number}. Blends", [("a", None), ("b", None)])
    add_records(catalogue, {"record_key": "k", "reference": "one.pdf", "figure": "FIGURE 4", "panel": "d"})
    report = run(catalogue).links
    assert (report.in_figure, report.in_paper) == (1, 0)


def test_a_bare_number_is_another_paper_in_each_table(tmp_path: Path) -> None:
    ids = [
        read_records(table(tmp_path / name, "key,Paper,caption", "1,7,SEM")).records[0].record_id
        for name in ("a.csv", "b.csv")
    ]
    assert len(set(ids)) == 2


def test_map_takes_any_name_of_a_field_and_says_which_there_are() -> None:
    assert parse_map(["pdf=My file", "key=No"]) == {"paper": ("My file",), "record_key": ("No",)}
    with pytest.raises(UsageError, match=r"no field 'papr'\.\nFields: paper, record_key"):
        parse_map(["papr=PDF"])
    with pytest.raises(UsageError, match="FIELD=COLUMN"):
        parse_map(["paper"])


SAMPLES = (
    "DOI,Sample,Fig.,Panel",
    "10.1000/a,SEM images of annealed films,3,a",
    "10.1000/a,SEM images of annealed films,3,b",
    "10.1000/a,PS1,4,a",
)


def test_samples_that_repeat_are_no_key(tmp_path: Path, catalogue: Catalogue) -> None:
    path = table(tmp_path / "a.csv", *SAMPLES[:2])
    import_records(bare_session(catalogue), [path])
    [before] = list_records(catalogue)
    report = import_records(bare_session(catalogue), [table(path, *SAMPLES)]).records
    assert (report.bad, report.imported, report.replaced) == ((), 2, 1)
    assert (report.columns[0].no_key, report.columns[0].repeating) == ("Sample", 1)
    assert "'Sample' was not taken for the key" in report.notices[0]
    rows = list_records(catalogue)
    assert before["record_id"] in {row["record_id"] for row in rows}  # what hangs on it stays
    assert {row["record_key"] for row in rows} == {None}
    said = sorted((row["caption"] or "", row["characteristics"] or "") for row in rows)
    assert said == [("", "PS1"), *[("SEM images of annealed films", "")] * 2]
    assert import_records(bare_session(catalogue), [path]).records.unchanged == 3


@pytest.mark.parametrize("heading", ["Key", "ID", "record_key"])
def test_what_is_called_a_key_must_not_repeat(tmp_path: Path, heading: str) -> None:
    path = table(tmp_path / "a.csv", SAMPLES[0].replace("Sample", heading), *SAMPLES[1:])
    (bad,) = read_records(path).bad
    assert "key and reference of row 2" in bad.reason
    assert "--map record_key=COLUMN" in bad.reason
    named = table(tmp_path / "b.csv", *SAMPLES)
    assert len(read_records(named, columns={"record_key": ("Sample",)}).bad) == 1


def test_samples_that_are_told_apart_by_paper_stay_keys(tmp_path: Path) -> None:
    path = table(tmp_path / "a.csv", "PDF,Sample,Fig.", "a.pdf,S1,3", "b.pdf,S1,4", "b.pdf,S1,4")
    read = read_records(path)
    assert ([r.values["record_key"] for r in read.records], len(read.repeated)) == (["S1", "S1"], 1)


def test_columns_that_were_named_are_kept_for_tables_with_these_headings(tmp_path: Path) -> None:
    workspace = new_workspace(tmp_path / "w")
    path = table(tmp_path / "a.csv", "No,Seen in,Phase", "1,a.pdf,droplets")
    other = table(tmp_path / "b.csv", "No,Seen in", "1,a.pdf")
    with Catalogue.open(workspace.catalogue) as catalogue:
        session = Session(workspace, catalogue, Task.load())
        chosen = parse_map(["record_key=No", "pdf=Seen in"])
        import_records(session, [path], columns=chosen, dry_run=True)
        assert not (workspace.root / RECORD_COLUMNS).exists()
        assert import_records(session, [path], columns=chosen).records.notices == ()
        again = import_records(session, [path]).records
        assert (again.unchanged, again.imported) == (1, 0)
        assert again.notices == ("a.csv: as an import before said: --map record_key='No', --map paper='Seen in'",)
        import_records(session, [path], columns=parse_map(["morphology=Phase"]))
        assert list_records(catalogue)[0]["morphology"] == "droplets"
        assert import_records(session, [other], columns=parse_map(["caption=Seen in"])).records.notices == ()
    kept = tomllib.loads((workspace.root / RECORD_COLUMNS).read_text())["table"]
    assert [one["headings"] for one in kept] == [["No", "Phase", "Seen in"], ["No", "Seen in"]]
    assert kept[0]["columns"] == {"record_key": ["No"], "paper": ["Seen in"], "morphology": ["Phase"]}
